"""Which terminal is in which truck, and who may register: the rules without sockets."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_parts import OTHER_PHONE, OTHER_PLATE, PHONE, PLATE, write_city
from servers.redis_server import RedisServer

from geofences.city import Truck
from geofences.loader import city_version, read_files
from producers.gateway.fleet_register import FleetRegister, UnusableRegister
from producers.gateway.once import AGAIN_S, MOST, Once
from producers.gateway.registration import Registered, Terminal, Verdict, code_for, judge
from producers.gateway.terminals import Terminals
from producers.plates import plate_key
from streams.cities import RedisCities
from streams.health import Health

STRANGER = "18888888888"


@pytest.fixture
def cities(tmp_path: Path) -> Iterator[RedisCities]:
    """In a Redis of their own."""
    with RedisServer(tmp_path / "redis", append_only=False) as server:
        yield RedisCities(server.url)


@pytest.fixture
def health() -> Health:
    return Health()


def trucks(*pairs: tuple[str, str | None]) -> list[Truck]:
    return [Truck(plate, phone, None, None) for plate, phone in pairs]


def test_a_phone_is_the_same_with_zeros_before_it() -> None:
    terminals = Terminals.of(trucks((PLATE, "0" + PHONE)))
    assert terminals.truck_of == {PHONE: PLATE}


def test_a_truck_without_a_terminal() -> None:
    terminals = Terminals.of(trucks((PLATE, None)))
    assert terminals.truck_of == {}
    assert terminals.phone_of == {PLATE: None}


def test_a_terminal_in_two_trucks_is_in_neither(caplog: pytest.LogCaptureFixture) -> None:
    terminals = Terminals.of(trucks((PLATE, PHONE), (OTHER_PLATE, "0" + PHONE)))
    assert terminals.truck_of == {}
    assert PHONE in caplog.text


@pytest.mark.parametrize("written", ["浙B12345", "浙b12345", "浙B·12345", " 浙B-12345\0\0"])
def test_plates_as_terminals_write_them(written: str) -> None:
    assert plate_key(written) == plate_key(PLATE)


def test_a_claim_names_the_rival() -> None:
    terminals = Terminals.of(trucks((PLATE, PHONE), (OTHER_PLATE, OTHER_PHONE)))
    assert judge(terminals, OTHER_PHONE, PLATE) == Verdict(Registered.TRUCK_TAKEN, PHONE)
    assert judge(terminals, PHONE, PLATE) == Verdict(Registered.DONE)


def test_codes() -> None:
    before = Terminal("abc", PLATE, "m", "model", "d1")
    assert code_for(before, PLATE, "m", "d1") == "abc"
    for other in ((OTHER_PLATE, "m", "d1"), (PLATE, "n", "d1"), (PLATE, "m", "d2")):
        assert code_for(before, *other) != "abc"
    assert code_for(None, PLATE, "m", "d1") != code_for(None, PLATE, "m", "d1")
    assert "abc" not in repr(before)


def test_the_version_in_force(
    cities: RedisCities, health: Health, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As times pass; one that is to come is read before, and survives a Redis that is away."""
    caplog.set_level(logging.INFO)
    folder = write_city(tmp_path / "folder", {PLATE: PHONE})
    first = read_files(write_city(tmp_path / "first", {PLATE: OTHER_PHONE}))
    second = read_files(write_city(tmp_path / "second", {PLATE: STRANGER}))
    register = FleetRegister(folder, cities, health)
    assert not register.look(1_000)
    cities.publish(first, 2_000)
    cities.publish(second, 3_000)
    assert not register.look(1_999)
    assert register.terminals.truck_of == {PHONE: PLATE}
    cities._redis.delete(f"mucktrack:city:{city_version(second)}")
    assert register.look(2_000)
    assert register.terminals.truck_of == {OTHER_PHONE: PLATE}
    assert not register.look(2_500)
    assert register.look(3_500)
    assert register.terminals.truck_of == {STRANGER: PLATE}
    cities._redis.flushall()
    assert not register.look(4_000), "a Redis that has lost its data takes nothing back"
    assert register.terminals.truck_of == {STRANGER: PLATE}
    assert health.waited_for() == []


def test_the_same_terminals_are_no_change(
    cities: RedisCities, health: Health, tmp_path: Path
) -> None:
    folder = write_city(tmp_path / "folder")
    other = write_city(tmp_path / "other")
    (other / "city.toml").write_text('name = "Other"\nadmin_code = "330200"\n')
    register = FleetRegister(folder, cities, health)
    cities.publish(read_files(other), 2_000)
    assert not register.look(2_000)


def test_a_version_that_cannot_be_read_is_left_out(
    cities: RedisCities, health: Health, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_city(tmp_path / "folder", {PLATE: PHONE})
    broken = write_city(tmp_path / "broken", {PLATE: OTHER_PHONE})
    (broken / "trucks.csv").write_text("truck_id\n")
    cities.publish(read_files(broken), 2_000)
    register = FleetRegister(folder, cities, health)
    assert not register.look(2_000)
    assert not register.look(2_001)
    assert register.terminals.truck_of == {PHONE: PLATE}
    assert caplog.text.count("city_left_out") == 1


def test_redis_away(health: Health, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    register = FleetRegister(
        write_city(tmp_path / "city"), RedisCities("redis://127.0.0.1:1"), health
    )
    assert not register.look(1_000)
    assert not register.look(1_001)
    assert [wait.waiting_for for wait in health.waited_for()] == ["redis"]
    assert caplog.text.count("redis_away") == 1


def test_a_city_without_trucks_has_no_terminals(health: Health, tmp_path: Path) -> None:
    city = write_city(tmp_path / "city")
    (city / "trucks.csv").unlink()
    assert FleetRegister(city, None, health).terminals == Terminals({}, {})
    with pytest.raises(UnusableRegister, match="is no directory"):
        FleetRegister(tmp_path / "nowhere", None, health)


def test_once() -> None:
    once = Once()
    assert once.may("a", 0.0)
    assert not once.may("a", AGAIN_S - 1)
    assert once.may("b", AGAIN_S - 1)
    assert once.may("a", AGAIN_S + 1)
    crowded = Once()
    assert sum(crowded.may(str(number), 0.0) for number in range(2 * MOST)) == MOST
