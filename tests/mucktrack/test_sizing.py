"""How much so many trucks take: the arithmetic, the command, the page."""

import pytest
from click.testing import CliRunner
from conftest import ROOT

from mucktrack.cli import cli
from mucktrack.sizing import FEWEST_PARTITIONS, Measured, size
from mucktrack.sizing_page import page


def test_the_page_is_written_from_the_figures() -> None:
    assert (ROOT / "docs" / "sizing.md").read_text() == page(), "make sizing"


def test_a_small_fleet_has_one_of_each() -> None:
    found = size(500, 10)
    assert found.positions_s == 50
    assert (found.workers, found.gateways, found.kafka_brokers) == (1, 1, 1)
    assert found.partitions == FEWEST_PARTITIONS
    # 50 positions/s of 46 bytes for two years.
    assert found.archive_disk_bytes == pytest.approx(50 * 86_400 * 730 * 46)


def test_one_worker_may_be_missing() -> None:
    measured = Measured(worker_positions_s=100_000)
    found = size(1_000_000, 4, busy=0.5, measured=measured)
    assert found.worker_cores == 2.5
    assert found.workers == 6, "five at half of a core each, and one"
    assert found.partitions >= 2 * found.workers
    assert found.catch_up == pytest.approx(2.4)
    assert found.kafka_brokers == 3


@pytest.mark.parametrize("workers_rate", [1_000, 10_000, 100_000, 1_000_000])
def test_there_is_always_room_for_more_workers(workers_rate: float) -> None:
    found = size(300_000, 5, measured=Measured(worker_positions_s=workers_rate))
    assert found.partitions % FEWEST_PARTITIONS == 0
    assert found.partitions >= 2 * found.workers


def test_the_command() -> None:
    given = ["size", "--trucks", "1000000", "--every", "4", "--worker-rate", "300000"]
    done = CliRunner().invoke(cli, given)
    assert done.exit_code == 0
    rows = dict(line.rsplit("  ", 1) for line in done.stdout.splitlines())
    assert {name.split("/")[0].strip(): value for name, value in rows.items()}[
        "positions"
    ] == "250,000"
    assert CliRunner().invoke(cli, ["size", "--trucks", "0"]).exit_code == 2
