"""Reading a process' page of metrics."""

import re

from prometheus_client.parser import text_string_to_metric_families

LABEL = re.compile(r'(\w+)="([^"]*)"')


def figure(page: str, name: str) -> float:
    """The sum over all series of this name with these labels, written as Prometheus does, whatever
    labels they have besides; 0 = there are none."""
    wanted, _, labels = name.partition("{")
    pairs = set(LABEL.findall(labels))
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == wanted and pairs <= sample.labels.items()
    )
