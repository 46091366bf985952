"""`docs/jt808-messages.md`, by `make messages`: all messages that are read, out of the tables."""

import sys
from collections.abc import Iterable, Iterator

from producers.jt808.declared import LAYOUTS
from producers.jt808.kinds import Kind
from producers.jt808.layout import (
    ALL,
    SINCE_2013,
    SINCE_2019,
    UNTIL_2013,
    Field,
    Listed,
    OneOf,
    Record,
    Sized,
)
from producers.jt808.messages import MESSAGES, Row
from producers.jt808.parameters import PARAMETERS
from producers.jt808.vendor_items import ITEMS

_HEAD = """# Messages of JT/T 808

Written by `make messages` from the tables of the codec; `mucktrack jt808 decode` prints the
fields by these names. `?` may be missing at the end; `[]` is a list. Times are those of the
terminal's clock, GMT+8. Messages that are not here, and what cannot be read of these, stay `raw`.
"""
_EDITIONS = {SINCE_2013: "since 2013", SINCE_2019: "2019", UNTIL_2013: "until 2013"}


def page() -> str:
    return "\n".join((_HEAD, *_messages(), "", *_parameters(), "", *_items(), ""))


def _messages() -> Iterator[str]:
    yield "| id | from | message | standard | fields |"
    yield "|---|---|---|---|---|"
    for message_id, row in sorted(MESSAGES.items()):
        layout = LAYOUTS.get(message_id)
        side = "platform" if message_id & 0x8000 else "terminal"
        standard = "JT/T 808" if layout is None else layout.standard
        fields = _struct(row) if layout is None else _fields(layout.kind)
        yield f"| `{message_id:#06x}` | {side} | {row.name} | {standard} | {fields} |"


def _struct(row: Row) -> str:
    return ", ".join(f"`{name}`" for name in row.body.__struct_fields__)


def _fields(kind: Kind) -> str:
    if isinstance(kind, OneOf):
        return _once(map(_fields, kind.kinds))
    if isinstance(kind, Record):
        return _once(map(_field, kind.fields))
    return ""


def _field(field: Field) -> str:
    text = f"`{field.name}`" + ("?" if field.optional else "")
    kind, many = field.kind, isinstance(field.kind, Listed)
    while isinstance(kind, Listed | Sized):
        kind = kind.item if isinstance(kind, Listed) else kind.inside
    inside = _fields(kind) if isinstance(kind, Record) else ""
    edition = "" if field.versions == ALL else _EDITIONS.get(field.versions, "2011")
    return (
        text
        + ("[]" if many else "")
        + (f" ({inside})" if inside else "")
        + (f" *{edition}*" if edition else "")
    )


def _once(texts: Iterable[str]) -> str:
    """Alternatives often have the same fields."""
    return ", ".join(dict.fromkeys(text for text in texts if text))


def _parameters() -> Iterator[str]:
    yield "## Parameters of a terminal"
    yield ""
    yield "| id | parameter |"
    yield "|---|---|"
    for parameter_id, (name, _) in sorted(PARAMETERS.items()):
        yield f"| `{parameter_id:#06x}` | `{name}` |"


def _items() -> Iterator[str]:
    yield "## Vendors' items of a location"
    yield ""
    yield "Told as `vendor_name`, next to the standard ones; other vendors may mean something else."
    yield ""
    yield "| id | bytes | item |"
    yield "|---|---|---|"
    for row in sorted(ITEMS, key=lambda row: (row.item_id, sorted(row.lengths))):
        lengths = ", ".join(map(str, sorted(row.lengths))) or "any"
        yield f"| `{row.item_id:#04x}` | {lengths} | `{row.name}` |"


if __name__ == "__main__":
    sys.stdout.write(page())
