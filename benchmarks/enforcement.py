"""What the enforcement process takes: violations a second into the database, and how long people
wait for the queue meanwhile.

`python -m benchmarks.enforcement` starts a broker and `mucktrack console`, both embedded, puts
violations on the topic at a steady rate, and asks for the queue as a console does. Meanwhile
dispatchers take cases through the API, all from the top of the same queue: each of their steps ends
as taken, or as a conflict that says so. At the end nothing may be missing. `--database` measures a
PostgreSQL, which must be empty; without it SQLite is measured.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import httpx
from kafka import KafkaProducer
from sqlalchemy import func, select

from enforcement.access.identity import COMMAND_LINE
from enforcement.access.tokens import Tokens
from enforcement.audit import check
from enforcement.database import Database
from enforcement.tables import AuditRow, CaseRow, EventRow
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from producers.demo_city import DEMO_CITY
from streams.access import KafkaAccess
from streams.output import Violation, ce_headers, encode, violation_id
from streams.topics import VIOLATIONS

PARTITIONS = 12
QUEUE_EVERY_S = 0.1
THINK_S = 1.0
"""Between two steps of a dispatcher, on average."""
STARTED_WITHIN_S = 60.0
READ_WITHIN_S = 120.0


@dataclass
class Figures:
    queue_s: list[float] = field(default_factory=list)
    steps: Counter[int] = field(default_factory=Counter)
    """By status."""
    step_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=200, help="violations a second")
    parser.add_argument("--dispatchers", type=int, default=50)
    parser.add_argument("--database", help="postgresql://…; without it SQLite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kafka = stack.enter_context(tansu(folder / "kafka")).address
        create_topics(KafkaAccess.plain(kafka), PARTITIONS, 1)
        address = given.database or f"sqlite:///{folder / 'cases.db'}"
        database = stack.enter_context(closing(Database(address)))
        token = _token(database)
        process, base = _console(folder, kafka, address, stack)
        figures, stop = Figures(), Event()
        threads = [
            Thread(target=_look, args=(base, token, figures, stop)),
            *(
                Thread(target=_dispatch, args=(base, token, figures, stop, seed))
                for seed in range(given.dispatchers)
            ),
        ]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        published = _publish(kafka, given.rate, given.seconds)
        took_s = time.monotonic() - began
        behind_s = _wait_until_read(database, published)
        stop.set()
        for thread in threads:
            thread.join()
        assert process.poll() is None, "the process has ended"
        _report(database, figures, published, took_s, behind_s)


def _token(database: Database) -> str:
    tokens = Tokens(database, lambda: time.time_ns() // 1_000_000)
    expires_ms = time.time_ns() // 1_000_000 + 86_400_000
    secret, _ = tokens.add(COMMAND_LINE, "benchmark", "dispatcher", None, expires_ms)
    return secret


def _console(
    folder: Path, kafka: str, address: str, stack: ExitStack
) -> tuple[subprocess.Popen[bytes], str]:
    port_file = folder / "console.port"
    log = stack.enter_context((folder / "console.log").open("wb"))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mucktrack", "console", "--kafka", kafka),
            *("--city", str(DEMO_CITY), "--console-port", "0", "--console-metrics-port", "0"),
            *("--port-file", str(port_file)),
        ],
        env=os.environ | {"MUCKTRACK_DATABASE": address},
        stdout=log,
        stderr=log,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    deadline = time.monotonic() + STARTED_WITHIN_S
    while not port_file.exists() or not port_file.read_text().strip():
        assert time.monotonic() < deadline, (folder / "console.log").read_text()
        time.sleep(0.1)
    return process, f"http://127.0.0.1:{port_file.read_text().strip()}/api/v1"


def _publish(kafka: str, rate: int, seconds: int) -> int:
    """How many violations: of each case two, of which one has two phases."""
    count = rate * seconds
    began = time.monotonic()
    with closing(KafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5)) as producer:
        for number in range(count):
            one = _violation(number)
            producer.send(
                VIOLATIONS,
                key=one.truck_id.encode(),
                value=encode(one),
                headers=ce_headers(one),
                partition=number // 3 % PARTITIONS,
            )
            ahead_s = number / rate - (time.monotonic() - began)
            if ahead_s > 0.01:
                time.sleep(ahead_s)
        producer.flush()
    return count


def _violation(number: int) -> Violation:
    case, event = divmod(number, 3)
    truck_id, started_ms = f"浙B{case % 30_000:05}", 1_790_000_000_000 + case * 1_000
    rule = "illegal-dumping" if event == 2 else "off-route"
    return Violation(
        violation_id=violation_id(truck_id, rule, started_ms),
        phase=("opened", "closed", "occurred")[event],  # type: ignore[arg-type]
        revision=0,
        rule=rule,
        severity="critical" if event == 2 else "minor",
        title="偏离核准路线",
        title_en="Off route",
        message="载货行驶中偏离核准路线 83.2 米",
        message_en="83.2 m off the route",
        truck_id=truck_id,
        company=f"运输公司 {case % 50}",
        permit_ids=["P1"],
        trip_id=str(uuid.uuid5(uuid.NAMESPACE_URL, str(case))),
        started_ms=started_ms,
        detected_ms=started_ms + 60_000,
        ended_ms=None,
        lon=121.5,
        lat=29.9,
        district=f"9901{case % 6 + 1:02}",
        origin_district=None,
        place={"route": "R1", "distance_m": 83.2},
        measured={"distance_m": 83.2, "duration_s": 75},
        threshold={"corridor_m": 50},
        track=[(started_ms + 10_000 * fix, 121.5, 29.9, 40.0) for fix in range(32)],
        city_version="0" * 64,
    )


def _look(base: str, token: str, figures: Figures, stop: Event) -> None:
    """At the queue, as an open console does."""
    with _client(base, token) as client:
        while not stop.wait(QUEUE_EVERY_S):
            began = time.monotonic()
            answer = client.get("/cases", params={"sort": "queue", "limit": 50})
            figures.queue_s.append(time.monotonic() - began)
            assert answer.status_code == 200, answer.text


def _dispatch(base: str, token: str, figures: Figures, stop: Event, seed: int) -> None:
    """Takes the case at the top, like everybody else, with the version that was seen."""
    chance = random.Random(seed)
    with _client(base, token) as client:
        while not stop.wait(chance.expovariate(1 / THINK_S)):
            page = client.get("/cases", params={"state": "new", "sort": "queue", "limit": 5}).json()
            for case in page["items"][:1]:
                began = time.monotonic()
                answer = client.post(
                    f"/cases/{case['case_id']}/actions/accept",
                    json={},
                    headers={
                        "If-Match": f'"{case["version"]}"',
                        "Idempotency-Key": str(uuid.uuid4()),
                    },
                )
                with figures.lock:
                    figures.steps[answer.status_code] += 1
                    figures.step_s.append(time.monotonic() - began)


def _client(base: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False)


def _wait_until_read(database: Database, published: int) -> float:
    began = time.monotonic()
    while time.monotonic() - began < READ_WITHIN_S:
        with database.read() as session:
            if session.scalar(select(func.count()).select_from(EventRow)) == published:
                return time.monotonic() - began
        time.sleep(0.2)
    raise AssertionError("not everything that was published has become part of a case")


def _report(
    database: Database, figures: Figures, published: int, took_s: float, behind_s: float
) -> None:
    with database.read() as session:
        cases = session.scalar(select(func.count()).select_from(CaseRow))
        accepted = session.scalar(
            select(func.count()).select_from(AuditRow).where(AuditRow.action == "accept")
        )
        faults = list(check(session))
    assert cases == -(-published // 3), f"{cases} cases of {published} violations"
    assert faults == [], faults
    taken = sum(count for status, count in figures.steps.items() if status < 300)
    assert accepted == taken, f"{accepted} steps in the trail, {taken} told as taken"
    odd = set(figures.steps) - {200, 409, 412}
    assert not odd, f"statuses {odd}"
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    rate = published / took_s
    print(f"{kind}: {published} violations in {took_s:.0f} s ({rate:.0f}/s), {cases} cases")
    print(f"  all in the database {behind_s:.1f} s after the last was published; trail whole")
    print(f"  queue {_told(figures.queue_s)}")
    print(f"  steps {_told(figures.step_s)}: {taken} taken, {sum(figures.steps.values()) - taken}"
          f" conflicts told {dict(figures.steps)}")  # fmt: skip


def _told(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    p50, p95, p99 = (ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms of {len(ordered)}"


if __name__ == "__main__":
    main()
