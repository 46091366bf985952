"""The gateway for platforms with real sockets and a real broker: who is let in, what is kept."""

import asyncio
from pathlib import Path

import pytest
from gateway_parts import PARTITIONS, TIME_MS, frames, positions, rejects, until
from platform_parts import CIPHER, CREDENTIALS, EAST, WEST, LowerPlatform, running

from mucktrack.topics import create_topics
from producers.gateway.platform_limits import PlatformLimits
from producers.jt809.cipher import Cipher
from producers.jt809.fields import write as write_fields
from producers.jt809.links import Closing, Logout
from producers.jt809.message import OfPlatform, OfVehicle
from producers.jt809.message import Raw as RawBody
from producers.jt809.vehicles import Registration2019, Waybill
from streams.access import KafkaAccess


@pytest.fixture
def broker(fresh_kafka: str) -> str:
    create_topics(KafkaAccess(fresh_kafka), PARTITIONS)
    return fresh_kafka


async def test_positions_of_both_versions(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as west,
        LowerPlatform(gateway.port, EAST, "2019", CIPHER) as east,
    ):
        assert await west.log_in() == 0
        assert await east.log_in() == 0
        sent = [
            west.tell_position("浙B12345 ", speed_kmh=36, altitude_m=12, heading_deg=90),
            east.tell_position("浙B 67890\0junk", speed_kmh=36.5, time_ms=TIME_MS + 1000),
            west.tell_backfill("浙B12345", [TIME_MS - 60_000, TIME_MS - 50_000]),
            east.tell_backfill("浙B67890", [TIME_MS - 40_000]),
        ]
        await west.settled()
        await east.settled()
        await until(lambda: gateway.figure("positions_total") == 5, "five positions are kept")
        kept = await positions(broker)
        raw = await frames(broker)
        assert gateway.figure("platforms") == 2
        assert gateway.figure("messages_total", kind="backfill") == 2
    old = [one for one in kept if one.backfill]
    assert [(one.truck_id, one.time_ms - TIME_MS) for one in old] == [
        ("浙B12345", -60_000),
        ("浙B12345", -50_000),
        ("浙B67890", -40_000),
    ]
    first, second = [one for one in kept if not one.backfill]
    assert (first.truck_id, first.terminal_id, first.source) == ("浙B12345", "west", "jt809")
    assert (first.time_ms, first.lon, first.lat) == (TIME_MS, 121.1, 29.1)
    assert (first.speed_kmh, first.altitude_m, first.heading_deg) == (36.0, 12, 90)
    assert (first.mileage_km, first.located, first.loaded) == (1234.0, True, False)
    assert (second.truck_id, second.terminal_id, second.source) == ("浙B67890", "east", "jt809")
    assert (second.speed_kmh, second.time_ms, second.loaded) == (36.5, TIME_MS + 1000, None)
    assert {one.value for one in raw} == set(sent)
    assert {(one.key, one.headers["protocol"]) for one in raw} == {
        (b"west", b"jt809"),
        (b"east", b"jt809"),
    }
    assert {int(one.headers["received_ms"]) for one in raw} == {one.received_ms for one in kept}


@pytest.mark.parametrize(
    ("centre_id", "version", "user_id", "password", "result"),
    [
        (77, "2011", 1003, "secret-3", 1),
        (99, "2011", 1002, "secret-2", 2),
        (WEST, "2011", 1003, "secret-2", 3),
        (WEST, "2011", 1002, "Secret-2", 4),
        (WEST, "2011", 1002, "", 4),
        (WEST, "2019", 1002, "secret-2", 6),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    broker: str,
    tmp_path: Path,
    centre_id: int,
    version: str,
    user_id: int,
    password: str,
    result: int,
) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port, centre_id, version) as platform,
    ):
        assert await platform.log_in(user_id, password) == result
        await platform.until_cut()
        assert gateway.figure("logins_total", result=str(result)) == 1
        assert gateway.figure("platforms") == 0
        await until(lambda: gateway.figure("connections") == 0, "it is closed")


async def test_a_login_enciphered_otherwise_is_told_of(
    broker: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port, EAST, "2019", Cipher(1_000_003, 20_000_003, 30_000_001)) as it,
    ):
        with pytest.raises(ConnectionError):
            await it.log_in()
        assert gateway.figure("connections_closed_total", reason="login_refused") == 1
    assert "platform_login_unreadable" in caplog.text
    assert f"centre_id={EAST}  encrypted=true" in caplog.text


async def test_nothing_is_taken_before_the_login(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as platform,
    ):
        platform.tell_position()
        with pytest.raises(TimeoutError):
            await platform.answer(0x1005, RawBody(b""), patience_s=0.3)
        assert gateway.figure("refused_total", reason="not_logged_in") == 2
        assert await platform.log_in() == 0
        platform.tell_position(time_ms=TIME_MS + 5_000)
        await platform.settled()
        await until(lambda: gateway.figure("positions_total") == 1, "it is kept")
        assert [one.time_ms for one in await positions(broker)] == [TIME_MS + 5_000]


async def test_a_link_is_kept_alive_and_ended(broker: str, tmp_path: Path) -> None:
    async with running(broker, tmp_path) as gateway:
        for bye, reason in (
            ((0x1003, Logout(user_id=1002, password=CREDENTIALS[WEST][1])), "logout"),
            ((0x1008, Closing(reason_code=0)), "by_peer"),
        ):
            async with LowerPlatform(gateway.port) as platform:
                assert await platform.log_in() == 0
                assert (await platform.keep_alive()).message_id == 0x1006
                platform.tell(*bye)
                await platform.until_cut()
                assert [one.message_id for one in platform.answers[2:]] == (
                    [0x1004] if reason == "logout" else []
                )
                await until(
                    lambda why=reason: gateway.figure("connections_closed_total", reason=why) == 1,
                    "the link is closed",
                )
        assert gateway.figure("platforms") == 0


async def test_a_silent_platform_is_gone(broker: str, tmp_path: Path) -> None:
    limits = PlatformLimits(idle_s=1, connections=5, frame_bytes=4_096)
    async with (
        running(broker, tmp_path, limits=limits) as gateway,
        LowerPlatform(gateway.port) as platform,
    ):
        assert await platform.log_in() == 0
        await platform.until_cut()
        assert gateway.figure("connections_closed_total", reason="idle") == 1


async def test_encrypted_coordinates_are_quarantined(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as west,
        LowerPlatform(gateway.port, EAST, "2019") as east,
    ):
        assert await west.log_in() == 0
        assert await east.log_in() == 0
        sent = {
            west.tell_position(encrypted=1).hex(),
            east.tell_position(encrypted=1).hex(),
            east.tell_position(status_bits=0b100011).hex(),
        }
        await until(
            lambda: gateway.figure("rejects_total", reason="encrypted_coordinates") == 3, "rejects"
        )
        await until(lambda: gateway.gateway.outbox.held_bytes == 0, "all is written")
        kept = await rejects(broker)
        assert await positions(broker) == []
        assert len(await frames(broker)) == 3
    assert {one["reason"] for one in kept} == {"encrypted_coordinates"}
    assert {one["truck_id"] for one in kept} == {"浙B12345"}
    assert {one["value"]["hex"] for one in kept} == sent


async def test_what_is_no_position_is_kept_with_its_frame(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as platform,
    ):
        assert await platform.log_in() == 0
        sent = [
            platform.tell_position(""),
            platform.tell_position(" \0 "),
            platform.tell_position("浙B\u200b1"),
            platform.tell_position(time_ms=0),
            platform.tell(0x1200, OfVehicle("浙B1", 2, 0x1202, RawBody(bytes(35)))),
            platform.tell(0x1200, RawBody(b"\xff" * 21 + b"\2\x12\2\0\0\0\0")),
            platform.tell(0x1200, OfVehicle("浙B1", 2, 0x1203, RawBody(b"\2" + bytes(36)))),
        ]
        platform.tell(0x1500, OfVehicle("浙B1", 2, 0x1502, RawBody(b"x")))
        platform.tell(0x1200, OfVehicle("浙B1", 2, 0x120D, Waybill(waybill="水泥")))
        platform.tell(0x1300, OfPlatform(0x1301, RawBody(b"x")))
        platform.tell_position()
        await platform.settled()
        await until(lambda: gateway.figure("positions_total") == 1, "the good one is kept")
        await until(lambda: gateway.gateway.outbox.held_bytes == 0, "all is written")
        kept = await rejects(broker)
        assert gateway.figure("connections") == 1
    assert {one["reason"] for one in kept} == {"malformed"}
    assert sorted(one["value"]["hex"] for one in kept) == sorted(one.hex() for one in sent)
    assert {one["value"]["platform"] for one in kept} == {"west"}


async def test_garbage_concerns_nobody_else(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as good,
    ):
        assert await good.log_in() == 0
        for junk in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x5b\x5d" * 30,
            b"\x5b" + b"x" * 5_000,
            bytes(range(256)) * 40,
        ):
            async with LowerPlatform(gateway.port) as stranger:
                stranger.tell_bytes(junk)
                good.tell_position()
                await good.settled()
        async with LowerPlatform(gateway.port) as stranger:
            stranger.tell_bytes(b"\x5b\x5d" * 30)
            await stranger.until_cut()
        assert gateway.figure("connections_closed_total", reason="faults") >= 1
        assert gateway.figure("connections_closed_total", reason="no_login") >= 1
        # Between the frames of a platform a bad line is borne, and costs no frame after it.
        for _ in range(5):
            good.tell_bytes(b"noise\x5b\x00\x01\x02\x5d" + good.wire(0x1005, RawBody(b""))[:9])
            good.tell_position()
            await good.settled()
        await until(lambda: gateway.figure("positions_total") == 9, "all are kept")


async def test_positions_behind_those_announced_are_kept(broker: str, tmp_path: Path) -> None:
    """One announced, two there: the second is none of the frame's, but it is not dropped."""
    async with running(broker, tmp_path) as gateway, LowerPlatform(gateway.port) as platform:
        assert await platform.log_in() == 0
        records = write_fields(platform.position()) * 2
        platform.tell(0x1200, OfVehicle("浙B1", 2, 0x1203, RawBody(b"\1" + records)))
        await platform.settled()
        await until(lambda: gateway.figure("positions_total") == 1, "the first is kept")
        await until(lambda: gateway.figure("rejects_total", reason="malformed") == 1, "the second")
        (reject,) = await rejects(broker)
        assert reject["value"]["hex"] == records[len(records) // 2 :].hex()
        assert reject["value"]["detail"] == "36 bytes behind the 1 positions announced"


async def test_a_second_login_takes_over(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as first,
        LowerPlatform(gateway.port) as second,
        LowerPlatform(gateway.port, EAST, "2019", CIPHER) as other,
    ):
        assert await first.log_in() == 0
        assert await other.log_in() == 0
        assert await first.log_in() == 0, "again on the same link: nothing changes"
        assert await second.log_in() == 0
        await first.until_cut()
        assert gateway.figure("connections_closed_total", reason="taken_over") == 1
        assert gateway.figure("platforms") == 2
        second.tell_position()
        await second.settled()
        await other.settled()
        await until(lambda: gateway.figure("positions_total") == 1, "it is kept")


async def test_what_the_link_before_had_sent_is_not_lost(broker: str, tmp_path: Path) -> None:
    """While Kafka is away nothing is read and no keep-alive answered, so a platform connects anew;
    what it had sent before lies in the old connection, and is not sent again."""
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as first,
        LowerPlatform(gateway.port) as second,
    ):
        assert await first.log_in() == 0
        (link,) = (one for one in gateway.gateway.server.links if one.platform is not None)
        link.hold("test")
        first.tell_position()
        assert await second.log_in() == 0
        second.tell_position()
        await until(lambda: gateway.figure("positions_total") == 1, "the second is kept")
        link.release("test")
        await until(lambda: gateway.figure("positions_total") == 2, "the first is kept too")
        await first.until_cut()
        assert gateway.figure("connections_closed_total", reason="taken_over") == 1


async def test_a_wrong_login_takes_nothing_over(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as first,
        LowerPlatform(gateway.port) as second,
    ):
        assert await first.log_in() == 0
        assert await second.log_in(1002, "guess") == 4
        await second.until_cut()
        await first.settled()
        assert gateway.figure("platforms") == 1


async def test_a_connection_cut_in_a_frame(broker: str, tmp_path: Path) -> None:
    async with running(broker, tmp_path) as gateway:
        async with LowerPlatform(gateway.port, EAST, "2019", CIPHER) as platform:
            assert await platform.log_in() == 0
            platform.tell_position()
            wire = platform.wire(0x1200, OfVehicle("浙B1", 2, 0x1202, platform.position()))
            platform.tell_bytes(wire[: len(wire) // 2])
            await asyncio.sleep(0.05)
        await until(lambda: gateway.figure("platforms") == 0, "the link is gone")
        async with LowerPlatform(gateway.port, EAST, "2019", CIPHER) as platform:
            assert await platform.log_in() == 0
            platform.tell_position(time_ms=TIME_MS + 1_000)
            await platform.settled()
            await until(lambda: gateway.figure("positions_total") == 2, "both are kept")
        assert gateway.figure("refused_total", reason="no_frame") == 0


async def test_frames_encrypted_without_a_cipher_agreed(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port) as platform,
    ):
        assert await platform.log_in() == 0
        platform.cipher = CIPHER
        sent = platform.tell_position()
        platform.cipher = None
        await platform.settled()
        await until(lambda: gateway.figure("rejects_total", reason="malformed") == 1, "a reject")
        await until(lambda: gateway.gateway.outbox.held_bytes == 0, "all is written")
        (kept,) = await rejects(broker)
    assert kept["value"]["hex"] == sent.hex()
    assert "no M1, IA1 and IC1 are known for access code 20180920" in kept["value"]["detail"]


async def test_more_connections_than_allowed(broker: str, tmp_path: Path) -> None:
    limits = PlatformLimits(idle_s=60, connections=2, frame_bytes=4_096)
    async with (
        running(broker, tmp_path, limits=limits) as gateway,
        LowerPlatform(gateway.port) as first,
        LowerPlatform(gateway.port, EAST, "2019", CIPHER) as second,
    ):
        assert await first.log_in() == 0
        assert await second.log_in() == 0
        async with LowerPlatform(gateway.port) as third:
            await third.until_cut()
        assert gateway.figure("connections_closed_total", reason="too_many") == 1
        await first.settled()


async def test_a_registration_is_counted(broker: str, tmp_path: Path) -> None:
    async with (
        running(broker, tmp_path) as gateway,
        LowerPlatform(gateway.port, EAST, "2019", CIPHER) as platform,
    ):
        assert await platform.log_in() == 0
        registration = Registration2019(
            platform_id="1", producer_id="2", terminal_model="3", imei="4", terminal_id="5", sim="6"
        )
        platform.tell(0x1200, OfVehicle("浙B1", 2, 0x1201, registration))
        await platform.settled()
        assert gateway.figure("messages_total", kind="registration") == 1
        assert await rejects(broker) == []


async def test_what_was_read_is_delivered_before_it_stops(broker: str, tmp_path: Path) -> None:
    async with running(broker, tmp_path) as gateway, LowerPlatform(gateway.port) as platform:
        assert await platform.log_in() == 0
        for number in range(500):
            platform.tell_position(time_ms=TIME_MS + number * 1_000)
        await platform.settled()
        await gateway.gateway.stop()
        await platform.until_cut()
        assert len(await positions(broker)) == 500
        assert gateway.figure("lost_records_total") == 0
