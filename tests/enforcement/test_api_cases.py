"""The queue and the steps by the API: pages, filters, versions, requests that come twice."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office_parts import HERE, NOW_MS, THERE, TestOffice, violation

from enforcement.api.armour import MOST_BYTES
from enforcement.api.replies import KEPT_MS

SEEN = {"If-Match": "*"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TestOffice]:
    made = TestOffice(f"sqlite:///{tmp_path}/cases.db")
    made.add_people()
    yield made
    made.close()


def pages(client: Any, path: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after = None
    while True:
        asked = params if after is None else params | {"after": after}
        answer = client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        after = answer.json()["next"]
        if after is None:
            return items


def test_pages_hold_everything_once_in_order(office: TestOffice) -> None:
    severities = ("minor", "critical", "lead", "major")
    for number in range(23):
        office.take(violation(f"浙Y{number:05}", severity=severities[number % 4]))
    client = office.client("viewer")
    for limit in (1, 4, 23, 24):
        queue = pages(client, "/cases", limit=limit)
        order = [(-severities_rank(one["severity"]), one["number"]) for one in queue]
        assert len(queue) == 23
        assert order == sorted(order)
        newest = [one["number"] for one in pages(client, "/cases", limit=limit, sort="newest")]
        assert newest == list(range(23, 0, -1))
        seen = [one["truck_id"] for one in pages(client, "/violations", limit=limit)]
        assert seen == [f"浙Y{number:05}" for number in range(22, -1, -1)]


def severities_rank(severity: str) -> int:
    return ("lead", "minor", "major", "critical").index(severity)


def test_a_page_is_not_moved_by_what_comes_meanwhile(office: TestOffice) -> None:
    for number in range(4):
        office.take(violation(f"浙Y{number}"))
    client = office.client("viewer")
    first = client.get("/cases", params={"limit": 2}).json()
    office.take(violation("浙Y9", severity="critical"))
    second = client.get("/cases", params={"limit": 2, "after": first["next"]}).json()
    assert [one["number"] for one in first["items"] + second["items"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1e3", "99999999999999999999", "x", ""])
def test_no_page_is_huge(office: TestOffice, limit: str) -> None:
    assert office.client("viewer").get("/cases", params={"limit": limit}).status_code == 422


def test_cursors_of_others_and_of_other_questions(office: TestOffice) -> None:
    office.take(*(violation(f"浙Y{number}", district=THERE) for number in range(3)))
    office.take(violation("浙Y9"))
    office.add_user("boss", "admin", None)
    cursor = office.client("boss").get("/cases", params={"limit": 1}).json()["next"]
    client = office.client("viewer")
    passed_on = client.get("/cases", params={"after": cursor}).json()["items"]
    assert [one["truck_id"] for one in passed_on] == ["浙Y9"]
    for params in ({"sort": "newest"}, {"q": "x"}, {"state": "new"}):
        assert client.get("/cases", params={"after": cursor, **params}).status_code == 422
    assert client.get("/violations", params={"after": cursor}).status_code == 422
    for wrong in ("", "x", "=", "W10", cursor[:-2], cursor + "A", "é", "0" * 200, "0" * 201):
        assert client.get("/cases", params={"after": wrong}).status_code == 422, wrong


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({"severity": "critical"}, [2]),
        ({"severity": ["critical", "lead"]}, [2, 3]),
        ({"rule": "illegal-dumping"}, [2]),
        ({"truck": "浙Y3"}, [3]),
        ({"company": "100%_ltd"}, [3]),
        ({"q": "%"}, [3]),
        ({"q": "_"}, [3]),
        ({"q": "浙y"}, [1, 2, 3]),
        ({"q": "2"}, [2]),
        ({"q": "' OR '1'='1"}, []),
        ({"truck": "x'; DROP TABLE cases; --"}, []),
        ({"district": THERE}, []),
        ({"district": HERE}, [1, 2, 3]),
        ({"from_ms": NOW_MS}, []),
        ({"to_ms": NOW_MS}, [1, 2, 3]),
        ({"state": ["closed", "void"]}, []),
        ({"state": "accepted"}, [1]),
        ({"mine": "true"}, [1]),
        ({"overdue": "true"}, []),
    ],
)
def test_filters(office: TestOffice, params: dict[str, Any], numbers: list[int]) -> None:
    (first, *_) = office.take(
        violation("浙Y1"),
        violation("浙Y2", rule="illegal-dumping", severity="critical"),
        violation("浙Y3", severity="lead", company="100%_ltd"),
        violation("浙Y4", district=THERE, severity="critical"),
    )
    client = office.client("dispatcher")
    assert client.post(f"/cases/{first}/actions/accept", json={}, headers=SEEN).status_code == 200
    found = pages(client, "/cases", **params)
    assert sorted(one["number"] for one in found) == numbers


@pytest.mark.parametrize("text", ["\x00", "a\nb", "\ud800", "x" * 101])
def test_text_that_no_database_holds(office: TestOffice, text: str) -> None:
    client = office.client("dispatcher")
    if "\ud800" not in text:
        assert client.get("/cases", params={"q": text}).status_code == 422
        assert client.get("/cases", params={"rule": text}).status_code == 422
    (case_id,) = office.take(violation())
    for body in ({"squad": text}, {"receiver": text}):
        answer = client.post(
            f"/cases/{case_id}/actions/dispatch",
            content=json.dumps(body),
            headers={**SEEN, "Content-Type": "application/json"},
        )
        assert answer.status_code == 422, answer.text


def test_two_take_the_same_case(office: TestOffice) -> None:
    (case_id,) = office.take(violation())
    office.add_user("li", "dispatcher", None)
    clients = [office.client("dispatcher"), office.client("li")]
    etag = clients[0].get(f"/cases/{case_id}").headers["ETag"]
    answers: list[Any] = []

    def accept(client: Any, if_match: str) -> None:
        path = f"/cases/{case_id}/actions/accept"
        answers.append(client.post(path, json={}, headers={"If-Match": if_match}))

    threads = [threading.Thread(target=accept, args=(one, etag)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.status_code for one in answers) == [200, 412]
    accept(clients[0], "*")
    assert answers[-1].status_code == 409
    assert "accepted by" in answers[-1].json()["detail"]
    accept(clients[0], '"1')
    assert answers[-1].status_code == 412


def test_the_steps_to_the_end(office: TestOffice) -> None:
    (case_id,) = office.take(violation())
    steps = (
        ("dispatcher", "accept", {}),
        ("dispatcher", "dispatch", {"squad": "二中队"}),
        ("officer", "handle", {"findings": "属实\n罚款"}),
        ("reviewer", "verify", {}),
        ("reviewer", "close", {}),
    )
    for role, action, said in steps:
        client = office.client(role)
        seen = client.get(f"/cases/{case_id}")
        assert action in seen.json()["actions"]
        headers = {"If-Match": seen.headers["ETag"]}
        answer = client.post(f"/cases/{case_id}/actions/{action}", json=said, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
    trail = client.get(f"/cases/{case_id}").json()["trail"]
    assert [one["action"] for one in trail][2:] == [action for _, action, _ in steps]
    assert client.get("/cases").json()["items"] == []
    assert len(pages(client, "/cases", state="closed")) == 1


def test_a_request_that_comes_again_is_done_once(office: TestOffice) -> None:
    (case_id,) = office.take(violation())
    client = office.client("dispatcher")
    path, headers = f"/cases/{case_id}/actions/note", {**SEEN, "Idempotency-Key": "a-key-of-mine"}
    first = client.post(path, json={"reason": "seen"}, headers=headers)
    again = client.post(path, json={"reason": "seen"}, headers=headers)
    assert (again.status_code, again.text) == (200, first.text)
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.post(path, json={"reason": "other"}, headers=headers)
    assert other.status_code == 422
    (another,) = office.take(violation("浙Y2"))
    seen = {"json": {"reason": "seen"}, "headers": headers}
    elsewhere = client.post(f"/cases/{another}/actions/note", **seen)
    assert elsewhere.status_code == 422
    somebody = office.client("reviewer").post(path, json={"reason": "seen"}, headers=headers)
    assert somebody.json()["version"] == first.json()["version"] + 1
    office.clock.ms += KEPT_MS + 1
    # What is old is removed when something is added.
    client = office.client("dispatcher")
    new = {**SEEN, "Idempotency-Key": "another-key"}
    assert client.post(path, json={"reason": "seen"}, headers=new).status_code == 200
    assert client.post(path, json={"reason": "other"}, headers=headers).status_code == 200


def test_what_failed_may_be_tried_again_with_the_same_key(office: TestOffice) -> None:
    (case_id,) = office.take(violation())
    client = office.client("dispatcher")
    headers = {**SEEN, "Idempotency-Key": "a-key-of-mine"}
    squad = {"json": {"squad": "二中队"}, "headers": headers}
    assert client.post(f"/cases/{case_id}/actions/dispatch", **squad).status_code == 409
    client.post(f"/cases/{case_id}/actions/accept", json={}, headers=SEEN)
    assert client.post(f"/cases/{case_id}/actions/dispatch", **squad).status_code == 200


@pytest.mark.parametrize("more", ["version", "state", "handler", "officer"])
def test_nothing_but_what_is_asked_for_is_taken(office: TestOffice, more: str) -> None:
    (case_id,) = office.take(violation())
    path = f"/cases/{case_id}/actions/accept"
    answer = office.client("dispatcher").post(path, json={more: 1}, headers=SEEN)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/cases/", 404),
        ("GET", "/cases/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/../../etc/passwd", 404),
        ("PUT", "/cases", 405),
        ("POST", "/rules", 405),
        ("POST", "/cases/x/actions/nothing", 422),
        ("POST", "/cases/x/actions/accept", 404),
    ],
)
def test_errors_are_problems(office: TestOffice, method: str, path: str, status: int) -> None:
    client = office.client("dispatcher")
    answer = client.request(method, path, json={}, headers=SEEN)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 50_000])
def test_bodies_that_are_none(office: TestOffice, body: bytes) -> None:
    (case_id,) = office.take(violation())
    headers = {**SEEN, "Content-Type": "application/json"}
    path = f"/cases/{case_id}/actions/accept"
    answer = office.client("dispatcher").post(path, content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("declared", [True, False])
def test_bodies_are_limited(office: TestOffice, declared: bool) -> None:
    big = b"x" * (MOST_BYTES + 1)
    content = big if declared else iter([big[: MOST_BYTES // 2], big[MOST_BYTES // 2 :]])
    answer = office.client("dispatcher").post("/cases/x/actions/note", content=content)
    assert answer.status_code == 413


def test_a_fault_of_the_program_is_told_without_its_innards(office: TestOffice) -> None:
    client = office.client("viewer")
    with office.database.change() as (session, _):
        session.connection().exec_driver_sql("ALTER TABLE violations RENAME COLUMN rule TO rule_")
    for path in ("/violations", "/figures"):
        answer = client.get(path)
        assert answer.status_code in (500, 503)
        assert "rule" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
