"""Readings written as a profile says they are read: the other direction of `reading`.

For simulated terminals (`producers.terminals`), so that one file says both ways what a terminal's
bytes mean. What a profile has no place for is left out, as a real terminal leaves it out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from producers.profiles.profile import Profile
from producers.profiles.reading import Place, Scale, Switch


@dataclass(slots=True)
class Written:
    """What the sensors add to a location (JT/T 808, message 0x0200)."""

    status_bits: int = 0
    items: dict[int, bytearray] = field(default_factory=dict)


Writer = Callable[[Written, float | None], None]


class SensorWriter:
    """Writes what `profile` reads. Raises `ValueError` where it has no way to say "unknown": such
    a profile is for terminals that always know."""

    def __init__(self, profile: Profile) -> None:
        self._loaded = _switch_writer(profile.loaded)
        self._lifted = _switch_writer(profile.lifted)
        self._covered = _switch_writer(profile.covered)
        self._load_kg = _scale_writer(profile.load_kg)

    def write(
        self, loaded: bool | None, lifted: bool | None, covered: bool | None, load_kg: float | None
    ) -> Written:
        written = Written()
        self._loaded(written, loaded)
        self._lifted(written, lifted)
        self._covered(written, covered)
        self._load_kg(written, load_kg)
        return written


def _switch_writer(switch: Switch | None) -> Writer:
    if switch is None:
        return _nothing
    known = switch.true | switch.false
    values: dict[float | None, int | None] = {
        # Of several values that mean the same, the fullest and the emptiest.
        True: max(switch.true, default=None),
        False: min(switch.false, default=None),
    }
    unknown = _free(switch.place, known)
    place = switch.place

    def write(written: Written, meaning: float | None) -> None:
        value = None if meaning is None else values[bool(meaning)]
        _put(written, place, unknown if value is None else value)

    return write


def _scale_writer(scale: Scale | None) -> Writer:
    if scale is None:
        return _nothing
    place, kg = scale.place, scale.kg
    unknown = max(scale.unknown) if scale.unknown else None
    highest = max(set(range(place.highest - len(scale.unknown), place.highest + 1)) - scale.unknown)

    def write(written: Written, weight_kg: float | None) -> None:
        if weight_kg is None:
            if unknown is not None:
                _put(written, place, unknown)
            return
        _put(written, place, min(highest, max(0, round(weight_kg / kg))))

    return write


def _free(place: Place, known: frozenset[int]) -> int:
    """The lowest value that means neither true nor false."""
    for value in range(place.highest + 1):
        if value not in known:
            return value
    raise ValueError(
        f"all {place.highest + 1} values of {place} mean true or false; none is left for unknown"
    )


def _put(written: Written, place: Place, value: int) -> None:
    low = place.bits[0]
    if place.item is None:
        written.status_bits |= value << low
        return
    end = place.length or place.byte + place.bytes
    content = written.items.setdefault(place.item, bytearray())
    content.extend(bytes(max(0, end - len(content))))
    number = int.from_bytes(content[place.byte : place.byte + place.bytes])
    number = number & ~(place.highest << low) | value << low
    content[place.byte : place.byte + place.bytes] = number.to_bytes(place.bytes)


def _nothing(_written: Written, _meaning: float | None) -> None:
    """The writer of what a terminal does not tell."""
