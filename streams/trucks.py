"""The row of each truck that a partition remembers, found by the bytes of its id.

`TruckTable` gives each truck a row for good, from 0 in the order of first sight. A row is made for
the first position of a truck that has nothing wrong with it, so that whoever invents trucks has to
invent whole positions; and `most` bounds them. Ids are kept as one text, end to end, and become
`str` only for who asks: of a million trucks that is 40 bytes each in place of 160.

Rows are found by open addressing. Ids come from outside, so the hash is one that nobody can
work against: to each byte at each place belongs a random number drawn when the process starts, and
the hash is all of them xor-ed (tabulation; linear probing stays short with it whatever the ids are:
Pătraşcu and Thorup, The power of simple tabulation hashing, 2012). Nothing hangs on the numbers
but speed.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from geofences.jit import compiled, prefetch
from streams.gate import TOO_MANY_TRUCKS, WRONG_PARTITION, fault
from streams.packed import Packed, larger
from streams.partition import MASK, MULTIPLIER, SEED, SHIFT
from streams.passage import SKIPPED
from streams.reading.record import LONGEST_ID_BYTES, NEW

HASH_BITS: Final = 31
FIRST_SLOTS: Final = 1 << 10
FIRST_BYTES: Final = 1 << 12
SLOTS_A_TRUCK: Final = 2
"""At the least: so that no row of full slots is long."""
FREE: Final = -1
NO_BOUND: Final = np.iinfo(np.int64).max
FAR, NEAR, NEXT = 24, 16, 8
"""How many positions ahead a truck's slot, where its id ends, and its id are fetched, each when the
one before is there."""

_RANDOM: Final = np.random.default_rng().integers(
    1 << HASH_BITS, size=(LONGEST_ID_BYTES, 256), dtype=np.int64
).astype(np.int32)  # fmt: skip


class Table(NamedTuple):
    """What is known of the trucks, for compiled code."""

    slots: npt.NDArray[np.int64]
    """Hash and row of a truck in one number, or `FREE`; as many as a power of two."""
    text: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    """The id of row i is text[ends[i]:ends[i + 1]]."""
    random: npt.NDArray[np.int32]


class TruckTable:
    """The trucks of a partition, or of files."""

    def __init__(self, partition: tuple[int, int] | None = None, most: int | None = None) -> None:
        """`partition`: (number, count) to refuse trucks that belong elsewhere, None for all.
        `most`: trucks that are admitted, None for any number."""
        self._count = 0
        self._table = Table(
            np.full(FIRST_SLOTS, FREE),
            np.zeros(FIRST_BYTES, np.uint8),
            np.zeros(FIRST_SLOTS, np.int64),
            _RANDOM,
        )
        self._number, self._partitions = partition or (0, 0)
        self._most = NO_BOUND if most is None else most
        self.ids: Sequence[str] = Ids(self)
        """By row."""

    def __len__(self) -> int:
        return self._count

    def row(self, truck_id: str) -> int:
        """The truck's row, a new one at first sight."""
        return self.rows_of([truck_id])[0]

    def rows_of(self, truck_ids: Sequence[str]) -> list[int]:
        """The row of each truck, a new one at first sight."""
        packed = Packed.of(truck_ids)
        self._make_room(len(truck_ids), len(packed.text))
        rows = np.zeros(len(truck_ids), np.int64)
        self._count = take_in(self._table, self._count, packed.text, packed.ends, rows)
        return rows.tolist()

    def assign(self, rows: Any, ids: Packed, hashes: npt.NDArray[np.int64]) -> None:
        """Give each of `rows` (of a batch) that is `NEW` the row of its truck, or `SKIPPED` and the
        reason it is rejected for. `ids` are those of `rows`; `hashes` is room for as many."""
        self._make_room(len(rows), int(ids.ends[len(rows)]))
        self._count = assign(
            *(self._table, self._count, self._number, self._partitions, self._most),
            *(rows, ids.text, ids.ends, hashes),
        )

    def packed(self, start: int, stop: int) -> Packed:
        """A copy of the ids of the rows start:stop."""
        ends = self._table.ends[start : stop + 1]
        return Packed(self._table.text[ends[0] : ends[-1]].copy(), ends - ends[0])

    def id_of(self, row: int) -> str:
        table = self._table
        return table.text[table.ends[row] : table.ends[row + 1]].tobytes().decode()

    def _make_room(self, trucks: int, text_bytes: int) -> None:
        """For so many trucks more, whose ids are so long together."""
        slots, text, ends, random = self._table
        needed = self._count + trucks
        if needed >= len(ends):
            ends = larger(ends, needed + 1, self._count + 1)
        used = int(ends[self._count])
        if used + text_bytes > len(text):
            text = larger(text, used + text_bytes, used)
        if SLOTS_A_TRUCK * needed > len(slots):
            more_slots = np.full(1 << (SLOTS_A_TRUCK * needed - 1).bit_length(), FREE)
            settle(slots, more_slots)
            slots = more_slots
        self._table = Table(slots, text, ends, random)


class Ids(Sequence[str]):
    """The ids of a table by row, each made when it is asked for."""

    def __init__(self, trucks: TruckTable) -> None:
        self._trucks = trucks

    def __len__(self) -> int:
        return len(self._trucks)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            start, stop, step = row.indices(len(self))
            return self._trucks.packed(start, max(start, stop)).unpacked()[::step]
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} trucks")
        return self._trucks.id_of(row % len(self))


@compiled
def hash_of(random: Any, text: Any, start: int, end: int) -> int:
    """Of text[start:end]. The numbers begin again where it is longer than the ids of records."""
    bits = 0
    for i in range(start, end):
        bits ^= int(random[(i - start) % LONGEST_ID_BYTES, text[i]])
    return bits


@compiled
def slot_of(table: Table, bits: int, text: Any, start: int, end: int) -> int:
    """The slot of the truck with the id text[start:end], whose hash is `bits`; where it has none,
    the free one that would be its."""
    mask = len(table.slots) - 1
    slot = bits & mask
    while table.slots[slot] != FREE:
        if table.slots[slot] >> 32 == bits:
            row = table.slots[slot] & 0xFFFFFFFF
            if _is_same(table, row, text, start, end):
                return slot
        slot = (slot + 1) & mask
    return slot


@compiled
def _is_same(table: Table, row: int, text: Any, start: int, end: int) -> bool:
    begin = table.ends[row]
    if table.ends[row + 1] - begin != end - start:
        return False
    for i in range(end - start):  # noqa: SIM110
        if table.text[begin + i] != text[start + i]:
            return False
    return True


@compiled
def add(table: Table, count: int, slot: int, bits: int, text: Any, start: int, end: int) -> None:
    """Make text[start:end] the truck number `count`, in `slot`, which is free."""
    table.slots[slot] = bits << 32 | count
    begin = table.ends[count]
    table.ends[count + 1] = begin + end - start
    for i in range(end - start):
        table.text[begin + i] = text[start + i]


@compiled
def settle(slots: Any, more_slots: Any) -> None:
    """Put the trucks of `slots` into `more_slots`."""
    mask = len(more_slots) - 1
    for i in range(len(slots)):
        if slots[i] != FREE:
            slot = slots[i] >> 32 & mask
            while more_slots[slot] != FREE:
                slot = (slot + 1) & mask
            more_slots[slot] = slots[i]


@compiled
def take_in(table: Table, count: int, text: Any, ends: Any, rows: Any) -> int:
    """Put the row of each id into `rows`, new ones from `count` on; how many trucks there are."""
    for i in range(len(rows)):
        bits = hash_of(table.random, text, ends[i], ends[i + 1])
        slot = slot_of(table, bits, text, ends[i], ends[i + 1])
        if table.slots[slot] == FREE:
            add(table, count, slot, bits, text, ends[i], ends[i + 1])
            count += 1
        rows[i] = table.slots[slot] & 0xFFFFFFFF
    return count


@compiled
def assign(
    table: Table,
    count: int,
    number: int,
    partitions: int,
    most: int,
    rows: Any,
    text: Any,
    ends: Any,
    hashes: Any,
) -> int:
    """See `TruckTable.assign`; how many trucks there are. There must be room for all of them."""
    mask = len(table.slots) - 1
    last = len(rows) - 1
    for i in range(len(rows)):
        hashes[i] = hash_of(table.random, text, ends[i], ends[i + 1])
    for i in range(len(rows)):
        prefetch(table.slots, hashes[min(i + FAR, last)] & mask)
        prefetch(table.ends, _likely_row(table, hashes[min(i + NEAR, last)]))
        prefetch(table.text, table.ends[_likely_row(table, hashes[min(i + NEXT, last)])])
        row = rows[i]
        if row.truck != NEW:
            continue
        slot = slot_of(table, hashes[i], text, ends[i], ends[i + 1])
        if table.slots[slot] == FREE:
            row.truck = SKIPPED
            row.reason = refusal(number, partitions, most, count, row, text, ends[i], ends[i + 1])
            if row.reason != 0:
                continue
            add(table, count, slot, hashes[i], text, ends[i], ends[i + 1])
            count += 1
        row.truck = table.slots[slot] & 0xFFFFFFFF
    return count


@compiled
def _likely_row(table: Table, bits: int) -> int:
    """The row that a truck with this hash has, unless another lies in its way."""
    return int(max(0, table.slots[bits & (len(table.slots) - 1)]) & 0xFFFFFFFF)


@compiled
def refusal(
    number: int, partitions: int, most: int, count: int, row: Any, text: Any, start: int, end: int
) -> int:
    """The code of the reason that a position of a truck without a row is rejected for, or 0."""
    if partitions > 0 and murmur2(text, start, end) % partitions != number:
        return WRONG_PARTITION
    found = fault(row)
    if found != 0:
        return found
    return TOO_MANY_TRUCKS if count >= most else 0


@compiled
def murmur2(text: Any, start: int, end: int) -> int:
    """What `streams.partition.murmur2` gives for text[start:end], without its highest bit."""
    mixed = SEED ^ (end - start)
    i = start
    while end - i >= 4:
        k = 0
        for j in range(4):
            k += int(text[i + j]) * (1 << 8 * j)
        k = k * MULTIPLIER & MASK
        k = (k ^ k >> SHIFT) * MULTIPLIER & MASK
        mixed = mixed * MULTIPLIER & MASK ^ k
        i += 4
    if i < end:
        for j in range(end - i):
            mixed ^= int(text[i + j]) * (1 << 8 * j)
        mixed = mixed * MULTIPLIER & MASK
    mixed = (mixed ^ mixed >> 13) * MULTIPLIER & MASK
    return (mixed ^ mixed >> 15) & 0x7FFFFFFF
