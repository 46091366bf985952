"""Working hours against a count minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcement.workdays import NoWorkError, WorkCalendar
from geofences.hours import Window, parse_hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE_MS = 60_000
OFFICE = tuple(tuple(parse_hours(text)) for text in [*["09:00-12:00;13:30-17:30"] * 5, "", ""])
MONDAY = date(2026, 9, 21)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def calendar(week=OFFICE, holidays=(), workdays=()) -> WorkCalendar:
    return WorkCalendar(SHANGHAI, week, frozenset(holidays), frozenset(workdays))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-09-21T09:00", 3, "2026-09-21T12:00"),
        ("2026-09-21T09:00", 3.5, "2026-09-21T14:00"),
        ("2026-09-21T12:30", 1, "2026-09-21T14:30"),
        ("2026-09-21T16:30", 2, "2026-09-22T10:00"),
        ("2026-09-25T17:00", 1, "2026-09-28T09:30"),
        ("2026-09-26T03:00", 7, "2026-09-28T17:30"),
    ],
)
def test_hours_of_an_office(start, hours, end):
    assert calendar().deadline_ms(at(start), round(hours * 3_600_000)) == at(end)


def test_a_holiday_is_left_out_and_a_day_worked_instead_counts():
    given_days = calendar(holidays=[date(2026, 9, 25)], workdays=[date(2026, 9, 27)])
    assert given_days.deadline_ms(at("2026-09-24T17:00"), 3_600_000) == at("2026-09-27T09:30")
    both = calendar(holidays=[MONDAY], workdays=[MONDAY])
    assert both.deadline_ms(at("2026-09-21T09:00"), 3_600_000) == at("2026-09-21T10:00")


def test_a_night_shift_belongs_to_the_day_it_begins_on():
    nights = tuple([tuple(parse_hours("22:00-06:00"))] + [()] * 6)
    assert calendar(nights).deadline_ms(at("2026-09-22T05:00"), 2 * 3_600_000) == at(
        "2026-09-28T23:00"
    )
    after_a_holiday = calendar(nights, holidays=[date(2026, 9, 22)])
    assert (
        after_a_holiday.worked_ms(at("2026-09-21T00:00"), at("2026-09-23T00:00")) == 8 * 3_600_000
    )


def test_hours_that_overlap_over_midnight_pass_once():
    week = tuple(tuple(parse_hours("20:00-04:00;06:00-08:00")) for _ in range(6))
    week = (*week, tuple(parse_hours("02:00-05:00")))
    worked = calendar(week).worked_ms(at("2026-09-27T00:00"), at("2026-09-27T12:00"))
    assert worked == 5 * 3_600_000


def test_where_nobody_works_no_limit_ends():
    with pytest.raises(NoWorkError):
        calendar(((),) * 7).deadline_ms(at("2026-09-21T09:00"), 1)


@st.composite
def days(draw):
    """Windows of a day, apart from one another; the last may cross midnight."""
    edges = sorted(draw(st.lists(st.integers(0, 1_439), unique=True, max_size=4)))
    windows = [Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    if windows and draw(st.booleans()):
        last = windows.pop()
        windows.append(Window(last.start_min, last.start_min + draw(st.integers(1, 1_439))))
    return tuple(windows)


@given(
    st.tuples(*[days()] * 7),
    st.sets(st.integers(-1, 9), max_size=3),
    st.sets(st.integers(-1, 9), max_size=3),
    st.integers(0, 3 * 1_440),
    st.integers(1, 2 * 1_440),
)
def test_it_counts_as_one_counts_by_minutes(week, free, worked, start, wanted):
    holidays = {MONDAY + timedelta(days=day) for day in free}
    workdays = {MONDAY + timedelta(days=day) for day in worked}
    made = calendar(week, holidays, workdays)

    def works(minute: int) -> bool:
        """Minutes since Monday's midnight."""
        for back in (0, 1):
            day = MONDAY + timedelta(days=minute // 1_440 - back)
            if day in holidays and day not in workdays:
                continue
            windows = week[0 if day in workdays else day.weekday()]
            of_day = minute % 1_440 + back * 1_440
            if any(one.start_min <= of_day < one.end_min for one in windows):
                return True
        return False

    begin_ms = at("2026-09-21T00:00")
    minutes = range(start, start + 7 * 1_440)
    counted = sum(map(works, minutes))
    from_ms, to_ms = (begin_ms + minute * MINUTE_MS for minute in (start, start + 7 * 1_440))
    assert made.worked_ms(from_ms, to_ms) == counted * MINUTE_MS
    passed = 0
    for minute in minutes:
        passed += works(minute)
        if passed == wanted:
            expected = begin_ms + (minute + 1) * MINUTE_MS
            assert made.deadline_ms(from_ms, wanted * MINUTE_MS) == expected
            assert made.worked_ms(from_ms, expected) == wanted * MINUTE_MS
            return


def test_a_zone_that_turns_its_clocks_loses_no_time():
    berlin = WorkCalendar(ZoneInfo("Europe/Berlin"), (tuple(parse_hours("00:00-24:00")),) * 7)
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    day_ms = 86_400_000
    from_ms = round(start.timestamp() * 1000)
    assert berlin.deadline_ms(from_ms, day_ms) == from_ms + day_ms
