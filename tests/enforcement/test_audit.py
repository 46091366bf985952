"""The audit trail: whatever is done to it shows."""

import pytest
from case_parts import faults, taken, violation
from sqlalchemy import delete, select, text, update

from enforcement.audit import Entry, Known, append, check, end_of
from enforcement.tables import AuditRow, HeadRow

COLUMNS = [column.name for column in AuditRow.__table__.columns]


@pytest.fixture
def written(database):
    """Some twenty entries, the page of the check being one of thousand."""
    for number in range(8):
        taken(database, violation(f"浙B{number:05}"))
    with database.change() as (session, head):
        append(
            session, head, Entry(1, "李", "note", None, "new", "new", "为何", {"b": 1, "a": "渣"})
        )
    assert faults(database) == []
    return database


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_shows(written, column):
    other = {"seq": 1_000, "at_ms": 5}.get(column, "other")
    with written.change() as (session, _):
        session.execute(update(AuditRow).where(AuditRow.seq == 7).values({column: other}))
    assert faults(written)


@pytest.mark.parametrize("column", ["case_id", "from_state", "to_state", "why"])
def test_what_was_something_and_is_null_shows(written, column):
    with written.change() as (session, _):
        row = session.scalars(
            select(AuditRow).where(getattr(AuditRow, column).is_not(None)).limit(1)
        ).one()
        setattr(row, column, None)
    assert faults(written)


@pytest.mark.parametrize("seqs", [[1], [7], [3, 4, 5], [17]])
def test_a_removed_entry_shows(written, seqs):
    with written.change() as (session, _):
        session.execute(delete(AuditRow).where(AuditRow.seq.in_(seqs)))
    assert faults(written)


@pytest.mark.parametrize("seq", [-1, 0, 18])
def test_an_inserted_entry_shows(written, seq):
    with written.change() as (session, _):
        session.add(
            AuditRow(seq=seq, at_ms=1, who="x", action="note", details="{}", before="", hash="")
        )
    assert faults(written)


def test_two_that_changed_places_show(written):
    with written.change() as (session, _):
        for one, other in ((7, 100), (8, 7), (100, 8)):
            session.execute(update(AuditRow).where(AuditRow.seq == one).values(seq=other))
    assert faults(written)


def test_an_end_that_was_cut_off_shows(written):
    with written.change() as (session, _):
        session.execute(delete(AuditRow).where(AuditRow.seq > 10))
    assert faults(written) == ["the trail ends with entry 10, and not with 17 as it should"]


def test_an_end_cut_off_with_care_shows_to_who_knows_a_later_entry(written):
    with written.read() as session:
        known = end_of(session)
    with written.change() as (session, head):
        session.execute(delete(AuditRow).where(AuditRow.seq > 10))
        head.seq = 10
        head.hash = session.get_one(AuditRow, 10).hash
    assert faults(written) == []
    with written.read() as session:
        assert list(check(session, known)) == ["entry 17, which is known, is missing"]
    # Written on from there, it is another trail.
    for number in range(20, 30):
        taken(written, violation(f"浙B{number:05}"))
    with written.read() as session:
        assert list(check(session, known)) == ["entry 17 is another than the one that is known"]


def test_a_trail_that_has_grown_still_has_what_is_known(written):
    with written.read() as session:
        known = end_of(session)
    taken(written, violation("浙B99999"))
    with written.read() as session:
        assert list(check(session, known)) == []
        assert list(check(session, Known(0, "0" * 64))) == []


def test_more_than_a_page(database):
    with database.change() as (session, head):
        for number in range(2_345):
            append(session, head, Entry(number, "x", "note"))
    assert faults(database) == []
    with database.change() as (session, _):
        session.execute(text("DELETE FROM audit WHERE seq = 1000"))
        session.execute(text("UPDATE audit SET who = 'y' WHERE seq = 2000"))
    assert faults(database) == [
        "entries 1000 to 1000 are missing",
        "entry 2000 is not what it was when it was written",
    ]


def test_the_head_alone_changed_shows(written):
    with written.change() as (session, _):
        session.scalars(select(HeadRow)).one().seq += 1
        session.scalars(select(HeadRow)).one().hash = "f" * 64
    assert faults(written)
