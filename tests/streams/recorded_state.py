"""A state as a version wrote it, and what that version went on to say: `states/<name>/`.

    city/            what it judged by
    state            head and parts, as they are kept (msgpack)
    rest.jsonl       what came then
    verdicts.jsonl   violations and trips, one a line

Recorded once by `python tests/streams/recorded_state.py NAME`, before the records of a truck or of
a run change, and never again: later versions must reach the same from it, but for the sentences.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from live_parts import write_city

from geofences.loader import load_city
from streams.detect import Engine, Outcome, PreparedCity
from streams.output import encode
from streams.position import (
    Element,
    Position,
    Tick,
    decode_record,
    encode_position,
    encode_tick,
)
from streams.snapshot import State

FOLDER = Path(__file__).parent / "states"
START_MS = 1_795_266_000_000
SITES = """{"type": "FeatureCollection", "features": [{"type": "Feature",
"properties": {"site_id": "pit", "name": "坑", "kind": "construction", "radius_m": 100},
"geometry": {"type": "Point", "coordinates": [121.05, 29.05]}}]}
"""


def new_engine(folder: Path) -> Engine:
    return Engine.live(PreparedCity.of(load_city(folder / "city")), 0, 1)


def drive(first: int, last: int) -> Iterator[Position]:
    """Steps `first` to `last` of four trucks: one leaves the pit with an open load, one drives and
    then tips, one stands, one is inferred to be loaded by its stay in the pit."""
    for step in range(first, last):
        time_ms = START_MS + 20_000 * step
        away = max(0, step - 4) * 0.0015
        for truck_id, lon, lat, speed_kmh, loaded, covered in (
            ("浙B00001", 121.05 + away, 29.05, 30.0 if away else 0.0, step > 1, False),
            ("浙B00002", 121.1 + 0.0015 * step, 29.1, 30.0, step < 24, None),
            ("浙B00003", 121.2, 29.2, 0.0, True, True),
            ("浙B00004", 121.05 + max(0, step - 18) * 0.001, 29.0501, 5.0, None, None),
        ):
            yield Position(
                truck_id, time_ms, lon, lat, speed_kmh=speed_kmh, loaded=loaded, covered=covered
            )


def rest() -> list[Element]:
    """They go on, fall silent, and two of them come back."""
    return [
        *drive(20, 30),
        Tick(START_MS + 20_000_000),
        *(one for one in drive(1_100, 1_103) if one.truck_id < "浙B00003"),
        Tick(START_MS + 60_000_000),
    ]


def read_state(folder: Path) -> State:
    return msgspec.msgpack.decode((folder / "state").read_bytes(), type=State)


def read_rest(folder: Path) -> list[Element]:
    lines = (folder / "rest.jsonl").read_bytes().splitlines()
    return [element for line in lines for element in decode_record(line)]


def lines(outcome: Outcome) -> list[bytes]:
    return [encode(one) for one in (*outcome.violations, *outcome.trips)]


def record(folder: Path) -> None:
    (folder / "city").mkdir(parents=True)
    write_city(folder / "city")
    (folder / "city" / "sites.geojson").write_text(SITES, "utf-8")
    engine = new_engine(folder)
    engine.process(list(drive(0, 20)))
    (folder / "state").write_bytes(msgspec.msgpack.encode(engine.export()))
    (folder / "rest.jsonl").write_bytes(
        b"".join(
            (encode_tick(one.tick_ms) if isinstance(one, Tick) else encode_position(one)) + b"\n"
            for one in rest()
            if isinstance(one, Tick | Position)
        )
    )
    told = lines(engine.process(read_rest(folder)))
    (folder / "verdicts.jsonl").write_bytes(b"".join(line + b"\n" for line in told))


if __name__ == "__main__":
    record(FOLDER / sys.argv[1])
