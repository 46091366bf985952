"""What is new, in the order of the audit trail: for everybody who listens to `/events`.

The trail's own numbers are the events' ids, so that nothing is lost over a restart: who comes back
says which he saw last. The latest are kept in memory once for all; who is further back reads the
database. Nothing is kept of the listeners. Used by `enforcement.api.event_routes`.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enforcement.database import Database, DatabaseAwayError
from enforcement.intake import PHASES
from enforcement.tables import AuditRow, CaseRow, HeadRow, ViolationRow

FRESH_S: Final = 0.4
AWAY_S: Final = 2.0
KEPT: Final = 2_000
"""Events in memory, about a kilobyte each."""
PAGE: Final = 200
READ_ON: Final = 1_000
"""Entries that are read at a time."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    seq: int
    kind: Literal["violation", "case"]
    districts: frozenset[str]
    """Of its case, now."""
    data: str
    """JSON."""


class Feed:
    """Safe for use by several threads."""

    def __init__(self, database: Database, shape: Callable[[CaseRow], dict[str, Any]]) -> None:
        """`shape`: a case as the API gives it."""
        self._database = database
        self._shape = shape
        self._lock = threading.Lock()
        self._latest: deque[FeedEvent] = deque(maxlen=KEPT)
        self._from: int | None = None
        """The latest are complete after this number."""
        self._newest = 0
        self._fresh_until_s = 0.0
        self._away: DatabaseAwayError | None = None
        self.ended = False

    def end(self) -> None:
        """The process stops: nobody listens any longer."""
        self.ended = True

    def newest(self) -> int:
        """The number of the last entry of the trail."""
        with self._lock:
            self._refresh()
            return self._newest

    def after(self, seq: int) -> tuple[Sequence[FeedEvent], int]:
        """A page of what came after `seq`, and the number with which to go on."""
        with self._lock:
            self._refresh()
            if self._from is not None and seq >= self._from:
                later = dropwhile(lambda one: one.seq <= seq, self._latest)
                page = list(islice(later, PAGE))
                return page, (page[-1].seq if len(page) == PAGE else max(seq, self._newest))
        with self._database.read() as session:
            return self._read(session, seq, PAGE)

    def _refresh(self) -> None:
        if time.monotonic() < self._fresh_until_s:
            if self._away is not None:
                # Or all listeners would wait in turn for what does not answer.
                raise self._away
            return
        try:
            self._read_on()
        except DatabaseAwayError as error:
            self._away = error
            self._fresh_until_s = time.monotonic() + AWAY_S
            raise
        self._away = None
        self._fresh_until_s = time.monotonic() + FRESH_S

    def _read_on(self) -> None:
        with self._database.read() as session:
            newest = session.scalars(select(HeadRow.seq)).one()
            if self._from is None or newest < self._newest:
                # The first time; or the database is another, restored from a copy.
                self._latest.clear()
                self._from = self._newest = newest
            while self._newest < newest:
                events, self._newest = self._read(session, self._newest, READ_ON)
                for event in events:
                    if len(self._latest) == KEPT:
                        self._from = self._latest[0].seq
                    self._latest.append(event)

    def _read(self, session: Session, seq: int, limit: int) -> tuple[list[FeedEvent], int]:
        query = select(AuditRow).where(AuditRow.seq > seq).order_by(AuditRow.seq).limit(limit)
        entries = session.scalars(query).all()
        if not entries:
            return [], seq
        case_ids = {entry.case_id for entry in entries if entry.case_id is not None}
        cases = _by_id(
            session.scalars(
                select(CaseRow)
                .where(CaseRow.case_id.in_(case_ids))
                .options(selectinload(CaseRow.districts))
            ),
            "case_id",
        )
        told = [(entry, _violation_id(entry)) for entry in entries]
        wanted = {violation_id for _, violation_id in told if violation_id is not None}
        violations = _by_id(
            session.scalars(select(ViolationRow).where(ViolationRow.violation_id.in_(wanted))),
            "violation_id",
        )
        events = []
        for entry, violation_id in told:
            case = cases.get(entry.case_id)
            if case is not None:
                violation = violations.get(violation_id)
                events.append(self._event(entry, case, violation))
        return events, entries[-1].seq

    def _event(self, entry: AuditRow, case: CaseRow, violation: ViolationRow | None) -> FeedEvent:
        said: dict[str, Any] = {
            "seq": entry.seq,
            "at_ms": entry.at_ms,
            "who": entry.who,
            "action": entry.action,
            "case": self._shape(case),
        }
        if violation is not None:
            said["violation"] = _told(violation)
        return FeedEvent(
            entry.seq,
            "case" if violation is None else "violation",
            frozenset(one.district for one in case.districts if one.district),
            json.dumps(said, ensure_ascii=False, separators=(",", ":")),
        )


def _violation_id(entry: AuditRow) -> str | None:
    if entry.action not in PHASES:
        return None
    found: str | None = json.loads(entry.details).get("violation_id")
    return found


def _told(row: ViolationRow) -> dict[str, Any]:
    names = ("violation_id", "phase", "rule", "severity", "truck_id", "district", "started_ms")
    said = {name: getattr(row, name) for name in (*names, "lon", "lat")}
    value = json.loads(row.value)
    return said | {name: value[name] for name in ("title", "title_en", "message", "message_en")}


def _by_id(rows: Any, name: str) -> dict[Any, Any]:
    return {getattr(row, name): row for row in rows}
