"""Who is let in by the gateway, tried live: registration, codes in Redis, two that claim to be one,
a register that changes, a Redis that is away."""

import asyncio
import logging
import shutil
import time
from pathlib import Path

import pytest
import redis
from gateway_parts import (
    OTHER_PHONE,
    OTHER_PLATE,
    PHONE,
    PLATE,
    SPARE_PLATE,
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
from servers.redis_server import RedisServer

from geofences.loader import read_files
from producers.gateway.entrance import ChosenProfiles
from producers.profiles.profile import SHIPPED, load_profiles
from streams.cities import RedisCities

DONE, FAILED = 0, 1
MINE = 'models = ["70111/MT-1"]\n'
STRANGER = "18888888888"


def kept(redis_url: str, phone: str = PHONE) -> dict[str, str]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        found: dict[str, str] = client.hgetall(f"mucktrack:terminal:{phone}")
        return found


@pytest.fixture
def own_redis(tmp_path: Path) -> RedisServer:
    return RedisServer(tmp_path / "redis")


@pytest.mark.parametrize(
    ("phone", "plate", "result"),
    [
        (PHONE, PLATE, 0),
        (PHONE, "浙b·12345 ", 0),
        (PHONE, "", 0),
        (PHONE, OTHER_PLATE, 1),
        (STRANGER, PLATE, 1),
        (PHONE, "浙B99999", 2),
        (PHONE, SPARE_PLATE, 3),
        (STRANGER, "浙B99999", 4),
        (STRANGER, SPARE_PLATE, 4),
        (STRANGER, "", 4),
    ],
)
async def test_results_of_registration(
    broker: str, redis_url: str, city: Path, phone: str, plate: str, result: int
) -> None:
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port, phone) as terminal,
    ):
        answer = await terminal.register(plate)
        assert answer.result == result
        assert bool(answer.code) == (result == 0)
        assert gateway.figure("conflicts_total", kind="truck_claimed") == 0


async def test_without_a_plate_the_register_decides(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        answer = await terminal.register("LZZ1CLVB5HA000001", plate_colour=0)
        assert answer.result == 0


async def test_what_redis_has_of_a_terminal(
    broker: str, own_redis: RedisServer, city: Path
) -> None:
    with own_redis:
        async with (
            running(broker, own_redis.url, city) as gateway,
            Terminal(gateway.port, version="2019") as terminal,
        ):
            before_ms = time.time_ns() // 1_000_000
            code = await terminal.enter()
            found = kept(own_redis.url)
    assert before_ms <= int(found.pop("registered_ms")) <= time.time_ns() // 1_000_000
    assert found == {
        "code": code,
        "truck_id": PLATE,
        "maker": "70111",
        "model": "MT-1",
        "device": "D000001",
        "version": "2019",
        "profile": "standard-2019",
    }


async def test_the_same_device_gets_its_code_again_another_a_new_one(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway:
        async with Terminal(gateway.port) as terminal:
            code = await terminal.enter()
            assert (await terminal.register()).code == code
            assert await terminal.locate() == DONE, "it stays in"
        await until(lambda: len(gateway.gateway.sessions) == 0, "it is gone")
        async with Terminal(gateway.port) as terminal:
            new = (await terminal.register(terminal_id="D000002")).code
            assert new != code
            assert await terminal.authenticate(code) == FAILED
            assert await terminal.authenticate(new) == DONE


async def test_the_profile_is_that_of_the_model(broker: str, redis_url: str, city: Path) -> None:
    folder = city / "profiles"
    folder.mkdir()
    text = (SHIPPED / "standard-2011.toml").read_text()
    mine = text.replace("standard-2011", "mine") + MINE
    (folder / "mine.toml").write_text(mine)
    profiles = ChosenProfiles(load_profiles(folder), "no-sensors-2013")
    async with running(broker, redis_url, city, profiles=profiles) as gateway:
        async with Terminal(gateway.port) as terminal:
            await terminal.enter()
            assert kept(redis_url)["profile"] == "mine"
            assert [one.seat.profile.name for one in gateway.gateway.sessions if one.seat] == [
                "mine"
            ]
        async with Terminal(gateway.port, OTHER_PHONE) as terminal:
            answer = await terminal.register(OTHER_PLATE, model="MT-2")
            assert await terminal.authenticate(answer.code) == DONE
            assert kept(redis_url, OTHER_PHONE)["profile"] == "no-sensors-2013"


async def test_another_terminal_claims_the_truck_of_a_live_one(
    broker: str, redis_url: str, city: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with (
        running(broker, redis_url, city) as gateway,
        Terminal(gateway.port) as first,
        Terminal(gateway.port, OTHER_PHONE) as second,
    ):
        await first.enter()
        assert (await second.register(PLATE)).result == 1
        assert gateway.figure("conflicts_total", kind="truck_claimed") == 1
        await until(lambda: kept(redis_url).get("conflicts") == "1", "it is noted")
        assert kept(redis_url)["conflict"] == "truck_claimed"
        assert (await second.register(PLATE)).result == 1
        assert gateway.figure("conflicts_total", kind="truck_claimed") == 2
        assert await first.locate() == DONE
    (said,) = [
        one.getMessage() for one in caplog.records if "terminal_conflict" in one.getMessage()
    ]
    assert PHONE in said
    assert OTHER_PHONE in said


async def test_another_device_registers_as_a_live_terminal(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as first:
        code = await first.enter()
        async with Terminal(gateway.port) as second:
            assert (await second.register(terminal_id="D000009")).result == 3
            assert gateway.figure("conflicts_total", kind="other_device") == 1
            assert kept(redis_url)["code"] == code
        assert await first.locate() == DONE


async def test_a_terminal_that_comes_again_takes_over(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as old:
        code = await old.enter()
        async with Terminal(gateway.port) as new:
            assert await old.locate(TIME_MS) == DONE
            assert await new.authenticate(code) == DONE
            await old.until_cut()
            assert await new.locate(TIME_MS + 1000) == DONE
            assert len(gateway.gateway.sessions) == 1
            assert gateway.figure("conflicts_total", kind="flapping") == 0
            assert gateway.figure("connections_closed_total", reason="taken_over") == 1


async def test_behind_a_forwarder_only_the_session_is_taken_over(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as forwarder:
        code = await forwarder.enter()
        await forwarder.enter(OTHER_PLATE, OTHER_PHONE)
        async with Terminal(gateway.port) as new:
            assert await new.authenticate(code) == DONE
            assert await forwarder.beat(OTHER_PHONE) == DONE
            assert await forwarder.beat(PHONE) == FAILED
            assert len(gateway.gateway.sessions) == 2


async def test_one_phone_from_two_connections_again_and_again(
    broker: str, redis_url: str, city: Path
) -> None:
    async with running(broker, redis_url, city) as gateway:
        async with Terminal(gateway.port) as first:
            code = await first.enter()
        for number in range(5):
            async with Terminal(gateway.port) as one, Terminal(gateway.port) as other:
                assert await one.authenticate(code) == DONE
                assert await other.authenticate(code) == DONE
                expected = 0 if number < 3 else 1
                assert gateway.figure("conflicts_total", kind="flapping") == expected
            await until(lambda: len(gateway.gateway.sessions) == 0, "both are gone")
        await until(lambda: kept(redis_url).get("conflict") == "flapping", "it is noted")


async def test_a_published_city_is_taken_up(
    broker: str, own_redis: RedisServer, tmp_path: Path, city: Path
) -> None:
    """The terminal moves to another truck, a new one gets its place."""
    changed = write_city(tmp_path / "new", {PLATE: STRANGER, OTHER_PLATE: PHONE})
    with own_redis:
        async with running(broker, own_redis.url, city) as gateway, Terminal(gateway.port) as old:
            code = await old.enter()
            RedisCities(own_redis.url).publish(
                read_files(changed), time.time_ns() // 1_000_000 + 2_000
            )
            assert await old.locate() == DONE
            await old.until_cut()
            async with Terminal(gateway.port) as moved:
                assert await moved.authenticate(code) == FAILED
                assert (await moved.register(PLATE)).result == 1
                assert await moved.enter(OTHER_PLATE) != code
                assert await moved.locate(TIME_MS + 1000) == DONE
            async with Terminal(gateway.port, STRANGER) as newcomer:
                await newcomer.enter(PLATE)
                assert await newcomer.locate(TIME_MS + 2000) == DONE
            trucks = [one.truck_id for one in await positions(broker)]
    assert trucks == [PLATE, OTHER_PLATE, PLATE]


async def test_redis_away(broker: str, own_redis: RedisServer, city: Path) -> None:
    """Who is in stays in; who comes is told to come again, and the health page says why."""
    with own_redis:
        async with running(broker, own_redis.url, city) as gateway, Terminal(gateway.port) as old:
            code = await old.enter()
            own_redis.kill()
            async with Terminal(gateway.port) as new:
                assert await new.authenticate(code) == FAILED
                answer = await new.register()
                assert (type(answer).__name__, answer.result) == ("GeneralAnswer", FAILED)
                assert await old.locate() == DONE
                await until(lambda: "redis" in gateway.waits_for(), "the health page says so")
                own_redis.start()
                assert await new.authenticate(code) == DONE
                assert await new.locate(TIME_MS + 1000) == DONE
                await until(lambda: not gateway.waits_for(), "all is well")
            assert gateway.figure("authentications_total", result="away") == 1
            assert gateway.figure("registrations_total", result="away") == 1


async def test_a_start_without_redis(broker: str, own_redis: RedisServer, city: Path) -> None:
    async with running(broker, own_redis.url, city) as gateway:
        assert "redis" in gateway.waits_for()
        with own_redis:
            await until(lambda: not gateway.waits_for(), "Redis is there")
            async with Terminal(gateway.port) as terminal:
                await terminal.enter()
                assert await terminal.locate() == DONE


@pytest.mark.parametrize("spoilt", [{"version": "1999"}, {"registered_ms": "soon"}, {"code": ""}])
async def test_what_redis_has_is_spoilt(
    broker: str, redis_url: str, city: Path, spoilt: dict[str, str]
) -> None:
    """The terminal registers anew."""
    async with running(broker, redis_url, city) as gateway:
        async with Terminal(gateway.port) as terminal:
            code = await terminal.enter()
        with redis.Redis.from_url(redis_url) as client:
            client.hset(f"mucktrack:terminal:{PHONE}", mapping=spoilt)
        async with Terminal(gateway.port) as terminal:
            assert await terminal.authenticate(code) == FAILED
            await terminal.enter()


async def test_redis_that_does_not_answer(broker: str, own_redis: RedisServer, city: Path) -> None:
    with own_redis:
        async with running(broker, own_redis.url, city) as gateway, Terminal(gateway.port) as old:
            code = await old.enter()
            own_redis.freeze()
            async with Terminal(gateway.port) as new:
                serials = [new.tell(0x0200, location()) for _ in range(3)]
                began_s = time.monotonic()
                assert await new.authenticate(code) == FAILED
                assert time.monotonic() - began_s < 5
                assert [(await new.answer_to(one)).result for one in serials] == [FAILED] * 3
                assert await old.locate() == DONE
            own_redis.thaw()


async def test_many_come_at_once(broker: str, redis_url: str, tmp_path: Path) -> None:
    fleet = {f"浙B{n:05d}": str(13700000000 + n) for n in range(300)}
    city = write_city(tmp_path / "fleet", fleet)

    async def come(port: int, plate: str, phone: str) -> None:
        async with Terminal(port, phone) as terminal:
            await terminal.enter(plate)
            assert await terminal.locate() == DONE

    async with running(broker, redis_url, city) as gateway:
        await asyncio.gather(*(come(gateway.port, *one) for one in fleet.items()))
        assert len(await positions(broker)) == 300


async def test_a_city_without_a_readable_register(tmp_path: Path, redis_url: str) -> None:
    city = write_city(tmp_path / "city")
    shutil.copy(city / "trucks.csv", city / "copy.csv")
    (city / "trucks.csv").write_text("truck_id,terminal\n浙B1,2\n")
    with pytest.raises(ValueError, match=r"trucks\.csv: header: column 'terminal_id' is missing"):
        async with running("127.0.0.1:1", redis_url, city):
            pass
