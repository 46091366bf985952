"""What all dashboards have in common: names, variables, the way from one to the next.

Called by the dashboards of this package. It must not know their panels.
"""

from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as parts

from ops.dashboards.panels import DATASOURCE

TAG: Final = "mucktrack"
CONSOLE: Final = "http://127.0.0.1:8080"
"""Where it is by default; the variable at the top of a dashboard takes another address."""

Section = tuple[str, Sequence[Builder[parts.Panel]]]
"""A row's title and its panels, from left to right."""


def board(
    uid: str,
    title: str,
    description: str,
    sections: Sequence[Section],
    *,
    variables: Sequence[Builder[parts.VariableModel]] = (),
    span: str = "now-3h",
    refresh: str = "30s",
) -> parts.Dashboard:
    """A dashboard that cannot be changed in Grafana: whoever wants another changes this package.

    `span`: what it shows at first, until now.
    """
    made = (
        boards.Dashboard(title)
        .uid(f"mucktrack-{uid}")
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .tooltip(parts.DashboardCursorSync.CROSSHAIR)
        .time(span, "now")
        .refresh(refresh)
        .link(_others())
        .link(_console())
        .variables([*variables, _console_address()])
    )
    for name, panels in sections:
        made = made.with_row(boards.Row(name))
        for panel in panels:
            made = made.with_panel(panel)
    dashboard = made.build()
    for number, placed in enumerate(dashboard.panels or [], start=1):
        placed.id_val = number
    return dashboard


def choice(name: str, label: str, query: str) -> boards.QueryVariable:
    """A variable of which one, several or all values can be chosen. `query`: as Grafana's
    Prometheus source has it, such as `label_values(metric, label)`."""
    return (
        single(name, label, query)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(parts.VariableOption(selected=True, text="All", value="$__all"))
    )


def single(name: str, label: str, query: str) -> boards.QueryVariable:
    """A variable of which exactly one value is chosen."""
    return (
        boards.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"qryType": 1, "query": query, "refId": f"variable-{name}"})
        .refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(parts.VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )


def _others() -> boards.DashboardLink:
    return (
        boards.DashboardLink("mucktrack")
        .type(parts.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(False)
        .keep_time(True)
    )


def _console() -> boards.DashboardLink:
    return (
        boards.DashboardLink("Console 处置平台")
        .type(parts.DashboardLinkType.LINK)
        .icon("external link")
        .url("${console}")
        .target_blank(True)
        .tooltip("Cases, the map with all trucks 案件与实时车辆地图")
    )


def _console_address() -> Builder[Any]:
    return (
        boards.TextBoxVariable("console")
        .label("Console 处置平台")
        .default_value(CONSOLE)
        .current(parts.VariableOption(selected=True, text=CONSOLE, value=CONSOLE))
    )
