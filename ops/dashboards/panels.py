"""The kinds of panel that the dashboards are made of, each with the look it always has.

Called by the dashboards of this package, which say what is shown; how it looks is said here alone:
sizes on the grid of 24 columns, legends, thresholds as colours, what an empty panel says. It must
not know a metric.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    geomap,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as parts
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models.geomap import TooltipMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from ops.dashboards.queries import Query

DATASOURCE: Final = parts.DataSourceRef(type_val="prometheus", uid="mucktrack-prometheus")
"""`ops/grafana/provisioning/datasources/prometheus.yml` has the same uid."""
QUIET: Final = "none 无"
"""What a panel says when there is nothing to show, which is no fault."""
STAT, HALF, THIRD, WHOLE = 4, 12, 8, 24
"""Columns."""
LOW, MIDDLE, HIGH = 4, 8, 16
"""Rows, of 30 pixels and a gap."""

Steps = Sequence[tuple[float | None, str]]
"""From this value on, this colour; the first is of all values below the second."""
PLAIN: Final[Steps] = [(None, "blue")]
GOOD: Final[Steps] = [(None, "green")]
ZERO_IS_GOOD: Final[Steps] = [(None, "green"), (1, "red")]


class _Panel(Protocol):
    """What the builders of all kinds of panel have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: parts.DataSourceRef) -> Self: ...
    def with_target(self, target: Builder[Any]) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...


P = TypeVar("P", bound=_Panel)


def number(
    title: str,
    description: str,
    unit: str,
    query: Query,
    steps: Steps = PLAIN,
    *,
    width: int = STAT,
    graph: bool = True,
    decimals: int | None = None,
    mappings: Sequence[parts.ValueMapping] = (),
    text: bool = False,
) -> stat.Panel:
    """One figure, as it is now. `text`: what it is called, rather than its value."""
    graph_mode = shapes.BigValueGraphMode.AREA if graph else shapes.BigValueGraphMode.NONE
    text_mode = shapes.BigValueTextMode.NAME if text else shapes.BigValueTextMode.VALUE
    panel = (
        _filled(stat.Panel(), title, description, unit, [query], width, LOW)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(shapes.BigValueColorMode.VALUE)
        .graph_mode(graph_mode)
        .text_mode(text_mode)
        .thresholds(_thresholds(steps))
        .color_scheme(_by_thresholds())
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    return panel.mappings(list(mappings)) if mappings else panel


def curves(
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    *,
    width: int = HALF,
    stacked: bool = False,
    bars: bool = False,
    logarithmic: bool = False,
    limit: float | None = None,
    most: float | None = None,
) -> timeseries.Panel:
    """Figures over time. `limit`: above it, it is not as it should be, and a line says so."""
    panel = (
        _filled(timeseries.Panel(), title, description, unit, queries, width, MIDDLE)
        .draw_style(shapes.GraphDrawStyle.BARS if bars else shapes.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(60 if bars else 25 if stacked else 8)
        .show_points(shapes.VisibilityMode.NEVER)
        .min(0)
        .legend(_legend(["lastNotNull", "max"]))
        .tooltip(
            common.VizTooltipOptions()
            .mode(shapes.TooltipDisplayMode.MULTI)
            .sort(shapes.SortOrder.DESCENDING)
        )
    )
    if most is not None:
        panel = panel.max(most)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if logarithmic:
        # Nothing is 0 on such a scale: the axis begins at a millisecond.
        panel = panel.min(0.001).scale_distribution(
            common.ScaleDistributionConfig().type(shapes.ScaleDistribution.LOG).log(10)
        )
    if limit is not None:
        panel = panel.thresholds(_thresholds([(None, "transparent"), (limit, "red")]))
        panel = panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        )
    return panel


def bars(
    title: str,
    description: str,
    unit: str,
    query: Query,
    steps: Steps = PLAIN,
    *,
    width: int = THIRD,
    height: int = MIDDLE,
) -> bargauge.Panel:
    """One bar a series, as it is now, the longest on top where the query sorts."""
    return (
        _filled(bargauge.Panel(), title, description, unit, [query], width, height)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .display_mode(shapes.BarGaugeDisplayMode.BASIC)
        .value_mode(shapes.BarGaugeValueMode.COLOR)
        .min(0)
        .thresholds(_thresholds(steps))
        .color_scheme(_by_thresholds())
    )


def states(
    title: str,
    description: str,
    queries: Sequence[Query],
    words: Mapping[str, tuple[str, str]],
    *,
    width: int = HALF,
    height: int = MIDDLE,
) -> statetimeline.Panel:
    """When what was how. `words`: what a value means, and its colour."""
    return (
        _filled(statetimeline.Panel(), title, description, "none", queries, width, height)
        .mappings(meanings(words))
        .thresholds(_thresholds([(None, "text")]))
        .color_scheme(_by_thresholds())
        .show_value(shapes.VisibilityMode.NEVER)
        .row_height(0.85)
        .fill_opacity(75)
        .legend(_legend([]))
    )


def spread(
    title: str, description: str, unit: str, query: Query, *, width: int = HALF
) -> heatmap.Panel:
    """How the observations of a histogram are spread, over time."""
    panel = _filled(heatmap.Panel(), title, description, unit, [query], width, MIDDLE)
    return (
        panel.calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .cell_values(heatmap.CellValues().unit("short"))
        .color(heatmap.HeatmapColorOptions().mode(heat.HeatmapColorMode.SCHEME).scheme("Blues"))
        .cell_gap(1)
        .show_legend()
        .show_y_histogram()
        .scale_distribution(common.ScaleDistributionConfig().type(shapes.ScaleDistribution.LINEAR))
    )


def rows(
    title: str,
    description: str,
    unit: str,
    query: Query,
    changes: Sequence[tuple[str, Mapping[str, object]]],
    *,
    width: int = HALF,
    height: int = MIDDLE,
    coloured: bool = False,
    steps: Steps = PLAIN,
) -> table.Panel:
    """A table; `changes`: what is done to the query's answer, by the names of Grafana's
    transformations. `coloured`: cells by their value."""
    panel = _filled(table.Panel(), title, description, unit, [query], width, height)
    panel = panel.cell_height(shapes.TableCellHeight.SM).align(shapes.FieldTextAlignment.AUTO)
    panel = panel.inspect(False)
    for name, options in changes:
        panel = panel.with_transformation(
            parts.DataTransformerConfig(id_val=name, options=dict(options))
        )
    if coloured:
        panel = (
            panel.thresholds(_thresholds(steps))
            .color_scheme(_by_thresholds())
            .cell_options(
                shapes.TableColoredBackgroundCellOptions(
                    mode=shapes.TableCellBackgroundDisplayMode.BASIC
                )
            )
        )
    return panel


def world(
    title: str,
    description: str,
    unit: str,
    query: Query,
    layers: Sequence[Builder[shapes.MapLayerOptions]],
    basemap: Builder[shapes.MapLayerOptions],
    steps: Steps,
    *,
    width: int = HALF,
    height: int = HIGH,
) -> geomap.Panel:
    """A map that shows what its layers hold, whatever city that is."""
    return (
        _filled(geomap.Panel(), title, description, unit, [query], width, height)
        .basemap(basemap)
        .layers(list(layers))
        .view(geomap.MapViewConfig().id("fit").all_layers(True).padding(8).max_zoom(13))
        .controls(geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(False).show_scale(True))
        .tooltip(geomap.TooltipOptions().mode(TooltipMode.DETAILS))
        .thresholds(_thresholds(steps))
        .color_scheme(_by_thresholds())
    )


def meanings(words: Mapping[str, tuple[str, str]]) -> list[parts.ValueMapping]:
    """What a value is called, and its colour."""
    results = {
        value: parts.ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    return [parts.ValueMap(options=results)]


def _filled(
    panel: P,
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    width: int,
    height: int,
) -> P:
    panel = panel.title(title).description(description).datasource(DATASOURCE).unit(unit)
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel = panel.with_target(_target(letter, query))
    return panel.span(width).height(height).no_value(QUIET)


def _target(letter: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).expr(query.expr).datasource(DATASOURCE)
    target = target.legend_format(query.legend).format(PromQueryFormat(query.shape))
    return target.instant() if query.now else target.range()


def _thresholds(steps: Steps) -> boards.ThresholdsConfig:
    return (
        boards.ThresholdsConfig()
        .mode(parts.ThresholdsMode.ABSOLUTE)
        .steps([parts.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _by_thresholds() -> boards.FieldColor:
    return boards.FieldColor().mode(parts.FieldColorModeId.THRESHOLDS)


def _legend(calcs: list[str]) -> common.VizLegendOptions:
    mode: Literal[shapes.LegendDisplayMode.TABLE, shapes.LegendDisplayMode.LIST]
    mode = shapes.LegendDisplayMode.TABLE if calcs else shapes.LegendDisplayMode.LIST
    return (
        common.VizLegendOptions()
        .display_mode(mode)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(calcs)
    )
