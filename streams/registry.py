"""A process' metrics, made of the table of `streams.instruments`, and its pages.

Each process has one `ProcessMetrics` of its own kind (`streams.metrics` and the like), with a
registry of its own: nothing is global, and importing this registers nothing. What is not declared
for the process cannot be made. It must not know where figures come from.
"""

import platform
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)

from streams.bulk import BulkHistogram
from streams.health import HUNG_S, Health
from streams.health_pages import serve_pages
from streams.instruments import PREFIX, SERVERS, Instrument, Kind, Process, of_process
from streams.version import version

MOST_BEFOREHAND: Final = 100
"""Series that stand on the page before anything has happened, of one metric: who asks for a rate
sees the first event too. Others come when they are needed."""

Made = TypeVar("Made", bound=MetricWrapperBase)


class ProcessMetrics:
    """The metrics of one process, its health, and the pages that tell both."""

    def __init__(self, process: Process, hung_s: float = HUNG_S) -> None:
        """`hung_s`: see `streams.health`."""
        self.registry = _Registry()
        self.health = Health(hung_s)
        self._declared = {one.name.removeprefix(PREFIX): one for one in of_process(process)}
        self.gauge("build_info").labels(version(), platform.python_version()).set(1)
        waiting = self.gauge("waiting")
        for name in self.declared("waiting", "gauge").labels[0].values:
            waiting.labels(name).set_function(partial(self.health.waits_for, name))
        up = self.gauge("server_up", beforehand=False)
        for server in SERVERS[process]:
            up.labels(server).set_function(partial(self.health.is_up, server))
        ProcessCollector(registry=self.registry)

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)

    def declared(self, name: str, kind: Kind) -> Instrument:
        """The row of the table; names are without the prefix, here and below. Raises `KeyError`
        for what this process does not have."""
        instrument = self._declared[name]
        if instrument.kind != kind:
            raise TypeError(f"{instrument.name} is a {instrument.kind}, not a {kind}")
        return instrument

    def counter(self, name: str) -> Counter:
        one = self.declared(name, "counter")
        return _with_series(Counter(one.name, one.help, _names(one), registry=self.registry), one)

    def gauge(self, name: str, *, beforehand: bool = True) -> Gauge:
        """`beforehand`: with all its series at 0, where there are not too many."""
        one = self.declared(name, "gauge")
        made = Gauge(one.name, one.help, _names(one), registry=self.registry)
        return _with_series(made, one) if beforehand else made

    def histogram(self, name: str) -> Histogram:
        one = self.declared(name, "histogram")
        made = Histogram(
            one.name, one.help, _names(one), buckets=one.buckets, registry=self.registry
        )
        return _with_series(made, one)

    def bulk_histogram(self, name: str) -> BulkHistogram:
        """One that is filled with many values at a time."""
        made = BulkHistogram(self.declared(name, "histogram"))
        self.registry.register(made)
        return made

    def counter_family(self, name: str) -> CounterMetricFamily:
        """For a collector of one's own."""
        one = self.declared(name, "counter")
        return CounterMetricFamily(one.name, one.help, labels=_names(one))

    def gauge_family(self, name: str) -> GaugeMetricFamily:
        one = self.declared(name, "gauge")
        return GaugeMetricFamily(one.name, one.help, labels=_names(one))


def _names(instrument: Instrument) -> list[str]:
    return [label.name for label in instrument.labels]


def _with_series(made: Made, instrument: Instrument) -> Made:
    """`made`, with the series that it can have by the table."""
    series = list(product(*(label.values for label in instrument.labels)))
    if instrument.labels and len(series) <= MOST_BEFOREHAND:
        for values in series:
            made.labels(*values)
    return made


class _Registry(CollectorRegistry):
    """Without the times at which counters were made: a series more each, which nobody asks for."""

    def collect(self) -> Iterator[Metric]:
        for metric in super().collect():
            metric.samples = [
                sample for sample in metric.samples if not sample.name.endswith("_created")
            ]
            yield metric
