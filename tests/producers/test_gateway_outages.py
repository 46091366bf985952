"""The gateway when Kafka goes, when it is told to stop, over TLS: nothing is acknowledged that is
not kept, and what was read is."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from brokers import MortalBroker
from gateway_parts import (
    OTHER_PHONE,
    OTHER_PLATE,
    PARTITIONS,
    PLATE,
    TIME_MS,
    Terminal,
    location,
    positions,
    running,
    until,
    write_city,
)
from gateway_parts import broker as broker
from gateway_parts import city as city
from servers.certificates import Authority
from servers.programs import MissingProgramError

from mucktrack.topics import create_topics
from streams.access import KafkaAccess

DONE, FAILED = 0, 1


async def test_nothing_is_acknowledged_that_kafka_does_not_keep(
    mortal_kafka: MortalBroker, redis_url: str, city: Path
) -> None:
    create_topics(KafkaAccess(mortal_kafka.address), PARTITIONS)
    async with (
        running(mortal_kafka.address, redis_url, city) as gateway,
        Terminal(gateway.port) as terminal,
        Terminal(gateway.port, OTHER_PHONE) as other,
    ):
        await terminal.enter()
        assert await terminal.locate() == DONE
        await asyncio.to_thread(mortal_kafka.stop)
        serials = [terminal.tell(0x0200, location(TIME_MS + 1000 * n)) for n in range(20)]
        assert await terminal.beat() == DONE, "the gateway lives"
        await other.enter(OTHER_PLATE)
        await until(lambda: "kafka" in gateway.waits_for(), "the health page says so")
        # With the first that is not kept the connection ends: what the terminal has stored is to
        # come before what is new.
        assert (await terminal.answer_to(serials[0], 40)).result == FAILED
        await terminal.until_cut()
        await until(lambda: gateway.figure("undelivered_total") == 20, "all are given up")
        assert gateway.figure("positions_total") == 1
        assert not other.is_cut


async def test_what_was_read_is_answered_before_the_gateway_stops(
    broker: str, redis_url: str, city: Path
) -> None:
    terminal = None
    async with running(broker, redis_url, city) as gateway:
        terminal = await Terminal(gateway.port).__aenter__()
        await terminal.enter()
        serials = [terminal.tell(0x0200, location(TIME_MS + 1000 * n)) for n in range(50)]
        await until(
            lambda: gateway.figure("messages_total", kind="location") == 50, "all have been read"
        )
    assert [(await terminal.answer_to(one)).result for one in serials] == [DONE] * 50
    await terminal.until_cut()
    await terminal.cut()
    assert len(await positions(broker)) == 50
    assert gateway.figure("connections") == gateway.figure("sessions") == 0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    try:
        return Authority(tmp_path)
    except MissingProgramError as error:
        pytest.skip(str(error))


async def test_over_tls(broker: str, redis_url: str, city: Path, authority: Authority) -> None:
    """A peer that speaks plain is cut off, and the others go on."""
    certificate = authority.sign("gateway")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate.cert, certificate.key)
    trusted = ssl.create_default_context(cafile=str(authority.cert))
    async with running(broker, redis_url, city, tls=served) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"\x7e\x00\x02\x00\x00\x01\x38\x00\x13\x80\x00\x00\x01\x2b\x7e" * 100)
        async with Terminal(gateway.port, tls=trusted) as terminal:
            await terminal.enter()
            serials = [terminal.tell(0x0200, location(TIME_MS + 1000 * n)) for n in range(500)]
            assert {(await terminal.answer_to(one)).result for one in serials} == {DONE}
            with suppress(ConnectionError):
                assert b"\x7e" not in await reader.read()
            writer.close()
        assert [one.truck_id for one in await positions(broker)] == [PLATE] * 500


async def test_a_crowded_outbox_stops_the_reading(
    broker: str, redis_url: str, tmp_path: Path
) -> None:
    """With an outbox that holds next to nothing, many terminals get through all the same."""
    fleet = {f"浙B{n:05d}": str(13700000000 + n) for n in range(20)}
    city = write_city(tmp_path / "fleet", fleet)
    async with running(broker, redis_url, city, outbox_bytes=200_000) as gateway:

        async def drive(plate: str, phone: str) -> None:
            left = list(range(300))
            while left:
                async with Terminal(gateway.port, phone) as terminal:
                    await terminal.enter(plate)
                    serials = [
                        (n, terminal.tell(0x0200, location(TIME_MS + 1000 * n))) for n in left
                    ]
                    with suppress(ConnectionError):
                        for n, serial in serials:
                            if (await terminal.answer_to(serial)).result == DONE:
                                left.remove(n)

        await asyncio.gather(*(drive(*truck) for truck in fleet.items()))
        assert len({(one.truck_id, one.time_ms) for one in await positions(broker)}) == 20 * 300
