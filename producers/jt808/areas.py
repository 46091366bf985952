"""Areas and routes that a terminal watches by itself: 0x8600 to 0x8608, 0x0608.

`lat_abs` and `lon_abs` are degrees without a sign: bits of `attributes` say south and west (6 and 7
of an area's, 2 and 3 of a section's). Bit 0 brings times along, bit 1 a speed limit.
"""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, Kind, Number, Text, Time
from producers.jt808.layout import SINCE_2019, By, Field, Layout, Listed, Record

_DEGREES: Final = Number(4, per=1_000_000)
_POINT: Final = (Field("lat_abs", _DEGREES), Field("lon_abs", _DEGREES))
_TIMES: Final = (
    Field("start", Time(), flag="attributes", mask=1),
    Field("end", Time(), flag="attributes", mask=1),
)
_SPEED: Final = (
    Field("top_speed_kmh", U16, flag="attributes", mask=2),
    Field("overspeed_s", U8, flag="attributes", mask=2),
)
_NIGHT: Final = Field("night_top_speed_kmh", U16, SINCE_2019, flag="attributes", mask=2)
_NAME: Final = Field("name", Text(prefix=U16), SINCE_2019)
_HEAD: Final = (Field("id", U32), Field("attributes", U16))

CIRCLE: Final = Record(*_HEAD, *_POINT, Field("radius_m", U32), *_TIMES, *_SPEED, _NIGHT, _NAME)
RECTANGLE: Final = Record(
    *_HEAD,
    Field("north_west", Record(*_POINT)),
    Field("south_east", Record(*_POINT)),
    *_TIMES,
    *_SPEED,
    _NIGHT,
    _NAME,
)
POLYGON: Final = Record(
    *_HEAD, *_TIMES, *_SPEED, Field("points", Listed(U16, Record(*_POINT))), _NIGHT, _NAME
)
_TURN: Final = Record(
    Field("id", U32),
    Field("section_id", U32),
    *_POINT,
    Field("width_m", U8),
    Field("attributes", U8),
    Field("longest_s", U16, flag="attributes", mask=1),
    Field("shortest_s", U16, flag="attributes", mask=1),
    *_SPEED,
    _NIGHT,
)
ROUTE: Final = Record(*_HEAD, *_TIMES, Field("points", Listed(U16, _TURN)), _NAME)

KINDS: Final[dict[int, Kind]] = {
    kind: Listed(U32, area) for kind, area in enumerate((CIRCLE, RECTANGLE, POLYGON, ROUTE), 1)
}
"""What 0x0608 answers with, by what was asked for."""


def _set(name: str, area: Kind) -> Layout:
    return Layout(name, "JT/T 808", Record(Field("action", U8), Field("areas", Listed(U8, area))))


def _delete(name: str) -> Layout:
    return Layout(name, "JT/T 808", Record(Field("ids", Listed(U8, U32))))


MESSAGES: Final = {
    0x8600: _set("set_circles", CIRCLE),
    0x8601: _delete("delete_circles"),
    0x8602: _set("set_rectangles", RECTANGLE),
    0x8603: _delete("delete_rectangles"),
    0x8604: Layout("set_polygon", "JT/T 808", POLYGON),
    0x8605: _delete("delete_polygons"),
    0x8606: Layout("set_route", "JT/T 808", ROUTE),
    0x8607: _delete("delete_routes"),
    0x8608: Layout(
        "query_areas",
        "JT/T 808-2019",
        Record(Field("kind", U8), Field("ids", Listed(U32, U32))),
    ),
    0x0608: Layout(
        "areas",
        "JT/T 808-2019",
        Record(Field("kind", U8), Field("areas", By("kind", KINDS))),
    ),
}
