"""Peers that do harm, beside a terminal that does not: whatever they send, it is answered as ever,
and nothing of theirs stays behind."""

import asyncio
import gc
import random
from dataclasses import replace
from pathlib import Path

import pytest
from gateway_parts import (
    LIMITS,
    OTHER_PHONE,
    OTHER_PLATE,
    PHONE,
    TIME_MS,
    Running,
    Terminal,
    location,
    positions,
    running,
    until,
    write_city,
)
from gateway_parts import broker as broker
from gateway_parts import city as city

from producers.gateway import limits
from producers.gateway.receipt import Receipt
from producers.gateway.sessions import Session
from producers.gateway.terminal_link import TerminalLink
from producers.jt808.message import Message, encode
from producers.jt808.messages import Unknown
from producers.jt808.session import Heartbeat

DONE, FAILED = 0, 1


async def flood(gateway: Running, data: bytes, patience_s: float = 20) -> bytes:
    """Send `data` and read until the gateway ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    answer = b""
    try:
        async with asyncio.timeout(patience_s):
            writer.write(data)
            await writer.drain()
            answer = await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answer


def heartbeat(serial: int, phone: str = PHONE) -> bytes:
    return encode(Message(0x0002, phone.zfill(12), serial, "2013", Heartbeat()))


async def test_garbage_beside_a_good_terminal(broker: str, redis_url: str, city: Path) -> None:
    chance = random.Random(8)
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as good:
        await good.enter()
        hostile = [
            b"GET / HTTP/1.1\r\nHost: gateway\r\nCookie: " + b"x" * 9_000 + b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(9_000),
            chance.randbytes(100_000),
            b"\x7e" * 100_000 + b"\x00" * 10_000,
            b"\x7e\x00\x7e" * 10_000,
            b"\x7d" * 20_000,
        ]
        floods = [asyncio.create_task(flood(gateway, data)) for data in hostile * 3]
        for turn in range(20):
            assert await good.locate(TIME_MS + 1000 * turn) == DONE
        await asyncio.gather(*floods)
        await until(lambda: len(gateway.gateway.server.links) == 1, "they are gone")
        assert gateway.figure("refused_total", reason="no_frame") > 0
        assert len(await positions(broker)) == 20


async def test_a_probe_that_says_nothing_more(broker: str, redis_url: str, city: Path) -> None:
    """A short HTTP request, and one byte after another that never make a frame."""
    tight = replace(LIMITS, idle_s=2)
    async with running(broker, redis_url, city, limits=tight) as gateway:
        assert await flood(gateway, b"GET / HTTP/1.0\r\n\r\n", patience_s=10) == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for _ in range(40):
            writer.write(b"\x7e\x00"[:1])
            await asyncio.sleep(0.1)
            if reader.at_eof():
                break
        assert reader.at_eof() or await reader.read() == b""
        writer.close()
        assert gateway.figure("connections_closed_total", reason="no_frame") == 2


async def test_dribbled_bytes_do_not_keep_a_connection(
    broker: str, redis_url: str, city: Path
) -> None:
    """After good frames too: only whole frames count as a sign of life."""
    tight = replace(LIMITS, idle_s=2)
    async with (
        running(broker, redis_url, city, limits=tight) as gateway,
        Terminal(gateway.port) as slow,
        Terminal(gateway.port, OTHER_PHONE) as good,
    ):
        await slow.enter()
        await good.enter(OTHER_PLATE)
        for _ in range(60):
            slow.tell_bytes(b"\x00")
            await asyncio.sleep(0.1)
            if slow.is_cut:
                break
            assert await good.beat() == DONE
        assert slow.is_cut
        assert gateway.figure("connections_closed_total", reason="idle") == 1
        assert await good.beat() == DONE


async def test_bad_frames_are_borne_for_a_while(broker: str, redis_url: str, city: Path) -> None:
    bad = b"\x7e\x00\x02\x00\x00\x01\x38\x00\x13\x80\x00\x00\x01\x00\x7e"
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        for turn in range(300):
            if turn % 20 == 0:
                terminal.tell_bytes(bad)
            assert await terminal.beat() == DONE
        assert not terminal.is_cut
        terminal.tell_bytes(bad * 40)
        await terminal.until_cut()
        assert gateway.figure("connections_closed_total", reason="faults") == 1


async def test_bad_frames_do_not_hold_up_those_after_them(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        wrong = bytearray(heartbeat(500))
        wrong[-2] ^= 1
        terminal.tell_bytes(bytes(wrong) + b"junk" + heartbeat(501) + b"\x7d\x03" + heartbeat(502))
        assert (await terminal.answer_to(501)).result == DONE
        assert (await terminal.answer_to(502)).result == DONE


async def test_a_connection_that_nobody_is_let_in_on(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as stranger:
        for _ in range(limits.REFUSALS + 1):
            stranger.tell(0x0102, Unknown(b"guess"))
        await stranger.until_cut()
        assert gateway.figure("connections_closed_total", reason="refused") == 1
        assert gateway.figure("authentications_total", result="refused") == limits.REFUSALS + 1


async def test_parts_of_strangers_are_not_kept(broker: str, redis_url: str, city: Path) -> None:
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port, OTHER_PHONE) as stranger,
    ):
        assert await stranger.beat() == FAILED
        whole = encode(
            Message(0x0801, OTHER_PHONE.zfill(12), 1, "2013", Unknown(b"photo" * 20_000))
        )
        stranger.tell_bytes(whole[: whole.rindex(b"\x7e", 0, -1)])
        await stranger.until_cut()
        await until(lambda: not gateway.gateway.server.links, "it is gone")
        assert gateway.figure("connections_closed_total", reason="faults") == 1
        assert gateway.figure("refused_total", reason="not_let_in") == limits.FAULTS + 2


@pytest.mark.parametrize("message_id", [0x0100, 0x0102])
async def test_who_comes_encrypted_is_told(
    broker: str, redis_url: str, city: Path, message_id: int
) -> None:
    """And is heard on the same connection, when it comes again without."""
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        secret = Message(message_id, PHONE.zfill(12), 700, "2013", Unknown(b"secret"), 1)
        terminal.tell_bytes(encode(secret))
        assert (await terminal.answer_to(700)).result == 3
        assert gateway.figure("refused_total", reason="encrypted") == 1
        await terminal.enter()


async def test_a_photo_in_parts_is_not_supported_and_spoils_nothing(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        photo = Message(0x0801, PHONE.zfill(12), 100, "2013", Unknown(b"photo" * 20_000))
        terminal.tell_bytes(encode(photo))
        assert (await terminal.answer_to(100)).result == 3
        assert await terminal.locate() == DONE


async def test_a_connection_on_which_nobody_is_let_in_ends(
    broker: str, redis_url: str, city: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port) as good,
        Terminal(gateway.port, "15000000000") as stranger,
    ):
        await good.enter()
        assert await stranger.beat() == FAILED
        for link in list(gateway.gateway.server.links):
            link._began_s = loop.time() - limits.LET_IN_S - 1
        await stranger.until_cut()
        assert gateway.figure("connections_closed_total", reason="not_let_in") == 1
        assert await good.beat() == DONE


async def test_connections_are_bounded(broker: str, redis_url: str, city: Path) -> None:
    tight = replace(LIMITS, connections=3)
    async with running(broker, redis_url, city, limits=tight) as gateway:
        async with Terminal(gateway.port) as one, Terminal(gateway.port), Terminal(gateway.port):
            await one.enter()
            async with Terminal(gateway.port) as fourth:
                await fourth.until_cut()
            assert gateway.figure("connections_closed_total", reason="too_many") == 1
            assert await one.beat() == DONE
        await until(lambda: not gateway.gateway.server.links, "all are gone")
        async with Terminal(gateway.port) as again:
            await again.enter()


async def test_connections_of_one_address_are_bounded(
    broker: str, redis_url: str, city: Path
) -> None:
    tight = replace(LIMITS, connections_an_address=2)
    async with (
        running(broker, redis_url, city, limits=tight) as gateway,
        Terminal(gateway.port) as one,
        Terminal(gateway.port),
    ):
        await one.enter()
        async with Terminal(gateway.port) as third:
            await third.until_cut()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.port, local_addr=("127.0.0.2", 0)
        )
        writer.write(heartbeat(1))
        assert await reader.readexactly(1) == b"\x7e"
        writer.close()


async def test_phones_of_one_connection_are_bounded(
    broker: str, redis_url: str, city: Path
) -> None:
    tight = replace(LIMITS, phones=2)
    async with (
        running(broker, redis_url, city, limits=tight) as gateway,
        Terminal(gateway.port) as forwarder,
    ):
        await forwarder.enter()
        await forwarder.enter(OTHER_PLATE, OTHER_PHONE)
        for number in range(50):
            assert await forwarder.beat(str(15000000000 + number)) == FAILED
        assert await forwarder.locate() == DONE
        assert gateway.figure("refused_total", reason="too_many_phones") == 50


async def test_a_session_behind_a_forwarder_ends_alone(
    broker: str, redis_url: str, city: Path
) -> None:
    tight = replace(LIMITS, idle_s=2)
    async with (
        running(broker, redis_url, city, limits=tight) as gateway,
        Terminal(gateway.port) as forwarder,
    ):
        await forwarder.enter()
        await forwarder.enter(OTHER_PLATE, OTHER_PHONE)
        for _ in range(40):
            assert await forwarder.beat() == DONE
            await asyncio.sleep(0.1)
        assert [one.bare for one in gateway.gateway.sessions] == [PHONE]
        assert await forwarder.beat(OTHER_PHONE) == FAILED


async def test_a_terminal_that_fetches_no_answers(broker: str, redis_url: str, city: Path) -> None:
    """It is not read any more, so that its answers take up no memory, and the others go on."""
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as good:
        await good.enter()
        _reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1)
        writer.transport.pause_reading()
        links = gateway.gateway.server.links

        async def beat() -> None:
            while True:
                writer.write(heartbeat(1, "17000000000") * 1_000)
                await writer.drain()

        beating = asyncio.create_task(beat())
        await until(lambda: any(one._unsent_since_s for one in links), "it is not read any more")
        beating.cancel()
        (deaf,) = (one for one in links if one._unsent_since_s)
        assert deaf._transport is not None
        assert deaf._transport.get_write_buffer_size() < 2 * limits.UNSENT_BYTES
        assert await good.locate() == DONE
        deaf.close("faults")
        await asyncio.sleep(0.1)
        assert len(links) == 2, "its answers are still to be fetched"
        loop = asyncio.get_running_loop()
        deaf.look(loop.time() + limits.UNSENT_S + 1)
        await until(lambda: len(links) == 1, "it is cut off")
        writer.transport.abort()


async def test_nothing_is_left_of_two_hundred_connections(
    broker: str, redis_url: str, tmp_path: Path
) -> None:
    fleet = {f"浙B{n:05d}": str(13700000000 + n) for n in range(200)}
    city = write_city(tmp_path / "fleet", fleet)

    async def come_and_go(port: int) -> None:
        async def one(plate: str, phone: str) -> None:
            async with Terminal(port, phone) as terminal:
                await terminal.enter(plate)
                assert await terminal.locate() == DONE
                terminal.tell_bytes(heartbeat(9)[:-3])

        await asyncio.gather(*(one(*truck) for truck in fleet.items()))

    before = _left()
    """Of tests before this one, where pytest keeps something."""
    async with running(broker, redis_url, city) as gateway:
        server, sessions = gateway.gateway.server, gateway.gateway.sessions
        await come_and_go(gateway.port)
        await until(lambda: not server.links, "they are gone")
        for _ in range(2):
            await come_and_go(gateway.port)
            await until(lambda: not server.links, "they are gone")
        assert len(sessions) == 0
        assert not server.waiting
        assert not server._addresses
        assert gateway.figure("sessions") == gateway.figure("connections") == 0
        await until(lambda: gateway.gateway.outbox.held_bytes == 0, "all is kept")
        await until(lambda: _left() <= before, "nothing is left of them")


def _left() -> set[int]:
    gc.collect()
    kinds = TerminalLink | Session | Receipt
    return {id(one) for one in gc.get_objects() if isinstance(one, kinds)}


async def test_ten_thousand_frames_from_one_delay_the_others_little(
    broker: str, redis_url: str, city: Path
) -> None:
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port) as busy,
        Terminal(gateway.port, OTHER_PHONE) as other,
    ):
        await busy.enter()
        await other.enter(OTHER_PLATE)
        busy.tell_bytes(
            b"".join(
                encode(Message(0x0200, PHONE.zfill(12), n, "2013", location(TIME_MS + 1000 * n)))
                for n in range(100, 10_100)
            )
        )
        async with asyncio.timeout(5):
            assert await other.locate() == DONE
        assert (await busy.answer_to(10_099)).result == DONE
        assert len(await positions(broker)) == 10_001
