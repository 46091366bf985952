"""What an enforcement process tells Prometheus, as `streams.instruments` declares it.

One a process. Cases, the audit trail and the receivers' queues are counted in the database when
somebody asks, and not more often than every few seconds.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from enforcement.consumer import Counts
from enforcement.database import Database, DatabaseError
from enforcement.severities import SEVERITIES
from enforcement.steps import ENDED, STATES
from enforcement.tables import CaseRow, DeadLetterRow, HeadRow, WebhookRow
from enforcement.webhooks.sender import Sender
from streams.logs import get_log
from streams.registry import ProcessMetrics

log = get_log(__name__)

COUNT_EVERY_S: Final = 10.0


class EnforcementMetrics(ProcessMetrics):
    """The figures of one process."""

    def __init__(self) -> None:
        super().__init__("console")
        self._arrival_seconds = self.bulk_histogram("enforcement_arrival_seconds")

    def note_stamps(self, stamps_ms: Sequence[int]) -> None:
        """The timestamps of records that are in the database now."""
        if stamps_ms:
            ages_s = time.time() - np.array(stamps_ms) / 1000
            self._arrival_seconds.observe(np.maximum(ages_s, 0.0))

    def tell_of(
        self,
        counts: Counts,
        senders: Sequence[Sender],
        database: Database,
        now_ms: Callable[[], int],
    ) -> None:
        """From now on also what consumer and senders have done, and how many cases there are."""
        self.registry.register(_Consumed(self, counts))
        self.registry.register(_Sent(self, senders))
        names = [sender.name for sender in senders]
        self.registry.register(_Kept(self, names, database, now_ms))


class _Consumed(Collector):
    def __init__(self, metrics: ProcessMetrics, counts: Counts) -> None:
        self._metrics = metrics
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        for name, value in (
            ("events", counts.events),
            ("repeated", counts.repeated),
            ("unreadable", counts.unreadable),
            ("cases_opened", counts.cases),
        ):
            counter = self._metrics.counter_family(f"enforcement_{name}_total")
            counter.add_metric([], value)
            yield counter
        for name, values in (("next_offset", counts.next_offsets), ("lag_records", counts.lag)):
            gauge = self._metrics.gauge_family(f"enforcement_{name}")
            for partition, value in sorted(dict(values).items()):
                gauge.add_metric([str(partition)], value)
            yield gauge


class _Sent(Collector):
    def __init__(self, metrics: ProcessMetrics, senders: Sequence[Sender]) -> None:
        self._metrics = metrics
        self._senders = senders

    def collect(self) -> Iterator[Metric]:
        for name in ("sent", "not_taken", "dead"):
            counter = self._metrics.counter_family(f"webhook_{name}_total")
            for sender in self._senders:
                counter.add_metric([sender.name], getattr(sender.tally, name))
            yield counter


@dataclass(frozen=True, slots=True)
class _Figures:
    cases: dict[tuple[str, str], int]
    """By state and severity."""
    overdue: dict[str, int]
    """By severity, as below."""
    supervised: dict[str, int]
    entries: int
    """Of the audit trail."""
    waiting: dict[str, int]
    """By receiver, as below."""
    dead: dict[str, int]


class _Kept(Collector):
    """Where the database is away, there are no figures rather than old ones."""

    def __init__(
        self,
        metrics: ProcessMetrics,
        receivers: Sequence[str],
        database: Database,
        now_ms: Callable[[], int],
    ) -> None:
        self._metrics = metrics
        self._receivers = receivers
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._counted_s = 0.0
        self._figures: _Figures | None = None

    def describe(self) -> Iterator[Metric]:
        """Without counting: registering must not ask a database."""
        yield from self._told(_Figures({}, {}, {}, 0, {}, {}))

    def collect(self) -> Iterator[Metric]:
        figures = self._renewed()
        if figures is not None:
            yield from self._told(figures)

    def _told(self, figures: _Figures) -> Iterator[Metric]:
        cases = self._metrics.gauge_family("cases")
        for state in STATES:
            for severity in SEVERITIES:
                cases.add_metric([state, severity], figures.cases.get((state, severity), 0))
        yield cases
        for name, labels, counts in (
            ("cases_overdue", SEVERITIES, figures.overdue),
            ("cases_supervised", SEVERITIES, figures.supervised),
            ("webhook_waiting_entries", self._receivers, figures.waiting),
            ("webhook_dead_letters", self._receivers, figures.dead),
        ):
            gauge = self._metrics.gauge_family(name)
            for label in labels:
                gauge.add_metric([label], counts.get(label, 0))
            yield gauge
        entries = self._metrics.counter_family("audit_entries_total")
        entries.add_metric([], figures.entries)
        yield entries

    def _renewed(self) -> _Figures | None:
        with self._lock:
            if time.monotonic() - self._counted_s >= COUNT_EVERY_S:
                try:
                    with self._database.read() as session:
                        self._figures = _counted(session, self._now_ms())
                    self._counted_s = time.monotonic()
                except DatabaseError as error:
                    log.warning("database_away", purpose="to count cases", error=error)
                    self._figures = None
            return self._figures


def _counted(session: Session, now_ms: int) -> _Figures:
    by_both = select(CaseRow.state, CaseRow.severity, func.count()).group_by(
        CaseRow.state, CaseRow.severity
    )
    entries = session.scalars(select(HeadRow.seq)).one()
    told = session.execute(select(WebhookRow.receiver, WebhookRow.next_seq))
    dead = select(DeadLetterRow.receiver, func.count()).group_by(DeadLetterRow.receiver)
    return _Figures(
        cases={(row[0], row[1]): row[2] for row in session.execute(by_both)},
        overdue=_by_severity(session, CaseRow.due_ms < now_ms),
        supervised=_by_severity(session, CaseRow.supervised_ms.is_not(None)),
        entries=entries,
        waiting={row[0]: max(0, entries + 1 - row[1]) for row in told},
        dead={row[0]: row[1] for row in session.execute(dead)},
    )


def _by_severity(session: Session, condition: ColumnElement[bool]) -> dict[str, int]:
    """Cases that have not ended and of which `condition` holds."""
    found = (
        select(CaseRow.severity, func.count())
        .where(condition, CaseRow.state.not_in(ENDED))
        .group_by(CaseRow.severity)
    )
    return {row[0]: row[1] for row in session.execute(found)}
