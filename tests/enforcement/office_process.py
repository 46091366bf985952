"""`mucktrack console` under test: started, killed, asked; and the topic it reads."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from pages import figure
from sqlalchemy import func, select

from enforcement.database import Database
from enforcement.tables import AuditRow, CaseRow, EventRow, ViolationRow
from producers.demo_city import DEMO_CITY
from streams.output import Violation, ce_headers, encode
from streams.partition import partition_of
from streams.topics import VIOLATIONS

PARTITIONS = 3
PATIENCE_S = 60.0


@dataclass
class Process:
    """An enforcement process."""

    child: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def page(self, name: str) -> tuple[int, str]:
        """Of its metrics and health; 0 = it does not answer yet."""
        return _get(self.folder / "metrics.port", name)

    def site(self, path: str) -> tuple[int, str]:
        """Of the console."""
        return _get(self.folder / "console.port", path)

    def metric(self, name: str) -> float:
        """The sum over the series of this name that have these labels."""
        return figure(self.page("metrics")[1], name)

    def is_ready(self) -> bool:
        return self.page("readyz")[0] == 200 and bool(self.site("/api/v1/steps")[0])

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(PATIENCE_S)

    def stop(self) -> int:
        self.child.terminate()
        return self.child.wait(PATIENCE_S)


@contextmanager
def office_process(
    folder: Path, kafka: str, address: str, *arguments: str, **environment: str
) -> Iterator[Process]:
    """One that is started at once; it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("console.port", "metrics.port"):
        (folder / name).unlink(missing_ok=True)
    inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "mucktrack", "console", "--kafka", kafka),
                *("--city", str(DEMO_CITY), "--console-port", "0", "--console-metrics-port", "0"),
                *("--port-file", str(folder / "console.port")),
                *("--metrics-port-file", str(folder / "metrics.port"), *arguments),
            ],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=inherited | {"MUCKTRACK_DATABASE": address} | environment,
        )
    process = Process(child, folder)
    try:
        yield process
    finally:
        if child.poll() is None:
            process.kill()


def make_topic(kafka: str, partitions: int = PARTITIONS) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics([NewTopic(VIOLATIONS, partitions, 1)])


def publish(kafka: str, violations: Sequence[Violation]) -> None:
    """As a worker does."""
    with closing(KafkaProducer(bootstrap_servers=kafka, acks="all")) as producer:
        for one in violations:
            producer.send(
                VIOLATIONS,
                key=one.truck_id.encode(),
                value=encode(one),
                headers=ce_headers(one),
                partition=partition_of(one.truck_id, PARTITIONS),
            )
        producer.flush()


def publish_raw(kafka: str, values: Sequence[bytes | None], partition: int = 0) -> None:
    with closing(KafkaProducer(bootstrap_servers=kafka, acks="all")) as producer:
        for value in values:
            producer.send(VIOLATIONS, key=b"x", value=value, partition=partition)
        producer.flush()


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in (
                ("cases", CaseRow),
                ("violations", ViolationRow),
                ("events", EventRow),
                ("entries", AuditRow),
            )
        }


def wait_until(condition: Callable[[], object], process: Process | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, process and process.log[-3_000:]
        assert process is None or process.child.poll() is None, process.log[-3_000:]
        time.sleep(0.05)


def _get(port_file: Path, path: str) -> tuple[int, str]:
    text = port_file.read_text().strip() if port_file.exists() else ""
    if not text:
        return 0, ""
    url = f"http://127.0.0.1:{text}/{path.removeprefix('/')}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def waits_for(process: Process) -> set[str]:
    """What it says it waits for."""
    status, body = process.page("readyz")
    if status != 503:
        return set()
    return {wait["for"] for wait in json.loads(body).get("waiting", [])}
