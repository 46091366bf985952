"""The state of an engine as bytes, and back (design section 10: what a checkpoint holds).

A `State` is a head and parts. A part holds a block of trucks, or of runs, so that only the blocks
need be written in which something has changed. The head holds the rest: the layout of the records,
so that a state survives a change of it, the names that numbers in them stand for, and the
succession of cities that they were judged by. Where states are kept is not known here.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import numpy as np
import zstandard
from numpy.lib import format as npy

from geofences.index import NONE
from streams.catalogue import CONDITIONS
from streams.names import NamedIds
from streams.packed import Packed
from streams.runs import Pool
from streams.state import RUN, TRUCK, blank_truck

FORMAT: Final = 2
"""Raise it when the meaning of a field changes, or the length of one that is an array; a field that
comes or goes needs no other format."""
LEVEL: Final = 1
"""Of zstd: higher ones cost more than they save."""
TRUCKS_A_PART: Final = 1024
RUNS_A_PART: Final = 64
RUNS_OF_TRUCK: Final = "runs"
"""The field with a place for each rule, which are found by the rules' ids."""
Decoded = TypeVar("Decoded")

RULES: Final = [rule.id for rule in CONDITIONS]
"""Of the runs that a truck holds, in their order."""


class UnknownFormat(ValueError):
    """The bytes are no state that this version can go on from."""


class State(NamedTuple):
    """What an engine can go on from: all of it, or what has changed of it."""

    head: bytes
    parts: dict[str, bytes]


class Head(msgspec.Struct):
    """What is written each time."""

    format: int
    truck_layout: str
    run_layout: str
    rules: list[str]
    trucks: int
    runs: int
    """Places in the pool."""
    free_runs: bytes
    versions: list[tuple[int, str]]
    """`streams.succession.Succession.key`"""
    site_ids: list[str]
    district_codes: list[str]
    highest_ms: int
    watermark_ms: int
    next_due_ms: int


class TruckPart(msgspec.Struct, array_like=True):
    ids: list[str]
    records: bytes
    """Byte by byte of all records, the first byte of each first: so they compress well."""
    due: bytes


@dataclass(frozen=True, slots=True)
class StateCopy:
    """Copies of what belongs to a state, which the engine goes on from meanwhile."""

    head: Head
    trucks: dict[int, tuple[Packed, bytes, bytes]]
    """Ids, rows and due times of a block, by its number. Bytes: a copy of records would leave what
    is between their fields to chance."""
    runs: dict[int, bytes]

    @classmethod
    def take(
        cls,
        changed: Any,
        versions: list[tuple[int, str]],
        names: NamedIds,
        packed: Callable[[int, int], Packed],
        rows: Any,
        due_ms: Any,
        pool: Pool,
        clocks: Any,
    ) -> "StateCopy":
        """Of the blocks with a truck that is marked in `changed`, by row; `packed` gives the ids of
        rows. Memory is copied, nothing more: some 30 ms for 100,000 trucks."""
        marked = np.flatnonzero(changed)
        blocks = np.unique(marked // TRUCKS_A_PART).tolist()
        runs = rows.runs[marked][rows.n_runs[marked] > 0].ravel()
        run_blocks = np.unique(runs[runs != NONE] // RUNS_A_PART).tolist()
        head = Head(
            format=FORMAT,
            truck_layout=_layout(TRUCK),
            run_layout=_layout(RUN),
            rules=RULES,
            trucks=len(rows),
            runs=len(pool.runs),
            free_runs=pool.free[: pool.n_free[0]].tobytes(),
            versions=versions,
            site_ids=list(names.sites.ids),
            district_codes=list(names.districts.ids),
            highest_ms=int(clocks[0].highest_ms),
            watermark_ms=int(clocks[0].watermark_ms),
            next_due_ms=int(clocks[0].next_due_ms),
        )
        trucks = {}
        for block in blocks:
            part = slice(block * TRUCKS_A_PART, (block + 1) * TRUCKS_A_PART)
            ids = packed(part.start, min(part.stop, len(rows)))
            trucks[block] = (ids, rows[part].tobytes(), due_ms[part].tobytes())
        return cls(
            head,
            trucks,
            {
                block: pool.runs[block * RUNS_A_PART : (block + 1) * RUNS_A_PART].tobytes()
                for block in run_blocks
            },
        )

    def encode(self) -> State:
        """As bytes, compressed. Takes its time, and may run in another thread."""
        compress = zstandard.ZstdCompressor(level=LEVEL).compress
        parts = {
            _truck_part(block): compress(
                msgspec.msgpack.encode(TruckPart(ids.unpacked(), _by_byte(rows, TRUCK), due))
            )
            for block, (ids, rows, due) in self.trucks.items()
        }
        parts |= {
            _run_part(block): compress(_by_byte(runs, RUN)) for block, runs in self.runs.items()
        }
        return State(compress(msgspec.msgpack.encode(self.head)), parts)


@dataclass(slots=True)
class Snapshot:
    """A state, read."""

    head: Head
    truck_ids: list[str]
    rows: Any
    due_ms: Any
    pool: Pool
    upgraded: bool
    """Whether its records had another layout: all that is written from it is new."""

    @classmethod
    def decode(cls, state: State) -> "Snapshot":
        """Raises `UnknownFormat` with what was found and what is read."""
        head = _head(state.head)
        truck_layout, run_layout = _dtype(head.truck_layout), _dtype(head.run_layout)
        ids: list[str] = []
        truck_bytes = np.zeros((head.trucks, truck_layout.itemsize), np.uint8)
        due_ms = np.zeros(head.trucks, np.int64)
        for start in range(0, head.trucks, TRUCKS_A_PART):
            name = _truck_part(start // TRUCKS_A_PART)
            part = _decoded(_part(state.parts, name), TruckPart)
            end = min(start + TRUCKS_A_PART, head.trucks)
            if len(part.ids) != end - start or len(part.due) != 8 * (end - start):
                raise UnknownFormat(f"engine state: {name} is not of {end - start} trucks")
            ids += part.ids
            truck_bytes[start:end] = _by_record(part.records, truck_layout, end - start, name)
            due_ms[start:end] = np.frombuffer(part.due, np.int64)
        rows = truck_bytes.reshape(-1).view(truck_layout)
        _check_runs(rows, head.rules)
        used = rows[RUNS_OF_TRUCK][rows[RUNS_OF_TRUCK] != NONE]
        if len(used) and not 0 <= used.min() <= used.max() < head.runs:
            raise UnknownFormat("engine state: trucks have runs that are not there")
        run_bytes = np.zeros((head.runs, run_layout.itemsize), np.uint8)
        for block in np.unique(used // RUNS_A_PART).tolist():
            name, start = _run_part(block), block * RUNS_A_PART
            end = min(start + RUNS_A_PART, head.runs)
            run_bytes[start:end] = _by_record(
                _part(state.parts, name), run_layout, end - start, name
            )
        runs = run_bytes.reshape(-1).view(run_layout)
        upgraded = (head.truck_layout, head.run_layout, head.rules) != (
            _layout(TRUCK), _layout(RUN), RULES,
        )  # fmt: skip
        if upgraded:
            rows, runs = _with_rules(rows, head.rules), _laid_out(runs, np.zeros(1, RUN)[0])
        # A layout that was read is equal, but no aligned one: compiled code would be compiled anew.
        rows, runs = rows.view(TRUCK), runs.view(RUN)
        return cls(
            head,
            ids,
            rows.view(np.recarray),
            due_ms,
            _pool(head, rows, runs, upgraded=upgraded),
            upgraded,
        )


def _head(packed: bytes) -> Head:
    encoded = _unpacked(packed, "the head")

    class Format(msgspec.Struct):
        format: int

    found = _decoded(encoded, Format).format
    if found != FORMAT:
        raise UnknownFormat(f"engine state of format {found}; this version reads format {FORMAT}")
    return _decoded(encoded, Head)


def _decoded(encoded: bytes, kind: type[Decoded]) -> Decoded:
    try:
        return msgspec.msgpack.decode(encoded, type=kind)
    except msgspec.DecodeError as error:
        raise UnknownFormat(f"these {len(encoded)} bytes are no engine state: {error}") from error


def _part(parts: Mapping[str, bytes], name: str) -> bytes:
    try:
        return _unpacked(parts[name], name)
    except KeyError:
        raise UnknownFormat(f"engine state without its part {name}") from None


def _unpacked(packed: bytes, what: str) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise UnknownFormat(f"engine state: {what} cannot be unpacked ({error})") from error


def _truck_part(block: int) -> str:
    return f"trucks/{block}"


def _run_part(block: int) -> str:
    return f"runs/{block}"


def _by_byte(records: bytes, layout: np.dtype[Any]) -> bytes:
    bytes_of = np.frombuffer(records, np.uint8).reshape(-1, layout.itemsize)
    return np.ascontiguousarray(bytes_of.T).tobytes()


def _by_record(by_byte: bytes, layout: np.dtype[Any], count: int, name: str) -> Any:
    """Of each record its bytes."""
    if len(by_byte) != count * layout.itemsize:
        raise UnknownFormat(f"engine state: {name} is not of {count} records")
    return np.frombuffer(by_byte, np.uint8).reshape(layout.itemsize, count).T


def _layout(dtype: np.dtype[Any]) -> str:
    """Names, types and places of the fields."""
    return repr(npy.dtype_to_descr(dtype))


def _dtype(layout: str) -> np.dtype[Any]:
    try:
        dtype = npy.descr_to_dtype(ast.literal_eval(layout))
    except (ValueError, SyntaxError, TypeError) as error:
        raise UnknownFormat(f"engine state with records of no known layout: {error}") from error
    if dtype.names is None or dtype.hasobject:
        raise UnknownFormat(f"engine state with records of no known layout: {layout}")
    return dtype


def _check_runs(rows: Any, rules: list[str]) -> None:
    """Each truck has a place for a run of each of `rules`."""
    if RUNS_OF_TRUCK not in rows.dtype.names or rows[RUNS_OF_TRUCK].shape != (
        len(rows),
        len(rules),
    ):
        raise UnknownFormat(f"engine state: trucks have no runs of {len(rules)} rules")


def _laid_out(records: Any, blank: Any) -> Any:
    """`records` as `blank` is: a field that they have not is as there."""
    result = np.full(len(records), blank)
    _copy_fields(result, records)
    return result


def _copy_fields(result: Any, records: Any) -> None:
    """By name, also those of records within records, which numpy would take by their order."""
    for name in result.dtype.names:
        if name not in records.dtype.names or name == RUNS_OF_TRUCK:
            continue
        new, old = result[name], records[name]
        if new.shape != old.shape or (new.dtype.names is None) != (old.dtype.names is None):
            raise UnknownFormat(f"engine state whose field {name} has another shape")
        if new.dtype.names is None:
            result[name] = old
        else:
            _copy_fields(new, old)


def _with_rules(rows: Any, rules: list[str]) -> Any:
    """Trucks in the present layout. Their runs are found by the rules' ids; those of rules that are
    gone are dropped, untold."""
    result = _laid_out(rows, blank_truck())
    runs = result[RUNS_OF_TRUCK]
    for number, rule in enumerate(rules):
        if rule in RULES:
            runs[:, RULES.index(rule)] = rows[RUNS_OF_TRUCK][:, number]
    result["n_runs"] = (runs != NONE).sum(axis=1)
    return result


def _pool(head: Head, rows: Any, runs: Any, *, upgraded: bool) -> Pool:
    if upgraded:
        used = rows["runs"][rows["runs"] != NONE]
        given = np.setdiff1d(np.arange(len(runs), dtype=np.int32), used)[::-1]
    else:
        given = np.frombuffer(head.free_runs, np.int32)
    free = np.zeros(len(runs), np.int32)
    free[: len(given)] = given
    return Pool(runs.view(np.recarray), free, np.array([len(given)], np.int64))
