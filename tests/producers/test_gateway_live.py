"""The gateway with real terminals' sockets, a real broker and a real Redis: what is answered when,
and what is kept."""

import asyncio
from pathlib import Path

import pytest
from gateway_parts import (
    PHONE,
    PLATE,
    TIME_MS,
    Terminal,
    batch,
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

from producers.jt808.header import Version
from producers.jt808.location import BadLocation, LocationAnswer
from producers.jt808.message import Message, encode
from producers.jt808.messages import Unknown
from producers.jt808.queries import Parameters, Resend
from producers.jt808.session import GeneralAnswer, Heartbeat, Unregister

DONE, FAILED, WRONG, UNSUPPORTED = range(4)
STRANGER = "18888888888"


async def test_from_registration_to_kafka(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        code = await terminal.enter()
        assert len(code) == 16
        assert await terminal.locate() == 0
        kept = await positions(broker)
        raw = await frames(broker)
    (position,) = kept
    assert (position.truck_id, position.terminal_id, position.source) == (PLATE, PHONE, "jt808")
    assert (position.time_ms, position.lon, position.lat) == (TIME_MS, 121.1, 29.1)
    assert position.speed_kmh == 36.5
    assert position.backfill is False
    (frame,) = raw
    assert frame.key == PHONE.encode()
    assert frame.value[:3] == b"\x7e\x02\x00"
    assert int(frame.headers["received_ms"]) == position.received_ms


@pytest.mark.parametrize("version", ["2011", "2013", "2019"])
async def test_every_edition(broker: str, redis_url: str, city: Path, version: Version) -> None:
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port, version=version) as terminal,
    ):
        await terminal.enter()
        assert await terminal.beat() == DONE
        assert await terminal.locate(status_bits=0b11 | 0b11 << 8) == DONE
        (position,) = await positions(broker)
        # A terminal of 2011 reserves the bits of the load.
        assert position.loaded is (None if version == "2011" else True)
        assert {one.version for one in terminal.answers} == {
            "2019" if version == "2019" else "2013"
        }


async def test_answers_name_what_they_answer(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        serial = terminal.tell(0x0200, location())
        answer = await terminal.answer_to(serial)
        assert (answer.serial, answer.message_id) == (serial, 0x0200)
        assert [one.serial for one in terminal.answers] == [0, 1, 2]
        assert {one.phone for one in terminal.answers} == {PHONE.zfill(12)}


async def test_nothing_is_taken_before_authentication(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        assert await terminal.locate() == FAILED
        assert await terminal.beat() == FAILED
        assert await terminal.authenticate("0000000000000000") == FAILED
        answer = await terminal.register()
        assert await terminal.locate(TIME_MS + 1000) == FAILED
        assert await terminal.authenticate(answer.code[:-1]) == FAILED
        assert await terminal.authenticate(answer.code) == DONE
        assert await terminal.locate(TIME_MS + 2000) == DONE
        assert [one.time_ms for one in await positions(broker)] == [TIME_MS + 2000]
        assert len(await frames(broker)) == 1
        assert gateway.figure("refused_total", reason="not_let_in") == 3


async def test_who_does_not_wait_for_the_answer_to_its_authentication(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as first:
        code = await first.enter()
        async with Terminal(gateway.port) as terminal:
            serials = [terminal.tell(0x0102, Unknown(code.encode()))]
            serials += [terminal.tell(0x0200, location(TIME_MS + 1000 * n)) for n in range(5)]
            assert [(await terminal.answer_to(one)).result for one in serials] == [DONE] * 6
        assert len(await positions(broker)) == 5


async def test_without_authentication_where_that_is_so_set(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city, is_open=True) as gateway:
        async with Terminal(gateway.port) as terminal, Terminal(gateway.port, STRANGER) as stranger:
            assert await stranger.locate() == FAILED
            assert await stranger.authenticate("1234") == FAILED
            assert await terminal.locate() == DONE
            assert await terminal.authenticate("whatever it has") == DONE
        (position,) = await positions(broker)
        assert position.truck_id == PLATE
        assert position.loaded is None, "whether it is one of 2011 nobody knows"


async def test_a_batch_with_a_bad_location(broker: str, redis_url: str, city: Path) -> None:
    bad = BadLocation("", b"\x01\x02\x03")
    no_time = location(None)
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        body = batch(1, location(TIME_MS), bad, no_time, location(TIME_MS + 1000))
        assert await terminal.result_of(0x0704, body) == DONE
        kept, refused = await positions(broker), await rejects(broker)
        assert len(await frames(broker)) == 1
    assert [(one.time_ms, one.backfill) for one in kept] == [
        (TIME_MS, True),
        (TIME_MS + 1000, True),
    ]
    assert [one["reason"] for one in refused] == ["malformed", "malformed"]
    assert {one["truck_id"] for one in refused} == {PLATE}
    assert {one["value"]["hex"] for one in refused} > {"010203"}


async def test_a_regular_batch_is_no_backfill(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        assert await terminal.result_of(0x0704, batch(0, location())) == DONE
        assert await terminal.result_of(0x0704, batch(0)) == DONE
        assert [one.backfill for one in await positions(broker)] == [False]


async def test_encrypted_coordinates_are_kept_apart_and_acknowledged(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        assert await terminal.locate(status_bits=0b11 | 1 << 5) == DONE
        whole = Message(0x0200, PHONE.zfill(12), 77, "2013", Unknown(b"secret"), encryption=1)
        terminal.tell_bytes(encode(whole))
        assert (await terminal.answer_to(77)).result == DONE
        assert await positions(broker) == []
        refused = await rejects(broker)
        assert gateway.figure("rejects_total", reason="encrypted_coordinates") == 2
    assert [one["reason"] for one in refused] == ["encrypted_coordinates"] * 2
    assert {one["value"]["terminal_id"] for one in refused} == {PHONE}


async def test_a_location_that_is_too_short(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        assert await terminal.result_of(0x0200, Unknown(b"\0" * 27)) == WRONG
        assert await terminal.locate() == DONE
        await until(lambda: gateway.gateway.outbox.held_bytes == 0, "all is kept")
        assert [one["reason"] for one in await rejects(broker)] == ["malformed"]


async def test_messages_that_nobody_knows(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        assert await terminal.result_of(0x0F0F, Unknown(b"?")) == UNSUPPORTED
        assert await terminal.result_of(0x0104, Parameters(0, [])) == DONE
        before = len(terminal.answers)
        terminal.tell(0x0001, GeneralAnswer(0, 0x8201, 0))
        assert await terminal.beat() == DONE
        assert len(terminal.answers) == before + 1, "an answer is not answered"
        assert gateway.figure("messages_total", kind="other") == 1


async def test_the_same_serial_twice(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        frame = encode(Message(0x0200, PHONE.zfill(12), 9, "2013", location()))
        terminal.tell_bytes(frame + frame)
        await until(lambda: len(terminal.answers) == 4, "both are answered")
        assert len(await positions(broker)) == 2


async def test_unregistration(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        code = await terminal.enter()
        assert await terminal.result_of(0x0003, Unregister()) == DONE
        await terminal.until_cut()
        async with Terminal(gateway.port) as again:
            assert await again.authenticate(code) == FAILED
            assert await again.enter() != code


async def test_a_terminal_is_asked_where_it_is(broker: str, redis_url: str, city: Path) -> None:
    options = {"ask_location": True}
    async with (
        running(broker, redis_url, city, **options) as gateway,
        Terminal(gateway.port) as terminal,
    ):
        await terminal.enter()
        await until(lambda: len(terminal.answers) == 3, "it is asked")
        query = terminal.answers[-1]
        assert query.message_id == 0x8201
        answer = LocationAnswer(query.serial, location())
        assert await terminal.result_of(0x0201, answer) == DONE
        assert len(await positions(broker)) == 1
        (session,) = gateway.gateway.sessions
        serial = gateway.gateway.server.talk.query_parameters(session)
        await until(lambda: terminal.answers[-1].message_id == 0x8104, "it is asked for them")
        assert terminal.answers[-1].serial == serial


async def test_a_batch_of_several_parts(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        body = batch(1, *(location(TIME_MS + 1000 * n) for n in range(120)))
        whole = encode(Message(0x0704, PHONE.zfill(12), 50, "2013", body))
        parts = [b"\x7e" + part + b"\x7e" for part in whole.split(b"\x7e") if part]
        assert len(parts) == 4
        for part in (parts[0], parts[3], parts[1]):
            terminal.tell_bytes(part)
        await until(
            lambda: any(one.message_id == 0x8003 for one in terminal.answers), "a part is asked for"
        )
        (asked,) = (one.body for one in terminal.answers if one.message_id == 0x8003)
        assert asked == Resend(50, [3])
        assert await positions(broker) == []
        terminal.tell_bytes(parts[2])
        assert [(await terminal.answer_to(50 + n)).result for n in range(4)] == [DONE] * 4
        assert len(await positions(broker)) == 120
        (raw,) = await frames(broker)
        assert raw.value == whole


async def test_nothing_is_done_that_is_not_kept(broker: str, redis_url: str, city: Path) -> None:
    """The codec reads photos and the like, and nobody keeps them."""
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        photo = Unknown(bytes(8) + bytes(28) + b"a photo")
        for message_id in (0x0801, 0x0900, 0x0702, 0x8103):
            body = photo if message_id == 0x0801 else Unknown(b"\x01\x02\x03")
            assert await terminal.result_of(message_id, body) == UNSUPPORTED
        assert await frames(broker) == []


async def test_an_answer_is_not_answered(broker: str, redis_url: str, city: Path) -> None:
    """Else a peer that echoes would keep the gateway busy for ever."""
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        await terminal.enter()
        answers = len(terminal.answers)
        for message_id in (0x0001, 0x8001):
            terminal.tell(message_id, GeneralAnswer(0, 0x0002, DONE))
        assert await terminal.beat() == DONE
        assert len(terminal.answers) == answers + 1


async def test_a_forwarder_with_fifty_terminals(
    broker: str, redis_url: str, tmp_path: Path
) -> None:
    fleet = {f"浙B{n:05d}": str(13700000000 + n) for n in range(50)}
    city = write_city(tmp_path / "fleet", fleet)
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as forwarder:
        await asyncio.gather(*(forwarder.enter(plate, phone) for plate, phone in fleet.items()))
        assert len(gateway.gateway.sessions) == 50
        serials = [
            forwarder.tell(0x0200, location(TIME_MS + 1000 * turn), phone)
            for turn in range(10)
            for phone in fleet.values()
        ]
        assert [(await forwarder.answer_to(one)).result for one in serials] == [DONE] * 500
        kept = await positions(broker)
        assert {one.truck_id for one in kept} == set(fleet)
        assert {fleet[one.truck_id] for one in kept} == {one.terminal_id for one in kept}
        phone = fleet["浙B00000"]
        assert await forwarder.result_of(0x0003, Unregister(), phone) == DONE
        assert len(gateway.gateway.sessions) == 49
        assert await forwarder.result_of(0x0002, Heartbeat(), fleet["浙B00001"]) == DONE
