"""Reading a process' page of metrics."""

import re
from functools import lru_cache

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from streams.instruments import Process, of_process

LABEL = re.compile(r'(\w+)="([^"]*)"')


def figure(page: str, name: str) -> float:
    """The sum over all series of this name with these labels, written as Prometheus does, whatever
    labels they have besides; 0 = there are none."""
    wanted, _, labels = name.partition("{")
    pairs = set(LABEL.findall(labels))
    return sum(
        sample.value
        for family in _families(page)
        for sample in family.samples
        if sample.name == wanted and pairs <= sample.labels.items()
    )


@lru_cache(maxsize=1)
def _families(page: str) -> list[Metric]:
    """One page is asked for several figures."""
    return list(text_string_to_metric_families(page))


def check_page(page: str, process: Process) -> None:
    """Everything that is declared for a process of this kind is on its page, nothing else is, and
    labels say what they may."""
    declared = {one.name: one for one in of_process(process)}
    families = {
        family.name + "_total" * (family.type == "counter"): family for family in _families(page)
    }
    assert set(families) == set(declared)
    for name, one in declared.items():
        family = families[name]
        assert (family.type, family.documentation) == (one.kind, one.help), name
        for sample in family.samples:
            labels = {key: value for key, value in sample.labels.items() if key != "le"}
            assert set(labels) == {label.name for label in one.labels}, sample
            for label in one.labels:
                assert not label.values or labels[label.name] in label.values, sample
