"""Kafka away, and TLS, under the gateway for platforms."""

import asyncio
import ssl
from pathlib import Path

import pytest
from gateway_parts import PARTITIONS, TIME_MS, positions, until
from platform_parts import LowerPlatform, running
from servers.certificates import Authority
from servers.kafka_cluster import KafkaCluster
from servers.programs import MissingProgramError
from servers.tansu_server import TansuServer

from mucktrack.topics import create_topics
from producers.gateway.outbox import Outbox
from streams.access import KafkaAccess


async def test_what_kafka_does_not_take_is_written_when_it_is_back(
    breakable_kafka: KafkaCluster | TansuServer, tmp_path: Path
) -> None:
    broker = breakable_kafka.bootstrap
    create_topics(KafkaAccess(broker), PARTITIONS)
    async with running(broker, tmp_path) as gateway:
        _hurry(gateway.gateway.outbox)
        async with LowerPlatform(gateway.port) as platform:
            assert await platform.log_in() == 0
            platform.tell_position()
            await until(lambda: gateway.figure("positions_total") == 1, "one is kept")
            breakable_kafka.freeze(0)
            for number in range(1, 11):
                platform.tell_position(time_ms=TIME_MS + number * 1_000)
            await until(lambda: gateway.gateway.intake.behind, "Kafka has not taken them")
            # Nothing more is read until they are in Kafka: the bytes wait at the platform.
            platform.tell_position(time_ms=TIME_MS + 11_000)
            await until(lambda: gateway.figure("paused_connections") == 1, "it is not read")
            breakable_kafka.thaw(0)
            await until(lambda: gateway.figure("positions_total") >= 12, "all are kept", 60)
            await platform.settled()
        kept = {one.time_ms for one in await positions(broker)}
        assert kept == {TIME_MS + number * 1_000 for number in range(12)}
        assert gateway.figure("lost_records_total") == 0


def _hurry(outbox: Outbox) -> None:
    """It gives up after a second, so that the test need not wait for ten."""
    outbox._deliver_s = 1.0


async def test_a_stop_while_kafka_is_away_tells_what_is_lost(
    breakable_kafka: KafkaCluster | TansuServer, tmp_path: Path
) -> None:
    broker = breakable_kafka.bootstrap
    create_topics(KafkaAccess(broker), PARTITIONS)
    async with running(broker, tmp_path) as gateway, LowerPlatform(gateway.port) as platform:
        assert await platform.log_in() == 0
        breakable_kafka.kill(0)
        for number in range(3):
            platform.tell_position(time_ms=TIME_MS + number * 1_000)
        await asyncio.sleep(0.3)
        async with asyncio.timeout(20):
            await gateway.gateway.stop()
        assert gateway.figure("lost_records_total") == 6, "three positions, three frames"


async def test_tls(fresh_kafka: str, tmp_path: Path) -> None:
    try:
        authority = Authority(tmp_path)
        certificate = authority.sign("gateway")
    except MissingProgramError as error:
        pytest.skip(str(error))
    create_topics(KafkaAccess(fresh_kafka), PARTITIONS)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.cert, certificate.key)
    client = ssl.create_default_context(cafile=str(authority.cert))
    async with running(fresh_kafka, tmp_path, tls=server) as gateway:
        async with LowerPlatform(gateway.port) as plain:
            plain.tell_bytes(plain.wire(0x1005, plain.position()))
            await plain.until_cut()
        async with LowerPlatform(gateway.port, tls=client) as platform:
            assert await platform.log_in() == 0
            platform.tell_position()
            await platform.settled()
            await until(lambda: gateway.figure("positions_total") == 1, "it is kept")
