"""Compiles the core before it is needed, or loads what was compiled: the first time on a machine
that takes a minute, in which nothing else goes on.

`streams.app` calls it before a worker joins its group, `mucktrack.warm` when mucktrack is
installed. Compiled code is the same for every city.
"""

from shapely import box

from geofences.city import City, District
from streams.batch import Batch
from streams.detect import Engine, PreparedCity
from streams.position import Position, encode_position
from streams.tallies import Tallies
from streams.trucks import FIRST_SLOTS, TruckTable
from streams.waiting import Waiting
from streams.whereabouts import whereabouts

START_MS = 1_750_000_000_000
CITY = City(
    name="warm-up",
    admin_code="000000",
    timezone="UTC",
    version="",
    speed_limit_kmh=None,
    state_overrides={},
    rule_overrides={},
    districts=(District("000000", "warm-up", box(0.1, 0.1, 0.2, 0.2)),),
)
"""Whoever drives loaded in it offends: there are no permits."""


TRUCK_ID = "warm-up"


def fixes() -> list[Position]:
    """A truck that drives loaded without a permit, tips, and drives on."""
    return [
        Position(TRUCK_ID, START_MS + 20_000 * i, 0.11 + 0.002 * i, 0.11, speed_kmh=40.0, loaded=on)
        for i, on in enumerate([False] * 2 + [True] * 8 + [False] * 4)
    ]


def compile_core() -> None:
    """Judge such a truck: that takes every compiled function."""
    engine = Engine.offline(PreparedCity.of(CITY))
    drive = fixes()
    outcome = engine.process(drive)
    engine.finish()
    whereabouts(engine, outcome.judged.rows)
    Waiting(1).note(engine, outcome.judged)
    Tallies.by([1.0]).add(*outcome.judged, START_MS)
    _compile_reading()
    if not (outcome.violations and outcome.trips):
        raise AssertionError("a violation and a trip were to be made, so that all is compiled")


def _compile_reading() -> None:
    """Read a record, into a table of more trucks than it has room for at first."""
    batch, trucks = Batch(), TruckTable()
    if batch.read(encode_position(fixes()[0])) is not None:
        raise AssertionError("a plain record was to be read, so that the reading is compiled")
    batch.columns(trucks)
    trucks.rows_of([str(number) for number in range(FIRST_SLOTS)])
