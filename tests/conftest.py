"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tally
from hypothesis import settings
from skips import NO_SHARED_MATERIAL
from skips import pytest_make_collect_report as pytest_make_collect_report
from skips import pytest_runtest_makereport as pytest_runtest_makereport

from mucktrack.embedded import valkey

# No deadlines, since machines are shared; on CI the same examples every time.
settings.register_profile("shared", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "shared")

pytest_plugins = ("brokers", "databases")

ROOT = Path(__file__).resolve().parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much the tests of made-up examples compared."""
    if compared := list(tally.lines()):
        terminalreporter.section("compared")
        for line in compared:
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands over what its tests compared."""
    handed_over = getattr(session.config, "workeroutput", None)
    if handed_over is not None:
        handed_over["compared"] = tally.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process that ended before its time has nothing to hand over."""
    tally.join(getattr(node, "workeroutput", {}).get("compared", {}))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Material for trying things on that lies beside the checkout and is no part of it."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip(NO_SHARED_MATERIAL)
    return path


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded server of the Redis protocol."""
    with valkey(tmp_path_factory.mktemp("redis")) as server:
        yield server.address
