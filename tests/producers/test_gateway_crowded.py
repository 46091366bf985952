"""More than the outbox holds, from many connections at once: they wait, and nothing is refused."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from gateway_parts import PARTITIONS, Terminal, location, positions, running, until, write_city

from mucktrack.topics import create_topics
from producers.jt808.session import GeneralAnswer
from streams.access import KafkaAccess

TERMINALS = 60
EACH = 50
FLEET = {f"浙B{number:05d}": str(13_700_000_000 + number) for number in range(TERMINALS)}
MOST_BYTES = 100_000
"""Some hundred messages: each of the connections has about half of them."""


async def test_a_crowd_waits(fresh_kafka: str, redis_url: str, tmp_path: Path) -> None:
    create_topics(KafkaAccess.plain(fresh_kafka), PARTITIONS)
    city = write_city(tmp_path / "city", FLEET)
    async with (
        running(fresh_kafka, redis_url, city, outbox_bytes=MOST_BYTES, is_open=True) as gateway,
        AsyncExitStack() as stack,
    ):
        terminals = [
            await stack.enter_async_context(Terminal(gateway.port, phone))
            for phone in FLEET.values()
        ]
        for terminal in terminals:
            for number in range(EACH):
                terminal.tell(0x0200, location(speed_kmh=float(number)))
        outbox, server = gateway.gateway.outbox, gateway.gateway.server
        await until(lambda: server.waiting, "connections wait")
        assert outbox.held_bytes < 2 * MOST_BYTES
        await until(
            lambda: all(len(terminal.answers) == EACH for terminal in terminals), "all is answered"
        )
        for terminal in terminals:
            bodies = [message.body for message in terminal.answers]
            assert all(isinstance(body, GeneralAnswer) and body.result == 0 for body in bodies)
            # In the order they were sent.
            assert [body.serial for body in bodies] == sorted(body.serial for body in bodies)
        await until(lambda: not server.waiting, "none waits any more")
        await asyncio.sleep(0)
        assert outbox.refused == 0
        assert gateway.figure("paused") == 0
    kept = await positions(fresh_kafka)
    assert len(kept) == TERMINALS * EACH
