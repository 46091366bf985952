"""Violations become cases exactly once, however they come."""

import dataclasses
import random

import msgspec
import pytest
from case_parts import (
    NOW_MS,
    RULEBOOK,
    arrivals,
    case_of,
    faults,
    lead,
    person,
    picture,
    taken,
    the_case,
    trail,
    trip,
    violation,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from enforcement.actions import Office, Said
from enforcement.audit import FIRST
from enforcement.database import Database
from enforcement.intake import take
from enforcement.tables import (
    AuditRow,
    Base,
    CaseRow,
    EventRow,
    HeadRow,
    ViolationRow,
)


def of(one, **said):
    return msgspec.structs.replace(one, **said)


@pytest.fixture
def office(database):
    return Office(database, RULEBOOK, lambda: NOW_MS)


def test_a_violation_opens_a_case_and_its_phases_belong_to_it(database):
    opened = violation()
    escalated = of(opened, phase="escalated", severity="major", district="990102")
    closed = of(opened, phase="closed", ended_ms=NOW_MS, severity="major")
    assert taken(database, opened).new_cases == 1
    assert taken(database, escalated, closed).new_cases == 0
    case = case_of(database, the_case(database))
    assert (case.state, case.severity, case.rank, case.number) == ("new", "major", 2, 1)
    assert case.district == "990102", "where its gravest violation was"
    assert {row.district for row in case.districts} == {"990101", "990102"}
    assert [row.action for row in trail(database)] == ["open", "opened", "escalated", "closed"]
    with database.read() as session:
        row = session.scalars(select(ViolationRow)).one()
        assert (row.phase, row.ended_ms) == ("closed", NOW_MS)
        assert session.scalar(select(func.count()).select_from(EventRow)) == 3
    assert faults(database) == []


def test_what_comes_twice_changes_nothing(database):
    one = violation()
    taken(database, one)
    before = picture(database), len(trail(database))
    again = taken(database, one, one)
    assert (again.new_events, again.repeated, again.new_cases) == (0, 2, 0)
    assert (picture(database), len(trail(database))) == before


def test_violations_of_a_trip_are_one_case(database):
    one = violation(rule="off-route", trip_id=trip(1))
    other = violation(
        rule="illegal-dumping", trip_id=trip(1), severity="critical", phase="occurred"
    )
    apart = violation(rule="speeding", trip_id=trip(2))
    found = taken(database, one, other, apart)
    assert (found.new_cases, found.new_events) == (2, 3)
    with database.read() as session:
        case = session.scalars(select(CaseRow).where(CaseRow.trip_id == trip(1))).one()
        assert case.rules == ["off-route", "illegal-dumping"]
        assert case.severity == "critical"


def test_a_violation_stays_in_its_case_whatever_trip_it_is_said_to_be_of(database):
    one = violation(trip_id=trip(1))
    taken(database, one)
    taken(database, of(one, phase="closed", trip_id=trip(2)))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(CaseRow)) == 1


def test_a_later_phase_is_not_undone_by_an_earlier_one_that_comes_late(database):
    opened = violation()
    closed = of(opened, phase="closed", ended_ms=NOW_MS)
    taken(database, closed)
    taken(database, opened)
    with database.read() as session:
        assert session.scalars(select(ViolationRow)).one().phase == "closed"


def test_a_revision_goes_before_what_was_said_live(database):
    opened = violation()
    revised = of(opened, revision=1, lon=120.2)
    taken(database, revised)
    taken(database, of(opened, phase="closed"))
    with database.read() as session:
        row = session.scalars(select(ViolationRow)).one()
        assert (row.revision, row.phase, row.lon) == (1, "opened", 120.2)
    assert taken(database, revised).repeated == 1


def test_a_case_without_a_district_is_remembered_as_such(database):
    taken(database, violation(district=None))
    case = case_of(database, the_case(database))
    assert case.district is None
    assert [row.district for row in case.districts] == [""]


# Cases that have ended.


@pytest.mark.parametrize("state", ["closed", "void", "waived", "transferred"])
def test_what_nobody_knew_of_brings_a_case_back(database, office, state):
    taken(database, violation(trip_id=trip(1)))
    case_id = the_case(database)
    lead(office, case_id, state)
    taken(database, violation(rule="undelivered", phase="occurred", trip_id=trip(1)))
    case = case_of(database, case_id)
    assert case.state == "new"
    assert (case.handler, case.officer, case.squad) == (None, None, None)
    assert (case.dispatched_ms, case.due_ms, case.supervised_ms, case.ended_ms) == (None,) * 4
    last = trail(database)[-1]
    assert (last.action, last.from_state, last.to_state) == ("occurred", state, "new")
    assert office.supervise() == []
    assert faults(database) == []


@pytest.mark.parametrize(("phase", "state"), [("escalated", "new"), ("closed", "void")])
def test_an_ended_case_comes_back_for_what_is_worse_and_not_for_an_end(
    database, office, phase, state
):
    one = violation()
    taken(database, one)
    lead(office, the_case(database), "void")
    taken(database, of(one, phase=phase, severity="major"))
    assert case_of(database, the_case(database)).state == state


def test_what_was_said_before_a_later_revision_brings_nothing_back(database, office):
    one = violation()
    taken(database, of(one, revision=1, phase="closed"))
    lead(office, the_case(database), "closed")
    taken(database, of(one, phase="escalated"))
    assert case_of(database, the_case(database)).state == "closed"


# Withdrawn by a re-run of history.


def test_a_case_whose_violations_are_all_withdrawn_says_so_and_stays(database):
    one, other = violation(trip_id=trip(1)), violation(rule="speeding", trip_id=trip(1))
    taken(database, one, other)
    taken(database, of(one, phase="withdrawn", revision=1))
    assert not case_of(database, the_case(database)).withdrawn
    taken(database, of(other, phase="withdrawn", revision=1))
    case = case_of(database, the_case(database))
    assert case.withdrawn
    assert case.state == "new", "a person decides"
    taken(database, violation(rule="overload", trip_id=trip(1)))
    assert not case_of(database, the_case(database)).withdrawn


@pytest.mark.parametrize(
    ("state", "after"),
    [("closed", "new"), ("waived", "new"), ("transferred", "new"), ("void", "void")],
)
def test_nobody_is_left_fined_for_what_was_withdrawn(database, office, state, after):
    one = violation()
    taken(database, one)
    lead(office, the_case(database), state)
    taken(database, of(one, phase="withdrawn", revision=1))
    case = case_of(database, the_case(database))
    assert (case.state, case.withdrawn) == (after, True)


def test_what_happened_after_all_brings_a_case_back(database, office):
    one = violation()
    taken(database, one)
    taken(database, of(one, phase="withdrawn", revision=1))
    lead(office, the_case(database), "void")
    taken(database, of(one, revision=2))
    case = case_of(database, the_case(database))
    assert (case.state, case.withdrawn) == ("new", False)


@pytest.mark.parametrize("how", ["escalates", "is joined"])
def test_a_case_at_work_that_becomes_graver_has_no_longer_than_such_a_case(database, office, how):
    one = violation(trip_id=trip(1))
    taken(database, one)
    lead(office, the_case(database), "dispatched")
    before_ms = case_of(database, the_case(database)).due_ms
    later_ms = NOW_MS + 3_600_000
    worse = (
        of(one, phase="escalated", severity="critical")
        if how == "escalates"
        else violation(rule="illegal-dumping", severity="critical", trip_id=trip(1))
    )
    taken(database, worse, now_ms=later_ms)
    due_ms = case_of(database, the_case(database)).due_ms
    assert due_ms == RULEBOOK.due_ms(later_ms, "critical", ["off-route"])
    assert due_ms < before_ms
    assert f'"due_ms":{due_ms}' in trail(database)[-1].details
    assert not faults(database)


def test_a_case_at_work_that_becomes_no_graver_keeps_its_time(database, office):
    one = violation(trip_id=trip(1))
    taken(database, one)
    lead(office, the_case(database), "dispatched")
    before_ms = case_of(database, the_case(database)).due_ms
    taken(database, of(one, phase="closed"), violation(rule="speeding", trip_id=trip(1)))
    assert case_of(database, the_case(database)).due_ms == before_ms


def test_a_time_that_a_reviewer_has_given_stays(database, office):
    one = violation()
    taken(database, one)
    case_id = the_case(database)
    lead(office, case_id, "dispatched")
    until_ms = NOW_MS + 60 * 86_400_000
    said = Said(until_ms=until_ms, reason="等待鉴定")
    office.act(case_id, "defer", person("钱", "reviewer"), said)
    taken(database, of(one, phase="escalated", severity="critical"))
    assert case_of(database, case_id).due_ms == until_ms


# Any order that may be.

PHASES = ("opened", "escalated", "closed")


@st.composite
def histories(draw):
    """What stands on the topic: for each truck, in the order of its partition."""
    partitions = []
    for number in range(draw(st.integers(1, 4))):
        records = []
        for rule in draw(st.lists(st.sampled_from(["off-route", "speeding", "no-permit"]),
                                  min_size=1, max_size=3, unique=True)):  # fmt: skip
            one = violation(
                f"浙B{number:05}",
                rule,
                trip_id=draw(st.sampled_from([None, trip(2 * number), trip(2 * number + 1)])),
                district=draw(st.sampled_from([None, "990101", "990102"])),
            )
            count = draw(st.integers(1, 3))
            records += [of(one, phase=phase) for phase in PHASES[:count]]
            if draw(st.booleans()):
                phase = draw(st.sampled_from(["closed", "withdrawn"]))
                records.append(of(one, phase=phase, revision=1))
        partitions.append(records)
    return partitions


def emptied(database: Database) -> None:
    with database.change() as (session, head):
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in ("head", "alembic_version"):
                session.execute(delete(table))
        head.seq, head.hash, head.cases, head.violations = 0, FIRST, 0, 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.integers(0, 2**32))
def test_any_cut_any_repeats_any_order_of_partitions_give_the_same_cases(database, history, seed):
    emptied(database)
    taken(database, *[one for records in history for one in records])
    expected = picture(database)
    emptied(database)
    chance = random.Random(seed)
    left = [list(records) for records in history]
    done: list = []
    while any(left):
        # A part of what came before comes again, in its order, as after a crash.
        batch = done[chance.randrange(len(done)) :][:5] if done else []
        for records in chance.sample(left, len(left)):
            count = chance.randint(0, len(records))
            batch += records[:count]
            done += records[:count]
            del records[:count]
        taken(database, *batch)
    assert picture(database) == expected
    assert faults(database) == []


def test_a_change_that_fails_leaves_nothing(database):
    class Boom(Exception):
        pass

    def failing():
        with database.change() as (session, head):
            take(session, head, arrivals([violation()]), NOW_MS, RULEBOOK)
            session.flush()
            raise Boom

    with pytest.raises(Boom):
        failing()
    with database.read() as session:
        assert session.scalars(select(CaseRow)).all() == []
        assert session.scalars(select(AuditRow)).all() == []
        head = session.scalars(select(HeadRow)).one()
        assert (head.seq, head.cases, head.violations) == (0, 0, 0)
    assert dataclasses.asdict(taken(database, violation()))["new_cases"] == 1
