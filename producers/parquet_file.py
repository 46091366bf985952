"""Positions out of a Parquet file with columns of the field names.

A null is a null; in a column of numbers so is NaN, which many programs write for it, but not in
`lon` and `lat`. Other columns are not read. Used by `producers.files`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from producers.chunk import CHUNK_ELEMENTS, COORDINATES, Chunk, InputFileError, check_columns
from streams.archive.layout import METADATA_KEY
from streams.position import convert

_is = pa.types
_TEXTS = ("truck_id", "terminal_id", "source")


def _is_text(kind: Any) -> bool:
    if _is.is_dictionary(kind):
        kind = kind.value_type
    return bool(_is.is_string(kind) or _is.is_large_string(kind) or _is.is_string_view(kind))


def _is_integer(kind: Any) -> bool:
    return bool(_is.is_integer(kind) or _is.is_floating(kind))


def _is_number(kind: Any) -> bool:
    return bool(_is_integer(kind) or _is.is_decimal(kind))


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = (
    dict.fromkeys(_TEXTS, ("text", _is_text))
    | dict.fromkeys(("time_ms", "satellites", "received_ms"), ("integers", _is_integer))
    | dict.fromkeys(
        (*COORDINATES, "speed_kmh", "heading_deg", "altitude_m", "mileage_km", "load_kg"),
        ("numbers", _is_number),
    )
    | dict.fromkeys(
        ("located", "loaded", "lifted", "covered", "backfill"), ("truth values", _is.is_boolean)
    )
)


_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""The last where the name of a column is not UTF-8."""


def check(path: Path) -> None:
    """Raise `InputFileError` where the file is no Parquet file of positions."""
    try:
        with pq.ParquetFile(path) as file:
            _columns(path, file.schema_arrow)
            if METADATA_KEY in (file.schema_arrow.metadata or {}):
                raise InputFileError(
                    f"{path}: is one file of an archive; give `mucktrack detect` the archive "
                    f"whole, which is the folder {path.resolve().parent.parent}"
                )
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def read(path: Path) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError` when it, or a part of it, cannot be read."""
    total_bytes = path.stat().st_size
    done = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = _columns(path, file.schema_arrow)
            said = max(1, file.metadata.num_rows)
            for batch in file.iter_batches(CHUNK_ELEMENTS, columns=columns):
                rows = _rows(batch)
                numbers = range(done + 1, done + len(rows) + 1)
                done += len(rows)
                # What the file says of its rows need not be so.
                bytes_read = total_bytes * min(done, said) // said
                elements = [convert(row, strict=False) for row in rows]
                yield Chunk(elements, numbers, bytes_read, partial(_raw, rows))
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputFileError:
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return InputFileError(f"{path}: not a readable Parquet file: {first}")


def _columns(path: Path, schema: Any) -> list[str]:
    """The columns to read. Raises `InputFileError` where one is missing or of a wrong type."""
    check_columns(str(path), schema.names)
    columns = [name for name in schema.names if name in _EXPECTED]
    for name in columns:
        if columns.count(name) > 1:
            raise InputFileError(f"{path}: column {name} is there more than once")
        expected, fits = _EXPECTED[name]
        kind = schema.field(name).type
        if not (fits(kind) or _is.is_null(kind)):
            raise InputFileError(f"{path}: column {name} holds {kind}; expected {expected}")
    return columns


def _rows(batch: Any) -> list[dict[str, Any]]:
    """The rows without their nulls."""
    names = batch.schema.names
    columns = [_values(name, column) for name, column in zip(names, batch.columns, strict=True)]
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in zip(*columns, strict=True)
    ]


def _values(name: str, column: Any) -> list[Any]:
    if name in _TEXTS and not _is.is_null(column.type):
        return _texts(column)
    if _is.is_decimal(column.type):
        column = column.cast(pa.float64())
    values: list[Any] = column.to_pylist()
    if name in COORDINATES or not _is.is_floating(column.type):
        return values
    return [value if value == value else None for value in values]


def _texts(column: Any) -> list[str | None]:
    """Bytes that are not UTF-8 become halves of surrogate pairs, which no field may hold."""
    try:
        texts: list[str | None] = column.to_pylist()
    except UnicodeDecodeError:
        values = column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
        return [value and value.decode(errors="surrogateescape") for value in values]
    return texts


def _raw(rows: list[dict[str, Any]], index: int) -> bytes:
    return msgspec.json.encode({name: _shown(value) for name, value in rows[index].items()})


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return value
