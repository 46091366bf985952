"""The parts of `mucktrack up`, where servers go away or others are at work."""

import time
from contextlib import ExitStack

import pytest
from servers.redis_server import RedisServer

from mucktrack.catch_up import catch_up, fleet_start_ms
from mucktrack.city_check import load
from mucktrack.parts import Fleet, FleetPlan, Servers, Worker
from mucktrack.settings import Settings
from producers.demo_city import DEMO_CITY
from streams.access import KafkaAccess

AWAY_S = 3.0


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_worker_ends_in_good_order_while_kafka_is_away(tmp_path, busy, mortal_kafka):
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(tmp_path / "redis"))
        settings = Settings(kafka=mortal_kafka.address, redis=redis.url)
        servers = Servers(settings, tmp_path, stack)
        worker = Worker(settings, servers, DEMO_CITY, tmp_path, stack)
        worker.wait_until_ready()
        before = catch_up(
            KafkaAccess.plain(mortal_kafka.address), settings.partitions, worker.figures
        )
        if busy:
            start_ms = fleet_start_ms(load(DEMO_CITY), time.time_ns() // 1_000_000, None)
            plan = FleetPlan(200, 600)
            Fleet(plan, servers, DEMO_CITY, settings.partitions, start_ms, tmp_path, stack)
            while (worker.figures() or before).positions == before.positions:
                time.sleep(0.1)
        mortal_kafka.stop()
        time.sleep(AWAY_S)
        assert worker.child.stop(), worker.child.tail()
