"""Steps beyond their table: conflicts, first offences, time limits, supervision."""

import threading
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from case_parts import (
    DAY_MS,
    NOW_MS,
    case_of,
    faults,
    lead,
    person,
    taken,
    the_case,
    trail,
    trip,
    violation,
)
from sqlalchemy import select

from enforcement.actions import (
    BadRequestError,
    ConflictError,
    NotAllowedError,
    Office,
    Said,
    StaleError,
    UnknownCaseError,
    twelve_months,
)
from enforcement.rulebook import read_rulebook
from enforcement.tables import CaseRow

SHANGHAI = ZoneInfo("Asia/Shanghai")
LI, WANG = person("李", "dispatcher"), person("王", "dispatcher")
ZHAO = person("赵", "officer")
QIAN, SUN = person("钱", "reviewer"), person("孙", "reviewer")
CHIEF = person("周", "admin")


@dataclass
class Clock:
    ms: int = NOW_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def office(database, clock):
    return Office(database, read_rulebook(None, SHANGHAI), clock)


def opened(database, truck_id="浙B00001", **said):
    """The id of a new case."""
    one = violation(truck_id, **said)
    taken(database, one)
    with database.read() as session:
        newest_first = select(CaseRow.case_id).order_by(CaseRow.number.desc()).limit(1)
        return session.scalars(newest_first).one()


# Two at once.


def test_of_two_dispatchers_one_gets_it_and_the_other_is_told_who_has_it(database, office):
    for number in range(10):
        case_id = opened(database, f"浙B{number:05}")
        both = threading.Barrier(2)
        told: dict[str, object] = {}

        def take(actor, case_id=case_id, both=both, told=told):
            both.wait()
            try:
                told[actor.name] = office.act(case_id, "accept", actor, Said(version=1))
            except ConflictError as error:
                told[actor.name] = error

        threads = [threading.Thread(target=take, args=(actor,)) for actor in (LI, WANG)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        handler = case_of(database, case_id).handler
        other = "王" if handler == "李" else "李"
        assert told[handler] == 2
        assert isinstance(told[other], ConflictError)
        assert f"accepted by {handler}" in str(told[other])
    assert faults(database) == []


def test_who_has_seen_an_older_version_is_told(database, office):
    case_id = opened(database)
    assert office.act(case_id, "note", LI, Said(reason="看过", version=1)) == 2
    with pytest.raises(StaleError, match="has changed since you looked"):
        office.act(case_id, "accept", WANG, Said(version=1))
    assert office.act(case_id, "accept", WANG, Said(version=2)) == 3


# Who may.


def test_a_case_of_another_district_is_none(database, office):
    case_id = opened(database, district="990102")
    elsewhere = person("李", "dispatcher", frozenset({"990101"}))
    with pytest.raises(UnknownCaseError):
        office.act(case_id, "accept", elsewhere, Said())
    with pytest.raises(UnknownCaseError):
        office.act("no such case", "accept", LI, Said())
    here = person("王", "dispatcher", frozenset({"990102", "990103"}))
    assert office.act(case_id, "accept", here, Said())


def test_a_case_without_a_district_is_everybodys(database, office):
    case_id = opened(database, district=None)
    assert office.act(case_id, "accept", person("李", "dispatcher", frozenset({"x"})), Said())


@pytest.mark.parametrize("action", ["verify", "close", "waive"])
def test_who_handled_a_case_does_not_judge_it(database, office, action):
    case_id = opened(database)
    lead(office, case_id, "dispatched")
    office.act(case_id, "handle", CHIEF, Said(findings="属实"))
    if action == "close":
        office.act(case_id, "verify", QIAN, Said())
    with pytest.raises(NotAllowedError, match="somebody else has to judge it"):
        office.act(case_id, action, CHIEF, Said(reason="首次"))
    office.act(case_id, action, SUN, Said(reason="首次"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Said(squad="队" * 101), "squad has 101 characters; allowed are 100"),
        (Said(squad="一\x00队"), "no character"),
        (Said(squad="一\ud800队"), "no character"),
    ],
)
def test_texts_that_the_database_could_not_keep(database, office, said, told):
    case_id = opened(database)
    lead(office, case_id, "accepted")
    with pytest.raises(BadRequestError, match=told):
        office.act(case_id, "dispatch", LI, said)


def test_an_action_that_there_is_none_of(database, office):
    with pytest.raises(BadRequestError, match="no action 'fine'; there are accept,"):
        office.act(opened(database), "fine", CHIEF, Said())


# What a step leaves.


def test_what_is_said_stands_in_case_and_trail(database, office):
    case_id = opened(database)
    office.act(case_id, "accept", LI, Said())
    office.act(case_id, "dispatch", WANG, Said(squad="一中队", reason="不相干"))
    office.act(case_id, "handle", ZHAO, Said(findings="车厢未密闭"))
    case = case_of(database, case_id)
    assert (case.handler, case.squad, case.officer) == ("李", "一中队", "赵")
    steps = trail(database)[2:]
    assert [row.details for row in steps] == [
        "{}",
        '{"squad":"一中队"}',
        '{"findings":"车厢未密闭"}',
    ]
    assert [row.why for row in steps] == [None, None, None]
    office.act(case_id, "return", QIAN, Said(reason="照片不清"))
    assert trail(database)[-1].why == "照片不清"
    assert case_of(database, case_id).due_ms == case.due_ms


def test_released_it_is_nobodys(database, office):
    case_id = opened(database)
    office.act(case_id, "accept", LI, Said())
    office.act(case_id, "release", LI, Said())
    assert case_of(database, case_id).handler is None
    office.act(case_id, "accept", WANG, Said())


# Time limits and supervision.


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def test_a_limit_counts_from_dispatch_and_then_comes_supervision(database, office, clock):
    case_id = opened(database, severity="critical")
    clock.ms = at("2026-09-30T16:30")
    office.act(case_id, "accept", LI, Said())
    office.act(case_id, "dispatch", LI, Said(squad="一中队"))
    case = case_of(database, case_id)
    assert case.due_ms == at("2026-10-02T16:30")
    clock.ms = case.due_ms
    assert office.supervise() == []
    clock.ms += 1
    assert office.supervise() == [case_id]
    assert office.supervise() == [], "once"
    after = case_of(database, case_id)
    assert (after.supervised_ms, after.version) == (clock.ms, case.version + 1)
    last = trail(database)[-1]
    assert (last.who, last.action, last.to_state) == ("system", "supervise", "dispatched")
    # Put off, it is not overdue until it is again.
    office.act(case_id, "defer", QIAN, Said(until_ms=clock.ms + DAY_MS, reason="等鉴定"))
    case = case_of(database, case_id)
    assert (case.supervised_ms, case.deferred, case.due_ms) == (None, True, clock.ms + DAY_MS)
    assert office.supervise() == []
    clock.ms += DAY_MS + 1
    assert office.supervise() == [case_id]
    assert faults(database) == []


def test_cases_that_have_ended_are_not_supervised(database, office, clock):
    case_id = opened(database)
    lead(office, case_id, "closed")
    clock.ms += 400 * DAY_MS
    assert office.supervise() == []
    assert case_of(database, case_id).supervised_ms is None


@pytest.mark.parametrize("until_ms", [0, NOW_MS, NOW_MS + 1, NOW_MS + 6 * 365 * DAY_MS, 2**70])
def test_a_case_is_deferred_to_after_its_time_and_not_for_ever(database, office, until_ms):
    case_id = opened(database)
    lead(office, case_id, "dispatched")
    with pytest.raises(BadRequestError, match="until_ms: a case is deferred"):
        office.act(case_id, "defer", QIAN, Said(until_ms=until_ms, reason="等鉴定"))


# 首违不罚.


def ended(database, office, state, truck_id, **said):
    case_id = opened(database, truck_id, **said)
    lead(office, case_id, state)
    return case_id


def waives(database, office, truck_id="浙B00002", **said):
    case_id = opened(database, truck_id, **said)
    lead(office, case_id, "accepted")
    try:
        office.act(case_id, "waive", QIAN, Said(reason="首次"))
    except ConflictError as error:
        if "no first offence: within twelve months there was case 1" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("state", "may"),
    [("closed", False), ("waived", False), ("transferred", False), ("void", True), ("new", True)],
)
def test_an_earlier_offence_of_the_company_counts(database, office, state, may):
    ended(database, office, state, "浙B00001", started_ms=NOW_MS - 30 * DAY_MS)
    assert waives(database, office) == may


@pytest.mark.parametrize(("after_ms", "may"), [(1, False), (0, True)])
def test_for_twelve_months(database, office, after_ms, may):
    first_ms = twelve_months(NOW_MS - 600_000, -1, SHANGHAI) + after_ms
    ended(database, office, "closed", "浙B00001", started_ms=first_ms)
    assert waives(database, office) == may


@pytest.mark.parametrize(
    ("moment", "years", "moved"),
    [
        ("2029-02-27T23:00", -1, "2028-02-27T23:00"),
        ("2028-02-27T23:00", 1, "2029-02-27T23:00"),
        ("2029-03-01T00:00", -1, "2028-03-01T00:00"),
        ("2028-02-29T12:00", -1, "2027-02-28T12:00"),
        ("2028-02-29T12:00", 1, "2029-02-28T12:00"),
    ],
)
def test_twelve_months_are_those_of_the_calendar(moment, years, moved):
    def ms(text):
        return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)

    assert twelve_months(ms(moment), years, SHANGHAI) == ms(moved)


def test_only_the_same_rule_and_the_same_company_count(database, office):
    earlier = {"started_ms": NOW_MS - DAY_MS}
    ended(database, office, "closed", "浙B00001", rule="speeding", **earlier)
    ended(database, office, "closed", "浙B00003", company="另一家", **earlier)
    ended(database, office, "closed", "浙B00004", company=None, **earlier)
    assert waives(database, office)


def test_any_rule_of_the_case_counts(database, office):
    ended(database, office, "closed", "浙B00001", rule="speeding", started_ms=NOW_MS - DAY_MS)
    both = [violation("浙B00002", rule, trip_id=trip(1)) for rule in ("off-route", "speeding")]
    taken(database, *both)
    with database.read() as session:
        case_id = session.scalars(select(CaseRow.case_id).where(CaseRow.number == 2)).one()
    lead(office, case_id, "accepted")
    with pytest.raises(ConflictError, match="no first offence"):
        office.act(case_id, "waive", QIAN, Said(reason="首次"))


@pytest.mark.parametrize(("truck_id", "may"), [("浙B00001", False), ("浙B00002", True)])
def test_without_a_company_the_truck_counts(database, office, truck_id, may):
    earlier = {"started_ms": NOW_MS - DAY_MS, "company": None}
    ended(database, office, "closed", "浙B00001", **earlier)
    assert waives(database, office, truck_id, company=None) == may


@pytest.mark.parametrize(("state", "may"), [("waived", False), ("closed", True)])
def test_a_later_one_that_was_waived_was_taken_for_the_first(database, office, state, may):
    ended(database, office, state, "浙B00001", started_ms=NOW_MS - DAY_MS)
    assert waives(database, office, started_ms=NOW_MS - 2 * DAY_MS) == may


def test_the_only_case_may_be_waived(database, office):
    lead(office, opened(database), "waived")
    assert case_of(database, the_case(database)).state == "waived"
