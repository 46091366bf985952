"""Violations to make cases of, and ways to look at what became of them."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from enforcement.actions import Actor, Office, Said
from enforcement.audit import check
from enforcement.database import Database
from enforcement.intake import Arrival, Taken, take
from enforcement.queued import decode_queued
from enforcement.rulebook import read_rulebook
from enforcement.steps import Role
from enforcement.tables import AuditRow, CaseRow, ViolationRow
from streams.output import Violation, encode, violation_id

NOW_MS: Final = 1_790_000_000_000
"""A Monday, 2026-09-21, 22:13 in Shanghai."""
DAY_MS: Final = 86_400_000
RULEBOOK: Final = read_rulebook(None, ZoneInfo("Asia/Shanghai"))


def violation(truck_id: str = "浙B00001", rule: str = "off-route", **said: Any) -> Violation:
    """As the worker says it; without a trip unless one is given."""
    started_ms = said.get("started_ms", NOW_MS - 600_000)
    fields: dict[str, Any] = {
        "violation_id": violation_id(truck_id, rule, started_ms),
        "phase": "opened",
        "revision": 0,
        "rule": rule,
        "severity": "minor",
        "title": "偏离核准路线",
        "title_en": "off route",
        "message": "载货行驶中偏离核准路线 83.2 米",
        "message_en": "83.2 m off the route",
        "truck_id": truck_id,
        "company": "云溪渣土运输",
        "permit_ids": ["P1"],
        "trip_id": None,
        "started_ms": started_ms,
        "detected_ms": started_ms + 60_000,
        "ended_ms": None,
        "lon": 120.1,
        "lat": 30.2,
        "district": "990101",
        "origin_district": None,
        "place": {"route": "R1"},
        "measured": {"distance_m": 83.2},
        "threshold": {"corridor_m": 50},
        "track": [(started_ms, 120.1, 30.2, 40.0)],
        "city_version": "0" * 64,
    }
    return Violation(**fields | said)


def trip(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"trip {number}"))


def arrivals(violations: Iterable[Violation], first_offset: int = 0) -> list[Arrival]:
    found = []
    for offset, one in enumerate(violations, first_offset):
        value = encode(one)
        found.append(Arrival(decode_queued(value), value.decode(), 0, offset))
    return found


def taken(database: Database, *violations: Violation, now_ms: int = NOW_MS) -> Taken:
    """What the consumer does with them, in one transaction."""
    with database.change() as (session, head):
        return take(session, head, arrivals(violations), now_ms, RULEBOOK)


def only_case(session: Session) -> CaseRow:
    return session.scalars(select(CaseRow)).one()


def case_of(database: Database, case_id: str) -> CaseRow:
    with database.read() as session:
        case = session.get_one(CaseRow, case_id)
        list(case.districts)
        session.expunge_all()
        return case


def the_case(database: Database) -> str:
    """The id of the only one."""
    with database.read() as session:
        return only_case(session).case_id


def trail(database: Database) -> list[AuditRow]:
    with database.read() as session:
        rows = list(session.scalars(select(AuditRow).order_by(AuditRow.seq)))
        session.expunge_all()
        return rows


def faults(database: Database) -> list[str]:
    """Of the audit trail."""
    with database.read() as session:
        return list(check(session))


def picture(database: Database) -> Any:
    """All that cases and violations say, but when and as which number."""
    with database.read() as session:
        cases = {
            case.case_id: (
                *(case.state, case.severity, case.rank, sorted(case.rules), case.truck_id),
                *(case.company, case.trip_id, case.district, case.started_ms, case.version),
                *(case.withdrawn, sorted(row.district for row in case.districts)),
            )
            for case in session.scalars(select(CaseRow))
        }
        violations = {
            row.violation_id: (row.case_id, row.phase, row.revision, row.severity, row.value)
            for row in session.scalars(select(ViolationRow))
        }
    return cases, violations


def person(name: str, role: Role, districts: frozenset[str] | None = None) -> Actor:
    return Actor(name, role, districts)


PATHS: Final[dict[str, Sequence[tuple[str, Role, Said]]]] = {
    "new": (),
    "accepted": (("accept", "dispatcher", Said()),),
    "dispatched": (
        ("accept", "dispatcher", Said()),
        ("dispatch", "dispatcher", Said(squad="一中队")),
    ),
    "handled": (
        ("accept", "dispatcher", Said()),
        ("dispatch", "dispatcher", Said(squad="一中队")),
        ("handle", "officer", Said(findings="现场属实")),
    ),
    "verified": (
        ("accept", "dispatcher", Said()),
        ("dispatch", "dispatcher", Said(squad="一中队")),
        ("handle", "officer", Said(findings="现场属实")),
        ("verify", "reviewer", Said()),
    ),
    "closed": (
        ("accept", "dispatcher", Said()),
        ("dispatch", "dispatcher", Said(squad="一中队")),
        ("handle", "officer", Said(findings="现场属实")),
        ("verify", "reviewer", Said()),
        ("close", "reviewer", Said()),
    ),
    "void": (("void", "dispatcher", Said(reason="误报")),),
    "waived": (
        ("accept", "dispatcher", Said()),
        ("waive", "reviewer", Said(reason="首次")),
    ),
    "transferred": (
        ("accept", "dispatcher", Said()),
        ("transfer", "dispatcher", Said(receiver="交警", reason="超载")),
    ),
}
"""Steps that lead a new case to each state."""


def lead(office: Office, case_id: str, state: str) -> None:
    """Take a new case to a state, each step by somebody of its role."""
    for action, role, said in PATHS[state]:
        office.act(case_id, action, person(f"{role} one", role), said)
