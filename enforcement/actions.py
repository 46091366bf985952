"""What people do with a case: one step of `enforcement.steps` at a time, kept in the audit trail.

`Office.act` is called by API and console. Everything is checked within one change of the database,
so that of two people who take the same step one is told what the other has done. Who somebody is,
and that his district is concerned, `enforcement.access` has found out before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from enforcement.audit import SYSTEM, Entry, append
from enforcement.database import Database
from enforcement.rulebook import Rulebook
from enforcement.steps import BY_ACTION, ENDED, TITLES, Role, Step, may_take
from enforcement.tables import CaseRow, HeadRow

LONGEST: Final = 4_000
"""Characters of a reason, of findings."""
LONGEST_OF: Final = {"squad": 100, "receiver": 200}
"""Of what else is said."""
LONGEST_DEFERRAL_MS: Final = 5 * 365 * 86_400_000


class ActionError(Exception):
    """The step cannot be taken; the message says why, for the person who tried."""


class UnknownCaseError(ActionError):
    """There is no such case, or none that he may see."""


class NotAllowedError(ActionError):
    """Not this person, whatever the state."""


class ConflictError(ActionError):
    """Not in this state: most likely somebody else was faster."""


class StaleError(ConflictError):
    """The case has changed since the person looked at it."""


class BadRequestError(ActionError):
    """What was said with it is missing or cannot be."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts."""

    name: str
    role: Role
    districts: frozenset[str] | None
    """None = all."""

    def sees(self, districts: set[str]) -> bool:
        """A case without a district is everybody's, so that it is somebody's."""
        return self.districts is None or not districts or bool(self.districts & districts)


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an action; what a step needs is in the table of steps."""

    squad: str | None = None
    findings: str | None = None
    reason: str | None = None
    receiver: str | None = None
    until_ms: int | None = None
    version: int | None = None
    """The version of the case that the person has seen; None = whatever it is now."""


class Office:
    """Takes steps."""

    def __init__(self, database: Database, rulebook: Rulebook, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._rulebook = rulebook
        self._now_ms = now_ms

    def act(self, case_id: str, action: str, actor: Actor, said: Said) -> int:
        """Take the step; the case's new version. Raises an `ActionError`."""
        with self._database.change() as (session, head):
            return self.act_within(session, head, case_id, action, actor, said)

    def act_within(
        self, session: Session, head: HeadRow, case_id: str, action: str, actor: Actor, said: Said
    ) -> int:
        """`act`, as part of a change that has more to it."""
        step = BY_ACTION.get(action)
        if step is None:
            raise BadRequestError(f"no action {action!r}; there are {', '.join(BY_ACTION)}")
        case = session.get(CaseRow, case_id)
        if case is None or not actor.sees(districts_of(case)):
            raise UnknownCaseError(f"no case {case_id}")
        self._check(case, step, actor, said)
        if action == "waive":
            _check_first(session, case, self._rulebook.calendar.zone)
        return self._take(session, head, case, step, actor, said)

    def supervise(self) -> list[str]:
        """Put cases that are overdue under supervision (督办); which ones."""
        now_ms = self._now_ms()
        overdue = (
            CaseRow.due_ms < now_ms,
            CaseRow.supervised_ms.is_(None),
            CaseRow.state.not_in(ENDED),
        )
        with self._database.read() as session:
            if session.scalars(select(CaseRow.case_id).where(*overdue).limit(1)).first() is None:
                return []
        with self._database.change() as (session, head):
            cases = session.scalars(select(CaseRow).where(*overdue).order_by(CaseRow.number)).all()
            for case in cases:
                case.supervised_ms = case.updated_ms = now_ms
                case.version += 1
                entry = Entry(
                    *(now_ms, SYSTEM, "supervise", case.case_id, case.state, case.state),
                    details={"due_ms": case.due_ms},
                )
                append(session, head, entry)
            return [case.case_id for case in cases]

    def _check(self, case: CaseRow, step: Step, actor: Actor, said: Said) -> None:
        if not may_take(step, actor.role):
            roles = ", ".join(sorted((*step.roles, "admin")))
            raise NotAllowedError(f"{step.action} is for {roles}; {actor.name} is {actor.role}")
        if said.version is not None and said.version != case.version:
            raise StaleError(f"{_state_of(case)}; it has changed since you looked at it")
        if case.state not in step.sources:
            raise ConflictError(f"{_state_of(case)}; {step.action} is not possible from there")
        if step.not_by_handler and case.officer == actor.name:
            raise NotAllowedError(f"{actor.name} handled this case; somebody else has to judge it")
        for need in step.needs:
            _check_need(need, getattr(said, need))
        if "until_ms" in step.needs:
            self._check_deferral(case, said.until_ms or 0)

    def _check_deferral(self, case: CaseRow, until_ms: int) -> None:
        now_ms = self._now_ms()
        if until_ms <= max(now_ms, case.due_ms or 0):
            raise BadRequestError("until_ms: a case is deferred to a moment after its due time")
        if until_ms > now_ms + LONGEST_DEFERRAL_MS:
            raise BadRequestError("until_ms: a case is deferred for five years at most")

    def _take(
        self,
        session: Session,
        head: HeadRow,
        case: CaseRow,
        step: Step,
        actor: Actor,
        said: Said,
    ) -> int:
        now_ms, before = self._now_ms(), case.state
        case.state = step.target or case.state
        case.updated_ms = now_ms
        case.version += 1
        match step.action:
            case "accept":
                case.handler = actor.name
            case "release":
                case.handler = None
            case "dispatch":
                case.squad, case.dispatched_ms = said.squad, now_ms
                case.due_ms = self._rulebook.due_ms(now_ms, case.severity, case.rules)
            case "handle":
                case.officer = actor.name
            case "defer":
                case.due_ms, case.deferred, case.supervised_ms = said.until_ms, True, None
        if case.state in ENDED:
            case.ended_ms = now_ms
        details: dict[str, Any] = {
            need: getattr(said, need) for need in step.needs if need != "reason"
        }
        why = said.reason if "reason" in step.needs else None
        entry = Entry(
            *(now_ms, actor.name, step.action, case.case_id, before, case.state, why), details
        )
        append(session, head, entry)
        return case.version


def districts_of(case: CaseRow) -> set[str]:
    return {row.district for row in case.districts if row.district}


def _state_of(case: CaseRow) -> str:
    holder = f" by {case.handler}" if case.handler else ""
    return f"case {case.number} is {TITLES[case.state][1]}{holder}"  # type: ignore[index]


def _check_need(need: str, value: Any) -> None:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRequestError(f"{need} is missing")
    if not isinstance(value, str):
        return
    longest = LONGEST_OF.get(need, LONGEST)
    if len(value) > longest:
        raise BadRequestError(f"{need} has {len(value)} characters; allowed are {longest}")
    if any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in value):
        raise BadRequestError(f"{need} holds what is no character, a NUL or half of one")


def _check_first(session: Session, case: CaseRow, zone: ZoneInfo) -> None:
    """A first offence (首违不罚) is one in twelve months, of the company, or of a truck without
    one. A later one that was waived has been taken for the first already."""
    offender = (
        CaseRow.company == case.company
        if case.company is not None
        else CaseRow.truck_id == case.truck_id
    )
    earlier = session.scalars(
        select(CaseRow)
        .where(
            offender,
            CaseRow.case_id != case.case_id,
            CaseRow.started_ms > twelve_months(case.started_ms, -1, zone),
            CaseRow.started_ms < twelve_months(case.started_ms, 1, zone),
            or_(
                CaseRow.state == "waived",
                and_(
                    CaseRow.state.in_(("closed", "transferred")),
                    CaseRow.started_ms <= case.started_ms,
                ),
            ),
        )
        .order_by(CaseRow.number)
    ).all()
    same = [one.number for one in earlier if set(one.rules) & set(case.rules)]
    if same:
        numbers = ", ".join(map(str, same[:5]))
        raise ConflictError(f"no first offence: within twelve months there was case {numbers}")


def twelve_months(time_ms: int, years: int, zone: ZoneInfo) -> int:
    """The same moment of the calendar, 1 = a year later, -1 = earlier; 28 February where there is
    no 29th."""
    local = datetime.fromtimestamp(time_ms / 1_000, zone)
    try:
        moved = local.replace(year=local.year + years)
    except ValueError:
        moved = local.replace(year=local.year + years, day=28)
    return round(moved.timestamp() * 1_000)
