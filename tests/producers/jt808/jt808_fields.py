"""Bodies made up by hypothesis from the tables of `producers.jt808.declared`, a strategy a kind."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from jt808_messages import locations

from producers.jt808.declared import LAYOUTS, Fields
from producers.jt808.header import Version
from producers.jt808.kinds import Bcd, Kind, Named, Number, Raw, Source, Text, Time, Values
from producers.jt808.layout import By, Listed, OneOf, Record, Sized
from producers.jt808.located import Located
from producers.jt808.recorder import MARKS, Framed, Times

MOST_ITEMS = 3
MOST_BYTES = 60
"""Of text and bytes without a length of their own."""

CHARACTERS = st.characters(codec="gb18030", exclude_characters="\x00")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S+08:00")
)


def fields(message_id: int, version: Version) -> st.SearchStrategy[Fields]:
    values = value_of(LAYOUTS[message_id].kind, {}, version)
    return values.map(lambda drawn: Fields(drawn))


def value_of(kind: Kind, beside: Values, version: Version) -> st.SearchStrategy[Any]:
    """Any value that has room; `beside` as for `Kind`."""
    match kind:
        case Number():
            return numbers(kind)
        case Raw() | Text() | Bcd() | Time():
            return strings(kind)
        case Located():
            return places(kind)
        case Listed() | Times():
            least, most = (0, MOST_ITEMS) if isinstance(kind, Listed) else (kind.count, kind.count)
            return st.lists(value_of(kind.item, beside, version), min_size=least, max_size=most)
        case Sized():
            return value_of(kind.inside, beside, version)
        case Named():
            return st.just(kind.names.get(beside[kind.name]))
        case By():
            return value_of(kind.kinds.get(beside[kind.name], Raw()), beside, version)
        case OneOf():
            return alternatives(kind, beside, version)
        case Framed():
            return recorder_frames(kind, version)
        case Record():
            return records(kind, version)
    raise TypeError(kind)


def numbers(kind: Number) -> st.SearchStrategy[int | float]:
    whole = st.integers(kind.least, kind.most)
    return whole if kind.per == 1 else whole.map(lambda steps: steps / kind.per)


def strings(kind: Raw | Text | Bcd | Time) -> st.SearchStrategy[Any]:
    if isinstance(kind, Time):
        return MOMENTS | st.just("000000000000")
    if isinstance(kind, Bcd):
        return st.binary(min_size=kind.size, max_size=kind.size).map(bytes.hex)
    most = MOST_BYTES if kind.size is None else kind.size
    if isinstance(kind, Raw):
        return st.binary(min_size=kind.size or 0, max_size=most)
    return st.text(CHARACTERS, max_size=most).filter(
        lambda text: len(text.encode("gb18030")) <= most
    )


def places(kind: Located) -> st.SearchStrategy[Any]:
    def fixed(location: Any) -> Any:
        location.additional = b"" if kind.size is not None else location.additional[:60]
        return location

    return locations().map(fixed)


def alternatives(kind: OneOf, beside: Values, version: Version) -> st.SearchStrategy[Any]:
    """Such as no earlier alternative reads as something else; bytes where there is none."""
    if not kind.kinds:
        return st.binary(max_size=MOST_BYTES)
    drawn = st.one_of([value_of(one, beside, version) for one in kind.kinds])
    if len(kind.kinds) == 1:
        return drawn

    def is_told_apart(value: Any) -> bool:
        data = kind.write(value, beside, version)
        return bool(kind.read(Source(data, version), beside) == value)

    return drawn.filter(is_told_apart)


@st.composite
def recorder_frames(draw: st.DrawFn, kind: Framed, version: Version) -> Values:
    command = draw(st.sampled_from(sorted(kind.commands)) | st.integers(0, 255))
    inside = kind.commands.get(command, Raw())
    return {
        "mark": draw(st.sampled_from(MARKS)),
        "command": command,
        "reserved": draw(st.integers(0, 255)),
        "data": draw(value_of(inside, {}, version)),
    }


@st.composite
def records(draw: st.DrawFn, record: Record, version: Version) -> Values:
    values: Values = {}
    choices = {name: ids for field in record.fields for name, ids in keys_of(field.kind)}
    for field in record.fields:
        if not field.expected(values, version):
            continue
        if field.optional and draw(st.booleans()):
            break
        if field.name in choices:
            values[field.name] = draw(st.sampled_from(choices[field.name]))
        else:
            values[field.name] = draw(value_of(field.kind, values, version))
    return values


def keys_of(kind: Kind) -> list[tuple[str, list[int]]]:
    """Fields whose value decides about the layout of `kind`, and their values."""
    if isinstance(kind, By):
        return [(kind.name, sorted(kind.kinds))]
    if isinstance(kind, Sized):
        return keys_of(kind.inside)
    if isinstance(kind, Listed):
        return keys_of(kind.item)
    if isinstance(kind, OneOf):
        return [key for one in kind.kinds for key in keys_of(one)]
    return []
