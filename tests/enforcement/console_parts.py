"""The enforcement process with servers of its own, and a browser in front of it.

Used by the browser tests of the console and by `tests/draw_console.py`. Everything is real: the
process is `mucktrack console`, violations come from Kafka, trucks from Redis.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis
from kafka import KafkaProducer
from office_parts import CITY, PASSWORD
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from enforcement.access.identity import COMMAND_LINE
from enforcement.access.users import add_user
from enforcement.database import Database
from mucktrack.embedded import tansu, valkey
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.live import GEO_KEY, TRUCK_KEY
from streams.output import Violation, ce_headers, encode
from streams.topics import VIOLATIONS

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 60.0
WIDTH, HEIGHT = 1366, 768
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
PEOPLE: Final[Sequence[tuple[str, str, frozenset[str] | None]]] = (
    ("liwei", "dispatcher", None),
    ("zhaomin", "dispatcher", None),
    ("chenjie", "officer", None),
    ("wangfang", "reviewer", None),
    ("boss", "admin", None),
    ("sunyu", "dispatcher", frozenset({"990102"})),
)


def chromium() -> str | None:
    """The browser's program; None = there is none."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def open_browser(playwright: Playwright, program: str) -> Browser:
    # Chromium's own sandbox does not work for root, which tests in containers often are.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=program, args=arguments)


@dataclass
class ConsoleProcess:
    """`mucktrack console`, which can be ended and started again at its address."""

    folder: Path
    kafka: str
    redis_url: str
    archive: Path | None = None
    port: int = 0
    child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def database_address(self) -> str:
        return f"sqlite:///{self.folder / 'cases.db'}"

    @property
    def log(self) -> Path:
        return self.folder / "console.log"

    def start(self) -> None:
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "mucktrack", "console", "--kafka", self.kafka]
        command += ["--redis", self.redis_url, "--city", str(CITY)]
        command += ["--database", self.database_address, "--state-dir", str(self.folder)]
        command += ["--console-port", str(self.port), "--console-metrics-port", "0"]
        command += ["--port-file", str(port_file)]
        if self.archive is not None:
            command += ["--archive", str(self.archive)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MUCKTRACK_")}
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: self._ended() or (port_file.exists() and port_file.read_text().strip()))
        assert not self._ended(), self.log.read_text()
        self.port = int(port_file.read_text())

    def stop(self) -> None:
        if self.child is not None:
            self.child.terminate()
            self.child.wait(PATIENCE_S)
            self.child = None

    def _ended(self) -> bool:
        return self.child is not None and self.child.poll() is not None


@dataclass
class Scene:
    """The process, and what reaches it from outside."""

    process: ConsoleProcess
    producer: Any
    redis: Any

    def publish(self, *violations: Violation) -> None:
        for one in violations:
            self.producer.send(
                VIOLATIONS, key=one.truck_id.encode(), value=encode(one), headers=ce_headers(one)
            )
        self.producer.flush(PATIENCE_S)

    def database(self) -> Database:
        return Database(self.process.database_address)

    def drive(self, trucks: Sequence[dict[str, Any]]) -> None:
        """Put trucks where the worker puts them."""
        with self.redis.pipeline(transaction=False) as pipe:
            for truck in trucks:
                fields = {name: value for name, value in truck.items() if name != "truck_id"}
                pipe.hset(TRUCK_KEY + truck["truck_id"], mapping=fields)
                pipe.geoadd(GEO_KEY, (truck["lon"], truck["lat"], truck["truck_id"]))
            pipe.execute()


@contextmanager
def scene(folder: Path, archive: Path | None = None) -> Iterator[Scene]:
    with tansu(folder) as kafka, valkey(folder) as live:
        create_topics(KafkaAccess.plain(kafka.address), 3)
        process = ConsoleProcess(folder, kafka.address, live.address, archive)
        database = Database(process.database_address)
        for name, role, districts in PEOPLE:
            add_user(
                *(database, COMMAND_LINE, now_ms(), name, role, districts, PASSWORD),  # type: ignore[arg-type]
                must_change=False,
            )
        database.close()
        producer: Any = KafkaProducer(bootstrap_servers=kafka.address)
        store = redis.Redis.from_url(live.address)
        process.start()
        try:
            yield Scene(process, producer, store)
        finally:
            producer.close()
            store.close()
            process.stop()


@dataclass
class Visitor:
    """Somebody in front of a browser of his own; keeps an eye on what it asks for and complains
    of."""

    scene: Scene
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    excused: tuple[str, ...] = ()
    """Complaints with one of these in them are part of the test."""
    asked: list[str] = field(default_factory=list)

    def open(self, view: str = "") -> None:
        self.page.goto(self.scene.process.address + view)

    def log_in(self, name: str) -> None:
        self.open()
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".view-queue table.queue")

    def row(self, truck_id: str) -> Any:
        return self.page.locator("table.queue tbody tr").filter(has_text=truck_id)

    def open_case(self, truck_id: str) -> None:
        self.row(truck_id).locator("a").click()
        self.page.wait_for_selector(".case-head h1")

    def act(self, title: str, **said: str) -> None:
        """Press an action's button, and fill its form."""
        self.page.locator(".actions button").filter(has_text=title).first.click()
        for name, value in said.items():
            self.page.fill(f"#field-{name}", value)
        dialog = self.page.locator("dialog[open]")
        if dialog.count():
            dialog.locator("button[type=submit]").click()

    def outside(self) -> list[str]:
        """What the browser has asked others for."""
        here = (self.scene.process.address, "data:", "blob:")
        return [address for address in self.asked if not address.startswith(here)]

    def unexcused(self) -> list[str]:
        return [one for one in self.complaints if not any(word in one for word in self.excused)]


def visit(scene: Scene, browser: Browser) -> Visitor:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S / 3 * 1000)
    visitor = Visitor(scene, context, page)
    page.on("console", lambda said: _note(visitor, said.type, said.text))
    page.on("pageerror", lambda error: visitor.complaints.append(f"error: {error}"))
    page.on(
        "dialog", lambda one: (visitor.complaints.append(f"dialog: {one.message}"), one.dismiss())
    )
    context.on("request", lambda request: visitor.asked.append(request.url))
    return visitor


def _note(visitor: Visitor, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        visitor.complaints.append(f"{kind}: {text}")


def wait_for(condition: Callable[[], object], limit_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.05)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
