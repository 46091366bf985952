"""A histogram that is filled with many values at a time: observing each would cost more than the
work it measures.

Made by `streams.registry`, filled by `streams.metrics`. Filled on one thread and read by others,
which see each filling whole or not at all.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.instruments import Instrument

Counts = npt.NDArray[np.int64]

INFINITE: Final = "+Inf"


class BulkHistogram(Collector):
    """With one label, or none."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._names = [label.name for label in instrument.labels]
        self.bounds_s = np.array(instrument.buckets)
        """Upper bounds; a value that is one belongs to its bucket."""
        self._bounds = [*map(_float_text, instrument.buckets), INFINITE]
        none = np.zeros(len(instrument.buckets) + 1, np.int64)
        series = instrument.labels[0].values if instrument.labels else ("",)
        self._filled = dict.fromkeys(series, (none, 0.0))

    def add(self, counts: Counts, sum_s: float, label: str = "") -> None:
        """`counts` of values in each bucket, the last of those beyond all bounds."""
        before, before_s = self._filled[label]
        self._filled[label] = before + counts, before_s + sum_s

    def observe(self, values_s: npt.NDArray[np.float64], label: str = "") -> None:
        buckets = np.searchsorted(self.bounds_s, values_s, side="left")
        counts = np.bincount(buckets, minlength=len(self._bounds))
        self.add(counts, float(values_s.sum()), label)

    def observe_one(self, value_s: float, times: int, label: str = "") -> None:
        """The same value, `times` times."""
        counts = np.zeros(len(self._bounds), np.int64)
        counts[bisect_left(self._instrument.buckets, value_s)] = times
        self.add(counts, value_s * times, label)

    def collect(self) -> Iterator[Metric]:
        one = self._instrument
        family = HistogramMetricFamily(one.name, one.help, labels=self._names)
        for value, (counts, sum_s) in self._filled.items():
            reached: list[Any] = np.cumsum(counts).tolist()
            buckets = list(zip(self._bounds, reached, strict=True))
            family.add_metric([value] if self._names else [], buckets, sum_s)
        yield family


def _float_text(bound: float) -> str:
    """As the client library writes it."""
    return repr(float(bound))
