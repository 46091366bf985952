"""Bodies about vehicles on the road: registration, positions, drivers, waybills.

JT/T 809, sub messages of 0x1200 and 0x9200. Called by `producers.jt809.table`; positions become
`producers.jt808` locations in `producers.jt809.locations`.
"""

from typing import Annotated

from producers.jt809.fields import (
    U8,
    U16,
    U32,
    U64,
    Counted,
    Layout,
    LongBytes,
    LongText,
    Rest,
    RestText,
    Sized,
    Text,
)


class Registration(Layout):
    """0x1201 of 2011: the terminal of a vehicle."""

    platform_id: Annotated[str, Text(11)]
    producer_id: Annotated[str, Text(11)]
    terminal_model: Annotated[str, Text(20)]
    terminal_id: Annotated[str, Text(7)]
    sim: Annotated[str, Text(12, left=True)]


class ShortRegistration(Layout):
    """0x1201 of 2011 as other platforms send it, whose terminal models have 8 bytes."""

    platform_id: Annotated[str, Text(11)]
    producer_id: Annotated[str, Text(11)]
    terminal_model: Annotated[str, Text(8)]
    terminal_id: Annotated[str, Text(7)]
    sim: Annotated[str, Text(12, left=True)]


class Registration2019(Layout):
    """0x1201 of 2019."""

    platform_id: Annotated[str, Text(11)]
    producer_id: Annotated[str, Text(11)]
    terminal_model: Annotated[str, Text(30)]
    imei: Annotated[str, Text(15)]
    terminal_id: Annotated[str, Text(30)]
    sim: Annotated[str, Text(13)]


class Position2011(Layout):
    """0x1202 of 2011, 36 bytes. Date and time of day are those of China (GMT+8)."""

    encrypted: U8
    """1: the coordinates have been moved by the state's encryption."""
    day: U8
    month: U8
    year: U16
    hour: U8
    minute: U8
    second: U8
    lon: U32
    """10⁻⁶ degree; before the latitude."""
    lat: U32
    speed_kmh: U16
    """By the terminal."""
    recorder_speed_kmh: U16
    """By the driving recorder."""
    mileage_km: U32
    heading_deg: U16
    altitude_m: U16
    status_bits: U32
    """As in JT/T 808."""
    alarm_bits: U32


class Position2019(Layout):
    """0x1202 of 2019: a JT/T 808 location, and which platforms raised alarms."""

    encrypted: U8
    """1: the coordinates have been moved by the state's encryption."""
    location: LongBytes
    """The body of a JT/T 808 location (0x0200)."""
    platform_1: Annotated[str, Text(11)]
    """The monitoring platform of the company."""
    alarm_1: U32
    platform_2: Annotated[str, Text(11)]
    """The city's."""
    alarm_2: U32
    platform_3: Annotated[str, Text(11)]
    """The province's."""
    alarm_3: U32


class Backfill2011(Layout):
    """0x1203 of 2011: positions of a time without a link."""

    positions: Annotated[list[Position2011], Counted(1, Position2011)]


class Backfill2019(Layout):
    """0x1203 of 2019."""

    positions: Annotated[list[Position2019], Counted(1, Position2019)]


class Exchange2019(Layout):
    """0x1205 and 0x1206 of 2019: the exchange has been started or ended.

    They name the request where the other messages have their length, and their own length last.
    """

    request_sub_id: U16
    request_serial: U32
    length: U32


class Interval(Layout):
    """0x1207 and 0x1209: positions of this time are asked for, Unix epoch seconds UTC."""

    start_s: U64
    end_s: U64


class Nothing(Layout):
    """A sub message that says all by being there: 0x1205, 0x1206 and 0x1208 of 2011."""


class Driver(Layout):
    """0x120A and 0x120C of 2011: who drives."""

    name: Annotated[str, Text(16)]
    identity: Annotated[str, Text(20)]
    licence: Annotated[str, Text(40)]
    issuer: Annotated[str, Text(200)]


class Driver2019(Layout):
    """0x120C of 2019: who drives, by the company's own account."""

    name: Annotated[str, Text(16)]
    identity: Annotated[str, Text(20)]
    licence: Annotated[str, Text(40)]
    issuer: Annotated[str, Text(200)]
    valid_until_s: U64


class DriverAnswer2019(Layout):
    """0x120A of 2019: who drives, as asked for."""

    request_sub_id: U16
    request_serial: U32
    name: Annotated[str, Text(16)]
    identity: Annotated[str, Text(20)]
    licence: Annotated[str, Text(40)]
    issuer: Annotated[str, Text(200)]
    valid_until_s: U64


class Waybill(Layout):
    """0x120B of 2011 and 0x120D: the electronic waybill."""

    waybill: LongText


class WaybillAnswer2019(Layout):
    """0x120B of 2019."""

    request_sub_id: U16
    request_serial: U32
    waybill: LongText


class Route(Layout):
    """0x120E and 0x1602 of 2019: a route as JT/T 808 writes it (0x8606), raw."""

    route: Annotated[bytes, Rest()]


class Result(Layout):
    """A one-byte answer: 0x9205 to 0x9209 of 2011, and many others."""

    result: U8


class Result2019(Layout):
    """The same in 2019, with the request it answers."""

    request_sub_id: U16
    request_serial: U32
    result: U8


class RouteResult2019(Layout):
    """0x920D of 2019: what became of a route that was told (0x120E)."""

    route_id: U32
    result: U8
    reason: Annotated[str, Sized(2, RestText())]
