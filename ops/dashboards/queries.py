"""A question to Prometheus, as a panel asks it.

Made by the dashboards of this package, put into panels by `ops.dashboards.panels`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Query:
    """`legend`: what a series is called, with `{{label}}`."""

    expr: str
    legend: str = ""
    now: bool = False
    """Asked once, for the end of the time shown, rather than for all of it."""
    shape: Literal["time_series", "table", "heatmap"] = "time_series"


def now(expr: str, legend: str = "") -> Query:
    return Query(expr, legend, now=True)


def listed(expr: str) -> Query:
    """For tables and maps: a row a series, a column a label."""
    return Query(expr, now=True, shape="table")


def buckets(metric: str, matching: str = "") -> Query:
    """The buckets of a histogram, for a heat map."""
    return Query(
        f"sum by (le) (rate({metric}_bucket{matching}[$__rate_interval]))",
        "{{le}}",
        shape="heatmap",
    )


def quantile(share: float, metric: str, by: str = "", matching: str = "") -> str:
    """The value that `share` of a histogram's observations are below, a series each `by`."""
    labels = ", ".join(filter(None, [by, "le"]))
    rate = f"rate({metric}_bucket{matching}[$__rate_interval])"
    return f"histogram_quantile({share:g}, sum by ({labels}) ({rate}))"
