"""What the standard additional items of a location mean: a row an id, with its unit.

JT/T 808 location report (0x01 to 0x31), JT/T 1078-2016 (0x14 to 0x18) and the Jiangsu standard of
active safety T/JSATL 12-2017 (0x64 to 0x67, `active_safety`). An item whose length is not one of
its row's has no meaning: vendors use the same ids for something else. Nothing here raises.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from producers.jt808 import active_safety
from producers.jt808.bits import VEHICLE_SIGNALS, names_of

VIDEO_ALARMS = (
    "video_lost",
    "video_covered",
    "storage_failed",
    "other_video_fault",
    "overcrowded",
    "abnormal_driving",
    "storage_of_special_alarms_full",
)
"""JT/T 1078-2016, item 0x14, from bit 0 on."""
DRIVING = ("fatigue", "telephoning", "smoking")
"""JT/T 1078-2016, item 0x18, from bit 0 on."""
IO = ("deep_sleep", "sleep")
"""Item 0x2A, from bit 0 on."""
AREAS = {0: "none", 1: "circle", 2: "rectangle", 3: "polygon", 4: "section"}
_NO_TYRE = 0xFF


class ItemRow(NamedTuple):
    """One standard item."""

    item_id: int
    name: str
    unit: str | None
    read: Callable[[bytes], Any]
    """A JSON-like value; None where the bytes cannot be such an item."""


class Meaning(NamedTuple):
    """An item that has been understood."""

    name: str
    unit: str | None
    reading: Any


def _number(width: int, scale: int = 1) -> Callable[[bytes], Any]:
    def read(value: bytes) -> float | None:
        if len(value) != width:
            return None
        number = int.from_bytes(value, "big")
        return number if scale == 1 else number / scale

    return read


def _names(width: int, names: tuple[str, ...]) -> Callable[[bytes], Any]:
    def read(value: bytes) -> list[str] | None:
        return names_of(int.from_bytes(value, "big"), names) if len(value) == width else None

    return read


def _set_bits(width: int) -> Callable[[bytes], Any]:
    """Numbers from 1 on, of channels or storages."""

    def read(value: bytes) -> list[int] | None:
        if len(value) != width:
            return None
        number = int.from_bytes(value, "big")
        return [bit + 1 for bit in range(8 * width) if number >> bit & 1]

    return read


def _tyres(value: bytes) -> list[int | None] | None:
    """A byte a wheel, from the front left on; 0xFF = none there."""
    if len(value) != 30:
        return None
    wheels = value.rstrip(b"\xff")
    return [None if wheel == _NO_TYRE else wheel for wheel in wheels]


def _cabin(value: bytes) -> int | None:
    """The highest bit set says negative, the others how much."""
    if len(value) != 2:
        return None
    number = int.from_bytes(value, "big")
    return -(number & 0x7FFF) if number & 0x8000 else number


def _overspeed(value: bytes) -> dict[str, Any] | None:
    if len(value) not in (1, 5):
        return None
    place: dict[str, Any] = {"area": AREAS.get(value[0], value[0])}
    if len(value) == 5:
        place["area_id"] = int.from_bytes(value[1:], "big")
    return place


def _crossing(value: bytes) -> dict[str, Any] | None:
    if len(value) != 6:
        return None
    return {
        "area": AREAS.get(value[0], value[0]),
        "area_id": int.from_bytes(value[1:5], "big"),
        "direction": {0: "in", 1: "out"}.get(value[5], value[5]),
    }


def _section_time(value: bytes) -> dict[str, Any] | None:
    if len(value) != 7:
        return None
    return {
        "section_id": int.from_bytes(value[:4], "big"),
        "time_s": int.from_bytes(value[4:6], "big"),
        "result": {0: "too short", 1: "too long"}.get(value[6], value[6]),
    }


def _driving(value: bytes) -> dict[str, Any] | None:
    """Two bytes by the length that JT/T 1078 gives, three by the fields that it lists."""
    if len(value) not in (2, 3):
        return None
    seen: dict[str, Any] = {"kinds": names_of(int.from_bytes(value[:2], "big"), DRIVING)}
    if len(value) == 3:
        seen["fatigue"] = value[2]
    return seen


def _analog(value: bytes) -> list[int] | None:
    """AD0 in the lower half, AD1 in the upper."""
    if len(value) != 4:
        return None
    return [int.from_bytes(value[2:], "big"), int.from_bytes(value[:2], "big")]


ITEMS = {
    row.item_id: row
    for row in (
        ItemRow(0x01, "mileage", "km", _number(4, 10)),
        ItemRow(0x02, "fuel", "l", _number(2, 10)),
        ItemRow(0x03, "recorder_speed", "km/h", _number(2, 10)),
        ItemRow(0x04, "alarm_event_to_confirm", None, _number(2)),
        ItemRow(0x05, "tyre_pressures", "Pa", _tyres),
        ItemRow(0x06, "cabin_temperature", "°C", _cabin),
        ItemRow(0x11, "overspeed", None, _overspeed),
        ItemRow(0x12, "area_or_route_crossed", None, _crossing),
        ItemRow(0x13, "section_time", None, _section_time),
        ItemRow(0x14, "video_alarms", None, _names(4, VIDEO_ALARMS)),
        ItemRow(0x15, "video_lost_channels", None, _set_bits(4)),
        ItemRow(0x16, "video_covered_channels", None, _set_bits(4)),
        ItemRow(0x17, "failed_storages", None, _set_bits(2)),
        ItemRow(0x18, "abnormal_driving", None, _driving),
        ItemRow(0x25, "vehicle_signals", None, _names(4, VEHICLE_SIGNALS)),
        ItemRow(0x2A, "io", None, _names(2, IO)),
        ItemRow(0x2B, "analog", None, _analog),
        ItemRow(0x30, "signal_strength", None, _number(1)),
        ItemRow(0x31, "satellites", None, _number(1)),
        ItemRow(0x64, "driver_assistance_alarm", None, active_safety.read_driver_assistance),
        ItemRow(0x65, "driver_state_alarm", None, active_safety.read_driver_state),
        ItemRow(0x66, "tyre_alarm", None, active_safety.read_tyres),
        ItemRow(0x67, "blind_spot_alarm", None, active_safety.read_blind_spot),
    )
}


def meaning_of(item_id: int, value: bytes) -> Meaning | None:
    """None for what no standard names, and for lengths that it does not know."""
    row = ITEMS.get(item_id)
    reading = None if row is None else row.read(value)
    return None if row is None or reading is None else Meaning(row.name, row.unit, reading)
