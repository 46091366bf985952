"""Real districts in GCJ-02 and real sites in WGS-84: the datum decides where a site lies."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from geofences.check import check_city
from geofences.city import City
from geofences.loader import read_city

TABLES = (
    ("disposal_sample.csv", "facility_id", "disposal"),
    ("worksite_sample.csv", "site_id", "construction"),
)


@pytest.fixture(scope="module")
def ningbo(shared_dir: Path) -> Path:
    return shared_dir / "data" / "ningbo"


def rows_of(ningbo: Path) -> list[tuple[dict[str, str], str, str]]:
    """Rows with their id and kind."""
    found = []
    for name, id_column, kind in TABLES:
        with (ningbo / name).open(encoding="utf-8-sig", newline="") as table:
            found += [(row, row[id_column], kind) for row in csv.DictReader(table)]
    return found


def write_city(path: Path, ningbo: Path, toml: str) -> City:
    districts = json.loads((ningbo / "districts_gcj02.geojson").read_bytes())
    for feature in districts["features"]:
        feature["properties"]["code"] = feature["properties"].pop("adcode")
    features: list[dict[str, Any]] = []
    for row, site_id, kind in rows_of(ningbo):
        place = [float(row["lng_wgs84"]), float(row["lat_wgs84"])]
        properties = {"site_id": site_id, "name": site_id, "kind": kind, "radius_m": 100}
        geometry = {"type": "Point", "coordinates": place}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    sites = {"type": "FeatureCollection", "features": features}
    path.mkdir()
    (path / "city.toml").write_text(f'name = "宁波"\nadmin_code = "330200"\n{toml}', "utf-8")
    (path / "districts.geojson").write_text(json.dumps(districts), "utf-8")
    (path / "sites.geojson").write_text(json.dumps(sites), "utf-8")
    city, findings = read_city(path)
    assert [finding.render() for finding in findings] == []
    assert city is not None
    return city


def district_of_each_site(city: City) -> dict[str, str | None]:
    return {
        site.site_id: min(
            (d.code for d in city.districts if shapely.intersects(d.shape, site.shape)),
            default=None,
        )
        for site in city.sites
    }


def test_districts_agree_with_the_regulators_codes(tmp_path: Path, ningbo: Path) -> None:
    stated = {site_id: row["district_code"][:6] for row, site_id, _ in rows_of(ningbo)}
    city = write_city(tmp_path / "as_told", ningbo, '[datum]\ndistricts = "gcj02"\n')
    found = district_of_each_site(city)
    assert len(city.districts) == 10
    assert len(found) == len(stated) == 80
    assert sum(found[key] == stated[key] for key in stated) == 75

    ignored = district_of_each_site(write_city(tmp_path / "datum_ignored", ningbo, ""))
    assert sum(found[key] != ignored[key] for key in stated) == 3


def test_the_real_city_has_no_warnings(tmp_path: Path, ningbo: Path) -> None:
    city = write_city(tmp_path / "city", ningbo, '[datum]\ndistricts = "gcj02"\n')
    assert [finding.render() for finding in check_city(city)] == []
