"""Items 0x64 to 0x67 of a location: alarms of driver assistance, driver, tyres, blind spots.

T/JSATL 12-2017 (Jiangsu). All end with an identification by which the terminal sends files: its id
in 7 bytes, or in 30 where terminals keep to JT/T 808-2019, with two reserved bytes instead of one.
Nothing here raises: bytes of another length have no meaning.
"""

from struct import Struct as Layout
from typing import Any

from producers.jt808.clock import read_time_bcd
from producers.jt808.text import read_text

STATES = {0: "none", 1: "begins", 2: "ends"}

_DRIVER_ASSISTANCE = Layout(">IBBBBBBBB")
_DRIVER_STATE = Layout(">IBBBB4s")
_TYRES = Layout(">IB")
_BLIND_SPOT = Layout(">IBB")
_WHERE = Layout(">BHII6sH")
_TYRE = Layout(">BHHHH")
_SHORT = Layout(">7s6sBBB")
_LONG = Layout(">30s6sBB2s")


def read_driver_assistance(value: bytes) -> dict[str, Any] | None:
    """0x64: speeds in km/h; distance ahead in 0.1 s, as it is told."""
    if len(value) not in _lengths(_DRIVER_ASSISTANCE):
        return None
    alarm_id, state, kind, level, ahead, distance, deviation, sign, sign_value = (
        _DRIVER_ASSISTANCE.unpack_from(value)
    )
    return {
        "alarm_id": alarm_id,
        "state": STATES.get(state, state),
        "kind": kind,
        "level": level,
        "speed_ahead_kmh": ahead,
        "distance_ahead_100ms": distance,
        "deviation": deviation,
        "road_sign": sign,
        "road_sign_value": sign_value,
    } | _where(value, _DRIVER_ASSISTANCE.size)


def read_driver_state(value: bytes) -> dict[str, Any] | None:
    """0x65."""
    if len(value) not in _lengths(_DRIVER_STATE):
        return None
    alarm_id, state, kind, level, fatigue, _ = _DRIVER_STATE.unpack_from(value)
    return {
        "alarm_id": alarm_id,
        "state": STATES.get(state, state),
        "kind": kind,
        "level": level,
        "fatigue": fatigue,
    } | _where(value, _DRIVER_STATE.size)


def read_blind_spot(value: bytes) -> dict[str, Any] | None:
    """0x67."""
    if len(value) not in _lengths(_BLIND_SPOT):
        return None
    alarm_id, state, kind = _BLIND_SPOT.unpack_from(value)
    return {"alarm_id": alarm_id, "state": STATES.get(state, state), "kind": kind} | _where(
        value, _BLIND_SPOT.size
    )


def read_tyres(value: bytes) -> dict[str, Any] | None:
    """0x66: after the identification a number of tyres, pressures in kPa, temperatures in °C."""
    for identification in (_SHORT, _LONG):
        count_at = _TYRES.size + _WHERE.size + identification.size
        if len(value) <= count_at or len(value) != count_at + 1 + _TYRE.size * value[count_at]:
            continue
        alarm_id, state = _TYRES.unpack_from(value)
        tyres = [
            dict(
                zip(
                    ("position", "alarm_bits", "pressure_kpa", "temperature_c", "battery_percent"),
                    tyre,
                    strict=True,
                )
            )
            for tyre in _TYRE.iter_unpack(value[count_at + 1 :])
        ]
        alarm = {"alarm_id": alarm_id, "state": STATES.get(state, state)}
        return alarm | _where(value[:count_at], _TYRES.size) | {"tyres": tyres}
    return None


def _lengths(begin: Layout) -> tuple[int, int]:
    before = begin.size + _WHERE.size
    return before + _SHORT.size, before + _LONG.size


def _where(value: bytes, at: int) -> dict[str, Any]:
    """Where and when it was, and the identification behind it."""
    speed, altitude, lat, lon, time, status = _WHERE.unpack_from(value, at)
    identification = _SHORT if len(value) == at + _WHERE.size + _SHORT.size else _LONG
    terminal, began, number, files, _ = identification.unpack_from(value, at + _WHERE.size)
    return {
        "speed_kmh": speed,
        "altitude_m": altitude,
        "lat": lat / 1e6,
        "lon": lon / 1e6,
        "time_ms": read_time_bcd(time),
        "vehicle_status_bits": status,
        "terminal_id": read_text(terminal),
        "identified_ms": read_time_bcd(began),
        "number": number,
        "files": files,
    }
