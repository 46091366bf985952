"""A location as plain data and back: names of bits, meanings of items. Called by `plain`."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from producers.jt808.bits import alarm_names, load_name, status_names
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.item_table import meaning_of
from producers.jt808.items import read_items, write_items
from producers.jt808.kinds import in_hex
from producers.jt808.location import Location
from producers.jt808.vendor_items import meaning_of as vendor_meaning_of

_GMT8 = timezone(timedelta(hours=8))
_NUMBERS: dict[str, type[int] | type[float]] = {
    "alarm_bits": int,
    "status_bits": int,
    "lat": float,
    "lon": float,
    "altitude_m": int,
    "speed_kmh": float,
    "heading_deg": int,
}
_NEEDED = ("lat", "lon")
LOCATION_KEYS = (
    "lat", "lon", "speed_kmh", "heading_deg", "altitude_m", "time_ms", "time", "located",
    "alarm_bits", "alarms", "status_bits", "status", "load", "items", "after_items",
)  # fmt: skip
"""What `plain_location` writes."""


def plain_location(location: Location, version: Version) -> dict[str, Any]:
    """All that the location says. `items` are in order, repeated ones too."""
    time_ms = location.time_ms
    plain: dict[str, Any] = {
        "lat": location.lat,
        "lon": location.lon,
        "speed_kmh": location.speed_kmh,
        "heading_deg": location.heading_deg,
        "altitude_m": location.altitude_m,
        "time_ms": time_ms,
        "time": None if time_ms is None else _written(time_ms),
        "located": location.located,
        "alarm_bits": location.alarm_bits,
        "alarms": alarm_names(location.alarm_bits, version),
        "status_bits": location.status_bits,
        "status": status_names(location.status_bits, version),
        "load": load_name(location.status_bits, version),
    }
    items, rest = read_items(location.additional)
    plain["items"] = [_plain_item(item_id, value) for item_id, value in items]
    if rest:
        plain["after_items"] = rest.hex()
    return plain


def _written(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(_GMT8).isoformat()


def _plain_item(item_id: int, value: bytes) -> dict[str, Any]:
    """`value` is hex; `name`, `reading` and `unit` are there where a standard has them.

    `vendor_name` and `reading` where it is a vendor's.
    """
    plain: dict[str, Any] = {"id": f"{item_id:#04x}", "value": value.hex()}
    meaning = meaning_of(item_id, value)
    if meaning is not None:
        plain |= {"name": meaning.name, "reading": meaning.reading}
        if meaning.unit is not None:
            plain["unit"] = meaning.unit
        return plain
    vendors = vendor_meaning_of(item_id, value)
    if vendors is not None:
        plain |= {"vendor_name": vendors[0], "reading": in_hex(vendors[1])}
    return plain


def location_from_plain(plain: dict[str, Any], what: str) -> Location:
    """Bits and fields that are missing are 0. Raises `ProtocolError`."""
    values: dict[str, Any] = {}
    for name, kind in _NUMBERS.items():
        value = plain.get(name, None if name in _NEEDED else 0)
        allowed = (int,) if kind is int else (int, float)
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise ProtocolError(f"{what}.{name} is {value!r}; expected a number")
        values[name] = kind(value)
    time_ms = plain.get("time_ms")
    if time_ms is not None and (not isinstance(time_ms, int) or isinstance(time_ms, bool)):
        raise ProtocolError(f"{what}.time_ms is {time_ms!r}; expected milliseconds or null")
    return Location(**values, time_ms=time_ms, additional=_additional(plain, what))


def _item_id(value: Any) -> int:
    """Text is hex, with 0x or without."""
    return value if type(value) is int else int(value, 16)


def _additional(plain: dict[str, Any], what: str) -> bytes:
    try:
        items = [
            (_item_id(one["id"]), bytes.fromhex(one["value"])) for one in plain.get("items", ())
        ]
        return write_items(items) + bytes.fromhex(plain.get("after_items", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(
            f'{what}.items: {error}; expected objects like {{"id": "0x01", "value": "0000000a"}}'
        ) from None
