"""A fleet of simulated trucks in a city: positions, and labels of offences, in the order of time.

Used by `producers.simulate`. Each truck lives in a generator of its own, which plans one trip at a
time, so that memory stays bounded; chance is seeded per truck, so that the same seed gives the same
fleet. Knows nothing of where positions go.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from geofences.city import City, Permit
from producers.conduct import Conduct
from producers.hauls import Haul, find_hauls
from producers.labels import Label
from producers.offences import OFFENCES
from producers.position_maker import PositionMaker
from producers.road_map import RoadMap
from producers.rota import LOADING_S, Rota
from producers.sensors import Equipment
from producers.shifts import draw_shift
from producers.terms import Terms
from producers.terrain import Terrain
from producers.trips import TIP_S
from producers.truck import Event, Truck
from producers.ways import Journeys
from producers.yards import Yard

OFFENCE_KINDS = len(OFFENCES) + 1
"""The kinds of offences; one of them, driving without a permit, belongs to the truck."""
WITHOUT_SENSORS, WITHOUT_LIFT_SENSOR = 0.15, 0.1
"""Shares of the trucks."""


class SimulationError(Exception):
    """The city does not give a fleet like that; one line that says what to do."""


@dataclass(frozen=True)
class _Crew:
    """What a truck of the city may do."""

    truck_id: str
    terms: Terms
    hauls: list[Haul]


class Fleet:
    """`trucks` trucks of `city` from `start_ms` on, of whose loaded trips a `share` offends.

    `roads`: None = the permitted routes are all there are. `noise`: how large and frequent the
    errors of receivers, sensors and networks are; 1 = as they usually are, 0 = none. Raises
    `SimulationError` where the city has not so many trucks that have something to do.
    """

    def __init__(
        self,
        city: City,
        *,
        trucks: int,
        seed: int,
        start_ms: int,
        share: float,
        roads: RoadMap | None = None,
        noise: float = 1.0,
    ) -> None:
        if not 0 <= share <= 1:
            raise SimulationError(f"a share of offending trips of {share}; allowed is 0 to 1")
        if not 0 <= noise < math.inf:
            raise SimulationError(f"noise of {noise}; allowed is 0 and more")
        self.city = city
        terrain = Terrain(city, roads)
        journeys = Journeys(terrain)
        chance = np.random.default_rng([seed, 0])
        crews, without = _choose(_crews(terrain, start_ms), trucks, share, chance)
        rest = max(0.0, share * trucks - without) / max(1, trucks - without)
        terminals = {truck.truck_id: truck for truck in city.trucks}
        yards = _yards(crews)
        self._trucks = []
        for number, crew in enumerate(crews, 1):
            truck_chance = np.random.default_rng([seed, number])
            equipment = _equipment(crew, truck_chance)
            maker = PositionMaker(
                *(terrain, crew.truck_id, terminals.get(crew.truck_id)),
                *(equipment, truck_chance, noise),
            )
            shift = draw_shift(crew.terms.permits, truck_chance)
            rota = Rota(terrain, journeys, crew.hauls, shift)
            conduct = Conduct(terrain, crew.terms, equipment)
            life = Truck(rota, conduct, yards, maker, truck_chance, start_ms, rest)
            self._trucks.append(life)

    def events(self) -> Iterator[Event]:
        """Positions and labels, without end, in the order in which terminals send them: what one
        has stored where it could not (`backfill`) comes when it can. A label comes when what it
        tells is over."""
        lives = [_numbered(number, truck) for number, truck in enumerate(self._trucks)]
        for _, _, event in heapq.merge(*lives):
            yield event

    def unfinished(self, end_ms: int) -> list[Label]:
        """Labels, partial, of what was going on at the end."""
        return [label for truck in self._trucks for label in truck.unfinished(end_ms)]


def _numbered(number: int, truck: Truck) -> Iterator[tuple[int, int, Event]]:
    """The number decides where two trucks report at the same moment."""
    for time_ms, event in truck.life():
        yield time_ms, number, event


def _crews(terrain: Terrain, start_ms: int) -> list[_Crew]:
    """All trucks of the city that have somewhere to go; those without a permit go anywhere."""
    city, local = terrain.city, terrain.local(start_ms)
    active: dict[str, list[Permit]] = {truck.truck_id: [] for truck in city.trucks}
    for permit in city.permits:
        if permit.validity.in_date(local):
            for truck_id in permit.truck_ids:
                active.setdefault(truck_id, []).append(permit)
    known: dict[tuple[str, ...], tuple[Terms, list[Haul]]] = {}
    crews = []
    for truck_id, permits in sorted(active.items()):
        ids = tuple(permit.permit_id for permit in permits)
        if permits and ids not in known:
            terms = Terms(terrain, permits)
            known[ids] = terms, find_hauls(terrain, permits, terms)
        if permits and known[ids][1]:
            crews.append(_Crew(truck_id, *known[ids]))
    lawless = Terms(terrain, [])
    for truck_id in sorted(truck_id for truck_id, permits in active.items() if not permits):
        if crews:
            crews.append(_Crew(truck_id, lawless, crews[len(crews) // 2].hauls))
    return crews


def _choose(
    crews: Sequence[_Crew], trucks: int, share: float, chance: np.random.Generator
) -> tuple[list[_Crew], int]:
    """The crews that take part, and how many of them have no permit: as many as make driving
    without one as frequent as the other kinds of offences."""
    mixed = [crews[number] for number in chance.permutation(len(crews))]
    permitted = [crew for crew in mixed if crew.terms.permits]
    others = [crew for crew in mixed if not crew.terms.permits]
    without = min(len(others), trucks, round(share * trucks / OFFENCE_KINDS))
    if trucks < 1 or trucks - without > len(permitted):
        raise SimulationError(
            f"{trucks} trucks; the city has {len(permitted)} that hold a permit for a route which "
            "joins a construction site and a disposal site of that permit"
        )
    chosen = permitted[: trucks - without] + others[:without]
    return [chosen[number] for number in chance.permutation(len(chosen))], without


def _equipment(crew: _Crew, chance: np.random.Generator) -> Equipment:
    kind = chance.random()
    if crew.terms.permits and kind < WITHOUT_SENSORS:
        return Equipment(sensors=False, lift=False, scales=False)
    lift = kind >= WITHOUT_SENSORS + WITHOUT_LIFT_SENSOR
    return Equipment(sensors=True, lift=lift, scales=bool(chance.random() < 0.5))


def _yards(crews: Sequence[_Crew]) -> dict[str, Yard]:
    """Of every site: as many bays as keep up with its trucks most of the time, also at hours when
    their other targets are closed."""
    busy: dict[str, float] = defaultdict(float)
    for crew in crews:
        for haul in crew.hauls:
            driving_s = (haul.way.shortest_s() + haul.back.shortest_s()) * 1.2
            cycle_s = driving_s + mean(LOADING_S) + mean(TIP_S)
            busy[haul.source.site.site_id] += mean(LOADING_S) / cycle_s / len(crew.hauls)
            busy[haul.target.site.site_id] += mean(TIP_S) / cycle_s
    return {site_id: Yard(max(1, math.ceil(busy_bays))) for site_id, busy_bays in busy.items()}
