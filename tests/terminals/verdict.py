"""What the whole way from TCP must have come to. Called when all is quiet.

Three questions, which are asked of different things:

Was anything lost or invented on the way to Kafka? The terminals' own files of what they sent, and
of what was acknowledged to them, are compared with the topics, position by position.

Did the worker judge what is in Kafka as it must? Its violations, trips and rejects are compared
with `mucktrack detect` over the archive, whole and to the last field: that is the live engine over
the same records, ends included.

Did it matter that the positions came by TCP, cut and repeated? The violations are compared with
those of an offline engine over what the terminals sent, in the order in which they sent it first
(some terminals report what is new before what they have stored). There the watermark stands still
until the end, so that what it brings about (silence, trips that do not end) an offline engine finds
at the truck's next fix or at the end: everything it finds before the end the worker must have
found, and the worker nothing that it does not find, the end included. Both hold for trucks of which
nothing arrives later than the watermark's delay and a gap together, 960 s of event time (design
section 5); the others, which only long faults at a high speed make, are left out and counted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from geofences.loader import load_city
from producers.jt808.connection import Connection, Received
from producers.jt808.header import bare_phone
from producers.jt808.location import Location, LocationBatch
from producers.labels import Label, read_labels
from producers.score import Found, Score, score
from streams.detect import Engine, PreparedCity
from streams.output import encode
from streams.position import Position, decode_record
from streams.topics import RAW, VIOLATIONS
from terminals.topic import records_of
from terminals.way import Way

SILENT_MS = 960_000
"""The watermark's delay and a gap (`watermark_delay_s`, `max_gap_s`)."""
Key = tuple[str, int]
"""Truck or phone, and time (ms): a terminal reports once a second at the most."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The way to Kafka. Lists are of what is wrong, and must be empty."""

    sent: int
    acknowledged: int
    in_kafka: int
    repeats: int
    lost: list[Key]
    """Acknowledged, and not on the topic of positions."""
    without_frame: list[Key]
    """Acknowledged, and not on the topic of frames."""
    invented: list[Key]
    """On the topic, and not sent; or not as it was sent."""
    out_of_order: list[Key]
    """On the topic for the first time, after a position that the same terminal sent later."""
    too_late: set[str]
    """Trucks that a worker may have taken for silent before their positions came."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The worker's violations beside those of an offline engine. Lists must be empty."""

    violations: int
    before_the_end: int
    """Of the offline engine."""
    missing: list[str]
    invented: list[str]
    different: list[str]
    found: dict[str, Score]
    """The worker's violations against the labels, by rule; `all` together."""
    found_before_the_end: dict[str, Score]
    """Those of the offline engine."""


def delivered(way: Way) -> Delivered:
    """Compares the terminals' files with the topics."""
    sent, acknowledged = _by_key(_lines(way.sent)), _by_key(_lines(way.acked))
    turns = {key: turn for turn, key in enumerate(sent)}
    there: dict[Key, Position] = {}
    repeats = 0
    invented, out_of_order = [], []
    latest: dict[str, int] = defaultdict(int)
    """Turn in which a truck's last position was sent."""
    highest_ms: dict[int, int] = defaultdict(int)
    too_late: set[str] = set()
    for record in way.positions:
        for element in decode_record(record.value):
            assert isinstance(element, Position), element
            key = element.truck_id, element.time_ms
            assert element.received_ms is not None
            if sent.get(key) != _as_reported(element):
                invented.append(key)
            if key in there:
                repeats += 1
                continue
            there[key] = element
            turn = turns.get(key, 0)
            if turn < latest[element.truck_id]:
                out_of_order.append(key)
            latest[element.truck_id] = max(latest[element.truck_id], turn)
            highest = highest_ms[record.partition] = max(
                highest_ms[record.partition], element.time_ms
            )
            if element.time_ms < highest - SILENT_MS:
                too_late.add(element.truck_id)
    framed = set(_framed(way))
    phones = {key: position.terminal_id for key, position in acknowledged.items()}
    return Delivered(
        sent=len(sent),
        acknowledged=len(acknowledged),
        in_kafka=len(there),
        repeats=repeats,
        lost=sorted(acknowledged.keys() - there.keys()),
        without_frame=sorted(key for key, phone in phones.items() if (phone, key[1]) not in framed),
        invented=invented,
        out_of_order=out_of_order,
        too_late=too_late,
    )


def judged(way: Way, without: Collection[str]) -> Judged:
    """Compares the worker's violations with an offline engine over what was sent; `without` these
    trucks."""
    engine = Engine.offline(PreparedCity.of(load_city(way.city)))
    violations = engine.process(_lines(way.sent)).violations
    before = _by_id(map(encode, violations), without)
    at_the_end = _by_id(map(encode, engine.finish().violations), without)
    live = _by_id((record.value for record in records_of(way.kafka, VIOLATIONS)), without)
    both = before | at_the_end
    labels = [label for label in read_labels(way.labels) if label.truck_id not in without]
    return Judged(
        violations=len(live),
        before_the_end=len(before),
        missing=sorted(before.keys() - live.keys()),
        invented=sorted(live.keys() - both.keys()),
        different=sorted(name for name in live.keys() & both.keys() if live[name] != both[name]),
        found=_scored(labels, live.values()),
        found_before_the_end=_scored(labels, before.values()),
    )


def _scored(labels: Sequence[Label], violations: Iterable[dict[str, Any]]) -> dict[str, Score]:
    found = [msgspec.convert(one, Found) for one in violations]
    return {one.rule: one for one in score(labels, found)}


def _lines(path: Path) -> list[Position]:
    decoder = msgspec.json.Decoder(Position)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def _by_key(positions: Iterable[Position]) -> dict[Key, Position]:
    return {(one.truck_id, one.time_ms): _as_reported(one) for one in positions}


def _as_reported(position: Position) -> Position:
    """Without what differs from one sending to the next."""
    return msgspec.structs.replace(position, received_ms=None, backfill=False)


def _framed(way: Way) -> Iterable[Key]:
    """The positions in the frames as they were received."""
    for record in records_of(way.kafka, RAW):
        headers: Mapping[str, bytes] = dict(record.headers)
        assert headers["protocol"] == b"jt808"
        # A message of several parts is one record, and whole with the last of them.
        *_, last = Connection().receive(record.value, 0.0)
        assert isinstance(last, Received), last
        phone = bare_phone(last.message.phone)
        assert record.key.decode() == phone
        body = last.message.body
        for location in body.locations if isinstance(body, LocationBatch) else [body]:
            assert isinstance(location, Location)
            assert location.time_ms is not None
            yield phone, location.time_ms


def _by_id(violations: Iterable[bytes], without: Collection[str]) -> dict[str, dict[str, Any]]:
    found = map(msgspec.json.decode, violations)
    return {
        f"{one['violation_id']}/{one['phase']}": one
        for one in found
        if one["truck_id"] not in without
    }
