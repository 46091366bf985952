"""The state of an engine as bytes, and back (design section 10: what a checkpoint holds).

The arrays go as they are, with the format's number, the layout of their records, the names that
numbers in them stand for, and the succession of cities that they were judged by.
"""

import hashlib
from typing import Any, Final

import msgspec
import numpy as np

from streams.catalogue import CONDITIONS
from streams.names import NamedIds
from streams.runs import Pool
from streams.state import RUN, TRUCK

DUE: Final = np.dtype(np.int64)
FREE_RUN: Final = np.dtype(np.int32)

FORMAT: Final = 2
"""Raise it when the layout or the meaning of a record changes."""


class UnknownFormat(ValueError):
    """The bytes are no state that this version can go on from."""


class Snapshot(msgspec.Struct):
    format: int
    layout: str
    versions: list[tuple[int, str]]
    site_ids: list[str]
    district_codes: list[str]
    truck_ids: list[str]
    trucks: bytes
    due: bytes
    runs: bytes
    free_runs: bytes
    highest_ms: int
    watermark_ms: int
    next_due_ms: int

    @classmethod
    def take(
        cls,
        versions: list[tuple[int, str]],
        names: NamedIds,
        truck_ids: list[str],
        rows: Any,
        due_ms: Any,
        pool: Pool,
        clocks: Any,
    ) -> "Snapshot":
        count = len(truck_ids)
        return cls(
            format=FORMAT,
            layout=_layout(),
            versions=versions,
            site_ids=names.sites.ids,
            district_codes=names.districts.ids,
            truck_ids=truck_ids,
            trucks=rows[:count].tobytes(),
            due=due_ms[:count].tobytes(),
            runs=pool.runs.tobytes(),
            free_runs=pool.free[: pool.n_free[0]].tobytes(),
            highest_ms=int(clocks[0].highest_ms),
            watermark_ms=int(clocks[0].watermark_ms),
            next_due_ms=int(clocks[0].next_due_ms),
        )

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, state: bytes) -> "Snapshot":
        """Raises `UnknownFormat` with what was found and what is read."""
        try:
            snapshot = msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise UnknownFormat(f"these {len(state)} bytes are no engine state: {error}") from error
        if snapshot.format != FORMAT or snapshot.layout != _layout():
            raise UnknownFormat(
                f"engine state of format {snapshot.format} ({snapshot.layout}); this version reads "
                f"format {FORMAT} ({_layout()})"
            )
        count = len(snapshot.truck_ids)
        if (
            len(snapshot.trucks) != count * TRUCK.itemsize
            or len(snapshot.due) != count * DUE.itemsize
            or not snapshot.runs
            or len(snapshot.runs) % RUN.itemsize
            or len(snapshot.free_runs) % FREE_RUN.itemsize
        ):
            raise UnknownFormat(f"engine state with records for other than its {count} trucks")
        return snapshot

    def rows(self) -> Any:
        # A copy of the bytes: one of the records would leave what is between fields to chance.
        return np.frombuffer(bytearray(self.trucks), TRUCK).view(np.recarray)

    def due_ms(self) -> Any:
        return np.frombuffer(self.due, DUE).copy()

    def pool(self) -> Pool:
        runs = np.frombuffer(bytearray(self.runs), RUN).view(np.recarray)
        free = np.zeros(len(runs), np.int32)
        given = np.frombuffer(self.free_runs, FREE_RUN)
        free[: len(given)] = given
        return Pool(runs, free, np.array([len(given)], np.int64))


def _layout() -> str:
    """A digest of the records' fields and of the rules whose runs a truck holds, in their order."""
    rules = [rule.id for rule in CONDITIONS]
    described = repr((TRUCK.descr, RUN.descr, rules))
    return hashlib.sha256(described.encode()).hexdigest()[:12]
