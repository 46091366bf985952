"""Messages of vendors, in no standard, of which one meaning only has been seen."""

from typing import Final

from producers.jt808.layout import U8, Field, Layout, Listed, OneOf, Record, Sized, Text, Time
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
    0x6006: Layout("text_answer", _NONE, Record(Field("kind", U8), Field("text", Text()))),
}
