"""What the permits of a truck allow at a time (design section 5, active permits).

Called by the rules and the engine. Knows nothing of fixes or trips.
"""

from dataclasses import dataclass

from geofences.city import City
from geofences.hours import Validity
from reference.geometry import CityMap


@dataclass(frozen=True)
class Pool:
    """The active permits of a truck, pooled. None = they set no limit."""

    permit_ids: list[str]
    any_holds: bool
    """The hours of one of them hold."""
    validities: list[Validity]
    """In the order of their ids."""
    route_ids: frozenset[str] | None
    disposal_site_ids: frozenset[str] | None
    district_codes: frozenset[str] | None
    site_ids: frozenset[str]
    """All their source and disposal sites."""
    all_route_ids: frozenset[str]
    all_district_codes: frozenset[str]
    """What they name, whether or not one of them sets no limit."""

    @property
    def is_empty(self) -> bool:
        return not self.permit_ids


class PermitBook:
    def __init__(self, city: City, city_map: CityMap) -> None:
        self._city_map = city_map
        self._of_truck = {
            truck_id: [permit for permit in city.permits if truck_id in permit.truck_ids]
            for truck_id in {t for permit in city.permits for t in permit.truck_ids}
        }
        self._districts = {p.permit_id: city_map.districts_of_permit(p) for p in city.permits}

    def active(self, truck_id: str, time_ms: int) -> Pool:
        local = self._city_map.local(time_ms)
        permits = [p for p in self._of_truck.get(truck_id, []) if p.validity.in_date(local)]
        return Pool(
            permit_ids=sorted(p.permit_id for p in permits),
            any_holds=any(p.validity.holds(local) for p in permits),
            validities=[p.validity for p in sorted(permits, key=lambda p: p.permit_id)],
            route_ids=_pooled([frozenset(p.route_ids) for p in permits]),
            disposal_site_ids=_pooled([frozenset(p.disposal_site_ids) for p in permits]),
            district_codes=_pooled([self._districts[p.permit_id] for p in permits]),
            site_ids=frozenset(s for p in permits for s in p.source_site_ids + p.disposal_site_ids),
            all_route_ids=frozenset(r for p in permits for r in p.route_ids),
            all_district_codes=frozenset(d for p in permits for d in self._districts[p.permit_id]),
        )


def _pooled(limits: list[frozenset[str]]) -> frozenset[str] | None:
    if not all(limits):
        return None
    return frozenset().union(*limits)
