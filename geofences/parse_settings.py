"""`city.toml`: the city's name, time zone, datums, defaults and threshold overrides (section 4).

The loader calls it. Names of thresholds are taken as they are: what they must be is known to the
rules, which check them later.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from geofences.city import SLOWEST_LIMIT_KMH
from geofences.datum import DATUMS, Datum
from geofences.fields import Fields, as_number
from geofences.findings import Report, shown
from geofences.records import decode

FILE = "city.toml"
DEFAULT_TIMEZONE = "Asia/Shanghai"
DEFAULT_DATUM: Datum = "wgs84"
GEOJSON_FILES = ("districts.geojson", "sites.geojson", "routes.geojson", "zones.geojson")

_KEYS = ("name", "admin_code", "timezone", "datum", "defaults", "state", "rules")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `city.toml` says."""

    name: str
    admin_code: str
    timezone: str
    datums: Mapping[str, Datum]
    """For each of `GEOJSON_FILES`."""
    speed_limit_kmh: float | None
    state_overrides: Mapping[str, float]
    rule_overrides: Mapping[str, Mapping[str, float]]


def parse_settings(content: bytes | None, report: Report) -> Settings:
    """The settings; where they are faulty or there are none, defaults stand in, so that the other
    files can be read all the same."""
    if content is None:
        report.error(FILE, "is missing; a city directory needs it")
    table = _load(content, report) if content is not None else None
    return _settings(table, report) if table is not None else _settings({}, Report())


def _settings(table: Mapping[str, object], report: Report) -> Settings:
    _refuse_unknown(table, _KEYS, "key", report)
    fields = Fields(table, report, FILE)
    defaults = _table(table, "defaults", report)
    _refuse_unknown(defaults, ("speed_limit_kmh",), "[defaults] key", report)
    rules = _table(table, "rules", report)
    return Settings(
        name=fields.text("name"),
        admin_code=fields.text("admin_code"),
        timezone=_timezone(fields),
        datums=_datums(_table(table, "datum", report), report),
        speed_limit_kmh=Fields(defaults, report, FILE, "[defaults]").number(
            "speed_limit_kmh", above=SLOWEST_LIMIT_KMH
        ),
        state_overrides=_numbers(_table(table, "state", report), "[state]", report),
        rule_overrides={
            rule: _numbers(_table(rules, rule, report, "rules."), f"[rules.{rule}]", report)
            for rule in rules
        },
    )


def _load(content: bytes, report: Report) -> dict[str, object] | None:
    text = decode(content, FILE, report)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        report.error(FILE, f"is not TOML: {error}; repair it")
        return None


def _timezone(fields: Fields) -> str:
    name = fields.optional_text("timezone")
    if name is None:
        return DEFAULT_TIMEZONE
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = "is not known; allowed are IANA names such as Asia/Shanghai"
        fields.fault("timezone", message, name)
    return name


def _datums(table: Mapping[str, object], report: Report) -> dict[str, Datum]:
    datums = dict.fromkeys(GEOJSON_FILES, DEFAULT_DATUM)
    fields = Fields(table, report, FILE, "[datum]")
    given: set[str] = set()
    for key in table:
        file = key if key.endswith(".geojson") else f"{key}.geojson"
        if file not in datums:
            names = ", ".join(name.removesuffix(".geojson") for name in GEOJSON_FILES)
            fields.fault(key, f"is no file with coordinates; allowed are {names}")
            continue
        datum = fields.choice(key, DATUMS)
        if file in given:
            fields.fault(key, "is given twice, with and without .geojson; keep one of them")
        given.add(file)
        if datum is not None:
            datums[file] = datum
    return datums


def _numbers(table: Mapping[str, object], label: str, report: Report) -> dict[str, float]:
    fields = Fields(table, report, FILE, label)
    numbers: dict[str, float] = {}
    for key, value in table.items():
        number = None if isinstance(value, str) else as_number(value)
        if number is None:
            fields.fault(key, "is not a finite number; write a plain number", value)
        else:
            numbers[key] = number
    return numbers


def _table(
    parent: Mapping[str, object], key: str, report: Report, prefix: str = ""
) -> Mapping[str, object]:
    value = parent.get(key, {})
    if isinstance(value, dict):
        return value
    message = f"is not a table; write its keys under [{prefix}{key}]"
    report.error(FILE, message, field=f"{prefix}{key}", value=shown(value))
    return {}


def _refuse_unknown(
    table: Iterable[str], allowed: tuple[str, ...], what: str, report: Report
) -> None:
    for key in table:
        if key not in allowed:
            message = f"is not known; allowed are {', '.join(allowed)}"
            report.error(FILE, message, field=what, value=shown(key))
