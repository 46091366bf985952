"""`python -m mucktrack.warm` compiles the core, so that no later start has to wait for it.

`make install` calls it. It judges a speeding truck that tips in the bundled city,
which takes every compiled function.
"""

import sys

from geofences.loader import load_city
from producers.demo_city import DEMO_CITY
from streams.detect import Engine, PreparedCity
from streams.explain.narrator import Narrator
from streams.position import Position
from streams.whereabouts import whereabouts

START_MS = 1_750_000_000_000


def main() -> None:
    """Compile what is not compiled yet; says so first, since it takes a while."""
    sys.stderr.write("mucktrack: compiling the core, once on this machine …\n")
    city = load_city(DEMO_CITY)
    engine = Engine.offline(PreparedCity.of(city))
    place = city.districts[0].shape.representative_point()
    loaded = [False, False, True, True, False, False]
    fixes = [
        Position("京A00001", START_MS + 10_000 * i, place.x, place.y, speed_kmh=120.0, loaded=value)
        for i, value in enumerate(loaded)
    ]
    outcome = engine.process(fixes)
    engine.finish()
    whereabouts(engine, fixes)
    told = list(Narrator(Engine.offline(engine.city), fixes[0].truck_id).take(fixes))
    if not (told and outcome.violations and outcome.trips):
        raise AssertionError("a violation and a trip were to be made, so that all is compiled")


if __name__ == "__main__":
    main()
