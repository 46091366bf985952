"""Vendors' exports as Parquet files, whatever their columns are called and hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports.columns import Columns, RowReader
from producers.exports.rows import Rows, chunks

_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)


def check(path: Path, columns: Columns, truck_id: str | None) -> None:
    """Raise `InputFileError` where the columns are not there."""
    try:
        with pq.ParquetFile(path) as file:
            RowReader(columns, file.schema_arrow.names, str(path), truck_id)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def read(path: Path, columns: Columns, truck_id: str | None) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError`."""
    try:
        with pq.ParquetFile(path) as file:
            reader = RowReader(columns, file.schema_arrow.names, str(path), truck_id)
            header = [name for name in file.schema_arrow.names if name in columns.names]
            reader = RowReader(columns, header, str(path), truck_id)
            rows = _rows(file, header, path.stat().st_size)
            yield from chunks(rows, header, reader, columns.datum)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputFileError:
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return InputFileError(f"{path}: not a readable Parquet file: {first}")


def _rows(file: Any, header: list[str], total_bytes: int) -> Iterator[Rows]:
    done = 0
    said = max(1, file.metadata.num_rows)
    for batch in file.iter_batches(CHUNK_ELEMENTS, columns=header):
        values = [_values(column) for column in batch.columns]
        order = [batch.schema.names.index(name) for name in header]
        rows = list(zip(*(values[at] for at in order), strict=True))
        numbers = range(done + 1, done + len(rows) + 1)
        done += len(rows)
        yield Rows(numbers, rows, total_bytes * min(done, said) // said)


def _values(column: Any) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Nanoseconds would be refused, or become another library's times.
        column = column.cast(pa.timestamp("ms", kind.tz), safe=False)
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        texts = column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
        return [text and text.decode(errors="surrogateescape") for text in texts]
    return values
