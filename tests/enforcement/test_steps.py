"""The table of steps, written down once more: every state, action and role."""

from zoneinfo import ZoneInfo

import pytest
from case_parts import NOW_MS, case_of, faults, lead, person, taken, the_case, trail, violation

from enforcement.actions import BadRequestError, ConflictError, NotAllowedError, Office, Said
from enforcement.rulebook import read_rulebook
from enforcement.steps import BY_ACTION, ENDED, ROLES, STATES, STEPS, allowed

EVERYWHERE = " ".join(STATES)
UNDER_WAY = "accepted dispatched handled verified"
EXPECTED = {
    # action: (from, to, who beside the administrator)
    "accept": ("new", "accepted", "dispatcher"),
    "release": ("accepted", "new", "dispatcher"),
    "dispatch": ("accepted", "dispatched", "dispatcher"),
    "handle": ("dispatched", "handled", "officer"),
    "verify": ("handled", "verified", "reviewer"),
    "return": ("handled verified", "dispatched", "reviewer"),
    "close": ("verified", "closed", "reviewer"),
    "void": (f"new {UNDER_WAY}", "void", "dispatcher reviewer"),
    "waive": (UNDER_WAY, "waived", "reviewer"),
    "transfer": (UNDER_WAY, "transferred", "dispatcher reviewer"),
    "defer": ("dispatched", None, "reviewer"),
    "note": (EVERYWHERE, None, "dispatcher officer reviewer"),
}
CHIEF = person("周", "admin")
ALL_SAID = Said(
    squad="一中队", findings="属实", reason="因为", receiver="交警", until_ms=NOW_MS + 10**10
)


@pytest.fixture
def address(tmp_path):
    """The table is the same on every database."""
    return f"sqlite:///{tmp_path / 'cases.db'}"


@pytest.fixture
def office(database):
    return Office(database, read_rulebook(None, ZoneInfo("Asia/Shanghai")), lambda: NOW_MS)


def test_nothing_is_missing():
    assert set(EXPECTED) == set(BY_ACTION)
    assert {state for state in STATES if not allowed(state, "admin")} == set()
    assert {"closed", "void", "waived", "transferred"} == ENDED


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_what_is_offered_is_what_may_be_done(state, role):
    offered = {step.action for step in allowed(state, role)}
    assert offered == {
        action
        for action, (sources, _, roles) in EXPECTED.items()
        if state in sources.split() and (role == "admin" or role in roles.split())
    }


@pytest.mark.parametrize("state", STATES)
def test_every_action_of_every_role_in_every_state(database, office, state):
    """Those that are refused change nothing; each that is taken, on a case of its own."""
    number = 0
    for step in STEPS:
        sources, target, roles = EXPECTED[step.action]
        for role in ROLES:
            number += 1
            taken(database, violation(f"浙B{number:05}", company=None))
            case_id = newest(database)
            lead(office, case_id, state)
            before, entries = case_of(database, case_id), len(trail(database))
            somebody = person("somebody else", role)
            if role != "admin" and role not in roles.split():
                with pytest.raises(NotAllowedError, match=f"{step.action} is for "):
                    office.act(case_id, step.action, somebody, ALL_SAID)
            elif state not in sources.split():
                with pytest.raises(ConflictError, match="is not possible from there"):
                    office.act(case_id, step.action, somebody, ALL_SAID)
            else:
                assert office.act(case_id, step.action, somebody, ALL_SAID) == before.version + 1
                after = case_of(database, case_id)
                assert after.state == (target or state)
                assert (after.ended_ms is not None) == (after.state in ENDED)
                last = trail(database)[-1]
                assert (last.action, last.who, last.from_state, last.to_state) == (
                    *(step.action, "somebody else", state, target or state),
                )
                continue
            after = case_of(database, case_id)
            assert (after.state, after.version) == (before.state, before.version)
            assert len(trail(database)) == entries
    assert faults(database) == []


@pytest.mark.parametrize("step", [step for step in STEPS if step.needs], ids=lambda one: one.action)
def test_what_has_to_be_said_is_asked_for(database, office, step):
    taken(database, violation())
    case_id = the_case(database)
    lead(office, case_id, next(state for state in STATES if state in step.sources))
    for need in step.needs:
        said = {one: getattr(ALL_SAID, one) for one in step.needs if one != need}
        blanks = [None] if need == "until_ms" else [None, "", " \n"]
        for blank in blanks:
            with pytest.raises(BadRequestError, match=f"{need} is missing"):
                office.act(
                    case_id, step.action, person("a", "admin"), Said(**said, **{need: blank})
                )


def newest(database):
    from sqlalchemy import select

    from enforcement.tables import CaseRow

    with database.read() as session:
        newest_first = select(CaseRow.case_id).order_by(CaseRow.number.desc()).limit(1)
        return session.scalars(newest_first).one()
