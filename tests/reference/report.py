"""What comes out: violations and trips, with their ids and tracks (design section 7).

Called by the engine and `reference.load`. It writes down what they found and decides nothing.
"""

import uuid
from typing import Any

from reference.evidence import Case, evidence
from reference.geometry import Place
from reference.model import SEVERE, SEVERITY, Fix, Run, Trip, TruckState
from reference.permits import Pool
from reference.versions import Versions

ID_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
RUN_TRACK_FIXES = 32


class Report:
    """The violations and trips so far, as dictionaries of section 7's fields."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self.violations: list[dict[str, Any]] = []
        self.trips: list[dict[str, Any]] = []

    def pool(self, truck: TruckState, at: Place) -> Pool:
        return self._versions.at(at.time_ms).permits.active(truck.truck_id, at.time_ms)

    def run(
        self, truck: TruckState, rule: str, run: Run, phase: str, at: Fix, detected_ms: int
    ) -> None:
        self.violation(
            truck,
            rule,
            phase,
            at=at.place,
            started_ms=run.started_ms,
            detected_ms=detected_ms,
            ended_ms=run.fixes[-1].time_ms if phase == "closed" else None,
            severity=SEVERE[rule] if run.escalated else SEVERITY[rule],
            track=_thinned(run.fixes),
            fix=None if phase == "closed" else at,
            fixes=len(run.fixes),
        )

    def event(self, truck: TruckState, rule: str, dated: Fix, known: Fix) -> None:
        self.violation(
            truck,
            rule,
            "occurred",
            at=dated.place,
            started_ms=dated.time_ms,
            detected_ms=known.time_ms,
            track=list(truck.recent),
        )

    def violation(
        self,
        truck: TruckState,
        rule: str,
        phase: str,
        *,
        at: Place,
        started_ms: int,
        detected_ms: int,
        track: list[Fix],
        ended_ms: int | None = None,
        severity: str | None = None,
        fix: Fix | None = None,
        fixes: int | None = None,
    ) -> None:
        trip = truck.trip
        case = Case(
            rule=rule,
            phase=phase,
            truck_id=truck.truck_id,
            at=at,
            rules=self._versions.rules(at.time_ms),
            rules_when_known=self._versions.rules(detected_ms),
            pool=self.pool(truck, at),
            origin_district=trip.origin_district if trip else None,
            started_ms=started_ms,
            until_ms=detected_ms if ended_ms is None else ended_ms,
            fix=fix,
            fixes=fixes,
        )
        self.violations.append(
            {
                "violation_id": new_id(truck.truck_id, rule, started_ms),
                "phase": phase,
                "revision": 0,
                "rule": rule,
                "severity": severity or SEVERITY[rule],
                "truck_id": truck.truck_id,
                "company": case.rules.companies.get(truck.truck_id),
                "started_ms": started_ms,
                "detected_ms": detected_ms,
                "ended_ms": ended_ms,
                "lon": at.lon,
                "lat": at.lat,
                "district": at.district,
                "origin_district": case.origin_district,
                "trip_id": trip.trip_id if trip else None,
                "permit_ids": case.pool.permit_ids,
                "track": [_track_point(fix) for fix in track],
                "city_version": at.city_map.version,
            }
            | evidence(case)
        )

    def trip(self, truck: TruckState, trip: Trip, end: Fix, basis: str) -> None:
        """A trip that ended; `basis` is its `dump_basis`. Its permits are those it began under."""
        is_dump = basis != "unknown"
        site = end.place.nearest("disposal", "transfer") if is_dump else None
        start = trip.start.place
        distance_mm = end.odometer_mm - trip.start.odometer_mm
        self.trips.append(
            {
                "trip_id": trip.trip_id,
                "truck_id": truck.truck_id,
                "permit_ids": self.pool(truck, start).permit_ids,
                "source_site": trip.source.site_id if trip.source else None,
                "dump_site": site.site_id if site else None,
                "origin_district": trip.origin_district,
                "dump_district": end.place.district if is_dump else None,
                "started_ms": trip.start.time_ms,
                "ended_ms": end.time_ms,
                "distance_m": (distance_mm + 500) // 1000,
                "load_basis": trip.load_basis,
                "dump_basis": basis,
                "start": [start.lon, start.lat],
                "end": [end.place.lon, end.place.lat],
            }
        )


def new_id(truck_id: str, subject: str, started_ms: int) -> str:
    return str(uuid.uuid5(ID_NAMESPACE, f"{truck_id}|{subject}|{started_ms}"))


def _track_point(fix: Fix) -> list[float | None]:
    speed_kmh = None if fix.speed_kmh is None else round(fix.speed_kmh, 2)
    return [fix.time_ms, fix.place.lon, fix.place.lat, speed_kmh]


def _thinned(fixes: list[Fix]) -> list[Fix]:
    """Every 2**n-th from the first, at most 32 with the smallest n, and the latest."""
    step = 1
    while len(fixes[::step]) > RUN_TRACK_FIXES:
        step *= 2
    track = fixes[::step]
    return track if track[-1] is fixes[-1] else [*track, fixes[-1]]
