"""Messages made up by hypothesis: every body, every edition, any value that has room."""

from hypothesis import strategies as st

from producers.jt808 import location, queries, session
from producers.jt808.header import Version
from producers.jt808.message import Message
from producers.jt808.messages import Unknown

words = st.integers(0, 0xFFFF)
bytes_ = st.integers(0, 0xFF)
versions: st.SearchStrategy[Version] = st.sampled_from(["2011", "2013", "2019"])


def fitting(width: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text of up to `width` bytes that comes back: no control character, no blank at its end."""
    return st.text(
        st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffd"),
        min_size=least,
        max_size=width,
    ).filter(lambda text: not text.endswith(" ") and least <= len(text.encode("gb18030")) <= width)


digits = st.text("0123456789abcdef", min_size=12, max_size=12)
long_digits = st.text("0123456789abcdef", min_size=20, max_size=20)
times = st.none() | st.integers(0, 36_525 * 86_400 - 1).map(
    lambda second: 946_684_800_000 - 8 * 3_600_000 + 1000 * second
)


@st.composite
def locations(draw: st.DrawFn) -> location.Location:
    status = draw(st.integers(0, 0xFFFFFFFF))
    lat = draw(st.integers(0, 0x7FFFFFFF)) / 1e6
    lon = draw(st.integers(0, 0x7FFFFFFF)) / 1e6
    # Without the bit a negative value is written as such.
    south, west = status & location.SOUTH, status & location.WEST
    return location.Location(
        draw(st.integers(0, 0xFFFFFFFF)),
        status,
        -lat if south or draw(st.booleans()) else lat,
        -lon if west or draw(st.booleans()) else lon,
        draw(words),
        draw(words) / 10,
        draw(words),
        draw(times),
        draw(st.binary(max_size=300)),
    )


bad = st.binary(max_size=27).map(lambda raw: location.BadLocation("", raw))


LETTERS = "ABCXYZabcxyz0123456789-_"
"""In the model, where bytes may also be another layout's colour and plate."""


@st.composite
def registers(draw: st.DrawFn) -> session.Register:
    layout = draw(versions)
    maker, model, terminal_id = {"2011": (5, 8, 7), "2013": (5, 20, 7), "2019": (11, 30, 30)}[
        layout
    ]
    return session.Register(
        draw(words), draw(words), draw(fitting(maker)), draw(st.text(LETTERS, max_size=model)),
        draw(fitting(terminal_id)), draw(st.sampled_from([0, 1, 2, 3, 4, 5, 9, 93, 94])),
        # No longer than makes it another layout's, or unlike text that might begin another field.
        draw(fitting(11 if layout == "2011" else 17)), layout,
    )  # fmt: skip


parameters = st.builds(queries.Parameter, st.integers(0, 0xFFFFFFFF), st.binary(max_size=255))
answers = st.builds(session.GeneralAnswer, words, words, bytes_)
resends = st.booleans().flatmap(
    lambda wide: st.builds(
        queries.Resend, words, st.lists(words, max_size=300 if wide else 255), st.just(wide)
    )
)
codes = fitting(60)
BODIES: dict[int, st.SearchStrategy[object]] = {
    0x0001: answers,
    0x0002: st.just(session.Heartbeat()),
    0x0003: st.just(session.Unregister()),
    0x0005: resends,
    0x0100: registers(),
    0x0102: st.builds(session.Authenticate, fitting(60, 1), st.just(None), st.just(None)),
    0x0104: st.builds(queries.Parameters, words, st.lists(parameters, max_size=255)),
    0x0200: locations(),
    0x0201: st.builds(location.LocationAnswer, words, locations()),
    0x0704: st.builds(location.LocationBatch, bytes_, st.lists(locations(), max_size=20)),
    0x8001: answers,
    0x8003: resends,
    0x8100: st.builds(session.RegisterAnswer, words, bytes_, codes),
    0x8104: st.just(queries.QueryParameters()),
    0x8201: st.just(queries.QueryLocation()),
    0x6FFF: st.builds(Unknown, st.binary(max_size=3000)),
}


@st.composite
def messages(draw: st.DrawFn) -> Message:
    message_id = draw(st.sampled_from(sorted(BODIES)))
    version = draw(versions)
    body = draw(BODIES[message_id])
    encryption = draw(st.sampled_from([0] * 9 + [1, 7]))
    if encryption:
        body = Unknown(draw(st.binary(max_size=2000)))
    elif message_id == 0x0102 and version == "2019":
        body = draw(st.builds(session.Authenticate, codes, fitting(15), fitting(20)))
    return Message(
        message_id,
        draw(long_digits if version == "2019" else digits),
        draw(words),
        version,
        body,
        encryption,
        None,
        draw(bytes_) if version == "2019" else 1,
    )
