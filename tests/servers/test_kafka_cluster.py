"""Apache Kafka for the tests: three brokers that lose one, and a listener that wants a password."""

import os
import subprocess
import sys
import time
from contextlib import closing

import pytest
from conftest import ROOT
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from servers.kafka_cluster import SCRAM, KafkaCluster

pytestmark = pytest.mark.usefixtures("apache_kafka")

PARENT = """
import sys, time
from pathlib import Path
from servers.kafka_cluster import KafkaCluster
with KafkaCluster(Path(sys.argv[1])) as cluster:
    print(cluster.pid(0), flush=True)
    time.sleep(600)
"""


def values_on(bootstrap: str, topic: str, count: int, **options: object) -> list[bytes]:
    with closing(
        KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", **options)
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        found: list[bytes] = []
        for _ in range(40):
            for records in consumer.poll(timeout_ms=500).values():
                found += [record.value for record in records]
            if len(found) >= count:
                break
        return found


def test_what_three_brokers_acknowledge_outlives_each_of_them(tmp_path):
    values = [b"%d" % number for number in range(40)]
    # A broker that was killed is let in again when its former session has run out.
    quick = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
    with KafkaCluster(tmp_path, brokers=3, properties=quick) as cluster:
        bootstrap, pids = cluster.bootstrap, [cluster.pid(number) for number in range(3)]
        assert bootstrap.count(",") == 2
        with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
            assert len(admin.describe_cluster()["brokers"]) == 3
            topic = {"num_partitions": 1, "replication_factor": 3}
            admin.create_topics({"kept": topic}, wait_for_metadata=True)
        with closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all")) as producer:
            for value in values[:20]:
                producer.send("kept", value, partition=0)
            producer.flush()
            cluster.kill(0)
            for value in values[20:]:
                producer.send("kept", value, partition=0)
            producer.flush()
        cluster.start(0)
        cluster.freeze(1)
        cluster.thaw(1)
        cluster.kill(1)
        assert values_on(bootstrap, "kept", len(values)) == values
        assert cluster.bootstrap == bootstrap
        assert cluster.pid(0) != pids[0]
        pids += [cluster.pid(0)]
    assert not any(map(runs, pids))


def test_a_listener_can_ask_for_a_password(tmp_path):
    with KafkaCluster(
        tmp_path, protocol="SASL_PLAINTEXT", scram_users={"worker": "secret"}
    ) as cluster:
        with closing(KafkaAdminClient(bootstrap_servers=cluster.plain_bootstrap)) as admin:
            topic = {"num_partitions": 1, "replication_factor": 1}
            admin.create_topics({"guarded": topic}, wait_for_metadata=True)
        access = {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": SCRAM,
            "sasl_plain_username": "worker",
        }
        right = access | {"sasl_plain_password": "secret"}
        with closing(KafkaProducer(bootstrap_servers=cluster.bootstrap, **right)) as producer:
            producer.send("guarded", b"value", partition=0).get(20)
        assert values_on(cluster.bootstrap, "guarded", 1, **right) == [b"value"]
        with pytest.raises(KafkaError):
            KafkaProducer(
                bootstrap_servers=cluster.bootstrap,
                bootstrap_timeout_ms=3_000,
                **access | {"sasl_plain_password": "wrong"},
            )


def test_a_broker_ends_with_the_tests(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    ) as parent:
        broker = int(parent.stdout.readline())
        assert runs(broker)
        parent.kill()
        parent.wait(15)
    deadline = time.monotonic() + 15
    while runs(broker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(broker)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
