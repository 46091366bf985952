"""A profile's TOML file to a `Profile`, with every fault named.

`read_profile` reads a file, `parse_profile` its text. What could be misread is refused rather than
guessed: unknown keys, a value that means both true and false, values that can never be read.
"""

import re
import tomllib
from pathlib import Path
from typing import get_args

from geofences.datum import DATUMS
from geofences.fields import as_number
from geofences.findings import Report
from geofences.records import decode
from producers.jt808.header import Version
from producers.profiles.parse_place import parse_item_place, parse_place
from producers.profiles.profile import Profile
from producers.profiles.reading import Scale, Switch
from producers.toml_table import Table

KEYS = ("name", "about", "version", "datum", "models", "loaded", "lifted", "covered", "load_kg")
PLACE_KEYS = ("item", "byte", "bytes", "bits", "length")
SWITCH_KEYS = ("status_bits", *PLACE_KEYS, "true", "false")
SCALE_KEYS = (*PLACE_KEYS, "unit", "scale", "unknown")
UNITS_KG = {"kg": 1.0, "t": 1000.0}
VERSIONS: tuple[Version, ...] = get_args(Version)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_LARGEST_SCALE = 1_000_000


def read_profile(path: Path, report: Report) -> Profile | None:
    """The profile in a file; None with at least one error in `report`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        report.error(str(path), f"cannot be read: {error.strerror}")
        return None
    return parse_profile(content, str(path), report)


def parse_profile(content: bytes, file: str, report: Report) -> Profile | None:
    """`file` is what faults are said to be in."""
    before = len(report.findings)
    text = decode(content, file, report)
    if text is None:
        return None
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        report.error(file, f"is not TOML: {error}; repair it")
        return None
    table = Table(values, report, file, None)
    table.refuse_unknown(KEYS)
    version = table.choice("version", VERSIONS, None)
    profile = Profile(
        name=_name(table),
        about=table.text("about", "") or "",
        version=version or "2013",
        datum=table.choice("datum", DATUMS, "wgs84") or "wgs84",
        models=_models(table),
        loaded=_switch(table, "loaded", version),
        lifted=_switch(table, "lifted", version),
        covered=_switch(table, "covered", version),
        load_kg=_scale(table),
        file=file,
    )
    return profile if len(report.findings) == before else None


def _name(table: Table) -> str:
    name = table.text("name", None) or ""
    if name and not _NAME.fullmatch(name):
        message = "is no name; allowed are 1 to 40 of a-z, 0-9, '.', '_' and '-'"
        table.fault("name", message, name)
    return name


def _models(table: Table) -> tuple[tuple[str, str], ...]:
    models = []
    for text in table.list_of("models", str):
        maker, slash, model = text.partition("/")
        if not (slash and maker.strip() and model.strip()):
            message = "is no model; write MANUFACTURER/MODEL, or MANUFACTURER/* for all others"
            table.fault("models", message, text)
        models.append((maker.strip(), model.strip()))
    return tuple(dict.fromkeys(models))


def _switch(parent: Table, key: str, version: Version | None) -> Switch | None:
    table = parent.table(key)
    if table is None:
        return None
    table.refuse_unknown(SWITCH_KEYS)
    place = parse_place(table, version)
    true, false = (frozenset(table.list_of(word, int)) for word in ("true", "false"))
    if not true and not false and not table.has_fault("true", "false"):
        message = "lists no value, nor does `false`; list what is known, or leave the table out"
        table.fault("true", message)
    for value in sorted(true & false):
        table.fault("true", "is in `false` too; a reading means one of them", value)
    if place is None:
        return None
    for word, values in (("true", true), ("false", false)):
        _refuse_unreadable(table, word, values, place.highest)
    return Switch(place, true, false)


def _scale(parent: Table) -> Scale | None:
    table = parent.table("load_kg")
    if table is None:
        return None
    table.refuse_unknown(SCALE_KEYS)
    place = parse_item_place(table)
    unit = table.choice("unit", tuple(UNITS_KG), None)
    scale = as_number(table.value("scale", 1))
    if scale is None or isinstance(table.value("scale"), str) or not 0 < scale <= _LARGEST_SCALE:
        message = f"is no scale; allowed are numbers above 0, at most {_LARGEST_SCALE}"
        table.fault("scale", message, table.value("scale"))
    unknown = frozenset(table.list_of("unknown", int))
    if place is None or unit is None or scale is None:
        return None
    _refuse_unreadable(table, "unknown", unknown, place.highest)
    return Scale(place, UNITS_KG[unit] * scale, unknown)


def _refuse_unreadable(table: Table, key: str, values: frozenset[int], highest: int) -> None:
    for value in sorted(values):
        if not 0 <= value <= highest:
            table.fault(key, f"can never be read; allowed are 0 to {highest}", value)
