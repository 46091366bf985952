"""What a profile means, in words: for `mucktrack profiles`, so that its writer can read it over."""

from collections.abc import Iterable

from producers.profiles.profile import Profile
from producers.profiles.reading import Place, Scale, Switch

UNKNOWN = "unknown"


def describe(profile: Profile) -> list[str]:
    """Lines: the profile itself, then a line for each reading."""
    models = ", ".join("/".join(model) for model in profile.models) or "none, taken by its name"
    return [
        f"{profile.name}: JT/T 808-{profile.version}, {profile.datum}, models: {models}",
        f"  loaded: {_switch(profile.loaded)}",
        f"  lifted: {_switch(profile.lifted)}",
        f"  covered: {_switch(profile.covered)}",
        f"  load_kg: {_scale(profile.load_kg)}",
    ]


def _switch(switch: Switch | None) -> str:
    if switch is None:
        return UNKNOWN
    pieces = [f"{_values(switch.true)} = true"] * bool(switch.true)
    pieces += [f"{_values(switch.false)} = false"] * bool(switch.false)
    return f"{_place(switch.place)}: {', '.join(pieces)}, else {UNKNOWN}"


def _scale(scale: Scale | None) -> str:
    if scale is None:
        return UNKNOWN
    besides = f", {_values(scale.unknown)} = {UNKNOWN}" if scale.unknown else ""
    return f"{_place(scale.place)}: × {scale.kg:g} kg{besides}"


def _place(place: Place) -> str:
    low, high = place.bits
    bits = f"bit {low}" if low == high else f"bits {low}-{high}"
    if place.item is None:
        return f"status {bits}"
    last = place.byte + place.bytes - 1
    where = f"byte {place.byte}" if last == place.byte else f"bytes {place.byte}-{last}"
    whole = place.width == 8 * place.bytes
    of_length = "" if place.length is None else f" of {place.length}"
    return f"item 0x{place.item:02X} {where}{of_length}" + ("" if whole else f" {bits}")


def _values(values: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(values)))
