"""What an enforcement process tells Prometheus.

One a process, with a registry of its own, like `streams.metrics`. Cases are counted in the database
when somebody asks, and not more often than every few seconds. No label is unbounded.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import func, select

from enforcement.consumer import Counts
from enforcement.database import Database, DatabaseError
from enforcement.steps import ENDED, STATES
from enforcement.tables import CaseRow
from enforcement.webhooks.sender import Sender
from streams.health import Health
from streams.health_pages import serve_pages
from streams.logs import get_log

log = get_log(__name__)

COUNT_EVERY_S: Final = 10.0


class EnforcementMetrics:
    """The figures of one process; units are Prometheus' base units."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.health = Health(self.registry)

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)

    def tell_of(
        self,
        counts: Counts,
        senders: Sequence[Sender],
        database: Database,
        now_ms: Callable[[], int],
    ) -> None:
        """From now on also what consumer and senders have done, and how many cases there are."""
        self.registry.register(_Consumed(counts))
        self.registry.register(_Sent(senders))
        self.registry.register(_Cases(database, now_ms))


class _Consumed:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        for name, text, value in (
            ("events", "Records of the violations' topic that were new.", counts.events),
            ("repeated", "Records that had been taken before.", counts.repeated),
            ("unreadable", "Records that are no violation.", counts.unreadable),
            ("cases_opened", "Cases opened.", counts.cases),
        ):
            yield CounterMetricFamily(f"mucktrack_enforcement_{name}", text, value=value)
        offsets = GaugeMetricFamily(
            "mucktrack_enforcement_next_offset",
            "Offset of the violation to be read next; all before are in the database.",
            labels=["partition"],
        )
        for partition, next_offset in sorted(dict(counts.next_offsets).items()):
            offsets.add_metric([str(partition)], next_offset)
        yield offsets
        lag = GaugeMetricFamily(
            "mucktrack_enforcement_lag_records",
            "Violations that are on the broker and have not been read.",
            labels=["partition"],
        )
        for partition, records in sorted(dict(counts.lag).items()):
            lag.add_metric([str(partition)], records)
        yield lag


class _Sent:
    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = senders

    def collect(self) -> Iterator[Metric]:
        for name, text in (
            ("sent", "Messages that a receiver has taken."),
            ("not_taken", "Tries that a receiver has not taken."),
            ("dead", "Messages put aside after their last try."),
        ):
            metric = CounterMetricFamily(f"mucktrack_webhook_{name}", text, labels=["receiver"])
            for sender in self._senders:
                metric.add_metric([sender.name], getattr(sender.tally, name))
            yield metric


class _Cases:
    """Where the database is away, there are no figures rather than old ones."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._counted_s = 0.0
        self._figures: tuple[dict[str, int], int] | None = None

    def describe(self) -> Iterator[Metric]:
        """Without counting: registering must not ask a database."""
        yield from self._metrics({}, 0)

    def collect(self) -> Iterator[Metric]:
        figures = self._renewed()
        if figures is not None:
            yield from self._metrics(*figures)

    def _metrics(self, by_state: dict[str, int], overdue: int) -> Iterator[Metric]:
        cases = GaugeMetricFamily("mucktrack_cases", "Cases, by state.", labels=["state"])
        for state in STATES:
            cases.add_metric([state], by_state.get(state, 0))
        yield cases
        yield GaugeMetricFamily(
            "mucktrack_cases_overdue",
            "Cases whose time limit has passed and that have not ended.",
            value=overdue,
        )

    def _renewed(self) -> tuple[dict[str, int], int] | None:
        with self._lock:
            if time.monotonic() - self._counted_s >= COUNT_EVERY_S:
                try:
                    self._figures = self._counted()
                    self._counted_s = time.monotonic()
                except DatabaseError as error:
                    log.warning("database_away", purpose="to count cases", error=error)
                    self._figures = None
            return self._figures

    def _counted(self) -> tuple[dict[str, int], int]:
        by_state = select(CaseRow.state, func.count()).group_by(CaseRow.state)
        overdue = (
            select(func.count())
            .select_from(CaseRow)
            .where(CaseRow.due_ms < self._now_ms(), CaseRow.state.not_in(ENDED))
        )
        with self._database.read() as session:
            counted = {row[0]: row[1] for row in session.execute(by_state)}
            return counted, session.scalars(overdue).one()
