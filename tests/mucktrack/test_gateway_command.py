"""`mucktrack gateway` as a process: how it starts, says what is wrong, and ends."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from gateway_parts import PARTITIONS, TIME_MS, Terminal, location, positions, write_city
from gateway_parts import broker as broker
from gateway_parts import city as city
from pages import check_page
from servers.certificates import Authority
from servers.programs import MissingProgramError

DONE = 0
ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_S = 30.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mucktrack", "gateway", *arguments]


def environment(**variables: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MUCKTRACK_")}
    return {**own, "PYTHONPATH": str(ROOT), **variables}


def ended(*arguments: str) -> tuple[int, str]:
    """Exit code and standard error of a gateway that does not come up."""
    done = subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


@pytest.fixture
def servers(broker: str, redis_url: str, city: Path) -> list[str]:
    return [
        *("--kafka", broker, "--redis", redis_url, "--city", str(city)),
        *("--partitions", str(PARTITIONS), "--gateway-metrics-port", "0", "--gateway-port", "0"),
    ]


@contextmanager
def gateway(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The process, its port, and that of its pages."""
    ports = folder / "port", folder / "pages"
    child = subprocess.Popen(
        command(*arguments, "--port-file", str(ports[0]), "--metrics-port-file", str(ports[1])),
        env=environment(),
    )
    try:
        deadline = time.monotonic() + WAIT_S
        while not all(one.exists() and one.read_text() for one in ports):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield child, int(ports[0].read_text()), int(ports[1].read_text())
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_a_signal(
    servers: list[str], broker: str, tmp_path: Path, number: signal.Signals
) -> None:
    with gateway(tmp_path, *servers) as (child, port, pages):
        async with Terminal(port) as terminal:
            await terminal.enter()
            assert await terminal.locate() == DONE
            ready = await asyncio.to_thread(_page, pages, "readyz")
            assert '"ready": true' in ready
            figures = await asyncio.to_thread(_page, pages, "metrics")
            assert "mucktrack_gateway_positions_total 1.0" in figures
            check_page(figures, "gateway")
            assert "13800138000" not in figures
            serials = [terminal.tell(0x0200, location(TIME_MS + 1000 * n)) for n in range(100)]
            assert await terminal.beat() == DONE
            child.send_signal(number)
            assert {(await terminal.answer_to(one)).result for one in serials} == {DONE}
            await terminal.until_cut()
        assert await asyncio.to_thread(child.wait, WAIT_S) == 0
    assert len(await positions(broker)) == 101


async def test_over_tls(servers: list[str], tmp_path: Path) -> None:
    try:
        authority = Authority(tmp_path)
    except MissingProgramError as error:
        pytest.skip(str(error))
    both = authority.sign("gateway").both
    trusted = ssl.create_default_context(cafile=str(authority.cert))
    with gateway(tmp_path, *servers, "--gateway-cert-file", str(both)) as (_, port, _pages):
        async with Terminal(port, tls=trusted) as terminal:
            await terminal.enter()
            assert await terminal.locate() == DONE


def test_an_address_in_use(servers: list[str]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = ended(*servers, "--gateway-port", str(port))
        assert code == 2
        assert f"terminals cannot be awaited on 127.0.0.1:{port}" in last_line(said)
        assert "choose another" in last_line(said)
        code, said = ended(*servers, "--gateway-metrics-port", str(port))
        assert code == 2
        assert f"metrics cannot be served on 127.0.0.1:{port}" in last_line(said)


def test_what_it_needs(tmp_path: Path, redis_url: str) -> None:
    city = str(write_city(tmp_path / "city"))
    kafka = ("--kafka", "127.0.0.1:1")
    assert "kafka is not set" in ended("--city", city, "--redis", redis_url)[1]
    assert "city is not set" in ended(*kafka, "--redis", redis_url)[1]
    code, said = ended(*kafka, "--city", city)
    assert code == 2
    assert "redis is not set: give --redis or MUCKTRACK_REDIS" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--gateway-profile", "nobody"), "no profile 'nobody'; there are "),
        (("--gateway-profiles", "nowhere"), "nowhere: cannot be read"),
        (("--gateway-key-file", "key.pem"), "needs MUCKTRACK_GATEWAY_CERT_FILE"),
        (("--gateway-cert-file", "nowhere.pem"), "nowhere.pem: there is no such file"),
        (("--gateway-cert-file", "pyproject.toml"), "no certificate with its key"),
        (("--city", "nowhere"), "is no directory"),
        (("--partitions", "7"), "has 4 partitions, not 7"),
        (("--gateway-idle-s", "0"), "not a whole number from 1 to 86400"),
    ],
)
def test_what_cannot_be_used(servers: list[str], arguments: tuple[str, ...], expected: str) -> None:
    code, said = ended(*servers, *arguments)
    assert code == 2
    assert expected in last_line(said)
    assert "Traceback" not in said


def test_a_signal_while_kafka_is_awaited(tmp_path: Path, redis_url: str) -> None:
    city, port_file = write_city(tmp_path / "city"), tmp_path / "pages"
    child = subprocess.Popen(
        command(
            *("--kafka", "127.0.0.1:1", "--redis", redis_url, "--city", str(city)),
            *("--gateway-metrics-port", "0", "--gateway-port", "0"),
            *("--metrics-port-file", str(port_file)),
        ),
        env=environment(),
    )
    try:
        deadline = time.monotonic() + WAIT_S
        while not port_file.exists() or '"for": "kafka"' not in _waits(int(port_file.read_text())):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(WAIT_S) == 0
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def test_topics_that_are_not_there(fresh_kafka: str, redis_url: str, tmp_path: Path) -> None:
    city = str(write_city(tmp_path / "city"))
    code, said = ended(
        *("--kafka", fresh_kafka, "--redis", redis_url, "--city", city),
        *("--gateway-metrics-port", "0", "--gateway-port", "0"),
    )
    assert code == 2
    assert "topics create" in last_line(said)


def _page(port: int, name: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}") as answer:
        text: str = answer.read().decode()
        return text


def _waits(port: int) -> str:
    """What /readyz says is waited for; nothing where it is ready."""
    try:
        return _page(port, "readyz")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
