"""Windows and validity, to the letter of design section 4."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofences.hours import ALWAYS, Validity, Window, parse_hours


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("", ()),
        ("  ", ()),
        ("06:00-20:00", (Window(360, 1200),)),
        ("21:00-06:00", (Window(1260, 1800),)),
        ("22:00-24:00", (Window(1320, 1440),)),
        ("22:00-00:00", (Window(1320, 1440),)),
        ("00:00-24:00", (Window(0, 1440),)),
        ("00:00-00:01", (Window(0, 1),)),
        ("23:59-24:00", (Window(1439, 1440),)),
        ("6:30-7:00", (Window(390, 420),)),
        (" 01:00-05:30 ; 19:30-23:00 ;", (Window(60, 330), Window(1170, 1380))),
        ("08:00 - 18:00", (Window(480, 1080),)),
        ("08:00-18:00;08:00-18:00", (Window(480, 1080),)),
        ("08:00-12:00;11:00-14:00", (Window(480, 720), Window(660, 840))),
    ],
)
def test_parse(text: str, windows: tuple[Window, ...]) -> None:
    assert parse_hours(text) == windows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("night", "'night' is not a window; allowed is HH:MM-HH:MM"),
        ("06:00", "'06:00' is not a window"),
        ("06:00-", "'06:00-' is not a window"),
        ("06:00-20:00-22:00", "is not a window"),
        ("06:00-20:00,21:00-22:00", "is not a window"),
        ("06:0-20:00", "is not a window"),
        ("-06:00-20:00", "is not a window"),
        ("٠٦:٠٠-٢٠:٠٠", "is not a window"),
        ("06:00-20:00;x", "'x' is not a window"),
        ("24:00-06:00", "'24:00-06:00' has no such start; allowed is 00:00 to 23:59"),
        ("06:60-20:00", "has no such start"),
        ("25:00-06:00", "has no such start"),
        ("06:00-24:01", "'06:00-24:01' has no such end; allowed is 00:00 to 24:00"),
        ("06:00-07:60", "has no such end"),
        ("06:00-06:00", "'06:00-06:00' has equal ends; write 00:00-24:00"),
        ("00:00-00:00", "has equal ends"),
        (";", "';' holds no window"),
    ],
)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_hours(text)
    assert message in str(caught.value)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


NIGHTS = Validity(date(2026, 11, 2), date(2026, 11, 4), parse_hours("21:00-06:00"))
DAYS = Validity(date(2026, 11, 2), date(2026, 11, 4), parse_hours("06:00-20:00"))
DATES = Validity(date(2026, 11, 2), date(2026, 11, 4), ())


@pytest.mark.parametrize(
    ("validity", "local", "holds", "in_date"),
    [
        # The early hours of the first date belong to the window of the day before it.
        (NIGHTS, "2026-11-02T05:59:59", False, True),
        (NIGHTS, "2026-11-02T20:59:59", False, True),
        (NIGHTS, "2026-11-02T21:00:00", True, True),
        (NIGHTS, "2026-11-03T00:00:00", True, True),
        (NIGHTS, "2026-11-03T05:59:59.999", True, True),
        (NIGHTS, "2026-11-03T06:00:00", False, True),
        (NIGHTS, "2026-11-04T23:00:00", True, True),
        # The window of the last date runs into the day after it, which is in date for that long.
        (NIGHTS, "2026-11-05T05:59:59", True, True),
        (NIGHTS, "2026-11-05T06:00:00", False, False),
        (NIGHTS, "2026-11-05T21:00:00", False, False),
        (NIGHTS, "2026-11-01T23:00:00", False, False),
        (DAYS, "2026-11-01T12:00:00", False, False),
        (DAYS, "2026-11-02T05:59:59", False, True),
        (DAYS, "2026-11-02T06:00:00", True, True),
        (DAYS, "2026-11-04T19:59:59", True, True),
        (DAYS, "2026-11-04T20:00:00", False, True),
        (DAYS, "2026-11-05T03:00:00", False, False),
        (DATES, "2026-11-01T23:59:59", False, False),
        (DATES, "2026-11-02T00:00:00", True, True),
        (DATES, "2026-11-04T23:59:59", True, True),
        (DATES, "2026-11-05T00:00:00", False, False),
        (ALWAYS, "2026-11-05T00:00:00", True, True),
        (Validity(None, date(2026, 11, 4), ()), "2001-01-01T00:00:00", True, True),
        (Validity(date(2026, 11, 4), None, ()), "2026-11-03T23:59:59", False, False),
        (Validity(None, None, parse_hours("22:00-24:00")), "2026-11-04T23:59:59", True, True),
        (Validity(None, None, parse_hours("22:00-24:00")), "2026-11-05T00:00:00", False, True),
    ],
)
def test_holds_and_in_date(validity: Validity, local: str, holds: bool, in_date: bool) -> None:
    assert validity.holds(at(local)) is holds
    assert validity.in_date(at(local)) is in_date


@pytest.mark.parametrize(
    ("first", "last", "can"),
    [
        (None, None, True),
        (date(2026, 1, 1), None, True),
        (date(2026, 1, 1), date(2026, 1, 1), True),
        (date(2026, 1, 2), date(2026, 1, 1), False),
    ],
)
def test_can_ever_hold(first: date | None, last: date | None, can: bool) -> None:
    assert Validity(first, last, ()).can_ever_hold() is can


minutes = st.integers(0, 1439)
days = st.dates(date(2026, 1, 1), date(2026, 1, 6))


@given(minutes, st.integers(0, 1440), st.none() | days, st.none() | days, days, st.times())
def test_a_window_is_the_span_that_begins_on_each_valid_date(
    start: int, end: int, first: date | None, last: date | None, day: date, clock: time
) -> None:
    """Against the spans written out as moments."""
    if start == end:
        return
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    validity = Validity(first, last, parse_hours(text))
    local = datetime.combine(day, clock)
    length = timedelta(minutes=end - start if end > start else end - start + 1440)
    expected = False
    for began in (day, day - timedelta(days=1)):
        begins = datetime.combine(began, time()) + timedelta(minutes=start)
        is_valid = (first is None or first <= began) and (last is None or began <= last)
        expected |= is_valid and begins <= local < begins + length
    assert validity.holds(local) is expected
    if validity.holds(local):
        assert validity.in_date(local)
        assert validity.can_ever_hold()
