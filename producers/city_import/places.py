"""Districts, sites, routes and zones in the words of a city directory.

Called by `producers.city_import.build`: a record in, the properties of a GeoJSON feature out. What
cannot be read is reported at the record.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from producers.city_import import words
from producers.city_import.headings import names_of
from producers.city_import.names import Ids
from producers.city_import.record import Record
from producers.city_import.validity import measured, validity

_CODE = re.compile(r"[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?")
_KMH = re.compile(r"(?i)\s*(km/h|公里/小时|公里)$")


def district(record: Record) -> dict[str, Any]:
    code = record.text("code")
    if code is not None and not _CODE.fullmatch(code):
        record.fault("code", "is no code of GB/T 2260; write its 6 digits, as 330212", code)
    return {"code": code, "name": record.text("name")}


def site(record: Record, ids: Ids, radius_m: float | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "site_id": record.text("site_id"),
        "name": record.text("name"),
        "kind": _kind(record, words.SITE_KINDS),
        **validity(record),
    }
    if (district := record.text("district")) is not None:
        properties["district"] = ids.resolved(record, "district", district, "districts")
    if (volume := record.text("capacity_m3")) is not None:
        properties["capacity_m3"] = measured(record, "capacity_m3", volume, words.cubic_metres)
    if (record.geometry or {}).get("type") == "Point":
        properties["radius_m"] = _radius(record, radius_m)
    return properties


def _radius(record: Record, radius_m: float | None) -> str | float | None:
    radius = record.text("radius_m")
    if radius is not None:
        return measured(record, "radius_m", radius, words.metres)
    if radius_m is None:
        record.fault(
            "radius_m",
            "is missing; a point needs its radius in metres: write it in "
            f"{names_of('sites', 'radius_m')}, give --radius for all that have none, or draw "
            "the site as an area",
        )
    return radius_m


def route(record: Record) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "route_id": record.text("route_id"), "name": record.text("name")
    }  # fmt: skip
    if (corridor := record.text("corridor_m")) is not None:
        properties["corridor_m"] = measured(record, "corridor_m", corridor, words.metres)
    return properties


def zone(record: Record) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "zone_id": record.text("zone_id"),
        "name": record.text("name"),
        "kind": _kind(record, words.ZONE_KINDS),
        **validity(record),
    }
    if (limit := record.text("limit_kmh")) is not None:
        properties["limit_kmh"] = _KMH.sub("", limit)
    return properties


def _kind(record: Record, kinds: Mapping[str, Sequence[str]]) -> str | None:
    """Of its own column, else of the folder it lies in, else of the file's name."""
    own = record.text("kind")
    places = (own,) if own is not None else (record.folder, record.file)
    for place in places:
        if place is not None and (found := words.kind(place, kinds)) is not None:
            return found
    allowed = "; ".join(f"{key}: {', '.join(some)}" for key, some in kinds.items())
    how = "is not known" if own is not None else (
        "is missing, and neither folder nor file name says it"
    )  # fmt: skip
    record.fault("kind", f"{how}; allowed are words that hold one of: {allowed}", own)
    return None
