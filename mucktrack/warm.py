"""`python -m mucktrack.warm` compiles the core, so that no later start has to wait for it.

`make install` calls it. It judges a few positions of the bundled city, which takes the whole pass.
"""

import sys

from geofences.loader import load_city
from producers.demo_city import DEMO_CITY
from streams.detect import Engine, PreparedCity
from streams.position import Position


def main() -> None:
    """Compile what is not compiled yet; says so first, since it takes a while."""
    sys.stderr.write("mucktrack: compiling the core, once on this machine …\n")
    city = load_city(DEMO_CITY)
    engine = Engine.offline(PreparedCity.of(city))
    centre = city.districts[0].shape.representative_point()
    start_ms = 1_750_000_000_000
    engine.process(
        [
            Position("京A00001", start_ms + second * 1_000, centre.x, centre.y, speed_kmh=30.0)
            for second in range(0, 60, 10)
        ]
    )
    engine.finish()


if __name__ == "__main__":
    main()
