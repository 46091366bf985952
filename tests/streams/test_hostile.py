"""Hostile records the whole way: decoded, judged, told why not, and their neighbours left alone."""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from fuzz.harness import Batch
from live_parts import PARTITIONS, Record, arrays, make_topics, publish, read, single, until, worker
from one_district import one_district
from test_worker_live import START_MS, city, drive, plates

from streams.detect import Engine, PreparedCity
from streams.elements import MAX_ORIGINAL
from streams.live import TRUCK_KEY, LiveView
from streams.log_lines import Event, Readable
from streams.metrics import Metrics
from streams.output import encode
from streams.partition import partition_of
from streams.position import (
    MAX_ARRAY,
    MAX_TIME_MS,
    MIN_TIME_MS,
    Position,
    decode_record,
    encode_position,
)
from streams.rejects import reject_outputs
from streams.shown import shown
from streams.state import NEVER

__all__ = ["city"]

PREPARED = PreparedCity.of(one_district())
MEGABYTE = 1_000_000
GOOD = b'{"truck_id":"a","time_ms":1793584800000,"lon":121.1,"lat":29.1}'
IDS = (
    "a\x00b", "a\nERROR forged: b", "\r", "\x1b[2J\x1b]0;title\x07", "\u202e12345B浙", "\u2066",
    "\u200b",
    "\ufeff", "\x7f", "\x85", "\u2028", "[/red]", "🚛" * 64, " ", "../../etc", "%s%n", "'; --",
)  # fmt: skip


def with_field(field: str, json_text: str) -> bytes:
    return GOOD[:-1] + f',"{field}":{json_text}}}'.encode()


def go_whole_way(*values: bytes | None, record_ms: int = NEVER) -> tuple[list[str], list[Any]]:
    """The reason of each element ("" = a fix or a tick) and the rejects, as JSON tells them. A good
    position of another truck behind them is a fix all the same, and is told the same."""
    batch = Batch()
    for value in values:
        batch.add(value, record_ms)
    engine = Engine.live(PREPARED, 0, 1)
    outcome = engine.process(batch.elements, batch.record_ms)
    outputs = reject_outputs(
        "gps.rejected", batch.records, batch.starts, batch.elements_of, outcome.rejected
    )
    rejects = [json.loads(output.value) for output in outputs]
    assert [reject["reason"] for reject in rejects] == [why for _, why in outcome.rejected]
    good = Position("the good truck", START_MS, 121.1, 29.1)
    after = engine.process([good], [NEVER])
    assert (after.fixes, after.rejected) == (1, [])
    found = dict(outcome.rejected)
    return [found.get(i, "") for i in range(len(batch.elements))], rejects


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        (with_field("unknown", '"' + "x" * MEGABYTE + '"'), [""]),
        (with_field("source", '"' + "🚛" * (MEGABYTE // 4) + '"'), [""]),
        (with_field("truck_id", '"' + "x" * MEGABYTE + '"'), ["malformed"]),
        (with_field("lon", '"' + "x" * MEGABYTE + '"'), ["malformed"]),
        (with_field("lon", "1" * MEGABYTE), ["bad_coordinates"]),
        (with_field("lon", "0." + "1" * MEGABYTE), [""]),
        (with_field("time_ms", "1" * MEGABYTE), ["malformed"]),
        (with_field("unknown", "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2)), ["malformed"]),
        (with_field("unknown", '{"a":' * 200 + "1" + "}" * 200), [""]),
        (GOOD[:-1] + b',"k":1' * (MEGABYTE // 6) + b"}", [""]),
        (b'{"truck_id":"b",' + GOOD[1:], [""]),
        (b"\x00" * MEGABYTE, ["malformed"]),
        (b"\xff" * MEGABYTE, ["malformed"]),
        (b"[" * MEGABYTE, ["malformed"]),
        (b"[" + b"0," * (MEGABYTE // 2) + b"0]", ["malformed"]),
        (b"[" + b",".join([GOOD] * (MAX_ARRAY + 1)) + b"]", ["malformed"]),
        (b"[" + b",".join([b"1" * 998] * MAX_ARRAY) + b"]", ["malformed"] * MAX_ARRAY),
        (b"\xef\xbb\xbf" + GOOD, [""]),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + GOOD, ["malformed"]),
        (GOOD + b"\x00", ["malformed"]),
        (GOOD.decode().encode("utf-16"), ["malformed"]),
        (with_field("truck_id", r'"\ud800"'), ["malformed"]),
        (with_field("truck_id", '"x"').replace(b'"x"', b'"\xed\xa0\x80"'), ["malformed"]),
        (with_field("lon", "1e999"), ["bad_coordinates"]),
        (with_field("lon", "-1e999"), ["bad_coordinates"]),
        (with_field("lon", "NaN"), ["malformed"]),
        (with_field("lon", "-0")[:-1] + b',"lat":-0.0}', ["bad_coordinates"]),
        (with_field("speed_kmh", "-1.7e308"), [""]),
        (with_field("load_kg", "1.7e308"), [""]),
        (with_field("satellites", "9223372036854775807"), [""]),
        (with_field("satellites", "9223372036854775808"), ["malformed"]),
        (None, ["malformed"]),
    ],
)  # fmt: skip
def test_each_gets_its_verdict_and_its_neighbours_theirs(
    value: bytes | None, reasons: list[str]
) -> None:
    alone, rejects = go_whole_way(value)
    assert alone == reasons
    among, _ = go_whole_way(GOOD.replace(b'"a"', b'"b"'), value, GOOD.replace(b'"a"', b'"c"'))
    assert among == ["", *reasons, ""]
    assert all(len(encode(reject)) < 2 * MAX_ORIGINAL + 1_000 for reject in rejects)


@pytest.mark.parametrize("truck_id", IDS)
def test_an_odd_id_is_an_id(truck_id: str) -> None:
    """It is judged like any other, and comes out as it went in."""
    positions = [
        Position(truck_id, START_MS + 20_000 * n, 121.1 + 0.002 * n, 29.1, 30.0, loaded=True)
        for n in range(6)
    ]
    [decoded] = decode_record(encode_position(positions[0]))
    assert decoded == positions[0]
    outcome = Engine.live(PREPARED, 0, 1).process(positions)
    assert outcome.violations
    for violation in outcome.violations:
        assert json.loads(encode(violation))["truck_id"] == truck_id
    bad = go_whole_way(encode_position(msgspec.structs.replace(positions[0], lat=99.0)))[1]
    assert (bad[0]["truck_id"], bad[0]["value"]["truck_id"]) == (truck_id, truck_id)


def test_clocks_far_in_the_future_or_the_past() -> None:
    def at(time_ms: int, **fields: Any) -> bytes:
        return encode_position(Position("a", time_ms, 121.1, 29.1, **fields))

    assert go_whole_way(at(MAX_TIME_MS), record_ms=START_MS)[0] == ["future_time"]
    assert go_whole_way(at(MAX_TIME_MS, received_ms=-(2**63)))[0] == ["future_time"]
    assert go_whole_way(at(MAX_TIME_MS), record_ms=0)[0] == ["future_time"]
    assert go_whole_way(at(MAX_TIME_MS, received_ms=2**63 - 1))[0] == [""]
    outside = [at(time_ms) for time_ms in (MIN_TIME_MS - 1, MAX_TIME_MS + 1, -(2**63), 2**63 - 1)]
    assert go_whole_way(*outside)[0] == ["malformed"] * 4
    back_again = go_whole_way(at(MIN_TIME_MS), at(START_MS), at(MIN_TIME_MS), at(START_MS + 1))
    assert back_again[0] == ["", "", "late", ""]
    assert go_whole_way(b'{"tick_ms":%d}' % MAX_TIME_MS, at(START_MS))[0] == ["", ""]


def invented(count: int, **fields: Any) -> list[Position]:
    return [Position(f"车{n}", START_MS, 121.1, 29.1, **fields) for n in range(count)]


def test_what_is_no_fix_makes_no_truck() -> None:
    engine = Engine.live(PREPARED, 0, 2)
    own = [one for one in invented(200) if partition_of(one.truck_id, 2) == 0]
    others = [one for one in invented(200) if partition_of(one.truck_id, 2) == 1]
    bad = {
        "bad_coordinates": {"lon": 181.0},
        "not_located": {"located": False},
        "few_satellites": {"satellites": 3},
        "future_time": {"received_ms": START_MS - 300_001},
    }
    for reason, fields in bad.items():
        outcome = engine.process([msgspec.structs.replace(one, **fields) for one in own])
        assert outcome.rejected == [(i, reason) for i in range(len(own))]
    assert {why for _, why in engine.process(others).rejected} == {"wrong_partition"}
    assert len(engine.trucks) == 0
    again = [one for good in own for one in (good, msgspec.structs.replace(good, lat=99.0))]
    outcome = engine.process(again)
    assert outcome.fixes == len(own) == len(engine.trucks)
    assert outcome.rejected == [(2 * i + 1, "bad_coordinates") for i in range(len(own))]


def verdicts(engine: Engine, positions: Sequence[Position], size: int) -> list[tuple[int, str]]:
    """In batches of `size`, with a stop and a restart from the state after each."""
    told = []
    for start in range(0, len(positions), size):
        outcome = engine.process(positions[start : start + size])
        told += [(start + index, why) for index, why in outcome.rejected]
        state = engine.export()
        engine = Engine.live(PREPARED, 0, 1, 3)
        engine.restore(state)
    return told


def test_past_the_limit_new_trucks_are_rejected_and_known_ones_go_on() -> None:
    positions = invented(5)
    positions += [msgspec.structs.replace(one, time_ms=START_MS + 10_000) for one in positions]
    positions += [msgspec.structs.replace(positions[4], lat=99.0), Position("new", START_MS, 0, 0)]
    expected = [(i, "too_many_trucks") for i in (3, 4, 8, 9)] + [
        (10, "bad_coordinates"), (11, "bad_coordinates"),
    ]  # fmt: skip
    for size in (1, 2, 5, 100):
        assert verdicts(Engine.live(PREPARED, 0, 1, 3), positions, size) == expected
    assert Engine.live(PREPARED, 0, 1, 5).process(positions).rejected == expected[-2:]
    assert Engine.offline(PREPARED).process(positions).rejected == expected[-2:]


def test_a_lower_limit_forgets_no_truck() -> None:
    engine = Engine.live(PREPARED, 0, 1, 5)
    engine.process(invented(5))
    lower = Engine.live(PREPARED, 0, 1, 2)
    lower.restore(engine.export())
    later = [msgspec.structs.replace(one, time_ms=START_MS + 10_000) for one in invented(6)]
    assert lower.process(later).rejected == [(5, "too_many_trucks")]


def test_invented_trucks_take_no_more_memory_than_the_limit_allows() -> None:
    engine = Engine.live(PREPARED, 0, 1, 500)
    assert engine.process(invented(50_000)).fixes == 500
    assert len(engine.trucks) == 500
    assert len(engine.export()) < 1_000 * 500


@pytest.mark.parametrize("text", [*IDS, "x\ud800", "\u202e\u2066\u200f"])
def test_what_is_shown_is_one_line_of_what_can_be_seen(text: str) -> None:
    told = shown(text)
    assert told.isprintable()
    assert len(told) <= 12 * 64
    told.encode()


def test_what_is_shown_is_as_it_was_and_not_too_long() -> None:
    assert shown("浙B12345 (ä) 🚛") == "浙B12345 (ä) 🚛"
    assert shown("a\nb\x1b\u202e\ud800") == r"a\nb\x1b\u202e\ud800"
    assert shown("x" * 1_000_000, 5) == "xxxxx… (999,995 characters more)"
    assert shown(None) == "None"


def test_a_log_keeps_a_message_on_its_line_and_indents_tracebacks() -> None:
    formatter = Readable(has_colours=False)
    event = Event("truck_met", {"truck_id": IDS[1] + IDS[3]})
    told = formatter.format(logging.LogRecord("a", logging.ERROR, "", 0, event, None, None))
    assert told.isprintable()
    assert r"a\\nERROR forged: b\\x1b[2J" in told
    record = logging.LogRecord("a", logging.ERROR, "", 0, "truck %s", (IDS[1] + IDS[3],), None)
    told = formatter.format(record)
    assert told.isprintable()
    assert r"truck a\nERROR forged: b\x1b[2J" in told
    try:
        raise ValueError("2026-01-01 00:00:00,000 ERROR a: x\n2026-01-01 ERROR forged\x1b[2J")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "bug", (), sys.exc_info())
    first, *rest = formatter.format(record).split("\n")
    assert first.endswith("bug")
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


async def test_an_error_of_redis_that_quotes_an_id_is_shown(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    truck_id = "\x1b[2Ja\nERROR forged"
    engine = Engine.offline(PREPARED)
    outcome = engine.process([Position(truck_id, START_MS, 121.1, 29.1)])
    with redis.Redis.from_url(redis_url) as client:
        client.set(TRUCK_KEY + truck_id, "no hash")
        view = LiveView(redis_url, Metrics())
        view.note(engine, outcome)
        await view.close()
        client.delete(TRUCK_KEY + truck_id)
    [message] = [one.getMessage() for one in caplog.records if "not_written" in one.getMessage()]
    assert "WRONGTYPE" in message
    assert message.isprintable()


async def test_a_worker_among_attackers(tmp_path: Path, city: Path, kafka: str) -> None:
    """Records at the broker's limit, and more trucks than the partition remembers, one after
    another; then a truck that it knows."""
    topics = await make_topics(kafka)
    good = drive(plates(1))
    own = partition_of(good[0].truck_id, PARTITIONS)
    names = (f"车{n}" for n in range(2_000))
    crowd = [
        Position(name, START_MS, 121.1, 29.1)
        for name in names
        if partition_of(name, PARTITIONS) == own
    ]
    garbage = [
        b"\x1b" * MEGABYTE,
        b"[" * MEGABYTE,
        with_field("source", '"' + "🚛" * (MEGABYTE // 5) + '"'),
        b"[" + b"0," * 400_000 + b"0]",
        b'{"truck_id":"' + b"x" * MEGABYTE + b'"}',
    ]
    most = 5
    with worker(tmp_path / "a", city, kafka, topics, None, most_trucks=most) as process:
        await publish(kafka, topics.positions, [single(good[0])])
        await publish(kafka, topics.positions, [Record(own, value, b"k") for value in garbage])
        await publish(kafka, topics.positions, arrays(crowd, 100))
        await publish(kafka, topics.positions, [single(good[1])])
        refused = 'mucktrack_positions_total{outcome="too_many_trucks"}'
        trucks_a = partition_of("a", PARTITIONS) == own
        expected = len(crowd) - (most - 1 - trucks_a)
        await until(lambda: process.metric(refused) == expected, "the crowd is refused")
        fixes = 'mucktrack_positions_total{outcome="fix"}'
        await until(lambda: process.metric(fixes) == most + 1, "the known one is judged")
        assert process.metric(f'mucktrack_trucks{{partition="{own}"}}') == most
        rejected = await read(
            kafka, topics.rejected, lambda some: len(some) >= expected + len(garbage) - trucks_a
        )
        assert process.stop() == 0, process.said()
    told = [json.loads(record.value) for record in rejected]
    crowded = [one["truck_id"] for one in told if one["reason"] == "too_many_trucks"]
    assert crowded == [one.truck_id for one in crowd[-expected:]]
    assert process.said().count('"trucks_full"') == 1
    assert "\x1b" not in process.said()
