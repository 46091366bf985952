"""`mucktrack city grafana`: the two files by which Grafana draws the city's districts.

Prometheus knows districts by their code alone. Grafana's map looks the code up in a list of places
(a gazetteer), and draws outlines from GeoJSON; both are files that Grafana serves itself, so that
it works without the internet. `ops/grafana/maps` has those of the city that comes along.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click
from shapely import coverage_simplify
from shapely.geometry import mapping

from geofences.city import City
from mucktrack import city_check
from mucktrack.failures import WorkFailedError

OUTLINES: Final = "mucktrack-districts.geojson"
CENTRES: Final = "mucktrack-districts.json"
NEAR_DEGREES: Final = 0.0005
"""Some 50 m: more detail does not show, and a province would be too much for a browser."""
DECIMALS: Final = 5


def write(city_folder: Path, folder: Path) -> None:
    """Raises `BadInputError` for a city with faults, `WorkFailedError` where the files cannot be
    written."""
    city = city_check.load(city_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files(city).items():
            (folder / name).write_text(text, encoding="utf-8")
            click.echo(folder / name)
    except OSError as error:
        raise WorkFailedError(f"{folder}: {error.strerror}") from None


def files(city: City) -> dict[str, str]:
    """Their names and contents. Coordinates are WGS-84, longitude first in GeoJSON."""
    features: list[object] = []
    places: list[object] = []
    outlines = coverage_simplify([one.shape for one in city.districts], NEAR_DEGREES)
    for district, outline in zip(city.districts, outlines, strict=True):
        middle = district.shape.representative_point()
        name = {"code": district.code, "name": district.name}
        features.append(
            {"type": "Feature", "properties": name, "geometry": _rounded(mapping(outline))}
        )
        places.append(
            {
                "key": district.code,
                "name": district.name,
                "latitude": round(middle.y, DECIMALS),
                "longitude": round(middle.x, DECIMALS),
            }
        )
    return {
        OUTLINES: _lines('{"type": "FeatureCollection", "features": ', features, "}"),
        CENTRES: _lines("", places, ""),
    }


def _lines(before: str, values: Iterable[object], after: str) -> str:
    """A list with a line a value, so that what a change has changed is seen."""
    listed = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    return f"{before}[\n{listed}\n]{after}\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
