"""Reading a worker's figures from its Prometheus endpoint."""

from mucktrack.embedded import free_port
from mucktrack.scrape import WorkerFigures, scrape
from streams.metrics import FIX, Metrics


def test_the_figures_are_the_workers():
    metrics = Metrics()
    metrics.positions.labels(FIX).inc(100)
    metrics.positions.labels("late").inc(7)
    metrics.positions.labels("malformed").inc(1)
    metrics.violations.labels("off-route", "opened").inc(3)
    metrics.violations.labels("off-route", "closed").inc(2)
    metrics.partitions_assigned.set(12)
    metrics.partitions_loaded.set(11)
    port = metrics.serve("127.0.0.1", 0)
    figures = scrape("127.0.0.1", port)
    assert figures == WorkerFigures(
        positions=108, rejected=8, violations=5, partitions_assigned=12, partitions_loaded=11
    )
    assert not figures.ready
    metrics.partitions_loaded.set(12)
    figures = scrape("127.0.0.1", port)
    assert figures is not None
    assert figures.ready


def test_a_worker_that_has_nothing_yet_is_not_ready():
    assert not WorkerFigures().ready


def test_nobody_there_is_none():
    assert scrape("127.0.0.1", free_port()) is None
