"""The archive: what is written comes back, in order and once, wherever the writer is stopped."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from tally import tally

from producers.archive_folder import Archive
from producers.chunk import InputFileError
from streams.archive import writer as writer_module
from streams.archive.layout import ArchiveError, Segment
from streams.archive.table import SCHEMA, Record
from streams.archive.writer import ArchiveWriter
from streams.position import (
    Element,
    Position,
    Tick,
    decode_record,
    encode_array,
    encode_position,
    encode_tick,
)
from streams.state import NEVER

TOPIC = "gps.positions"
PARTITIONS = 3
DAY_MS = 86_400_000
NOON_MS = 1_795_262_400_000
FOR_EVER = 36_500
TODAY = date(2026, 11, 30)
GOOD = Position("浙B12345", NOON_MS, 121.5, 29.8, speed_kmh=31.5, loaded=True, satellites=9)


def open_writer(
    folder: Path, *, keep_days: int = FOR_EVER, today: date = TODAY, partitions: int = PARTITIONS
) -> ArchiveWriter:
    return ArchiveWriter(
        folder, TOPIC, partitions, roll_s=60.0, keep_days=keep_days, today=lambda: today
    )


def archived(folder: Path) -> list[list[tuple[int, int, bytes | None, list[Element]]]]:
    """Offset, timestamp, value and elements of each record, by partition."""
    archive = Archive(folder)
    return [
        [
            (record.offset, chunk.record_ms[start], record.value, chunk.elements[start:end])
            for chunk in archive.read(partition)
            for record, start, end in zip(
                chunk.records,
                chunk.starts,
                [*chunk.starts[1:], len(chunk.elements)],
                strict=True,
            )
        ]
        for partition in range(archive.partitions)
    ]


def told(record: Record) -> tuple[int, int, bytes | None, list[Element]]:
    stamp = NEVER if record.record_ms is None else record.record_ms
    return record.offset, stamp, record.value, decode_record(record.value)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))


def unfinished(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


values = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.sampled_from(
        [
            encode_position(GOOD),
            encode_array([GOOD] * 3),
            encode_tick(NOON_MS),
            b'[{"truck_id":"X"},7,' + encode_position(GOOD) + b"]",
            b'{"truck_id":"Y","time_ms":1}',
            b'{"truck_id":"\\ud800","time_ms":1795262400000,"lon":1e999,"lat":2}',
            b'{"\\ud800":1,"tick_ms":"\\udfff"}',
            b"\xef\xbb\xbf" + encode_position(GOOD),
            b'{"truck_id":"Z","time_ms":1795262400000,"lon":1e999,"lat":2,"extra":"kept"}',
        ]
    ),
)
stamps = st.one_of(
    st.none(),
    st.integers(0, 2**63 - 1),
    st.integers(NOON_MS, NOON_MS + 4 * DAY_MS),
)


@st.composite
def streams(draw: st.DrawFn) -> list[list[Record]]:
    """The records of each partition; logs begin anywhere."""
    return [
        [
            Record(begin + number, stamp, key, value)
            for number, (stamp, key, value) in enumerate(
                draw(
                    st.lists(
                        st.tuples(stamps, st.one_of(st.none(), st.binary(max_size=5)), values),
                        max_size=12,
                    )
                )
            )
        ]
        for begin in draw(st.lists(st.integers(0, 10**12), min_size=3, max_size=3))
    ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, PARTITIONS - 1), st.integers(1, 6)),
        st.tuples(st.just("tidy"), st.sampled_from([10.0, 70.0])),
        st.tuples(st.sampled_from(["stop", "crash", "fail"])),
    ),
    max_size=25,
)


@given(streams(), steps)
def test_every_record_comes_back_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, offered: list[list[Record]], steps: list[tuple]
) -> None:
    """Files are cut anywhere and the writer is stopped, fails or crashes anywhere."""
    folder = tmp_path_factory.mktemp("archive")
    writer = open_writer(folder)
    now_s = 0.0
    crashes = 0
    for action, *arguments in steps:
        if action == "take":
            partition, count = arguments
            following = writer.next_offset(partition)
            rest = [
                record
                for record in offered[partition]
                if following is None or record.offset >= following
            ]
            writer.take(partition, rest[:count], now_s)
        elif action == "tidy":
            now_s += arguments[0]
            writer.tidy(now_s)
        else:
            if action == "stop":
                writer.close()
            elif action == "fail":
                writer.abandon()
                assert not unfinished(folder)
            else:
                crash(writer, folder)
                crashes += 1
            del writer
            writer = open_writer(folder)
            assert not unfinished(folder)
    for partition, records in enumerate(offered):
        following = writer.next_offset(partition)
        rest = [one for one in records if following is None or one.offset >= following]
        writer.take(partition, rest, now_s)
    writer.close()
    assert archived(folder) == [[told(record) for record in records] for records in offered]
    check_rows(folder, offered)
    tally("archive", records=sum(map(len, offered)), crashes=crashes)
    shutil.rmtree(folder)


def crash(writer: ArchiveWriter, folder: Path) -> None:
    """The process is gone: files it was writing stay as they are, cut anywhere; its lock is not."""
    left = {path: path.read_bytes() for path in unfinished(folder)}
    writer.abandon()
    for path, content in left.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content[: len(content) // 2])


def check_rows(folder: Path, offered: list[list[Record]]) -> None:
    """The columns say what the values say; other programs read the folder as it is."""
    rows = ds.dataset(folder, SCHEMA, format="parquet").to_table().to_pylist()
    found = {(row["partition"], row["offset"], row["index"]): row for row in rows}
    assert len(found) == len(rows)
    expected = 0
    for partition, records in enumerate(offered):
        for record in records:
            for index, element in enumerate(decode_record(record.value)):
                expected += 1
                row = found[partition, record.offset, index]
                assert row["topic"] == TOPIC
                assert row["record_ms"] == record.record_ms
                assert row["key"] == (record.key if index == 0 else None)
                assert row["value"] == (record.value if index == 0 else None)
                assert row["kind"] == type(element).__name__.lower()
                if isinstance(element, Position):
                    for name in Position.__struct_fields__:
                        assert row[name] == getattr(element, name)
                elif isinstance(element, Tick):
                    assert (row["time_ms"], row["truck_id"]) == (element.tick_ms, None)
                else:
                    assert (row["time_ms"], row["truck_id"]) == (element.time_ms, element.truck_id)
                    assert row["detail"]
    assert expected == len(rows)


def at(offset: int, day: int, value: bytes | None = None) -> Record:
    """A record of noon UTC, so many days after 2026-11-21."""
    return Record(offset, NOON_MS + day * DAY_MS, None, value or encode_position(GOOD))


def test_names_tell_day_partition_and_offsets(tmp_path: Path) -> None:
    assert datetime.fromtimestamp(NOON_MS / 1000, UTC).isoformat() == "2026-11-21T12:00:00+00:00"
    writer = open_writer(tmp_path)
    writer.take(2, [at(7, 0), at(8, 0), at(9, 1)], 0.0)
    assert (writer.next_offset(2), writer.archived(2)) == (10, 9)
    writer.close()
    assert names(tmp_path) == [
        "2026-11-21/0002-0000000000000000007-0000000000000000009.parquet",
        "2026-11-22/0002-0000000000000000009-0000000000000000010.parquet",
    ]
    assert json.loads((tmp_path / "_archive.json").read_text()) == {
        "topic": TOPIC,
        "partitions": PARTITIONS,
        "format": 1,
    }


@pytest.mark.parametrize(
    ("stamps_ms", "days"),
    [
        ([NOON_MS, NOON_MS + DAY_MS, NOON_MS, NOON_MS + DAY_MS], ["21", "22"]),
        ([NOON_MS, NOON_MS + 90 * DAY_MS, 2**62, NOON_MS], ["21", "30"]),
        ([None, NOON_MS], ["30"]),
    ],
    ids=["days never go back", "nor beyond today", "without a timestamp it is today's"],
)
def test_the_day_of_a_record(tmp_path: Path, stamps_ms: list[int | None], days: list[str]) -> None:
    writer = open_writer(tmp_path)
    for offset, stamp in enumerate(stamps_ms):
        writer.take(0, [Record(offset, stamp, None, b"{}")], 0.0)
    writer.close()
    assert [name[8:10] for name in names(tmp_path)] == days
    again = open_writer(tmp_path)
    again.take(0, [at(len(stamps_ms), 0)], 0.0)
    again.close()
    assert names(tmp_path)[-1].startswith(f"2026-11-{days[-1]}/")


def test_a_file_is_finished_in_time(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.take(0, [at(0, 0)], 100.0)
    writer.tidy(159.0)
    assert names(tmp_path) == []
    writer.tidy(160.0)
    assert len(names(tmp_path)) == 1
    assert [written.rows for written in writer.finished] == [1]
    writer.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """What waits goes to disk, in the file that is being written."""
    value = json.dumps({"truck_id": "x" * 600_000}).encode()
    writer = open_writer(tmp_path, partitions=30)
    for offset in range(6):
        for partition in range(30):
            writer.take(partition, [at(offset, 0, value)], 0.0)
        writer.tidy(0.0)
        assert writer.waiting_bytes <= writer_module.WAITING_BYTES
    writer.close()
    assert [len(records) for records in archived(tmp_path)] == [6] * 30


def test_days_no_longer_kept_are_removed(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, keep_days=2)
    writer.take(0, [at(offset, offset) for offset in range(6)], 0.0)
    writer.take(1, [at(0, 0)], 0.0)
    writer.close()
    # Files are removed when one of a later day is finished; those of partition 1 last.
    assert [name[8:15] for name in names(tmp_path)] == [
        "21/0001", "24/0000", "25/0000", "26/0000",
    ]  # fmt: skip
    again = open_writer(tmp_path, keep_days=1)
    assert [name[8:15] for name in names(tmp_path)] == ["21/0001", "25/0000", "26/0000"]
    assert (again.next_offset(0), again.next_offset(1)) == (6, 1)
    again.close()
    assert not (tmp_path / "2026-11-22").exists()
    assert [len(records) for records in archived(tmp_path)] == [2, 1, 0]


def test_one_archiver_at_a_time(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    with pytest.raises(ArchiveError, match="another archiver is at work"):
        open_writer(tmp_path)
    writer.close()
    open_writer(tmp_path).close()


def test_a_record_out_of_turn_is_refused(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    with pytest.raises(ArchiveError, match="offset 7 came where 6 was expected"):
        writer.take(0, [at(5, 0), at(7, 0)], 0.0)
    writer.abandon()
    assert names(tmp_path) == []
    assert not unfinished(tmp_path)


def fill(folder: Path) -> list[Path]:
    """An archive of three files of partition 0."""
    writer = open_writer(folder)
    for offset in range(3):
        writer.take(0, [at(offset, 0)], 0.0)
        writer.tidy(100.0)
    writer.close()
    return sorted(folder.rglob("*.parquet"))


def test_what_is_not_in_order_is_named(tmp_path: Path) -> None:
    _, second, _ = fill(tmp_path / "gap")
    second.unlink()
    with pytest.raises(ArchiveError, match="records 1 to 1 of partition 0 are missing"):
        open_writer(tmp_path / "gap")
    with pytest.raises(InputFileError, match="records 1 to 1 of partition 0 are missing"):
        Archive(tmp_path / "gap")

    _, second, _ = fill(tmp_path / "overlap")
    shutil.copy(second, Segment(date(2026, 11, 21), 0, 1, 3).path(tmp_path / "overlap"))
    with pytest.raises(ArchiveError, match="overlaps"):
        open_writer(tmp_path / "overlap")

    _, second, _ = fill(tmp_path / "stray")
    (second.parent / "more.parquet").write_bytes(second.read_bytes())
    with pytest.raises(ArchiveError, match=r"more\.parquet: is no file of this archive"):
        open_writer(tmp_path / "stray")

    first, second, _ = fill(tmp_path / "swapped")
    first.write_bytes(second.read_bytes())
    with pytest.raises(InputFileError, match="does not hold the records that its name says"):
        archived(tmp_path / "swapped")

    _, second, _ = fill(tmp_path / "cut")
    second.write_bytes(second.read_bytes()[:-50])
    with pytest.raises(InputFileError, match="not readable as an archived file"):
        archived(tmp_path / "cut")

    fill(tmp_path / "other")
    with pytest.raises(ArchiveError, match=r"with 3 partitions, not of gps\.positions with 4"):
        open_writer(tmp_path / "other", partitions=4)
    about = tmp_path / "other" / "_archive.json"
    about.write_text(about.read_text().replace('"format":1', '"format":2'))
    with pytest.raises(ArchiveError, match="format 2, this program knows 1"):
        open_writer(tmp_path / "other")

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    with pytest.raises(ArchiveError, match="holds something else"):
        open_writer(tmp_path / "full")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path, *_ = fill(tmp_path)
    content = bytearray(path.read_bytes())
    metadata = pq.read_metadata(path).row_group(0)
    column = next(
        metadata.column(i)
        for i in range(metadata.num_columns)
        if metadata.column(i).path_in_schema == "value"
    )
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="not readable as an archived file"):
        archived(tmp_path)


def test_columns_are_typed_and_the_value_is_there_once(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.take(0, [at(0, 0, encode_array([GOOD] * 500))], 0.0)
    writer.close()
    table = pq.read_table(next(tmp_path.rglob("*.parquet")))
    assert table.schema.remove_metadata() == SCHEMA
    assert table["value"].null_count == 499
    assert Counter(table["kind"].to_pylist()) == {"position": 500}


FULL_DISK = """
import resource, signal, sys
from datetime import date
from pathlib import Path
from streams.archive.table import Record
from streams.archive.writer import ArchiveWriter
today = date(2026, 11, 30)
writer = ArchiveWriter(
    Path(sys.argv[1]), "gps.positions", 3, roll_s=60.0, keep_days=9, today=lambda: today
)
writer.take(0, [Record(0, None, None, b"{}")], 0.0)
writer.tidy(100.0)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    import random
    for offset in range(1, 200):
        writer.take(0, [Record(offset, None, None, random.randbytes(100_000))], 200.0)
    writer.close()
except OSError as error:
    print(error.strerror)
finally:
    writer.abandon()
"""


def test_a_disk_that_takes_no_more_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "File too large\n"
    assert len(names(tmp_path)) == 1
    assert not unfinished(tmp_path)
    writer = open_writer(tmp_path)
    assert writer.next_offset(0) == 1
    writer.close()
