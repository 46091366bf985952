"""Names of the bits of a location: alarms, status, vehicle signals (JT/T 808 location report).

Bits that an edition reserves have no name in it. Used where people read them; the gateway and the
profiles test bits by number.
"""

from producers.jt808.header import Version

_RESERVED = ""

ALARMS = (
    "emergency", "overspeed", "fatigue", "danger", "gnss_fault", "gnss_antenna_open",
    "gnss_antenna_short", "supply_voltage_low", "supply_lost", "display_fault", "tts_fault",
    "camera_fault", "card_reader_fault", "overspeed_warning", "fatigue_warning", _RESERVED,
    _RESERVED, _RESERVED, "driving_time_of_day_exceeded", "parked_too_long",
    "area_crossed", "route_crossed", "section_time", "off_route", "speed_sensor_fault",
    "fuel_abnormal", "stolen", "illegal_ignition", "illegal_movement", "collision_warning",
    "rollover_warning", "illegal_door_opening",
)  # fmt: skip
"""2013, from bit 0 on."""
_ALARMS_2019 = {
    3: "dangerous_driving",
    15: "illegal_driving",
    16: "tyre_pressure_warning",
    17: "right_turn_blind_spot",
    31: _RESERVED,
}
_ALARMS_2011 = {
    13: _RESERVED,
    14: _RESERVED,
    29: "collision_or_rollover",
    30: _RESERVED,
    31: _RESERVED,
}

STATUS = (
    "acc_on", "located", "south", "west", "out_of_service", "encrypted_coordinates", _RESERVED,
    _RESERVED, _RESERVED, _RESERVED, "fuel_cut", "circuit_cut", "doors_locked", "front_door_open",
    "middle_door_open", "rear_door_open", "cab_door_open", "other_door_open", "gps", "beidou",
    "glonass", "galileo",
)  # fmt: skip
"""2013, from bit 0 on. Bits 8 and 9 together are the load (`LOADS`)."""
_STATUS_2019 = {6: "forward_collision_warning", 7: "lane_departure_warning", 22: "moving"}
_STATUS_2011 = 13
"""2011 reserves bits 13 and up."""
LOADS = {0: "empty", 1: "half", 3: "full"}
"""Bits 8 and 9 of the status since 2013. Many terminals leave them 0 whatever the load is: whether
they mean anything is a matter of the terminal's profile."""

VEHICLE_SIGNALS = (
    "low_beam", "high_beam", "right_turn", "left_turn", "brake", "reverse", "fog_lights",
    "position_lights", "horn", "air_conditioner", "neutral", "retarder", "abs", "heater", "clutch",
)  # fmt: skip
"""Item 0x25, from bit 0 on."""


def names_of(bits: int, names: tuple[str, ...]) -> list[str]:
    """The names of the bits that are set, from bit 0 on; those without a name are left out."""
    return [name for bit, name in enumerate(names) if name and bits >> bit & 1]


def alarm_names(bits: int, version: Version) -> list[str]:
    return names_of(bits, _ALARM_NAMES[version])


def status_names(bits: int, version: Version) -> list[str]:
    """Without the load."""
    return names_of(bits, _STATUS_NAMES[version])


def load_name(bits: int, version: Version) -> str | None:
    """What bits 8 and 9 say; None where they are reserved."""
    return None if version == "2011" else LOADS.get(bits >> 8 & 3)


def _with(names: tuple[str, ...], more: dict[int, str]) -> tuple[str, ...]:
    width = max(len(names), max(more) + 1)
    filled = names + (_RESERVED,) * (width - len(names))
    return tuple(more.get(bit, name) for bit, name in enumerate(filled))


_ALARM_NAMES: dict[Version, tuple[str, ...]] = {
    "2011": _with(ALARMS, _ALARMS_2011),
    "2013": ALARMS,
    "2019": _with(ALARMS, _ALARMS_2019),
}
_STATUS_NAMES: dict[Version, tuple[str, ...]] = {
    "2011": STATUS[:_STATUS_2011],
    "2013": STATUS,
    "2019": _with(STATUS, _STATUS_2019),
}
