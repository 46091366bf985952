"""All that dashboards, alerts and recording rules ask for is there: asked of a Prometheus that
scrapes a running `mucktrack up`, with terminals, gateway, worker, archiver and console."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from kafka import KafkaProducer
from ops_parts import DASHBOARD_FILES, alerts, asked, dashboard, pieces, recorded
from prometheus_parts import Prometheus, chosen, filled_in, prometheus, recent
from servers.programs import MissingProgramError
from up_process import up, wait_until_ready

from mucktrack.scrape_targets import NAME

LIMIT_S = 150.0
"""With a core to itself it takes some twenty."""
JOBS = {"worker", "archiver", "gateway", "console", "prometheus"}
UNREADABLE = "MucktrackViolationsUnreadable"
"""An alert that waits for nothing: here is a record that is no violation."""
WITHOUT_VALUES_WHEN_WELL = (
    "mucktrack_rebalance_seconds",
    "mucktrack_partition_load_seconds",
)
"""Quantiles of what happens when workers come and go: the series are there, and say nothing."""


@contextmanager
def receiver() -> Iterator[str]:
    """Of webhooks: takes every second message."""

    class Handler(BaseHTTPRequestHandler):
        asked = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            Handler.asked += 1
            self.send_response(503 if Handler.asked % 2 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def webhooks(folder: Path, address: str) -> Path:
    file = folder / "webhooks.toml"
    file.write_text(f'[[receiver]]\nname = "city"\naddress = "{address}"\nsecret = "{"k" * 32}"\n')
    return file


class Questions:
    """All there are, until each has had an answer once."""

    def __init__(self) -> None:
        self._began_s = time.time()
        self.boards = {file.stem: dashboard(file) for file in DASHBOARD_FILES}
        self.open = {(f"recorded {name}", recent(expr)) for name, expr in recorded().items()} | {
            (f"alert {alert.name}", recent(piece))
            for alert in alerts()
            for piece in pieces(alert.expr)
        }
        self.unchosen = set(self.boards)

    def choose(self, server: Prometheus) -> None:
        for name in list(self.unchosen):
            values = chosen(self.boards[name], server)
            if values is not None:
                self.unchosen.remove(name)
                self.open |= {
                    (one.where, filled_in(one.expr, values)) for one in asked(self.boards[name])
                }

    def ask(self, server: Prometheus) -> None:
        for where, expr in list(self.open):
            values = server.since(self._began_s, recorded_now(expr))
            well = any(name in expr for name in WITHOUT_VALUES_WHEN_WELL)
            # A quantile of nothing is no number.
            if values and (well or not all(map(math.isnan, values))):
                self.open.remove((where, expr))


def recorded_now(expr: str) -> str:
    """With what is expected of a rule written out: recorded, it takes a week to come about."""
    for name, made in recorded().items():
        if name in expr and "_expected:" in name:
            expr = expr.replace(name + '{rule=~".*"}', name).replace(name, f"({recent(made)})")
    return expr


def test_everything_that_is_asked_for_is_there(tmp_path: Path) -> None:
    questions = Questions()
    with receiver() as address:
        arguments = ["--jt808", "--speed", "240", "--trucks", "80"]
        hooks = str(webhooks(tmp_path, address))
        with up(tmp_path, *arguments, "--webhooks", hooks) as process:
            broker = wait_until_ready(process)
            try:
                with prometheus(tmp_path, tmp_path / NAME) as server:
                    answered(questions, server, broker)
                    rules = server.rules()
                    targets = server.targets()
            except MissingProgramError as missing:
                pytest.skip(str(missing))
    assert not questions.unchosen
    assert not questions.open, json.dumps(sorted(questions.open), indent=1, ensure_ascii=False)
    assert targets == dict.fromkeys(JOBS, "up")
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    firing = {rule["name"]: rule for rule in rules if rule.get("state") == "firing"}
    (alert,) = firing[UNREADABLE]["alerts"]
    assert alert["annotations"]["summary_zh"]


def answered(questions: Questions, server: Prometheus, broker: str) -> None:
    """Ask again and again until all have had an answer, or it takes too long."""
    deadline = time.monotonic() + LIMIT_S
    written = False
    while (questions.open or questions.unchosen) and time.monotonic() < deadline:
        questions.choose(server)
        questions.ask(server)
        if not written and server.since(time.time(), "mucktrack_enforcement_unreadable_total"):
            # Not before it was seen at 0.
            producer = KafkaProducer(bootstrap_servers=broker)
            producer.send("enforcement.violations", b"no violation").get(timeout=10)
            producer.close()
            written = True
        time.sleep(2)
