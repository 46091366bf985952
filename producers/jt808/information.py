"""Text to a driver, events, questions, services on demand, the telephone book."""

from typing import Final

from producers.jt808.kinds import U8, U16, Text
from producers.jt808.layout import SINCE_2019, Field, Layout, Listed, OneOf, Record

_EVENT: Final = Record(Field("id", U8), Field("text", Text(prefix=U8)))
_ANSWER: Final = Record(Field("id", U8), Field("text", Text(prefix=U16)))
_SERVICE: Final = Record(Field("kind", U8), Field("name", Text(prefix=U16)))
_CONTACT: Final = Record(
    Field("flag", U8), Field("phone", Text(prefix=U8)), Field("name", Text(prefix=U8))
)

MESSAGES: Final = {
    0x8300: Layout(
        "text",
        "JT/T 808",
        Record(Field("flags", U8), Field("kind", U8, SINCE_2019), Field("text", Text())),
    ),
    0x8301: Layout(
        "set_events",
        "JT/T 808",
        Record(Field("action", U8), Field("events", Listed(U8, _EVENT), optional=True)),
    ),
    0x0301: Layout("event", "JT/T 808", Record(Field("id", U8))),
    0x8302: Layout(
        "question",
        "JT/T 808",
        Record(
            Field("flags", U8),
            Field("text", Text(prefix=U8)),
            Field("answers", Listed(None, _ANSWER)),
        ),
    ),
    0x0302: Layout("answer", "JT/T 808", Record(Field("answers_serial", U16), Field("id", U8))),
    0x8303: Layout(
        "set_services",
        "JT/T 808",
        Record(Field("action", U8), Field("services", Listed(U8, _SERVICE), optional=True)),
    ),
    0x0303: Layout("order_service", "JT/T 808", Record(Field("kind", U8), Field("ordered", U8))),
    0x8304: Layout(
        "service", "JT/T 808", Record(Field("kind", U8), Field("text", Text(prefix=U16)))
    ),
    0x0304: Layout(
        "service_text",
        "in no standard",
        Record(Field("answers_serial", U16), Field("kind", U8), Field("text", Text(prefix=U16))),
    ),
    0x8400: Layout(
        "call_back",
        "JT/T 808",
        OneOf(
            Record(Field("flag", U8), Field("phone", Text(20))),
            Record(Field("flag", U8), Field("phone", Text())),
        ),
    ),
    0x8401: Layout(
        "set_telephone_book",
        "JT/T 808",
        Record(Field("action", U8), Field("contacts", Listed(U8, _CONTACT), optional=True)),
    ),
}
