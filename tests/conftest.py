"""What all tests share."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mucktrack.embedded import tansu, valkey

ROOT = Path(__file__).resolve().parent.parent


Tally = Callable[..., None]
"""`tally(cities=1, positions=120)`: adds to what the test has compared so far."""
COMPARED: dict[str, Counter[str]] = {}
"""By test, what it compared in this session; printed when it ends."""


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Counts what a test of many made-up examples went through."""
    file, _, test = request.node.nodeid.partition("::")
    counts = COMPARED.setdefault(f"{file}::{test.partition('[')[0]}", Counter())

    def add(**compared: int) -> None:
        counts.update(compared)

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if any(COMPARED.values()):
        terminalreporter.section("compared")
    for test, counts in sorted(COMPARED.items()):
        if counts:
            said = ", ".join(f"{count:,} {what}" for what, count in counts.items())
            terminalreporter.write_line(f"{test}: {said}")


def require(condition: object, reason: str) -> None:
    """Skip with `reason` where the machine lacks something; on CI a skip is a failure."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Material for trying things on that lies beside the checkout and is no part of it."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("no shared material beside the checkout")
    return path


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a broker; MUCKTRACK_TEST_KAFKA names one to use instead of the embedded."""
    if given := os.environ.get("MUCKTRACK_TEST_KAFKA"):
        yield given
        return
    with tansu(tmp_path_factory.mktemp("kafka")) as server:
        yield server.address


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded server of the Redis protocol."""
    with valkey(tmp_path_factory.mktemp("redis")) as server:
        yield server.address
