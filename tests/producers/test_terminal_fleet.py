"""Fleets of terminals over real TCP, against a platform made of the codec."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conftest import ROOT
from servers.certificates import Authority
from servers.programs import MissingProgramError
from servers.small_platform import HOST, SmallPlatform

from producers.demo_city import DEMO_CITY
from producers.fleet import SimulationError
from producers.jt808.header import bare_phone
from producers.jt808.message import Message
from producers.profiles.profile import load_profiles
from producers.terminals.device import DeviceMaker
from producers.terminals.fleet_sink import NotAcknowledgedError, TerminalFleet
from producers.terminals.line import Address, Line
from producers.terminals.radio import Radio
from producers.terminals.tally import Tally
from producers.terminals.terminal import Terminal
from streams.position import Position

START_MS = 1_775_050_200_000
SAID = re.compile(r"acknowledged (\d+) positions of (\d+) sent .* left (\d+) · offences")
DEVICES = DeviceMaker(load_profiles())


def position(truck: int, number: int) -> Position:
    return Position(
        f"浙Y{truck:05d}", START_MS + number * 10_000, 120.2, 28.2, speed_kmh=30.0, loaded=True,
        terminal_id=f"0199000{truck:05d}",
    )  # fmt: skip


def fleet_to(
    port: int,
    tally: Tally,
    *,
    noise: float = 0.0,
    patience_s: float = 10.0,
    address: Address | None = None,
) -> TerminalFleet:
    def line_of(first: Position) -> Line:
        terminal = Terminal(DEVICES.device_for(first), tally, patience_s=patience_s)
        radio = Radio(first.truck_id, noise=noise)
        return Line(terminal, radio, address or Address(HOST, port), tally, Random(first.truck_id))

    return TerminalFleet(line_of, tally)


def seconds_heard(platform: SmallPlatform) -> dict[str, list[int]]:
    """Of each phone, in the order in which they were acknowledged."""
    heard: dict[str, list[int]] = {}
    for phone, location, _ in platform.heard.locations:
        assert location.time_ms is not None
        heard.setdefault(bare_phone(phone), []).append(location.time_ms)
    return heard


def by_chance(seed: int, share: float) -> Callable[[Message], bool]:
    chance = Random(seed)
    return lambda _: chance.random() < share


def assert_all_arrived(platform: SmallPlatform, trucks: int, numbers: int) -> None:
    """Each at least once, and for the first time in order."""
    heard = seconds_heard(platform)
    assert len(heard) == trucks
    for times in heard.values():
        assert list(dict.fromkeys(times)) == [START_MS + n * 10_000 for n in range(numbers)]


def test_all_arrives_though_connections_are_cut_and_answers_lost():
    tally = Tally()
    with SmallPlatform(cut=by_chance(1, 0.05)) as platform:
        with fleet_to(platform.port, tally, noise=20.0) as fleet:
            for number in range(60):
                for truck in range(20):
                    fleet.publish(position(truck, number))
                time.sleep(0.01)
            fleet.flush()
        assert_all_arrived(platform, 20, 60)
    assert tally.acknowledged == tally.sent == tally.made == 1_200
    assert tally.again > 0
    assert tally.backfilled > 0
    assert tally.registrations == 20
    assert tally.connections > 40
    assert tally.open == 0
    assert fleet.terminals == 20


def test_what_the_platform_fails_to_keep_is_sent_again():
    chance = Random(3)
    tally = Tally()
    with SmallPlatform(judge=lambda _: chance.choice([0, 0, 0, 1, None])) as platform:
        with fleet_to(platform.port, tally, patience_s=0.3) as fleet:
            for number in range(30):
                for truck in range(5):
                    fleet.publish(position(truck, number))
            fleet.flush()
        assert {phone: set(times) for phone, times in seconds_heard(platform).items()} == {
            f"199000{truck:05d}": {START_MS + n * 10_000 for n in range(30)} for truck in range(5)
        }
    assert tally.again > 0


def test_a_platform_that_keeps_nothing_is_told_at_the_end():
    tally = Tally()
    with SmallPlatform(judge=lambda _: None) as platform:
        with fleet_to(platform.port, tally) as fleet:
            fleet.publish(position(1, 1))
            with pytest.raises(
                NotAcknowledgedError, match=r"1 positions are left .* 0\.5 s: the ga"
            ):
                fleet.flush(0.5)
        port = platform.port
    with fleet_to(port, Tally()) as fleet:
        fleet.publish(position(1, 1))
        with pytest.raises(NotAcknowledgedError, match="Connect call failed"):
            fleet.flush(0.5)


def test_a_truck_without_a_phone_ends_the_fleet():
    with SmallPlatform() as platform, fleet_to(platform.port, Tally()) as fleet:
        one = position(1, 1)
        one.terminal_id = None
        fleet.publish(one)
        with pytest.raises(SimulationError, match=r"trucks\.csv"):
            fleet.flush()


def command(port: int, *arguments: object) -> list[str]:
    given = ["simulate", "--jt808", f"{HOST}:{port}", "--trucks", "20", *map(str, arguments)]
    return [sys.executable, "-m", "mucktrack", *given]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}


def run(port: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(port, *arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(),
        timeout=120,
    )


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_command_reports_a_simulated_fleet(tmp_path):
    files = {name: tmp_path / f"{name}.jsonl" for name in ("sent", "acked", "labels")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    with SmallPlatform() as platform:
        done = run(platform.port, "--hours", "0.2", "--speed", "max", "--share", "1", *options)
        assert done.returncode == 0, done.stderr
        heard = seconds_heard(platform)
        versions = {message.version for message in platform.heard.messages}
    found = SAID.match(done.stderr)
    assert found, done.stderr
    assert found[1] == found[2]
    assert found[3] == "0"
    assert sum(len(set(times)) for times in heard.values()) == int(found[1]) > 1_000
    assert versions == {"2013", "2019"}
    sent, acked = lines(files["sent"]), lines(files["acked"])
    assert len(sent) == len(acked) == int(found[1])
    assert {(one["truck_id"], one["time_ms"]) for one in sent} == {
        (one["truck_id"], one["time_ms"]) for one in acked
    }
    assert all(one["source"] == "jt808" for one in sent)
    assert lines(files["labels"])
    detected = subprocess.run(
        [sys.executable, "-m", "mucktrack", "detect", "--city", DEMO_CITY, str(files["acked"])],
        capture_output=True, text=True, check=False, cwd=ROOT, env=environment(), timeout=120,
    )  # fmt: skip
    assert detected.returncode == 0, detected.stderr
    assert "malformed" not in detected.stdout


def test_terminals_speak_tls_where_they_are_told_whom_to_trust(tmp_path):
    try:
        authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    except MissingProgramError as error:
        pytest.skip(str(error))
    certificate = authority.sign("gateway")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate.cert, certificate.key)
    with SmallPlatform(tls=served) as platform:
        options = ("--hours", "0.02", "--speed", "max", "--tls-ca")
        done = run(platform.port, *options, authority.cert)
        assert done.returncode == 0, done.stderr
        found = SAID.match(done.stderr)
        assert found
        assert int(found[1]) == len(platform.heard.locations) > 50
        tally = Tally()
        trusting = Address(HOST, platform.port, ssl.create_default_context(cafile=stranger.cert))
        with fleet_to(platform.port, tally, address=trusting) as fleet:
            fleet.publish(position(1, 1))
            with pytest.raises(NotAcknowledgedError, match="certificate verify failed"):
                fleet.flush(1.5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_sends_what_is_left_and_says_so(tmp_path, number):
    acked, log = tmp_path / "acked.jsonl", tmp_path / "log"
    with (
        SmallPlatform() as platform,
        log.open("w") as output,
        subprocess.Popen(
            command(platform.port, "--speed", "200", "--acked", acked),
            cwd=ROOT,
            env=environment(),
            stderr=output,
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while len(platform.heard.locations) < 500 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(40) == 0, log.read_text()
        found = SAID.match(log.read_text())
        assert found, log.read_text()
        assert int(found[1]) == int(found[2]) == len(lines(acked)) >= 500
        assert found[3] == "0"


def test_a_gateway_that_is_not_there_is_told():
    with SmallPlatform() as platform:
        port = platform.port
    done = run(port)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"gateway at {HOST}:{port}: Connection refused; is it running" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--jt808", "127.0.0.1"], "'127.0.0.1' is not HOST:PORT"),
        (["--jt808", "127.0.0.1:0"], "'127.0.0.1:0' is not HOST:PORT"),
        (["--jt808", "127.0.0.1:9", "--out", "p.jsonl"], "two targets"),
        (["--acked", "a.jsonl"], "go with --jt808"),
        (["--jt808", "127.0.0.1:9", "--sent", "a", "--acked", "./a"], "two kinds of output"),
        (["--jt808", "127.0.0.1:9", "--tls-ca", "absent.pem"], "absent.pem: "),
    ],
)
def test_what_cannot_be_meant_is_told(arguments, part):
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", "simulate", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, env=environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert part in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk needs /dev/full")
@pytest.mark.parametrize("what", ["--sent", "--acked", "--labels"])
def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path, what):
    full = tmp_path / "full.jsonl"
    full.symlink_to("/dev/full")
    with SmallPlatform() as platform:
        done = run(platform.port, "--hours", "1", "--speed", "max", "--share", "1", what, full)
    assert done.returncode == 2, done.stderr
    assert f"{full}: " in done.stderr
    assert "No space left on device" in done.stderr
