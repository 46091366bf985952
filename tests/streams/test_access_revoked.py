"""A password that is changed under a worker at work."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from live_parts import Process, until, write_city
from servers.kafka_cluster import KafkaCluster

from mucktrack.topics import create_topics
from producers.publisher import Publisher
from streams.access import KafkaAccess
from streams.position import Position

pytestmark = pytest.mark.usefixtures("apache_kafka")

SECRET = "geheim"  # noqa: S105 - of a server of the test's own
QUICK = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}


def set_password(cluster: KafkaCluster, password: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=cluster.plain_bootstrap)) as admin:
        upsertion = UserScramCredentialUpsertion("worker", ScramMechanism.SCRAM_SHA_512, password)
        admin.alter_user_scram_credentials([upsertion])


def test_a_worker_outlives_a_password_that_is_changed_and_changed_back(tmp_path: Path) -> None:
    city = tmp_path / "city"
    city.mkdir()
    write_city(city)
    with KafkaCluster(
        tmp_path / "kafka",
        protocol="SASL_PLAINTEXT",
        properties=QUICK,
        scram_users={"worker": SECRET},
    ) as cluster:
        plain = KafkaAccess.plain(cluster.plain_bootstrap)
        create_topics(plain, 1)
        inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
        told = {
            "MUCKTRACK_KAFKA": cluster.bootstrap,
            "MUCKTRACK_KAFKA_SECURITY": "sasl_plaintext",
            "MUCKTRACK_KAFKA_USER": "worker",
            "MUCKTRACK_KAFKA_PASSWORD": SECRET,
            "MUCKTRACK_CITY": str(city),
            "MUCKTRACK_PARTITIONS": "1",
            "MUCKTRACK_METRICS_PORT": "0",
            "PYTHONPATH": str(ROOT),
        }
        log = tmp_path / "log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mucktrack", "worker"),
                    *("--metrics-port-file", str(tmp_path / "port")),
                ],
                cwd=tmp_path,
                env=inherited | told,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        worker = Process(child, log, tmp_path / "port")
        try:
            publish(plain, 1)
            asyncio.run(until(lambda: fixes(worker) == 1, "the first position is taken"))
            set_password(cluster, "another")
            cluster.kill(0)
            cluster.start(0)
            refused = "invalid credentials"
            asyncio.run(until(lambda: refused in worker.said(), "the refusal is logged"))
            assert child.poll() is None
            set_password(cluster, SECRET)
            publish(plain, 2)
            asyncio.run(until(lambda: fixes(worker) >= 2, "the second position is taken"))
            assert worker.stop() == 0
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            sys.stdout.write(log.read_text())
        assert SECRET not in log.read_text()


def fixes(worker: Process) -> float:
    return worker.metric('mucktrack_positions_total{outcome="fix"}')


def publish(kafka: KafkaAccess, minute: int) -> None:
    with Publisher(kafka, "gps.positions", 1) as publisher:
        time_ms = 1_793_584_800_000 + minute * 60_000
        publisher.publish(Position("浙B00001", time_ms, 121.1, 29.1, speed_kmh=0.0))
