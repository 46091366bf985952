"""`python -m streams.metrics_page` prints docs/metrics.md from the table of metrics; `make metrics`
writes it."""

import sys
from collections.abc import Iterator
from typing import get_args

from streams.instruments import INSTRUMENTS, Instrument, Label, Process

_HEAD = """# Metrics

Generated from `streams/instruments.py` by `make metrics`; a test fails when it is out of date.

Each process tells Prometheus of itself under `/metrics` at its metrics address, beside `/healthz`
and `/readyz` (docs/reliability.md). The names of the processes below are those of the Prometheus
jobs. Times are seconds, sizes bytes. No label is unbounded: there is none of a truck, a terminal, a
site or an address, and what is not among the values of a label counts as `other` where it has that.
A histogram `x` has the series `x_bucket`, `x_sum` and `x_count`. Series with up to 100 combinations
of labels are there from the start, at 0; others from their first event on.
"""

_TITLES: dict[Process, str] = {
    "worker": "`worker`: `mucktrack worker`",
    "gateway": "`gateway`: `mucktrack gateway`, for terminals (JT/T 808)",
    "gateway809": "`gateway809`: `mucktrack gateway809`, for platforms (JT/T 809)",
    "archiver": "`archiver`: `mucktrack archive`",
    "console": "`console`: `mucktrack console`, for enforcement",
}


def page() -> str:
    lines = [_HEAD, "## Every process", "", *_table(_shared())]
    for process in get_args(Process):
        own = [one for one in INSTRUMENTS if one.processes == (process,)]
        lines += ["", f"## {_TITLES[process]}", "", *_table(own)]
    return "\n".join(lines) + "\n"


def _shared() -> list[Instrument]:
    return [one for one in INSTRUMENTS if len(one.processes) > 1]


def _table(instruments: list[Instrument]) -> Iterator[str]:
    yield "| metric | kind | what it says | labels |"
    yield "|---|---|---|---|"
    for one in instruments:
        labels = "<br>".join(map(_label, one.labels)) or "–"
        yield f"| `{one.name}` | {_kind(one)} | {one.help} | {labels} |"


def _kind(one: Instrument) -> str:
    if not one.buckets:
        return one.kind
    return f"{one.kind}, {one.buckets[0]:g} to {one.buckets[-1]:g} s"


def _label(label: Label) -> str:
    said = ", ".join(f"`{value}`" for value in label.values) or label.bound
    return f"**{label.name}**: {said}"


if __name__ == "__main__":
    sys.stdout.write(page())
