"""The gateway with frames as other projects' terminals have sent them, whole and broken: every
terminal that is let in is answered, and every location that is acknowledged is kept."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

from gateway_parts import (
    LIMITS,
    PATIENCE_S,
    PHONE,
    PLATE,
    TIME_MS,
    Terminal,
    frames,
    location,
    positions,
    rejects,
    running,
    until,
    write_city,
)
from gateway_parts import broker as broker
from gateway_parts import city as city

from producers.jt808.connection import Connection, Received
from producers.jt808.header import bare_phone
from producers.jt808.message import Message, encode
from producers.jt808.session import GeneralAnswer, RegisterAnswer

DONE = 0
LOCATIONS = {0x0200, 0x0201, 0x0704}
TERMINALS = range(0x8000)
"""Message ids; those above are the platform's."""


def captured(shared_dir: Path) -> list[bytes]:
    path = shared_dir / "vectors" / "jt808_frames.json"
    return [bytes.fromhex(one["hex"]) for one in json.loads(path.read_text())["frames"]]


async def test_frames_of_real_terminals(
    broker: str, redis_url: str, shared_dir: Path, tmp_path: Path
) -> None:
    """On one connection, behind each other: each is answered, and locations are in Kafka."""
    data = captured(shared_dir)
    # What the codec makes of them says whom the gateway has to know, and what it has to answer.
    read = [event for one in data for event in Connection().receive(one, 0.0)]
    messages = [one.message for one in read if isinstance(one, Received)]
    said = [one for one in messages if one.message_id in TERMINALS and one.message_id != 0x0001]
    phones = sorted({bare_phone(one.phone) for one in messages})
    fleet = {f"浙B{number:05d}": phone for number, phone in enumerate(phones)}
    city = write_city(tmp_path / "fleet", fleet)
    limits = type(LIMITS)(60, 10, 10, 1_000)
    async with running(broker, redis_url, city, is_open=True, limits=limits) as gateway:
        for one in data:
            # Each on a connection of its own, so that faults do not add up.
            async with Terminal(gateway.port) as terminal:
                mine = Connection().receive(one, 0.0)
                terminal.tell_bytes(one)
                wanted = [
                    event.message
                    for event in mine
                    if isinstance(event, Received)
                    and event.message.message_id in TERMINALS
                    and event.message.message_id != 0x0001
                ]
                for message in wanted:
                    answer = await terminal.answer_to(message.serial)
                    assert isinstance(answer, GeneralAnswer | RegisterAnswer)
        assert len(said) > 50
        kept, refused = await positions(broker), await rejects(broker)
        acknowledged = gateway.figure("positions_total")
    assert len(kept) == acknowledged >= 50
    assert {one.truck_id for one in kept} <= set(fleet)
    assert {one["reason"] for one in refused} <= {"malformed", "encrypted_coordinates"}


async def test_broken_frames_of_real_terminals(
    broker: str, redis_url: str, shared_dir: Path, city: Path
) -> None:
    """Bytes changed, lost, doubled, cut anywhere: the good terminal beside them is answered."""
    chance = random.Random(808)
    data = captured(shared_dir)

    def broken() -> bytes:
        frame = bytearray(chance.choice(data))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(frame))
            match chance.randrange(4):
                case 0:
                    frame[at] = chance.randrange(256)
                case 1:
                    del frame[at]
                case 2:
                    frame[at:at] = frame[at : at + 9]
                case _:
                    frame[at:] = b"\x7e"
            if not frame:
                return b"\x7e"
        return bytes(frame)

    async def hostile(port: int) -> None:
        for _ in range(20):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for _ in range(40):
                    writer.write(broken())
                    await writer.drain()
                    await asyncio.sleep(0)
            except ConnectionError:
                pass
            finally:
                writer.close()

    async with (
        running(broker, redis_url, city, is_open=True) as gateway,
        Terminal(gateway.port) as good,
    ):
        attacks = [asyncio.create_task(hostile(gateway.port)) for _ in range(10)]
        sent = 0
        while not all(one.done() for one in attacks):
            assert await good.locate(TIME_MS + 1000 * sent) == DONE
            sent += 1
        await asyncio.gather(*attacks)
        await until(lambda: len(gateway.gateway.server.links) == 1, "the others are gone")
        own = [one for one in await positions(broker) if one.truck_id == PLATE]
        assert len(own) == sent


async def test_byte_by_byte(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        frame = encode(Message(0x0200, PHONE.zfill(12), 500, "2013", location()))
        for byte in frame:
            terminal.tell_bytes(bytes([byte]))
            await asyncio.sleep(0.001)
        assert (await terminal.answer_to(500)).result == DONE
        (raw,) = await frames(broker)
        assert raw.value == frame


async def test_connections_cut_at_random(broker: str, redis_url: str, tmp_path: Path) -> None:
    """Every position that was acknowledged to a terminal is in Kafka, whatever came of the rest."""
    fleet = {f"浙B{n:05d}": str(13700000000 + n) for n in range(30)}
    city = write_city(tmp_path / "fleet", fleet)
    acknowledged: set[tuple[str, int]] = set()
    chance = random.Random(31)

    async def drive(port: int, plate: str, phone: str) -> None:
        waiting = [TIME_MS + 1000 * n for n in range(60)]
        deadline = time.monotonic() + 3 * PATIENCE_S
        while waiting:
            assert time.monotonic() < deadline
            async with Terminal(port, phone) as terminal:
                await terminal.enter(plate)
                told: dict[int, int] = {}
                for time_ms in waiting[:20]:
                    told[terminal.tell(0x0200, location(time_ms))] = time_ms
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                for serial, time_ms in told.items():
                    body: Any = terminal.by_serial.get(serial)
                    if body is not None and body.result == DONE:
                        acknowledged.add((plate, time_ms))
                        waiting.remove(time_ms)

    async with running(broker, redis_url, city) as gateway:
        await asyncio.gather(*(drive(gateway.port, *truck) for truck in fleet.items()))
        kept = {(one.truck_id, one.time_ms) for one in await positions(broker)}
    assert len(acknowledged) == 30 * 60
    assert acknowledged <= kept
