"""Every service of `docker-compose.yml` on real servers: its command with its environment, until
its health check is content; positions from terminals through all of them; then SIGTERM and an end
in good order within its grace time.

Without containers: docs/deploy.md tells what that leaves out.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import redis
from compose_file import own_services
from compose_servers import kafka, make_secrets, prepare_postgres, redis_health, redis_server
from conftest import ROOT
from kafka import KafkaConsumer
from servers.postgres_server import PostgresServer
from service_parts import WITHIN_S, Service, outside, places_of

from mucktrack.embedded import HOST

pytestmark = pytest.mark.usefixtures("apache_kafka")

ENDING = ("topics", "rights")
LASTING = ("gateway", "gateway809", "worker", "archiver", "console")
CITY = ROOT / "producers" / "cities" / "demo"


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
) -> Iterator[dict[str, Service]]:
    """All of them, healthy."""
    folder = tmp_path_factory.mktemp("compose")
    secrets = make_secrets(folder / "secrets")
    prepare_postgres(postgres, secrets)
    with (
        kafka(folder / "kafka", secrets) as broker,
        redis_server(folder / "redis", secrets) as store,
    ):
        for health, environment in (
            (broker.health(), broker.environment),
            (redis_health(store.port, secrets), outside()),
        ):
            asked = subprocess.run(
                health, capture_output=True, text=True, check=False, env=environment, timeout=30
            )
            assert asked.returncode == 0, asked.stderr
        ports = {"kafka": broker.port, "redis": store.port, "postgres": postgres.port}
        places = places_of(secrets, CITY, folder / "archive", ports)
        places.told["/platforms/platforms.toml"] = str(_platforms(folder / "platforms"))
        started = {name: Service(name, places, folder) for name in (*ENDING, *LASTING)}
        try:
            for name in ENDING:
                started[name].run()
            for name in LASTING:
                started[name].start()
            for name in LASTING:
                started[name].wait_until_healthy()
            yield started
        finally:
            for service in started.values():
                if service.child is not None:
                    service.child.stop()


def test_all_services_of_ours_are_tried() -> None:
    assert sorted(own_services()) == sorted((*ENDING, *LASTING))


def test_what_is_there_is_not_made_again(running: dict[str, Service]) -> None:
    told = running["topics"].run()
    assert "gps.positions: exists" in told
    assert "made" not in told
    assert "worker: Read of topic gps.positions" in running["rights"].run()


def test_nobody_may_do_more_than_its_part(running: dict[str, Service]) -> None:
    archiver = running["archiver"].environment()
    options = {
        "bootstrap_servers": archiver["MUCKTRACK_KAFKA"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "archiver",
        "sasl_plain_password": Path(archiver["MUCKTRACK_KAFKA_PASSWORD_FILE"]).read_text().strip(),
    }
    with KafkaConsumer(**options) as consumer:
        assert consumer.topics() == {"gps.positions"}
    database = running["console"].environment()["MUCKTRACK_DATABASE"]
    with pytest.raises(psycopg.OperationalError, match="no password"):
        psycopg.connect(database).close()
    url = running["worker"].environment()["MUCKTRACK_REDIS"].replace("mucktrack@", "")
    with pytest.raises(redis.AuthenticationError), redis.Redis.from_url(url) as client:
        client.get("mucktrack:city:versions")


def test_positions_of_terminals_reach_the_workers(running: dict[str, Service]) -> None:
    gateway, worker = running["gateway"], running["worker"].environment()
    password = Path(worker["MUCKTRACK_REDIS_PASSWORD_FILE"]).read_text().strip()
    fleet = subprocess.Popen(
        [
            *(sys.executable, "-m", "mucktrack", "simulate", "--city", CITY, "--trucks", "50"),
            *("--jt808", f"{HOST}:{gateway.ports['gateway_port']}", "--speed", "2"),
            *("--start", datetime.now(UTC).isoformat(timespec="seconds")),
        ],
        env=outside(),
        cwd=gateway.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + WITHIN_S
    try:
        with redis.Redis.from_url(worker["MUCKTRACK_REDIS"], password=password) as client:
            while not client.zcard("mucktrack:live:geo"):
                assert time.monotonic() < deadline, "no truck's place came to Redis"
                time.sleep(0.2)
    finally:
        fleet.terminate()
        fleet.wait(WITHIN_S)


def test_people_get_in_as_the_documentation_says(running: dict[str, Service]) -> None:
    console = running["console"]
    told = console.run("users", "add", "admin", "--role", "admin", "--districts", "all")
    assert "password, to be changed at the first login" in told
    page = f"http://{HOST}:{console.ports['console_port']}/"
    with urllib.request.urlopen(page, timeout=5) as answer:
        assert b"<title>" in answer.read()


def test_each_ends_in_good_order_within_its_grace(running: dict[str, Service]) -> None:
    for name in LASTING:
        child = running[name].child
        assert child is not None
        child.begin_stop()
    codes = {name: running[name].exit_code() for name in LASTING}
    assert codes == dict.fromkeys(LASTING, 0)
    archive = Path(running["archiver"].environment()["MUCKTRACK_ARCHIVE"])
    assert list(archive.rglob("*.parquet")), "the archiver has finished its files"


def _platforms(folder: Path) -> Path:
    """The example, as it is to be copied."""
    folder.mkdir()
    example = ROOT / "ops" / "compose" / "platforms" / "example.toml"
    (folder / "platforms.toml").write_bytes(example.read_bytes())
    (folder / "east.password").write_text("geheim12\n")
    return folder / "platforms.toml"
