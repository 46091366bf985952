"""All processes, at their most talkative, with secrets that are easily found: none of them is in a
log, every line is an event of the table, and what operators look for is there."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from conftest import ROOT
from gateway_parts import OTHER_PLATE, PARTITIONS, PHONE, PLATE, Terminal, write_city
from gateway_parts import broker as broker
from platform_parts import CIPHER, EAST, PLATFORMS, LowerPlatform
from servers.redis_server import RedisServer
from sqlalchemy import func, select

from enforcement.access.identity import COMMAND_LINE
from enforcement.access.users import add_user
from enforcement.database import Database
from enforcement.tables import WebhookRow
from streams.log_events import EVENTS

sys.path.insert(0, str(ROOT / "tests" / "enforcement"))
sys.path.insert(0, str(ROOT / "tests" / "streams"))
from case_parts import violation
from live_parts import Record, publish

from streams.output import encode
from streams.topics import VIOLATIONS

SECRETS = {
    "redis": "redis-Geheimnis+/%1",
    "kafka": "kafka-Geheimnis-2",
    "user": "nutzer-Geheimnis-3",
    "no user": "falsches-Geheimnis-4",
    "webhook": "haken-Geheimnis-5",
    "robot": "roboter-Geheimnis-6",
    "platform": "p-geh-7",
    "no platform": "p-geh-8",
    "no terminal": "code-Geheimnis-9",
    "cipher": str(CIPHER.m1),
}
PATIENCE_S = 60.0


class Crew:
    """Processes of the command line, with the log of each."""

    def __init__(self, folder: Path, common: dict[str, str]) -> None:
        self._folder = folder
        own = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
        self._environment = own | common | {"PYTHONPATH": str(ROOT), "MUCKTRACK_LOG_LEVEL": "debug"}
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        with self.log(name).open("wb") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", "mucktrack", *arguments],
                cwd=self._folder,
                env=self._environment | environment,
                stdout=log,
                stderr=log,
            )

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log(name).read_text().splitlines()]

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        text = self.log(name).read_text()
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [one for one in map(json.loads, whole) if one["event"] == event]

    async def until(self, name: str, event: str) -> dict[str, Any]:
        await until(lambda: self.events(name, event), f"{name} says {event}")
        return self.events(name, event)[-1]

    def stop(self) -> None:
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            child.wait(PATIENCE_S)


async def until(true: Callable[[], object], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, f"waited in vain until {what}"
        await asyncio.sleep(0.1)


@contextmanager
def crew(folder: Path, kafka: str, redis: str) -> Iterator[Crew]:
    common = {
        "MUCKTRACK_KAFKA": kafka,
        "MUCKTRACK_REDIS": redis,
        "MUCKTRACK_REDIS_PASSWORD": SECRETS["redis"],
        "MUCKTRACK_PARTITIONS": str(PARTITIONS),
        "MUCKTRACK_CITY": str(write_city(folder / "city")),
        "MUCKTRACK_DATABASE": f"sqlite:///{folder / 'cases.db'}",
        "MUCKTRACK_SESSION_TIMEOUT_S": "6",
    }
    for part in ("", "ARCHIVE_", "GATEWAY_", "GATEWAY809_", "CONSOLE_"):
        common[f"MUCKTRACK_{part}METRICS_PORT"] = "0"
    for part in ("GATEWAY_", "GATEWAY809_", "CONSOLE_"):
        common[f"MUCKTRACK_{part}PORT"] = "0"
    made = Crew(folder, common)
    with ExitStack() as stack:
        stack.callback(lambda: [one.kill() for one in made.children.values()])
        yield made


def receivers() -> str:
    robot = f"http://127.0.0.1:1/cgi-bin/webhook/send?key={SECRETS['robot']}"
    return f"""
[[receiver]]
name = "city"
address = "http://127.0.0.1:1/"
secret = "{SECRETS["webhook"]}"

[[receiver]]
name = "robot"
format = "wecom"
address = "{robot}"
"""


async def terminals(port: int) -> list[str]:
    """What they do, right and wrong; the codes that they were given."""
    async with Terminal(port) as terminal:
        first = await terminal.enter()
    async with Terminal(port) as terminal:
        assert await terminal.authenticate(SECRETS["no terminal"]) != 0
    async with Terminal(port) as terminal:
        assert (await terminal.register(OTHER_PLATE)).result != 0
    async with Terminal(port) as terminal:
        # The same phone, another device: a new code, and a warning.
        answer = await terminal.register(PLATE, terminal_id="D000002")
        assert answer.code != first
    return [first, answer.code]


async def platforms(port: int) -> None:
    async with LowerPlatform(port, EAST, "2019", CIPHER) as platform:
        assert await platform.log_in(password=SECRETS["no platform"]) != 0
    async with LowerPlatform(port, EAST, "2019", CIPHER) as platform:
        assert await platform.log_in(password=SECRETS["platform"]) == 0


async def people(port: int) -> tuple[list[str], str]:
    """What they do; the secrets that they were given, and the id of a request."""
    at = f"http://127.0.0.1:{port}/api/v1"
    async with httpx.AsyncClient() as browser:
        wrong = {"name": "li", "password": SECRETS["no user"]}
        assert (await browser.post(f"{at}/session", json=wrong)).status_code == 401
        right = {"name": "li", "password": SECRETS["user"]}
        answer = await browser.post(f"{at}/session", json=right)
        assert answer.status_code == 200
        browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
        token = {"name": "board", "role": "viewer", "districts": None}
        token |= {"expires_ms": time.time_ns() // 1_000_000 + 86_400_000}
        made = await browser.post(f"{at}/tokens", json=token)
        secrets = [*browser.cookies.values(), answer.json()["csrf"], made.json()["token"]]
        bearer = {"Authorization": f"Bearer {SECRETS['no user']}"}
        await browser.get(f"{at}/cases?token={SECRETS['no user']}", headers=bearer)
        return secrets, answer.headers["X-Request-ID"]


async def test_no_secret_is_in_any_log(broker: str, tmp_path: Path) -> None:
    protected = ("--requirepass", SECRETS["redis"])
    (tmp_path / "platforms.toml").write_text(PLATFORMS.replace("secret-1", SECRETS["platform"]))
    (tmp_path / "webhooks.toml").write_text(receivers())
    database = Database(f"sqlite:///{tmp_path / 'cases.db'}")
    add_user(
        *(database, COMMAND_LINE, 1, "li", "admin", None, SECRETS["user"]),
        must_change=False,
    )
    with (
        RedisServer(tmp_path / "redis", options=protected) as redis,
        crew(tmp_path, broker, redis.url) as running,
    ):
        running.start("worker", "worker")
        running.start("archiver", "archive", "--folder", str(tmp_path / "archive"))
        running.start("gateway", "gateway")
        running.start("gateway809", "gateway809", "--platforms", str(tmp_path / "platforms.toml"))
        running.start("console", "console", "--webhooks", str(tmp_path / "webhooks.toml"))
        running.start(
            "stranger",
            "worker",
            MUCKTRACK_KAFKA_SECURITY="sasl_plaintext",
            MUCKTRACK_KAFKA_USER="stranger",
            MUCKTRACK_KAFKA_PASSWORD=SECRETS["kafka"],
            MUCKTRACK_KAFKA_SASL_MECHANISM="PLAIN",
        )
        secrets = await terminals((await running.until("gateway", "terminals_awaited"))["port"])
        await platforms((await running.until("gateway809", "platforms_awaited"))["port"])
        served = await running.until("console", "console_served")
        given, request_id = await people(served["port"])
        await until(lambda: receivers_known(database) == 2, "webhooks are told of what comes")
        told = violation("浙B00001")
        record = Record(0, encode(told), told.truck_id.encode(), told.detected_ms)
        await publish(broker, VIOLATIONS, [record])
        await running.until("console", "webhook_not_taken")
        await running.until("worker", "partition_loaded")
        await running.until("archiver", "archiving")
        redis.kill()
        await running.until("gateway", "redis_away")
        redis.start()
        await running.until("gateway", "redis_back")
        await until(lambda: running.log("stranger").stat().st_size > 0, "the stranger says why")
        running.stop()
        check_lines(running)
        check_events(running, request_id)
        secrets += [*SECRETS.values(), *given]
        for name in running.children:
            text = running.log(name).read_text()
            for secret in filter(None, secrets):
                assert secret not in text, (name, secret)


def receivers_known(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(WebhookRow)) or 0


def check_lines(running: Crew) -> None:
    for name in running.children:
        for line in running.lines(name):
            assert line["event"] in EVENTS, line
            assert {"time", "level", "process", "logger"} <= line.keys()
            assert line["level"] != "error" or name == "stranger", line


def check_events(running: Crew, request_id: str) -> None:
    (registered, replaced) = running.events("gateway", "terminal_registered")
    assert (registered["phone"], registered["truck_id"]) == (PHONE, PLATE)
    assert running.events("gateway", "terminal_admitted")[0]["phone"] == PHONE
    (warning,) = running.events("gateway", "terminal_replaced")
    assert (warning["device_before"], warning["device"]) == ("70111/D000001", "70111/D000002")
    assert running.events("gateway", "terminal_refused")[0]["phone"] == PHONE
    assert replaced["connection"] == warning["connection"]
    assert running.events("gateway809", "platform_refused")[0]["platform"] == "platform east"
    assert running.events("gateway809", "platform_logged_in")[0]["platform"] == "east"
    loaded = running.events("worker", "partition_loaded")
    assert {one["partition"] for one in loaded} == set(range(PARTITIONS))
    assert running.events("worker", "partitions_assigned")
    assert running.events("worker", "partitions_given_up")
    entries = running.events("console", "audit_entry")
    actions = {one["action"] for one in entries}
    assert {"login", "login_failed", "open", "opened", "token_added"} <= actions
    (login,) = [one for one in entries if one["action"] == "login"]
    assert (login["request_id"], login["user"]) == (request_id, "li")
    (opened,) = [one for one in entries if one["action"] == "opened"]
    assert opened["case_id"]
    assert opened["violation_id"]
    asked = {one["request_id"]: one for one in running.events("console", "request_answered")}
    assert asked[request_id]["path"] == "/api/v1/session"
    assert asked[request_id]["status"] == 200
