"""Replay keeps order and pace, and moves event time as far as the files do."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reference.tracks import in_arrival_order, random_case
from shapely import box

from geofences.city import City, District
from producers.chunk import InputFileError
from producers.files import open_positions
from producers.replay import replay, unreadable
from producers.ticks import is_plausible
from streams.detect import Engine, PreparedCity
from streams.output import encode
from streams.position import Element, Malformed, Position, Tick, decode_record, encode_position

START_MS = 1_795_266_467_000


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.flushed = False

    def publish(self, position: Position) -> None:
        self.calls.append(("position", position))

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        self.calls.append(("raw", value, truck_id, timestamp_ms))

    def tick(self, tick_ms: int) -> None:
        self.calls.append(("tick", tick_ms))

    def flush(self) -> None:
        self.flushed = True

    def ticks(self) -> list[object]:
        return [call[1] for call in self.calls if call[0] == "tick"]


def position(seconds: float, truck_id: str = "a", **fields: object) -> Position:
    given = {"truck_id": truck_id, "time_ms": START_MS + round(seconds * 1000)}
    return Position(**(given | {"lon": 121.0, "lat": 29.0} | fields))  # type: ignore[arg-type]


def write(tmp_path: Path, *positions: Position | bytes) -> Path:
    path = tmp_path / "p.jsonl"
    lines = [one if isinstance(one, bytes) else encode_position(one) for one in positions]
    path.write_bytes(b"\n".join(lines))
    return path


def test_order_is_kept_and_ticks_come_every_30_s_and_last(tmp_path: Path) -> None:
    positions = [position(second) for second in (0, 50, 10, 20, 70, 90, 95)]
    recorder = Recorder()
    done = replay([write(tmp_path, *positions)], recorder, None)
    assert [call[1] for call in recorder.calls if call[0] == "position"] == positions
    expected = [START_MS + 50_000, START_MS + 90_000, START_MS + 95_000 + 360_000]
    assert recorder.ticks() == expected
    assert recorder.calls[-1] == ("tick", expected[-1])
    assert recorder.flushed
    assert (done.positions, done.malformed, done.ticks, done.behind) == (7, 0, 3, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"lon": 181.0},
        {"lat": -91.0},
        {"lon": 0.0, "lat": 0.0},
        {"located": False},
        {"satellites": 3},
        {"received_ms": START_MS},
    ],
)
def test_positions_that_can_be_no_fixes_do_not_move_event_time(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    wild = position(40_000, **fields)
    assert not is_plausible(wild)
    recorder = Recorder()
    done = replay([write(tmp_path, position(0), wild, position(5))], recorder, None)
    assert recorder.ticks() == [START_MS + 5_000 + 360_000]
    assert done.positions == 3


def test_positions_far_behind_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, position(0), position(1_000), position(640), position(639))
    assert replay([path], Recorder(), None).behind == 1


def test_malformed_lines_are_published_as_they_are(tmp_path: Path) -> None:
    line = b'{"truck_id":"b","time_ms":1}'
    recorder = Recorder()
    path = write(tmp_path, position(0, received_ms=START_MS + 9), line, b"nonsense")
    done = replay([path], recorder, None)
    raw = [call for call in recorder.calls if call[0] == "raw"]
    assert raw == [("raw", line, "b", START_MS + 9), ("raw", b"nonsense", None, START_MS + 9)]
    assert done.malformed == 2


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b'{"tick_ms":1795266467000}',
        b"[" + encode_position(position(0)) + b"]",
        b"[1,2]",
        b'{"truck_id":"a"}',
    ],
)
def test_what_no_file_may_hold_no_worker_takes(line: bytes) -> None:
    elements = decode_record(unreadable(line))
    assert len(elements) == 1
    assert isinstance(elements[0], Malformed)


def test_coordinates_that_are_no_numbers_reach_the_quality_gate(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    columns = {"truck_id": ["a"], "time_ms": [START_MS], "lon": [float("nan")], "lat": [29.0]}
    pq.write_table(pa.table(columns), path)
    recorder = Recorder()
    replay([path], recorder, None)
    ((kind, value, *_),) = recorder.calls
    assert kind == "raw"
    assert isinstance(value, bytes)
    (element,) = decode_record(value)
    assert isinstance(element, Position)
    assert not is_plausible(element)


def test_pace(tmp_path: Path) -> None:
    path = write(tmp_path, position(0), position(4), position(2), position(8))
    for speed, expected_s in ((20.0, 0.4), (80.0, 0.1)):
        started = time.monotonic()
        replay([path], Recorder(), speed)
        assert expected_s <= time.monotonic() - started < expected_s + 0.3


def test_the_pace_is_that_of_reception(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        position(0, received_ms=START_MS + 500_000),
        position(400, received_ms=START_MS + 500_200),
    )
    started = time.monotonic()
    replay([path], Recorder(), 1)
    assert 0.2 <= time.monotonic() - started < 0.5


def test_nothing_is_waited_for_that_takes_hours(tmp_path: Path) -> None:
    path = write(tmp_path, position(0), position(80_000_000), position(80_000_001))
    started = time.monotonic()
    replay([path], Recorder(), 10)
    assert time.monotonic() - started < 0.5


def test_every_file_is_checked_before_the_first_is_played(tmp_path: Path) -> None:
    recorder = Recorder()
    with pytest.raises(InputFileError, match="no such file"):
        replay([write(tmp_path, position(0)), tmp_path / "q.jsonl"], recorder, None)
    assert recorder.calls == []


def test_empty_file_and_progress(tmp_path: Path) -> None:
    recorder = Recorder()
    assert replay([write(tmp_path)], recorder, None).ticks == 0
    assert recorder.calls == []
    told: list[tuple[Path, int, int]] = []
    path = write(tmp_path, position(0), position(1))
    replay([path], recorder, None, lambda *args: told.append((*args[:2], args[2].positions)))
    assert told == [(path, path.stat().st_size, 2)]


def city(**state: float) -> PreparedCity:
    return PreparedCity.of(
        City(
            name="one district",
            admin_code="330200",
            timezone="Asia/Shanghai",
            version="0" * 64,
            speed_limit_kmh=None,
            state_overrides=state,
            rule_overrides={"signal-lost": {"offline_s": 400}},
            districts=(District("330201", "all", box(120.9, 28.9, 121.2, 29.2)),),
        )
    )


def stands(truck_id: str, until_s: int) -> list[Position]:
    return [position(seconds, truck_id, loaded=True) for seconds in range(0, until_s + 1, 10)]


def in_order(*tracks: list[Position]) -> list[Position]:
    return sorted((one for track in tracks for one in track), key=lambda one: one.time_ms)


def jump(seconds: float, truck_id: str) -> Position:
    return position(seconds, truck_id, lat=59.0)


AT_THE_END = [*in_order(stands("A", 110), stands("B", 430)), jump(1_500, "B")]
"""A is silent for 320 s when the fixes end, which is not too long yet."""
BEHIND = in_order(*(stands(f"C{number}", 900) for number in range(20)))
IN_THE_MIDDLE = [*BEHIND[:600], jump(3_000, "C0"), *BEHIND[600:]]


def judged_live(recorder: Recorder, prepared: PreparedCity) -> list[bytes]:
    """What a worker with one partition finds in what was published."""
    engine = Engine.live(prepared, 0, 1)
    found = []
    for _, value, *_ in recorder.calls:
        elements: list[Element]
        if isinstance(value, Position):
            elements = [value]
            stamp_ms = value.time_ms if value.received_ms is None else value.received_ms
        elif isinstance(value, int):
            elements, stamp_ms = [Tick(value)], value
        else:
            assert isinstance(value, bytes)
            elements, stamp_ms = decode_record(value), START_MS
        found += engine.process(elements, [stamp_ms] * len(elements)).violations
    return sorted(encode(violation) for violation in found)


def judged_offline(path: Path, prepared: PreparedCity) -> list[bytes]:
    engine = Engine.offline(prepared)
    found = []
    for chunk in open_positions(path):
        found += engine.process(chunk.elements).violations
    found += engine.finish().violations
    return sorted(encode(violation) for violation in found)


@pytest.mark.parametrize("delay_s", [0, 60, 360, 3_600])
@pytest.mark.parametrize(
    ("positions", "last_fix_s"),
    [(AT_THE_END, 430), (IN_THE_MIDDLE, 900)],
    ids=["jump at the end", "jump in the middle"],
)
def test_a_worker_finds_what_detect_finds(
    tmp_path: Path, positions: list[Position], last_fix_s: int, delay_s: int
) -> None:
    prepared = city(watermark_delay_s=delay_s)
    path = write(tmp_path, *positions)
    recorder = Recorder()
    done = replay([path], recorder, None, city=prepared)
    assert done.behind == 0
    assert judged_live(recorder, prepared) == judged_offline(path, prepared)
    assert recorder.ticks()[-1] == START_MS + last_fix_s * 1_000 + delay_s * 1_000


def test_three_jumps_that_agree_are_fixes(tmp_path: Path) -> None:
    path = write(tmp_path, *stands("A", 110), *(jump(3_000 + number, "A") for number in range(3)))
    recorder = Recorder()
    replay([path], recorder, None, city=city(watermark_delay_s=60))
    assert recorder.ticks()[-1] == START_MS + 3_002_000 + 60_000


def test_what_is_due_at_the_end_is_due_whatever_the_delay(tmp_path: Path) -> None:
    path = write(tmp_path, *in_order(stands("A", 110), stands("B", 600)))
    for delay_s in (0, 360, 3_600):
        prepared = city(watermark_delay_s=delay_s)
        recorder = Recorder()
        replay([path], recorder, None, city=prepared)
        found = judged_offline(path, prepared)
        assert sum(b'"signal-lost"' in line for line in found) == 1
        assert judged_live(recorder, prepared) == found


def test_without_a_city_a_jump_moves_event_time(tmp_path: Path) -> None:
    """What help says does not hold then."""
    for positions in (AT_THE_END, IN_THE_MIDDLE):
        path = write(tmp_path, *positions)
        recorder = Recorder()
        replay([path], recorder, None)
        assert len(judged_live(recorder, city())) > len(judged_offline(path, city()))


def test_a_worker_finds_what_detect_finds_in_made_up_cities(tmp_path: Path) -> None:
    compared = 0
    for seed in range(60):
        made_up, tracks, rng = random_case(seed)
        prepared = PreparedCity.of(made_up)
        path = write(tmp_path, *in_arrival_order(rng, tracks))
        recorder = Recorder()
        if replay([path], recorder, None, city=prepared).behind == 0:
            assert judged_live(recorder, prepared) == judged_offline(path, prepared), seed
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("received_ms", [-(2**63), -1, 2**63 - 1])
def test_a_reception_that_is_no_time_stamps_nothing_and_is_not_waited_for(
    tmp_path: Path, received_ms: int
) -> None:
    here, nowhere = position(0, received_ms=received_ms), position(1, received_ms=received_ms)
    text = encode_position(nowhere).replace(b'"lon":121.0', b'"lon":1e999')
    recorder = Recorder()
    began = time.monotonic()
    replay([write(tmp_path, here, text, b"nonsense")], recorder, 1.0)
    assert time.monotonic() - began < 5
    stamps = [call[3] for call in recorder.calls if call[0] == "raw"]
    # Received before it was sent by more than clocks differ, the first moves no event time.
    assert stamps == [START_MS + 1_000, START_MS if received_ms > 0 else None]
