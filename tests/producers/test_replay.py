"""Replay keeps order and pace, and moves event time as far as the files do."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.chunk import InputFileError
from producers.replay import replay, unreadable
from producers.ticks import is_plausible
from streams.position import Malformed, Position, decode_record, encode_position

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
