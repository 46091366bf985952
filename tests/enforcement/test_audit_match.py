"""What is done to cases past this program shows against the audit trail."""

import pytest
from case_parts import NOW_MS, RULEBOOK, lead, person, taken, the_case, violation
from sqlalchemy import delete, text

from enforcement.actions import Office
from enforcement.attachments import attach
from enforcement.audit import check
from enforcement.audit_match import differences
from enforcement.tables import AttachmentRow, CaseRow, EventRow
from mucktrack.audit_check import check_trail
from mucktrack.failures import WorkFailedError

PNG = b"\x89PNG\r\n\x1a\n"


def found(database):
    with database.read() as session:
        assert list(check(session)) == [], "the trail itself is whole"
        return list(differences(session))


@pytest.fixture
def written(database):
    taken(database, violation())
    case_id = the_case(database)
    lead(Office(database, RULEBOOK, lambda: NOW_MS), case_id, "handled")
    who = person("王", "officer")
    with database.change() as (session, head):
        attach(session, head, case_id, who, "a.png", "image/png", PNG, None, NOW_MS)
    assert found(database) == []
    return database


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE cases SET state = 'void'", "case 1 is void, and not handled as the trail says"),
        ("UPDATE attachments SET content = CAST(name AS BLOB)", "is not the file that was added"),
        ("UPDATE attachments SET attachment_id = 'x'", "is missing"),
        ("UPDATE attachments SET attachment_id = 'x'", "attachment x is not in the trail"),
    ],
)
def test_an_edit_by_sql_shows(written, statement, told):
    if "content" in statement and not written.is_sqlite:
        statement = statement.replace("CAST(name AS BLOB)", "convert_to(name, 'UTF8')")
    with written.change() as (session, _):
        session.execute(text(statement))
    assert any(told in line for line in found(written))


def test_what_was_deleted_shows(written):
    with written.change() as (session, _):
        session.execute(delete(AttachmentRow))
        session.execute(delete(EventRow))
    missing, fewer = sorted(found(written))
    assert "is missing" in missing
    assert "has fewer records than the trail tells of" in fewer


def test_a_case_put_in_or_taken_out_shows(written):
    columns = [column.name for column in CaseRow.__table__.columns][2:]
    kept = ", ".join(columns)
    copied = f"INSERT INTO cases (case_id, number, {kept}) SELECT 'other', 2, {kept} FROM cases"  # noqa: S608
    with written.change() as (session, _):
        session.execute(text(copied))
    assert found(written) == ["case 2 is not in the trail"]
    with written.change() as (session, _):
        session.execute(text("UPDATE violations SET case_id = 'other'"))
        session.execute(text("UPDATE attachments SET case_id = 'other'"))
        session.execute(text("DELETE FROM case_districts"))
        session.execute(text("DELETE FROM cases WHERE case_id <> 'other'"))
    assert any("which the trail tells of, is missing" in line for line in found(written))


def test_the_command_says_so(written, address, capsys):
    check_trail(address, None)
    with written.change() as (session, _):
        session.execute(text("UPDATE cases SET state = 'closed'"))
    with pytest.raises(WorkFailedError, match="1 differences"):
        check_trail(address, None)
    assert "case 1 is closed" in capsys.readouterr().out
