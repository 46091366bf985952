"""`mucktrack up` under test, and what it leaves on the topics."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import ROOT
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

ADDRESS = re.compile(r"Kafka (127\.0\.0\.1:\d+)")
FLEET = ["--trucks", "60", "--speed", "120"]


@contextmanager
def up(state_dir: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "mucktrack", "up", "--state-dir", str(state_dir)),
            *(*FLEET, *arguments),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=inherited | environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str]) -> str:
    """The broker's address, which the heading tells when all is started."""
    for line in process.stdout:
        if found := ADDRESS.search(line):
            return found[1]
    raise AssertionError(process.stderr.read())


def records_of(address: str, topic: str) -> list[ConsumerRecord]:
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic)])
    found: list[ConsumerRecord] = []
    quiet = 0
    while quiet < 3:
        polled = consumer.poll(timeout_ms=700)
        quiet = 0 if polled else quiet + 1
        for records in polled.values():
            found += records
    consumer.close()
    return found
