"""What people see, on each database: SQL and Python agree about whose a case is, filters all work,
and what is counted is what was done."""

import itertools
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from office_parts import CITY, HERE, NOW_MS, THERE, TestOffice, violation
from sqlalchemy import select

from enforcement import queries
from enforcement.actions import Actor, Said, districts_of
from enforcement.figures import Period, RuleTally, Tally, figures
from enforcement.queries import Wanted
from enforcement.ranking import POINTS, ranking
from enforcement.tables import CaseRow
from geofences.loader import load_city

ELSEWHERE = "990103"
DAY_MS = 86_400_000
BOSS = Actor("boss", "admin", None)
ZONE = ZoneInfo("Asia/Shanghai")
PERIOD = Period(NOW_MS - 30 * DAY_MS, NOW_MS + 300 * DAY_MS)


@pytest.fixture
def office(address: str) -> Iterator[TestOffice]:
    made = TestOffice(address)
    yield made
    made.close()


def test_sql_and_python_agree_about_whose_a_case_is(office: TestOffice) -> None:
    places = (HERE, THERE, ELSEWHERE, None)
    several = itertools.chain.from_iterable(
        itertools.combinations_with_replacement(places, count) for count in (1, 2, 3)
    )
    for number, districts in enumerate(several):
        for rule, district in zip(("off-route", "speeding", "overload"), districts, strict=False):
            trip = f"00000000-0000-0000-0000-{number:012}"
            office.take(violation(f"浙Y{number}", rule, district=district, trip_id=trip))
    limits = [frozenset(one) for one in ((), (HERE,), (THERE, ELSEWHERE), ("x",))]
    with office.database.read() as session:
        rows = session.scalars(select(CaseRow)).all()
        assert len(rows) == 34
        for districts in (None, *limits):
            actor = Actor("li", "viewer", districts)
            expected = {row.number for row in rows if actor.sees(districts_of(row))}
            found = queries.cases(session, actor, Wanted(), "newest", None, 999, NOW_MS)
            assert {row.number for row in found} == expected
            seen = {row.case_id for row in rows if row.number in expected}
            listed = queries.violations(session, actor, Wanted(), None, 999)
            assert {row.case_id for row in listed} == seen
            told = {row.case_id for row in queries.trail(session, actor, None, 999)}
            assert told - {None} == seen
            for row in rows:
                assert (queries.case(session, actor, row.case_id) is not None) == (
                    row.case_id in seen
                )
            assert sum(queries.counts(session, actor, NOW_MS).values()) == len(expected)


def test_every_filter_works_here(office: TestOffice) -> None:
    office.take(
        violation("浙Y1", company="100%_ltd"),
        violation("浙Y2", "illegal-dumping", severity="critical", district=THERE),
    )
    wanted = {
        "states": ("new",),
        "severities": ("minor",),
        "rules": ("off-route",),
        "district": HERE,
        "truck": "浙Y1",
        "company": "100%_ltd",
        "from_ms": NOW_MS - 600_000,
        "to_ms": NOW_MS,
        "q": "%_L",
    }
    with office.database.read() as session:
        for sort, after in itertools.product(("queue", "newest"), (None, (9, 0), (9, 9))):
            both = queries.cases(session, BOSS, Wanted(**wanted), sort, after, 9, NOW_MS)
            assert [row.number for row in both] == (
                [] if (sort, after) == ("newest", (9, 0)) else [1]
            )
        for name, value in wanted.items():
            some = Wanted(**{name: value})
            found = queries.cases(session, BOSS, some, "queue", None, 9, NOW_MS)
            assert 1 in [row.number for row in found], name
            queries.violations(session, BOSS, some, (9,), 9)
        for some in (Wanted(overdue=True), Wanted(handler="li"), Wanted(q="2")):
            found = queries.cases(session, BOSS, some, "queue", None, 9, NOW_MS)
            assert [row.number for row in found] == ([2] if some.q else [])


def work(office: TestOffice, case_id: str, *steps: str) -> None:
    said = Said(
        squad="s", findings="f", reason="r", receiver="t", until_ms=office.clock() + DAY_MS * 20
    )
    for step in steps:
        who = Actor("judge" if step in ("verify", "close", "waive") else "li", "admin", None)
        office.parts.office.act(case_id, step, who, said)


def test_figures_are_what_was_done(office: TestOffice) -> None:
    """Numbers counted by hand."""
    ids = office.take(
        *(violation(f"浙Y{number}", company="好运公司") for number in range(6)),
        violation("浙Y6", "speeding", district=THERE, severity="critical", company="坏运公司"),
        violation("浙Y7", "speeding", district=None),
    )
    to_dispatched, to_verified = ("accept", "dispatch"), ("handle", "verify")
    work(office, ids[0], *to_dispatched, *to_verified, "close")
    work(office, ids[1], *to_dispatched)
    work(office, ids[2], *to_dispatched, "defer")
    work(office, ids[3], "void")
    work(office, ids[4], "accept", "transfer")
    work(office, ids[6], *to_dispatched)
    office.clock.ms += 60 * DAY_MS
    work(office, ids[6], *to_verified, "close")
    now_ms = office.clock()
    with office.database.read() as session:
        made = figures(session, BOSS, PERIOD, now_ms, ZONE, None)
        assert made.by_district == {
            HERE: Tally(cases=6, filed=4, concluded=2, void=1, due=3, deferred=1, in_time=1),
            THERE: Tally(cases=1, filed=1, concluded=1, due=1, in_time=0),
            None: Tally(cases=1),
        }
        total = made.total
        assert (total.filing_rate, total.closure_rate) == (0.625, 0.6)
        assert total.in_time_rate == round(1 / 3, 4)
        assert made.by_rule["off-route"] == RuleTally(6, 2, 1)
        assert made.by_rule["off-route"].precision == round(2 / 3, 4)
        assert made.by_rule["speeding"].precision == 1
        assert made.by_rule["overload"].precision is None
        assert [(one.opened, one.ended) for one in made.by_day.values()] == [(8, 3), (0, 1)]
        here = Actor("li", "viewer", frozenset({HERE}))
        assert set(figures(session, here, PERIOD, now_ms, ZONE, None).by_district) == {HERE, None}
        assert figures(session, here, PERIOD, now_ms, ZONE, THERE).total == Tally()
        assert figures(session, BOSS, Period(0, 1), now_ms, ZONE, None).total == Tally()


def test_the_ranking_adds_up(office: TestOffice) -> None:
    city = load_city(CITY)
    registered = next(truck for truck in city.trucks if truck.company)
    fleet = sum(truck.company == registered.company for truck in city.trucks)
    ids = office.take(
        violation(registered.truck_id, company=registered.company, severity="major"),
        violation("浙X1", company="外地公司", severity="critical"),
        violation("浙X2", company="外地公司", severity="minor"),
        violation("浙X3", company="外地公司", severity="critical", district=THERE),
    )
    for case_id in ids[:2]:
        work(office, case_id, "accept", "dispatch", "handle", "verify", "close")
    with office.database.read() as session:
        black = ranking(session, BOSS, PERIOD, city, "companies", "black", 200)
        red = ranking(session, BOSS, PERIOD, city, "companies", "red", 200)
        assert [one.name for one in black[:2]] == ["外地公司", registered.company]
        assert {one.name for one in red[-2:]} == {"外地公司", registered.company}
        worst, second = black[:2]
        assert (worst.trucks, worst.confirmed, worst.pending) == (3, 1, 2)
        assert worst.score == round(100 - POINTS["critical"] / 3, 1)
        assert second.score == round(100 - POINTS["major"] / fleet, 1)
        assert all(one.score == 100 for one in red[:-2])
        trucks = ranking(session, BOSS, PERIOD, city, "trucks", "black", 3)
        assert [one.name for one in trucks[:2]] == ["浙X1", registered.truck_id]
        here = Actor("li", "viewer", frozenset({HERE}))
        mine = ranking(session, here, PERIOD, city, "trucks", "black", 999)
        assert "浙X3" not in {one.name for one in mine}


def test_the_feed_tells_everything_once(office: TestOffice) -> None:
    feed = office.app.state.feed
    first = feed.newest()
    ids = office.take(*(violation(f"浙Y{number}") for number in range(300)))
    work(office, ids[0], "accept")
    told, seq = [], first
    while page := feed.after(seq):
        events, seq = page
        told += events
        if not events and seq > first:
            break
    assert [one.seq for one in told] == list(range(first + 1, first + 602))
    assert [one.kind for one in told[-3:]] == ["case", "violation", "case"]


def test_one_of_many_gets_the_case(office: TestOffice) -> None:
    office.add_people(None)
    (case_id,) = office.take(violation())
    client = office.client("dispatcher")
    headers = {"If-Match": "*", "Idempotency-Key": "a-key-of-mine"}
    path = f"/cases/{case_id}/actions/accept"
    answers = [client.post(path, json={}, headers=headers) for _ in range(2)]
    assert [one.text for one in answers] == [answers[0].text] * 2
    assert answers[0].status_code == 200
    late = office.client("admin").post(path, json={}, headers={"If-Match": "*"})
    assert (late.status_code, "accepted by dispatcher" in late.text) == (409, True)
