"""What `mucktrack up` checks before it starts anything: the fleet, and a Redis it is given.

A Kafka it is given need not be looked at: making its topics does that.
"""

import time
from contextlib import closing

import redis

from geofences.city import City
from mucktrack.catch_up import fleet_start_ms
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.parts import FleetPlan
from mucktrack.settings import SETTINGS
from producers.fleet import Fleet, SimulationError

ANSWER_S = 5.0
"""A Redis that does not answer within this time is reported as away."""


def check_fleet(plan: FleetPlan, city: City) -> None:
    """Raises `BadInputError` where the city has not so many trucks that have something to do."""
    start_ms = fleet_start_ms(city, time.time_ns() // 1_000_000, None)
    try:
        Fleet(city, trucks=plan.trucks, seed=plan.seed, start_ms=start_ms, share=plan.share)
    except SimulationError as error:
        raise BadInputError(f"fleet: {error}") from None


def check_redis(url: str) -> None:
    """Raises `WorkFailedError` where no Redis answers. A worker goes on without one, which may come
    back; one that never was there is a slip of the pen."""
    place = SETTINGS["redis"].shown(url)
    try:
        with closing(
            redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        ) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        words = " ".join(str(error).split()).rstrip(".")
        raise WorkFailedError(
            f"Redis at {place}: {words}; is it running, and is the URL in MUCKTRACK_REDIS right?"
        ) from None
    except ValueError as error:
        raise BadInputError(f"Redis at {place}: {error}") from None
