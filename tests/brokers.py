"""Which broker the live tests run on: `--broker embedded` (the default), `--broker apache`, or the
one that MUCKTRACK_TEST_KAFKA names.

A pytest plugin, loaded by `conftest.py`. With `--broker apache` only the tests that ask for a
broker are run, together with those of Apache Kafka itself, which are left out otherwise. Topics on
`kafka` are shared: a test makes its own, under names of its own, or asks for `fresh_kafka`.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from servers.kafka_cluster import KafkaCluster
from servers.kafka_jars import kafka_jars
from servers.programs import MissingProgramError, java
from servers.tansu_server import TansuServer

from mucktrack.embedded import tansu

LIVE = {"kafka", "fresh_kafka", "mortal_kafka", "breakable_kafka"}
APACHE = "apache_kafka"
GIVEN = "MUCKTRACK_TEST_KAFKA"
GONE_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class MortalBroker:
    """A broker of the test's own, which it may end."""

    address: str
    stop: Callable[[], object]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=("embedded", "apache"),
        default="embedded",
        help="what the live tests run on; with apache, only they are run, on Apache Kafka",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen, others = [], []
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        fits = fixtures & {*LIVE, APACHE} if _on_apache(config) else APACHE not in fixtures
        (chosen if fits else others).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=others)


@pytest.fixture(scope="session")
def apache_kafka() -> None:
    """Apache Kafka's jars and the programs that run them are there."""
    try:
        java()
        kafka_jars()
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """`host:port` of a broker that the tests share."""
    folder = tmp_path_factory.mktemp("kafka")
    if _on_apache(request.config):
        request.getfixturevalue(APACHE)
        with KafkaCluster(folder) as cluster:
            yield cluster.bootstrap
    elif given := os.environ.get(GIVEN):
        yield given
    else:
        with tansu(folder) as server:
            yield server.address


@pytest.fixture
def fresh_kafka(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """`host:port` of a broker that holds nothing."""
    if _on_apache(request.config):
        address = request.getfixturevalue("kafka")
        _forget_everything(address)
        yield address
        return
    _not_on_a_given_one()
    with tansu(tmp_path / "fresh-kafka") as server:
        yield server.address


@pytest.fixture
def mortal_kafka(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MortalBroker]:
    """A broker of the test's own, which it may end."""
    if _on_apache(request.config):
        request.getfixturevalue(APACHE)
        with KafkaCluster(tmp_path / "mortal-kafka") as cluster:
            yield MortalBroker(cluster.bootstrap, cluster.stop)
        return
    _not_on_a_given_one()
    with tansu(tmp_path / "mortal-kafka") as server:
        yield MortalBroker(server.address, server.child.stop)


@pytest.fixture
def breakable_kafka(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[KafkaCluster | TansuServer]:
    """A broker of the test's own, which it may kill, freeze and start again; `keeps` tells whether
    it has its records then."""
    if _on_apache(request.config):
        request.getfixturevalue(APACHE)
        with KafkaCluster(tmp_path / "breakable-kafka") as cluster:
            yield cluster
        return
    _not_on_a_given_one()
    with TansuServer(tmp_path / "breakable-kafka") as server:
        yield server


def _on_apache(config: pytest.Config) -> bool:
    apache = config.getoption("--broker") == "apache"
    if apache and os.environ.get(GIVEN):
        raise pytest.UsageError(f"--broker apache and {GIVEN} are two brokers; choose one")
    return apache


def _not_on_a_given_one() -> None:
    if os.environ.get(GIVEN):
        pytest.skip(f"empties or ends its broker, which is not for the one in {GIVEN}")


def _forget_everything(address: str) -> None:
    """Delete all topics, and the groups with what they have committed."""
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        groups = [group["group_id"] for group in admin.list_groups()]
        if groups:
            admin.delete_groups(groups)
        topics = _topics(admin)
        if topics:
            admin.delete_topics(topics)
        deadline = time.monotonic() + GONE_WITHIN_S
        while left := _topics(admin):
            assert time.monotonic() < deadline, f"topics that were deleted are still there: {left}"
            time.sleep(0.05)


def _topics(admin: KafkaAdminClient) -> list[str]:
    """Those that are not Kafka's own."""
    return [topic["name"] for topic in admin.describe_topics() if not topic["is_internal"]]
