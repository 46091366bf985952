"""Pictures, sound and video of JT/T 808: 0x0800 to 0x0805, 0x8800 to 0x8805; and 0x0500, which like
these answers with a location."""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, Raw, Time
from producers.jt808.layout import SINCE_2013, Field, Layout, Listed, Record
from producers.jt808.located import FIXED, Located

_808: Final = "JT/T 808"
_ID: Final = Field("id", U32)
_SERIAL: Final = Field("answers_serial", U16)
_SEARCH: Final = (
    Field("kind", U8),
    Field("channel", U8),
    Field("event", U8),
    Field("start", Time()),
    Field("end", Time()),
)
_WHAT: Final = (_ID, Field("kind", U8), Field("format", U8), Field("event", U8))
_FOUND: Final = Record(
    Field("id", U32, SINCE_2013),
    Field("kind", U8),
    Field("channel", U8),
    Field("event", U8),
    Field("location", Located(FIXED)),
)

MESSAGES: Final = {
    0x0500: Layout("vehicle_controlled", _808, Record(_SERIAL, Field("location", Located()))),
    0x0800: Layout("multimedia_event", _808, Record(*_WHAT, Field("channel", U8))),
    0x0801: Layout(
        "multimedia",
        _808,
        Record(
            *_WHAT,
            Field("channel", U8),
            Field("location", Located(FIXED), SINCE_2013),
            Field("data", Raw()),
        ),
    ),
    0x8800: Layout(
        "multimedia_answer",
        _808,
        Record(_ID, Field("missing_parts", Listed(U8, U16), optional=True)),
    ),
    0x8801: Layout(
        "shoot",
        _808,
        Record(
            Field("channel", U8),
            Field("command", U16),
            Field("interval_s", U16),
            Field("stored", U8),
            Field("resolution", U8),
            Field("quality", U8),
            Field("brightness", U8),
            Field("contrast", U8),
            Field("saturation", U8),
            Field("chroma", U8),
        ),
    ),
    0x0805: Layout(
        "shot",
        _808,
        Record(_SERIAL, Field("result", U8), Field("ids", Listed(U16, U32), optional=True)),
    ),
    0x8802: Layout("query_multimedia", _808, Record(*_SEARCH)),
    0x0802: Layout("multimedia_found", _808, Record(_SERIAL, Field("found", Listed(U16, _FOUND)))),
    0x8803: Layout("upload_multimedia", _808, Record(*_SEARCH, Field("deleted", U8))),
    0x8804: Layout(
        "record_sound",
        _808,
        Record(
            Field("command", U8),
            Field("duration_s", U16),
            Field("stored", U8),
            Field("sampling", U8),
        ),
    ),
    0x8805: Layout("upload_one_multimedia", _808, Record(_ID, Field("deleted", U8))),
}
