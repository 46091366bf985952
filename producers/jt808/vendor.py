"""A message of vendors that is in no standard: told by whichever of two layouts fits."""

from typing import Final

from producers.jt808.kinds import U8, Time
from producers.jt808.layout import Field, Layout, Listed, OneOf, Record, Sized
from producers.jt808.located import Located

_NONE: Final = "in no standard"

MESSAGES: Final = {
    0x0210: Layout(
        "battery_or_locations",
        _NONE,
        OneOf(
            Record(Field("percent", U8), Field("time", Time())),
            Record(Field("locations", Listed(None, Sized(U8, Located())))),
        ),
    ),
}
