"""`mucktrack gateway809` as a process: how it starts, says what is wrong, and ends."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from gateway_parts import PARTITIONS, TIME_MS, positions
from gateway_parts import broker as broker
from pages import check_page
from platform_parts import CIPHER, EAST, PLATFORMS, LowerPlatform

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_S = 30.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mucktrack", "gateway809", *arguments]


def environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MUCKTRACK_")}
    return own | {"PYTHONPATH": str(ROOT)}


def ended(*arguments: str) -> tuple[int, str]:
    """Exit code and the last line of standard error of one that does not come up."""
    done = subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.fixture
def platforms(tmp_path: Path) -> str:
    file = tmp_path / "platforms.toml"
    file.write_text(PLATFORMS)
    return str(file)


@contextmanager
def gateway(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """The process, its port, and that of its pages; what it says goes to `folder`/said."""
    ports = folder / "port", folder / "pages"
    with (folder / "said").open("w") as said:
        child = subprocess.Popen(
            command(*arguments, "--port-file", str(ports[0]), "--metrics-port-file", str(ports[1])),
            env=environment(),
            stderr=said,
            text=True,
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


async def test_it_serves_until_a_signal(broker: str, tmp_path: Path, platforms: str) -> None:
    arguments = (
        *("--platforms", platforms, "--kafka", broker, "--partitions", str(PARTITIONS)),
        *("--gateway809-port", "0", "--gateway809-metrics-port", "0"),
    )
    with gateway(tmp_path, *arguments) as (child, port, pages):
        async with LowerPlatform(port, EAST, "2019", CIPHER) as platform:
            assert await platform.log_in() == 0
            for number in range(50):
                platform.tell_position(time_ms=TIME_MS + number * 1_000)
            await platform.settled()
            ready = await asyncio.to_thread(_page, pages, "readyz")
            assert '"ready": true' in ready
            figures = await asyncio.to_thread(_page, pages, "metrics")
            assert 'mucktrack_gateway_logins_total{result="0"} 1.0' in figures
            check_page(figures, "gateway809")
            child.send_signal(signal.SIGTERM)
            await platform.until_cut()
        assert await asyncio.to_thread(child.wait, WAIT_S) == 0
    assert len(await positions(broker)) == 50
    said = (tmp_path / "said").read_text()
    lines = [json.loads(line) for line in said.splitlines()]
    (line,) = [one for one in lines if one["event"] == "platform_logged_in"]
    assert line["platform"] == "east"
    assert line["connection"].startswith("127.0.0.1:")
    assert {one["process"] for one in lines} == {"gateway809"}
    assert "secret" not in said
    assert "Traceback" not in said


def test_what_it_needs(platforms: str, tmp_path: Path) -> None:
    kafka = ("--kafka", "127.0.0.1:1")
    assert ended(*kafka)[0] == 2
    code, said = ended("--platforms", platforms)
    assert code == 2
    assert "kafka is not set: give --kafka or MUCKTRACK_KAFKA" in said
    code, said = ended(*kafka, "--platforms", str(tmp_path / "none.toml"))
    assert code == 2
    assert "none.toml cannot be read: No such file or directory" in said.replace(
        ": cannot", " cannot"
    )
    (tmp_path / "bad.toml").write_text(PLATFORMS + "\n[[platform]]\nname = 'west'\n")
    code, said = ended(*kafka, "--platforms", str(tmp_path / "bad.toml"))
    assert code == 2
    assert "[platform 4]: " in said


def test_an_address_in_use(broker: str, platforms: str) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        servers = ("--platforms", platforms, "--kafka", broker, "--partitions", str(PARTITIONS))
        code, said = ended(*servers, "--gateway809-metrics-port", "0", "--gateway809-port", port)
        assert code == 2
        assert f"platforms cannot be awaited on 127.0.0.1:{port}" in said
        code, said = ended(*servers, "--gateway809-metrics-port", port)
        assert code == 2
        assert f"metrics cannot be served on 127.0.0.1:{port}" in said
        code, said = ended(
            *("--platforms", platforms, "--kafka", broker, "--partitions", "7"),
            *("--gateway809-metrics-port", "0", "--gateway809-port", "0"),
        )
        assert code == 2
        assert "gps.positions has 4 partitions, not 7" in said


def _page(port: int, name: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=WAIT_S) as page:
        text: str = page.read().decode()
        return text
