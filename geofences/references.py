"""References between the files of a city: every id named must exist (design section 4).

The loader calls it with what the files gave. A file that could not be read breaks no references:
its own fault is reported already.
"""

from dataclasses import dataclass

from geofences.city import District, Permit, Route, Site, SiteKind, Truck, Zone
from geofences.findings import Report, shown
from geofences.records import Parsed


@dataclass(frozen=True, slots=True)
class ParsedFiles:
    """What each file gave; an absent one is empty, absent trucks have `ids` None: with no
    register, any truck may hold a permit."""

    districts: Parsed[District]
    sites: Parsed[Site]
    routes: Parsed[Route]
    zones: Parsed[Zone]
    trucks: Parsed[Truck]
    permits: Parsed[Permit]


def check_references(parsed: ParsedFiles, report: Report) -> None:
    """Reports dangling references as errors, sites of an unfit kind as warnings."""
    for label, site in parsed.sites.items.values():
        if site.district is not None:
            _resolve("sites.geojson", label, "district", (site.district,), parsed.districts, report)
    for label, permit in parsed.permits.items.values():
        for field, ids, target in (
            ("truck_ids", permit.truck_ids, parsed.trucks),
            ("source_site_ids", permit.source_site_ids, parsed.sites),
            ("disposal_site_ids", permit.disposal_site_ids, parsed.sites),
            ("route_ids", permit.route_ids, parsed.routes),
            ("districts", permit.districts, parsed.districts),
        ):
            _resolve("permits.csv", label, field, ids, target, report)
        _check_kinds(label, permit, parsed.sites, report)


def _resolve(
    file: str,
    label: str,
    field: str,
    ids: tuple[str, ...],
    target: Parsed[District] | Parsed[Site] | Parsed[Route] | Parsed[Truck],
    report: Report,
) -> None:
    if target.ids is None:
        return
    for reference in ids:
        if reference not in target.ids:
            message = f"is not in {_FILE_OF[field]}; add it there or correct the id"
            report.error(file, message, feature=label, field=field, value=shown(reference))


_FILE_OF = {
    "district": "districts.geojson",
    "districts": "districts.geojson",
    "truck_ids": "trucks.csv",
    "source_site_ids": "sites.geojson",
    "disposal_site_ids": "sites.geojson",
    "route_ids": "routes.geojson",
}


def _check_kinds(label: str, permit: Permit, sites: Parsed[Site], report: Report) -> None:
    fitting: tuple[tuple[str, tuple[str, ...], tuple[SiteKind, ...]], ...] = (
        ("source_site_ids", permit.source_site_ids, ("construction",)),
        ("disposal_site_ids", permit.disposal_site_ids, ("disposal", "transfer")),
    )
    for field, ids, kinds in fitting:
        for site_id in ids:
            if site_id in sites.items and sites.items[site_id][1].kind not in kinds:
                message = (
                    f"is a {sites.items[site_id][1].kind} site; expected is {' or '.join(kinds)}"
                )
                report.warning(
                    "permits.csv", message, feature=label, field=field, value=shown(site_id)
                )
