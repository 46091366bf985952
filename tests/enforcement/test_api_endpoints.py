"""Every endpoint of the API, for every role and for another district: one table.

An endpoint that is missing in the table fails, so that nobody adds one and forgets who may use it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from fastapi.testclient import TestClient
from office_parts import HERE, NOW_MS, PASSWORD, THERE, EmptyPackages, TestOffice, violation

from enforcement.api.app import PREFIX
from enforcement.steps import ROLES

ALL: Final = frozenset(ROLES)
WORK: Final = frozenset({"dispatcher", "officer", "reviewer", "admin"})
ADMIN: Final = frozenset({"admin"})
JPEG: Final = b"\xff\xd8\xff\xe0 a photo"


class Endpoint(NamedTuple):
    method: str
    path: str
    roles: frozenset[str]
    """Who gets something else than 403."""
    good: int
    """What they get."""
    foreign: int | None
    """What they get for something of another district; None = it has nothing to do with one, or
    shows less of it: `test_nothing_of_another_district_is_shown`."""
    send: dict[str, Any] = {}  # noqa: RUF012 - of a table, never changed


TABLE: Final = (
    Endpoint("GET", "/session", ALL, 200, None),
    Endpoint("PUT", "/session/password", ALL, 204, None,
             {"json": {"old": PASSWORD, "new": "nine green lorries"}}),
    Endpoint("DELETE", "/session", ALL, 204, None),
    Endpoint("POST", "/session", ALL, 200, None,
             {"json": {"name": "viewer", "password": PASSWORD}}),
    Endpoint("GET", "/cases", ALL, 200, None),
    Endpoint("GET", "/cases/counts", ALL, 200, None),
    Endpoint("GET", "/cases/{case_id}", ALL, 200, 404),
    Endpoint("POST", "/cases/{case_id}/actions/{action}", frozenset({"dispatcher", "admin"}), 200,
             404, {"json": {}, "headers": {"If-Match": "*"}}),
    Endpoint("GET", "/cases/{case_id}/attachments", ALL, 200, 404),
    Endpoint("POST", "/cases/{case_id}/attachments", WORK, 201, 404,
             {"params": {"name": "a.jpg"}, "content": JPEG,
              "headers": {"Content-Type": "image/jpeg"}}),
    Endpoint("GET", "/cases/{case_id}/attachments/{attachment_id}", ALL, 200, 404),
    Endpoint("POST", "/cases/{case_id}/evidence", WORK, 200, 404),
    Endpoint("GET", "/violations", ALL, 200, None),
    Endpoint("GET", "/violations/{violation_id}", ALL, 200, 404),
    Endpoint("GET", "/city", ALL, 200, None),
    Endpoint("GET", "/rules", ALL, 200, None),
    Endpoint("GET", "/steps", ALL, 200, None),
    Endpoint("GET", "/trucks/live", ALL, 200, None),
    Endpoint("GET", "/trucks/{truck_id}/track", ALL, 200, None),
    Endpoint("GET", "/figures", ALL, 200, None),
    Endpoint("GET", "/figures/ranking", ALL, 200, None),
    Endpoint("GET", "/events", ALL, 200, None),
    Endpoint("GET", "/users", ADMIN, 200, None),
    Endpoint("POST", "/users", ADMIN, 201, 422,
             {"json": {"name": "new", "role": "viewer", "districts": [], "password": PASSWORD}}),
    Endpoint("PATCH", "/users/{name}", ADMIN, 200, 404,
             {"json": {"disabled": True}, "headers": {"If-Match": "*"}}),
    Endpoint("GET", "/tokens", ADMIN, 200, None),
    Endpoint("POST", "/tokens", ADMIN, 201, 422,
             {"json": {"name": "new", "role": "viewer", "districts": [],
                       "expires_ms": NOW_MS + 1_000}}),
    Endpoint("DELETE", "/tokens/{token_id}", ADMIN, 204, 404),
    Endpoint("GET", "/audit", ADMIN, 200, None),
)  # fmt: skip
ENDLESS: Final = frozenset({"/events"})


class Places(NamedTuple):
    """What the paths of one district are made of."""

    names: dict[str, str]
    districts: list[str]

    def request(self, endpoint: Endpoint) -> dict[str, Any]:
        send = dict(endpoint.send)
        if "json" in send and "districts" in send["json"]:
            send["json"] = send["json"] | {"districts": self.districts}
        url = endpoint.path.format(**self.names)
        return {"method": endpoint.method, "url": url, **send}


@pytest.fixture
def office(tmp_path: Path, redis_url: str) -> Iterator[TestOffice]:
    address = f"sqlite:///{tmp_path}/cases.db"
    made = TestOffice(address, redis_url=redis_url, evidence=EmptyPackages())
    made.add_people()
    made.add_user("boss", "admin", None)
    yield made
    made.close()


def places(office: TestOffice, district: str, truck_id: str) -> Places:
    """A case of this district, with a file, and a user and a token that are limited to it."""
    said = violation(truck_id, district=district, company=f"company of {district}")
    (case_id,) = office.take(said)
    boss = office.client("boss")
    attached = boss.post(
        f"/cases/{case_id}/attachments",
        params={"name": "a.jpg"},
        content=JPEG,
        headers={"Content-Type": "image/jpeg"},
    )
    office.add_user(f"user-of-{district}", "viewer", frozenset({district}))
    token = {"name": f"of-{district}", "role": "viewer", "districts": [district]}
    made = boss.post("/tokens", json=token | {"expires_ms": NOW_MS + 1_000})
    return Places(
        {
            "case_id": case_id,
            "action": "accept",
            "attachment_id": attached.json()["attachment_id"],
            "violation_id": said.violation_id,
            "truck_id": truck_id,
            "name": f"user-of-{district}",
            "token_id": made.json()["token_id"],
        },
        [district],
    )


def test_every_endpoint_is_in_the_table(office: TestOffice) -> None:
    there = {
        (method.upper(), path.removeprefix(PREFIX))
        for path, methods in office.app.openapi()["paths"].items()
        for method in methods
    }
    assert there == {(one.method, one.path) for one in TABLE}
    served = [route for route in office.app.routes if not getattr(route, "include_in_schema", True)]
    assert {route.path for route in served} == {f"{PREFIX}/openapi.json"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("endpoint", TABLE, ids=lambda one: f"{one.method} {one.path}")
def test_who_may(office: TestOffice, endpoint: Endpoint) -> None:
    here, there = places(office, HERE, "浙Y00001"), places(office, THERE, "浙Y00002")
    if endpoint.path in ENDLESS:
        # A stream has no end: tried on a server, in test_api_events.
        assert office.client().get(endpoint.path).status_code == 401
        return
    if endpoint.path != "/session" or endpoint.method != "POST":
        answer = office.client().request(**here.request(endpoint))
        assert answer.status_code == 401, "without a login"
        assert_problem(answer)
    # The last one changes what the others have seen.
    for role in sorted(ROLES, key=lambda role: role in endpoint.roles):
        client = office.client(role)
        good = role in endpoint.roles
        if endpoint.foreign is not None:
            answer = client.request(**there.request(endpoint))
            # What role it needs may be said of what one does not see, but nothing else.
            allowed = {endpoint.foreign} if good else {403, endpoint.foreign}
            assert answer.status_code in allowed, (role, answer.text)
            assert_problem(answer)
        if not good:
            answer = client.request(**here.request(endpoint))
            assert answer.status_code == 403, (role, answer.text)
            assert_problem(answer)
    role = max(endpoint.roles)
    client = office.client(role)
    answer = client.request(**here.request(endpoint))
    assert answer.status_code == endpoint.good, (role, answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_that_may_reads(office: TestOffice, role: str) -> None:
    here = places(office, HERE, "浙Y00001")
    client = office.client(role)
    for endpoint in TABLE:
        if endpoint.method == "GET" and endpoint.path not in ENDLESS and role in endpoint.roles:
            assert client.request(**here.request(endpoint)).status_code == 200, endpoint.path


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("by", ["session", "token"])
def test_nothing_of_another_district_is_shown(office: TestOffice, role: str, by: str) -> None:
    here, there = places(office, HERE, "浙Y00001"), places(office, THERE, "浙X99999")
    client = office.client(role) if by == "session" else with_token(office, role)
    # Registered trucks and districts' borders are no secret; a truck that is not registered is.
    hidden = {name: said for name, said in there.names.items() if name != "action"}
    for endpoint in TABLE:
        if endpoint.method != "GET" or endpoint.path in ENDLESS or role not in endpoint.roles:
            continue
        for params in ({}, {"district": THERE}, {"truck": "浙X99999"}, {"q": "X9"}, {"limit": 200}):
            answer = client.request(**here.request(endpoint), params=params)
            for name, said in hidden.items():
                assert said not in answer.text, (endpoint.path, params, name)
            assert f"company of {THERE}" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_cookie_alone_changes_nothing(office: TestOffice, method: str) -> None:
    here = places(office, HERE, "浙Y00001")
    client = office.client("admin")
    for token in (None, "", "0" * 64, "x" * 64):
        client.headers.pop("X-CSRF-Token", None)
        if token is not None:
            client.headers["X-CSRF-Token"] = token
        for endpoint in TABLE:
            if endpoint.method == method and endpoint[:2] != ("POST", "/session"):
                answer = client.request(**here.request(endpoint))
                assert answer.status_code == 403, endpoint
                assert "X-CSRF-Token" in answer.json()["detail"]


def test_who_has_to_change_the_password_can_do_nothing_else(office: TestOffice) -> None:
    here = places(office, HERE, "浙Y00001")
    boss = office.client("boss")
    set_anew = {"json": {"password": PASSWORD}, "headers": {"If-Match": "*"}}
    assert boss.patch("/users/admin", **set_anew).json()["must_change"] is True
    client = office.client("admin")
    for endpoint in TABLE:
        if not endpoint.path.startswith("/session"):
            answer = client.request(**here.request(endpoint))
            assert answer.status_code == 403, endpoint.path
            assert "password" in answer.json()["detail"]
    changed = client.put("/session/password", json={"old": PASSWORD, "new": "nine green lorries"})
    assert changed.status_code == 204
    assert client.get("/users").status_code == 200


def with_token(office: TestOffice, role: str) -> TestClient:
    """A machine, which is limited to the district here."""
    token = {"name": f"as-{role}", "role": role, "districts": [HERE], "expires_ms": NOW_MS + 1_000}
    made = office.client("boss").post("/tokens", json=token)
    client = office.client()
    client.headers["Authorization"] = f"Bearer {made.json()['token']}"
    return client


def assert_problem(answer: Any) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert answer.json().keys() >= {"type", "title", "detail"}
