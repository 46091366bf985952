"""Hostile values of records, from a seed: what a grammar of positions allows at its worst, and
bytes changed at random in between. Called by `fuzz.harness`; knows nothing of what becomes of it.

Most elements are so near to what is right that they get far: as JSON, as a position, into the gate,
to the rules.
"""

from collections.abc import Sequence
from random import Random

from streams.partition import partition_of

GOOD_PREFIX = "好"
"""Begins the ids of the trucks that are to be left alone; no garbage has it."""
DEEP = 3_000
"""Brackets in each other: more than Python's parser takes."""

_TEXTS = (
    r'"\u0000"', r'"a\nb"', r'"\u001b[2J"', r'"\u202e\u2066"', '"\u202e"', '"\U0001f69b"',
    '"浙B1\u200b"',
    r'"\ud800"', r'"\udfff\ud800"', r'"\ud83d\ude9b"', '""', '" "', '"' + "x" * 64 + '"',
    '"' + "渣" * 65 + '"', '"[/red]"', '"{}],["', r'"\"\\"', '"null"', "null", "true", "0",
    "[]", "{}",
    '"' + "y" * 3_000 + '"',
)  # fmt: skip
_NUMBERS = (
    "0", "-0", "-0.0", "1e999", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "1E400",
    "0.1e1",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 400,
    "-" + "9" * 4_400,
    "00", "+1", ".5", "1.", "0x1", "1_000", "180", "180.0000001", "-180", "90", "-90",
    "90.0000001",
    "5e-324", "1.7976931348623157e308", '"29.1"', "true", "null", "[1]", "{}",
)  # fmt: skip
_TRUTHS = ("true", "false", "null", "1", "0", '"true"', "[]", "True")
_TIMES = (
    "946684799999", "946684800000", "4102444800000", "4102444800001", "0", "-1",
    "1795266467000.0",
    "1795266467000.5", "1e12", "18446744073709551616", "null", '"1795266467000"', "true",
)  # fmt: skip
_ODD_FIELDS = (
    '"unknown":1', '"unknown":' + '{"a":[' * 40 + "1" + "]}" * 40, '"truck_id":"twice"',
    '"lat":"x"', '"lat":29.1', '"":0', '"tick_ms":1795266467000', '"\\ud800":1', '"lon" 1', "",
    '"unknown":"' + "z" * 20_000 + '"', '"source":"' + "\U0001f69b" * 500 + '"', '"a":/* */1',
)  # fmt: skip
_WHOLE = (
    b"", b" ", b"\n", b"null", b"true", b"0", b'"text"', b"[]", b"{}", b"[[]]", b"[", b"]",
    b"{", b"[,]",
    b"[{}]", b"[null]", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xef\xbb\xbf[]", b"\xc0\xaf",
    b"\xed\xa0\x80", b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b"[" + b"0," * 1_000 + b"0]", b'{"tick_ms":1}', b'{"tick_ms":4102444800000}',
    b'{"tick_ms":1e999}',
    b'{"tick_ms":1795266467000,"x":1}', b'[{"tick_ms":1795266467000}]',
    b'"' + b"q" * 300_000 + b'"',
    b"\xff" * 300_000, *[b"{}"] * 100,
)  # fmt: skip
_PIECES = (
    b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\u", b"\\ud800", b"\x00", b"\x1b",
    b"\xff", b"\xed",
    b"\xef\xbb\xbf", b"\xe2\x80\xae", b"1e999", b"NaN", b"-", b"null", b"\n", b"\r", b" ",
    b"9" * 30,
    b'"truck_id":', b'"lon":', b"}{", b"},{", b"]]",
)  # fmt: skip


class Garbage:
    """An endless source of hostile values. The same `rng` gives the same."""

    def __init__(
        self, rng: Random, place: tuple[float, float], start_ms: int, partition: tuple[int, int]
    ) -> None:
        """`place`, `start_ms`: where and when the good trucks drive, so that the garbage drives
        among them. `partition`: number and count, of the trucks that most of it is about."""
        self._rng = rng
        self._place = place
        self._now_ms = start_ms
        number, count = partition
        names = (f"车{name}" for name in range(40 * count))
        self._trucks = [one for one in names if partition_of(one, count) == number]
        self._invented = 0

    def values(self, count: int) -> list[bytes | None]:
        """The values of `count` records."""
        return [self._value() for _ in range(count)]

    def rows(self, columns: Sequence[str], count: int) -> bytes:
        """Lines of a CSV file with these columns."""
        rows = [",".join(columns).encode()]
        for _ in range(count):
            fields = self._fields()
            rows.append(
                ",".join(fields.get(column, "") for column in columns).encode(errors="ignore")
            )
        return b"\n".join(rows)

    def mutated(self, value: bytes) -> bytes:
        """`value` with some of it removed, repeated, changed or put in."""
        rng, changed = self._rng, bytearray(value)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            at = rng.randrange(len(changed) + 1)
            act = rng.random()
            if act < 0.3:
                changed[at : at + rng.choice((1, 1, 2, 8, 100))] = b""
            elif act < 0.6:
                changed[at:at] = rng.choice(_PIECES)
            elif act < 0.8 and at < len(changed):
                changed[at] = rng.randrange(256)
            else:
                end = rng.randrange(at, min(len(changed), at + 200) + 1)
                changed[at:at] = changed[at:end]
        return bytes(changed)

    def _value(self) -> bytes | None:
        kind = self._rng.random()
        if kind < 0.03:
            return self._rng.choice((None, *_WHOLE))
        if kind < 0.05:
            return self._rng.randbytes(self._rng.randrange(200))
        if kind < 0.07:
            return b'{"tick_ms":%d}' % (self._now_ms + self._rng.randrange(-600_000, 600_000))
        if kind < 0.25:
            value = self._element()
        else:
            size = self._rng.choice((1, 2, 5, 20, 60, 60, 150, 150))
            sound = self._rng.random() < 0.5
            make = self._sound_element if sound else self._element
            value = b"[" + b",".join([make() for _ in range(size)]) + b"]"
        return self.mutated(value) if self._rng.random() < 0.2 else value

    def _element(self) -> bytes:
        if self._rng.random() < 0.6:
            return self._sound_element()
        fields = self._fields()
        pairs = [f'"{name}":{value}' for name, value in fields.items()]
        if self._rng.random() < 0.3:
            pairs.insert(self._rng.randrange(len(pairs) + 1), self._rng.choice(_ODD_FIELDS))
        text = "{" + ",".join(pairs) + "}"
        return text.encode(errors="surrogatepass")

    def _sound_element(self) -> bytes:
        """A position by its form; where and when it is may be anything."""
        rng = self._rng
        chance = rng.random()
        more = ""
        if chance < 0.1:
            more = f',"located":{rng.choice(("true", "false"))}'
        elif chance < 0.2:
            more = f',"satellites":{rng.choice((0, 3, 4, -(2**63), 2**63 - 1))}'
        elif chance < 0.3:
            more = f',"received_ms":{rng.choice((-(2**63), 0, self._now_ms, 2**63 - 1))}'
        elif chance < 0.6:
            more = f',"loaded":{rng.choice(("true", "false", "null"))}'
            more += f',"lifted":{rng.choice(("true", "false"))}'
        elif chance < 0.7:
            more = (
                f',"speed_kmh":{rng.choice(("-1", "0", "1e308", "-1.7e308", "61"))},"load_kg":1e308'
            )
        lon, lat = self._coordinates()
        return (
            f'{{"truck_id":{self._truck()},"time_ms":{self._time()},"lon":{lon},"lat":{lat}{more}}}'
        ).encode()

    def _fields(self) -> dict[str, str]:
        """The values of some fields, of which one or more are hostile."""
        rng = self._rng
        lon, lat = self._coordinates()
        fields = {"truck_id": self._truck(), "time_ms": self._time(), "lon": lon, "lat": lat}
        hostile = {
            "truck_id": _TEXTS, "time_ms": _TIMES + _NUMBERS, "lon": _NUMBERS, "lat": _NUMBERS,
            "speed_kmh": _NUMBERS, "heading_deg": _NUMBERS, "altitude_m": _NUMBERS,
            "mileage_km": _NUMBERS, "load_kg": _NUMBERS, "satellites": _NUMBERS, "located": _TRUTHS,
            "loaded": _TRUTHS, "lifted": _TRUTHS, "covered": _TRUTHS, "backfill": _TRUTHS,
            "terminal_id": _TEXTS, "source": _TEXTS, "received_ms": _TIMES + _NUMBERS,
        }  # fmt: skip
        for name in rng.sample(list(hostile), rng.choice((1, 1, 2, 5))):
            fields[name] = rng.choice(hostile[name])
        if rng.random() < 0.05:
            del fields[rng.choice(list(fields))]
        return fields

    def _truck(self) -> str:
        if self._rng.random() < 0.05:
            self._invented += 1
            name = "invented" if self._rng.random() < 0.9 else r"\u202e"
            return f'"{name}{self._invented}"'
        return f'"{self._rng.choice(self._trucks)}"'

    def _time(self) -> str:
        chance = self._rng.random()
        if chance < 0.9:
            self._now_ms += self._rng.choice((0, 1, 100, 400, 1_000))
            return str(self._now_ms)
        if chance < 0.998:
            return str(self._now_ms + self._rng.randrange(-5_000_000, 30_000))
        return str(self._rng.choice((946_684_800_000, 4_102_444_800_000, self._now_ms)))

    def _coordinates(self) -> tuple[str, str]:
        chance = self._rng.random()
        if chance < 0.9:
            lon, lat = self._place
            around = 0.01 if chance < 0.85 else 2.0
            return (
                f"{lon + around * (self._rng.random() - 0.5):.6f}",
                f"{lat + around * (self._rng.random() - 0.5):.6f}",
            )
        borders = (
            "0",
            "-0.0",
            "180",
            "-180",
            "90",
            "-90",
            "180.0000001",
            "1e-320",
            "1e308",
            "-1e308",
        )
        return self._rng.choice(borders), self._rng.choice(borders)
