"""Room that runs out in the middle of a batch or of a sweep, on a small scale; on a large one in
`test_engine_invariants`."""

from one_district import one_district
from shapely import Point

from geofences.city import Site
from geofences.hours import ALWAYS
from streams.detect import FIRST_RUNS, Engine, PreparedCity
from streams.events import EVENTS_A_POSITION, Out
from streams.position import Position, Tick

START_MS = 1_795_266_000_000
PIT, FIELD = (121.05, 29.05), (121.10, 29.10)


def test_more_runs_at_a_time_than_there_is_room_for() -> None:
    """Each truck has three: no permit, too fast, uncovered."""
    trucks = FIRST_RUNS // 3 + 1
    elements = [
        Position(f"浙B{n}", START_MS + 30_000 * i, FIELD[0], FIELD[1] + 0.005 * i, 70.0,
                 loaded=True, covered=False)
        for i in range(5)
        for n in range(trucks)
    ]  # fmt: skip
    city = PreparedCity.of(one_district(speed_limit_kmh=60))
    told = Engine.offline(city).process(elements)
    rules = {"no-permit", "speeding", "uncovered-load"}
    assert {(v.truck_id, v.rule) for v in told.violations} == {
        (f"浙B{n}", rule) for n in range(trucks) for rule in rules
    }
    assert len(told.violations) == trucks * len(rules)


def test_a_sweep_goes_on_where_it_ran_out_of_room() -> None:
    """With room for what one truck may need, it does so at each, of more than fit in all; what the
    first truck still has due later is not forgotten over it."""
    trucks = EVENTS_A_POSITION + 2
    site = Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS)
    engine = Engine.live(PreparedCity.of(one_district(sites=(site,))), 0, 1)
    engine._out = Out.with_room(1)
    engine.process(
        [
            Position(f"浙B{n}", START_MS + at_ms, *(FIELD if n else PIT), loaded=True)
            for at_ms in (0, 30_000)
            for n in range(trucks)
        ]
    )
    lost = engine.process([Tick(START_MS + 1_000_000)]).violations
    assert [(v.rule, v.truck_id) for v in lost] == [
        ("signal-lost", f"浙B{n}") for n in range(1, trucks)
    ]
    late = engine.process([Tick(START_MS + 20_000_000)]).violations
    assert [(v.rule, v.truck_id) for v in late] == [("undelivered", "浙B0")]
