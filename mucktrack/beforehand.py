"""What `mucktrack up` checks before it starts anything: the fleet, and a Redis it is given.

A Kafka it is given need not be looked at: making its topics does that.
"""

import time

from geofences.city import City
from mucktrack.catch_up import fleet_start_ms
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.parts import FleetPlan
from mucktrack.settings import SETTINGS
from producers.fleet import Fleet, SimulationError
from streams import redis_admission
from streams.access import AccessRefusedError
from streams.checkpoint import StoreAwayError


def check_fleet(plan: FleetPlan, city: City) -> None:
    """Raises `BadInputError` where the city has not so many trucks that have something to do."""
    start_ms = fleet_start_ms(city, time.time_ns() // 1_000_000, None)
    try:
        Fleet(city, trucks=plan.trucks, seed=plan.seed, start_ms=start_ms, share=plan.share)
    except SimulationError as error:
        raise BadInputError(f"fleet: {error}") from None


def check_redis(url: str) -> None:
    """Raises `WorkFailedError` where no Redis answers or it does not let in. A worker goes on
    without one, which may come back; one that never was there is a slip of the pen."""
    place = SETTINGS["redis"].shown(url)
    try:
        redis_admission.check_redis(url)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except StoreAwayError as error:
        raise WorkFailedError(
            f"Redis at {place}: {error}; is it running, and is the URL in MUCKTRACK_REDIS right?"
        ) from None
