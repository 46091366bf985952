"""An office to try the API on: a database with cases in two districts and people of each role.

Used by the tests of the API alone.
"""

import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.testclient import TestClient

from enforcement.access.identity import COMMAND_LINE, stored
from enforcement.access.passwords import hashed
from enforcement.access.sessions import csrf_of, sha256
from enforcement.api.app import PREFIX, make_app
from enforcement.api.guard import COOKIE
from enforcement.api.parts import Parts, make_parts
from enforcement.database import Database
from enforcement.evidence.export import Package
from enforcement.intake import Arrival, case_id_of, take
from enforcement.rulebook import read_rulebook
from enforcement.steps import ROLES
from enforcement.tables import SessionRow, UserRow
from streams.output import Violation, encode, violation_id

ROOT: Final = Path(__file__).resolve().parents[2]
CITY: Final = ROOT / "producers" / "cities" / "demo"
PASSWORD: Final = "seven brown lorries"  # noqa: S105 - opens nothing
HASH: Final = hashed(PASSWORD)
HERE, THERE = "990101", "990102"
NOW_MS: Final = 1_790_000_000_000


class EmptyPackages:
    """Where it is who may have evidence that matters, not what it is."""

    def export(self, wanted: str, who: str, language: str) -> Package:
        return Package(f"{wanted}-{who}-{language}.zip", b"PK", "0" * 64, wanted, 0, 0)


@dataclass
class Clock:
    """What the office takes for the time."""

    ms: int = NOW_MS

    def __call__(self) -> int:
        return self.ms


def violation(truck_id: str = "浙Y00001", rule: str = "off-route", **said: Any) -> Violation:
    started_ms = said.pop("started_ms", NOW_MS - 600_000)
    fields: dict[str, Any] = {
        "violation_id": violation_id(truck_id, rule, started_ms),
        "phase": "opened",
        "revision": 0,
        "rule": rule,
        "severity": "minor",
        "title": "偏离核准路线",
        "title_en": "off route",
        "message": "载货行驶中偏离核准路线",
        "message_en": "off the route",
        "truck_id": truck_id,
        "company": "云溪渣土运输",
        "permit_ids": [],
        "trip_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{truck_id}|{started_ms}")),
        "started_ms": started_ms,
        "detected_ms": started_ms + 60_000,
        "ended_ms": None,
        "lon": 120.1,
        "lat": 30.2,
        "district": HERE,
        "origin_district": None,
        "place": {},
        "measured": {"distance_m": 83.2},
        "threshold": {"corridor_m": 50},
        "track": [(started_ms, 120.1, 30.2, 40.0), (started_ms + 30_000, 120.11, 30.2, None)],
        "city_version": "0" * 64,
    }
    return Violation(**fields | said)


class TestOffice:
    """Database, clock, app, and clients of it."""

    __test__ = False
    boss = COMMAND_LINE

    def __init__(self, address: str, **more: Any) -> None:
        self.clock = Clock()
        self.database = Database(address)
        self.rulebook = read_rulebook(None, ZoneInfo("Asia/Shanghai"))
        self.parts: Parts = make_parts(self.database, self.rulebook, CITY, self.clock, **more)
        self.app: FastAPI = make_app(self.parts)
        self._offset = 0
        self._clients: list[TestClient] = []

    def take(self, *violations: Violation) -> list[str]:
        """As the consumer does; the ids of the cases."""
        arrivals = []
        for one in violations:
            arrivals.append(Arrival(one, encode(one).decode(), 0, self._offset))
            self._offset += 1
        with self.database.change() as (session, head):
            take(session, head, arrivals, self.clock(), self.rulebook)
        return [case_id_of(one) for one in violations]

    def add_people(self, districts: frozenset[str] | None = frozenset({HERE})) -> None:
        """One of each role, who is called so."""
        for role in ROLES:
            self.add_user(role, role, districts)

    def add_user(self, name: str, role: Any, districts: frozenset[str] | None) -> None:
        """As `enforcement.access.users` does, but for the time that a password's hash takes."""
        with self.database.change() as (session, _):
            row = UserRow(name=name, role=role, password=HASH, disabled=False, must_change=False)
            row.districts, row.created_ms, row.version = stored(districts), self.clock(), 1
            session.add(row)

    def client(self, name: str | None = None) -> TestClient:
        """A browser; where somebody is named, one in which he has logged in, without the time that
        it takes to check a password."""
        client = self.browser()
        if name is not None:
            secret = secrets.token_urlsafe(32)
            with self.database.change() as (session, _):
                row = SessionRow(secret_sha256=sha256(secret), name=name)
                row.created_ms = row.seen_ms = self.clock()
                session.add(row)
            client.cookies[COOKIE] = secret
            client.headers["X-CSRF-Token"] = csrf_of(secret)
        return client

    def log_in(self, name: str, password: str = PASSWORD) -> TestClient:
        """A browser in which somebody really has logged in."""
        client = self.browser()
        answer = client.post("/session", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def browser(self) -> TestClient:
        client = TestClient(
            self.app, base_url=f"http://testserver{PREFIX}", raise_server_exceptions=False
        )
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.database.close()
