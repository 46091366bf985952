"""The embedded servers: real clients against them, and no trace of them afterwards."""

import signal
import socket
import subprocess
import sys

import pytest
import redis
from conftest import ROOT
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from processes import running, wait_until

from mucktrack.embedded import EmbeddedServerError, free_port, tansu, valkey

PARENT = """
import sys, time
from pathlib import Path
from mucktrack.embedded import tansu, valkey
with tansu(Path(sys.argv[1])) as kafka, valkey(Path(sys.argv[1])) as redis:
    print(kafka.port, redis.port, flush=True)
    time.sleep(600)
"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_records_go_through_the_broker(tmp_path):
    with tansu(tmp_path) as server:
        producer = KafkaProducer(bootstrap_servers=server.address)
        producer.send("anything", b"value", partition=0).get(10)
        producer.close()
        consumer = KafkaConsumer(bootstrap_servers=server.address, auto_offset_reset="earliest")
        consumer.assign([TopicPartition("anything", 0)])
        polled = consumer.poll(timeout_ms=10_000)
        consumer.close()
        assert [record.value for records in polled.values() for record in records] == [b"value"]
        assert (tmp_path / "kafka.log").read_text()


def test_redis_keeps_its_append_only_file_in_the_folder(tmp_path):
    with valkey(tmp_path) as server:
        client = redis.Redis.from_url(server.address)
        assert client.set("key", "value")
        assert client.get("key") == b"value"
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        client.close()
    assert any((tmp_path / "redis").rglob("*.aof"))
    with valkey(tmp_path) as server:
        client = redis.Redis.from_url(server.address)
        assert client.get("key") == b"value"
        client.close()


@pytest.mark.parametrize("start", [tansu, valkey])
def test_the_server_is_gone_when_the_block_ends(start, tmp_path):
    with start(tmp_path) as server:
        assert listens(server.port)
    assert not listens(server.port)
    assert not running(str(server.port))


@pytest.mark.parametrize("start", [tansu, valkey])
def test_the_port_asked_for_is_used(start, tmp_path):
    port = free_port()
    with start(tmp_path, port) as server:
        assert server.port == port
        assert str(port) in server.address
        with pytest.raises(EmbeddedServerError, match=f"port {port} of 127.0.0.1 is taken"):
            start(tmp_path / "second", port).__enter__()


def test_a_server_that_does_not_come_up_is_explained_by_its_log(tmp_path):
    folder = tmp_path / "redis" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("this is no manifest\n")
    with pytest.raises(EmbeddedServerError) as caught, valkey(tmp_path):
        pass
    message = str(caught.value)
    assert message.startswith("redis: the server ended with exit code 1 before it answered")
    assert str(tmp_path / "redis.log") in message
    assert "AOF manifest" in message


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_servers_end_with_their_parent(number, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as parent:
        ports = [int(port) for port in parent.stdout.readline().split()]
        assert len(ports) == 2
        assert all(listens(port) for port in ports)
        assert running(f"127.0.0.1:{ports[0]}")
        parent.send_signal(number)
        parent.wait(15)
    assert wait_until(lambda: not any(listens(port) for port in ports))
    assert wait_until(lambda: not any(running(str(port)) for port in ports))
