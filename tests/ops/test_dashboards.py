"""Dashboards are whole: by Grafana's own model, and by what one would see."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from ops_parts import DASHBOARD_FILES, OPS, asked, dashboard, panels, variables
from shapely import Point, hausdorff_distance
from shapely.geometry import shape

from geofences.loader import load_city
from mucktrack import city_grafana
from ops.dashboards import fleet
from ops.dashboards.__main__ import DASHBOARDS, text_of
from ops.dashboards.board import TAG
from producers.demo_city import DEMO_CITY

COLUMNS = 24
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and name[0] != "_"}
PROVISIONING = OPS / "grafana" / "provisioning"
each = pytest.mark.parametrize("file", DASHBOARD_FILES, ids=lambda file: file.stem)


def test_there_is_a_file_for_each_dashboard_and_none_else() -> None:
    assert {file.stem for file in DASHBOARD_FILES} == set(DASHBOARDS)


@each
def test_the_file_is_current(file: Path) -> None:
    assert file.read_text() == text_of(DASHBOARDS[file.stem]()), "run `make ops`"


@each
def test_it_is_what_grafana_has_a_model_of(file: Path) -> None:
    """Read into the types that are made from Grafana's schemas, and written again: what these do
    not know, or what they would add, would show."""
    register_default_plugins()
    written = dashboard(file)
    again = json.loads(json.dumps(Dashboard.from_json(written), cls=JSONEncoder))
    assert again == written


@each
def test_panels_fill_the_grid_and_none_lies_on_another(file: Path) -> None:
    board = dashboard(file)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS, panel["title"]
        cells = set(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
        )
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len(taken) == COLUMNS * (1 + max(y for _, y in taken)), "there are gaps"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@each
def test_each_panel_says_what_it_shows(file: Path) -> None:
    board = dashboard(file)
    titles = [(row, panel["title"]) for row, panel in by_row(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"] in UNITS, panel["title"]
        assert panel["targets"], panel["title"]
        assert defaults["noValue"]
        for text in (panel["title"], panel["description"]):
            assert any("一" <= letter <= "鿿" for letter in text), text
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)


def by_row(board: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    row, found = "", []
    for panel in board["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            found.append((row, panel))
    return found


@each
def test_it_asks_the_source_that_is_provisioned(file: Path) -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    known = {"type": source["type"], "uid": source["uid"]}
    board = dashboard(file)
    for panel in panels(board):
        assert panel["datasource"] == known
        assert all(target["datasource"] == known for target in panel["targets"])
    for variable in variables(board):
        assert variable["type"] != "query" or variable["datasource"] == known


@each
def test_variables_are_used_and_what_is_used_is_one(file: Path) -> None:
    board = dashboard(file)
    given = {variable["name"] for variable in variables(board)}
    text = json.dumps(
        [one.expr for one in asked(board)] + [one.get("url", "") for one in board["links"]]
    )
    for name in given:
        assert f"${name}" in text or f"${{{name}}}" in text, name
    for name in ("rule", "district", "severity", "instance", "console"):
        assert name in given or (f"${name}" not in text and f"${{{name}}}" not in text)


@each
def test_one_comes_from_each_dashboard_to_the_others(file: Path) -> None:
    board = dashboard(file)
    assert board["uid"] == f"mucktrack-{file.stem}"
    assert TAG in board["tags"]
    assert board["editable"] is False
    assert {"type": "dashboards", "tags": [TAG]}.items() <= board["links"][0].items()


def test_dashboards_are_provisioned_as_files_that_stay_as_they_are() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "mucktrack.yml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False


def test_the_map_is_of_the_city_that_comes_along() -> None:
    files = city_grafana.files(load_city(DEMO_CITY))
    folder = OPS / "grafana" / "maps"
    assert {file.name: file.read_text() for file in folder.iterdir()} == files, "run `make ops`"
    assert fleet.OUTLINES.endswith("/" + city_grafana.OUTLINES)
    assert fleet.CENTRES.endswith("/" + city_grafana.CENTRES)


def test_districts_lie_where_the_map_puts_them() -> None:
    """Grafana takes a list of places for one where the first has key, latitude and longitude."""
    city = load_city(DEMO_CITY)
    folder = ROOT / "ops" / "grafana" / "maps"
    places = json.loads((folder / city_grafana.CENTRES).read_text())
    outlines = json.loads((folder / city_grafana.OUTLINES).read_text())
    assert outlines["type"] == "FeatureCollection"
    assert [one["properties"]["code"] for one in outlines["features"]] == [
        place["key"] for place in places
    ]
    for district, place in zip(city.districts, places, strict=True):
        assert district.shape.contains(Point(place["longitude"], place["latitude"]))
        (outline,) = [
            shape(one["geometry"])
            for one in outlines["features"]
            if one["properties"]["code"] == district.code
        ]
        assert hausdorff_distance(outline, district.shape) < 4 * city_grafana.NEAR_DEGREES
