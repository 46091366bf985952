"""Logging in, sessions, passwords, tokens, users: by the API, as a browser or a machine does."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from office_parts import HERE, NOW_MS, PASSWORD, THERE, TestOffice
from sqlalchemy import select

from enforcement.access import sessions, throttle
from enforcement.audit import check
from enforcement.tables import AuditRow, SessionRow, TokenRow, UserRow

NEW = "nine green lorries"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TestOffice]:
    made = TestOffice(f"sqlite:///{tmp_path}/cases.db")
    made.add_user("wang", "dispatcher", frozenset({HERE}))
    made.add_user("boss", "admin", None)
    yield made
    with made.database.read() as session:
        assert list(check(session)) == []
    made.close()


def trail(office: TestOffice) -> list[tuple[str, str]]:
    with office.database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.who, row.action) for row in rows]


def test_a_session_from_login_to_logout(office: TestOffice) -> None:
    browser = office.browser()
    answer = browser.post("/session", json={"name": "wang", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert "Secure" not in cookie
    said = answer.json()
    assert (said["name"], said["role"], said["districts"]) == ("wang", "dispatcher", [HERE])
    assert browser.get("/session").json() == said
    browser.headers["X-CSRF-Token"] = said["csrf"]
    secret = browser.cookies["mucktrack_session"]
    assert browser.delete("/session").status_code == 204
    browser.cookies["mucktrack_session"] = secret
    assert browser.get("/session").status_code == 401
    assert trail(office) == [("wang", "login"), ("wang", "logout")]


def test_behind_tls_the_cookie_is_for_https_alone(tmp_path: Path) -> None:
    office = TestOffice(f"sqlite:///{tmp_path}/tls.db", secure_cookies=True)
    office.add_user("wang", "viewer", None)
    answer = office.browser().post("/session", json={"name": "wang", "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-mucktrack_session=")
    assert "Secure" in answer.headers["set-cookie"]
    office.close()


def test_secrets_are_not_kept(office: TestOffice) -> None:
    browser = office.log_in("wang")
    token = {"name": "wecom", "role": "viewer", "districts": None, "expires_ms": NOW_MS + 1_000}
    made = office.client("boss").post("/tokens", json=token).json()["token"]
    with office.database.read() as session:
        kept = [row.secret_sha256 for row in session.scalars(select(SessionRow))]
        kept += [row.secret_sha256 for row in session.scalars(select(TokenRow))]
        kept += [row.password for row in session.scalars(select(UserRow))]
        kept += [row.details for row in session.scalars(select(AuditRow))]
    for secret in (browser.cookies["mucktrack_session"], made, PASSWORD):
        assert not any(secret in one for one in kept)


@pytest.mark.parametrize("name", ["wang", "nobody", "gone", "' OR 1=1 --", "王" * 64])
def test_a_wrong_login_says_the_same_for_everybody(office: TestOffice, name: str) -> None:
    office.add_user("gone", "viewer", None)
    disable = {"json": {"disabled": True}, "headers": {"If-Match": "*"}}
    assert office.client("boss").patch("/users/gone", **disable).status_code == 200
    password = PASSWORD if name == "gone" else "wrong"
    answer = office.browser().post("/session", json={"name": name, "password": password})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "name or password is wrong"
    assert trail(office)[-1] == ("system", "login_failed")


def test_guessing_is_slowed_down_and_then_possible_again(office: TestOffice) -> None:
    browser = office.browser()
    for _ in range(throttle.OF_A_NAME):
        assert browser.post("/session", json={"name": "li", "password": "x"}).status_code == 401
    answer = browser.post("/session", json={"name": "li", "password": "x"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) == throttle.WINDOW_MS // 1_000
    office.log_in("wang")
    office.clock.ms += throttle.WINDOW_MS
    assert browser.post("/session", json={"name": "li", "password": "x"}).status_code == 401


def test_an_address_is_slowed_down_whatever_the_names() -> None:
    now_ms = [0]
    slow = throttle.Throttle(lambda: now_ms[0])
    for number in range(throttle.OF_AN_ADDRESS):
        assert slow.try_again_s(f"name-{number}", "10.0.0.1") == 0
        if number % 2:
            # Logging in with an account of one's own does not give the attempts back.
            assert slow.try_again_s("own", "10.0.0.2") == 0
            slow.succeeded("own", "10.0.0.2")
    assert slow.try_again_s("another", "10.0.0.1") > 0
    assert slow.try_again_s("another", "10.0.0.2") == 0
    now_ms[0] += throttle.WINDOW_MS
    assert slow.try_again_s("another", "10.0.0.1") == 0


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_of_one_line_count_as_one(address: str, counts_as: str) -> None:
    assert throttle.network_of(address) == counts_as


def test_an_attempt_that_was_not_looked_at_does_not_count() -> None:
    slow = throttle.Throttle(lambda: 0)
    for _ in range(throttle.OF_AN_ADDRESS + 1):
        assert slow.try_again_s("wang", "2001:db8::1") == 0
        slow.not_made("wang", "2001:db8::2")


def test_who_finds_a_browser_open_does_not_guess_the_password(office: TestOffice) -> None:
    found = office.client("wang")
    for number in range(throttle.OF_A_NAME):
        asked = {"old": f"guess {number}", "new": "eight green lorries"}
        assert found.put("/session/password", json=asked).status_code == 422
        easy = {"old": f"guess {number}", "new": "wang wang wang"}
        assert found.put("/session/password", json=easy).status_code == 422
    right = {"old": PASSWORD, "new": "eight green lorries"}
    answer = found.put("/session/password", json=right)
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    office.clock.ms += throttle.WINDOW_MS
    assert found.put("/session/password", json=right).status_code == 204


def test_sessions_end_when_idle_and_after_a_long_shift(office: TestOffice) -> None:
    browser = office.client("wang")
    office.clock.ms += sessions.IDLE_MS - 1
    assert browser.get("/session").status_code == 200
    office.clock.ms += sessions.IDLE_MS - 1
    assert browser.get("/session").status_code == 200
    office.clock.ms += sessions.IDLE_MS
    assert browser.get("/session").status_code == 401
    shift = office.client("wang")
    for _ in range(sessions.LONGEST_MS // 3_600_000 - 1):
        office.clock.ms += 3_600_000
        assert shift.get("/session").status_code == 200
    office.clock.ms += 3_600_000
    assert shift.get("/session").status_code == 401


def test_a_new_password_ends_other_sessions(office: TestOffice) -> None:
    one, other = office.client("wang"), office.client("wang")
    wrong = one.put("/session/password", json={"old": "wrong", "new": NEW})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "the old password is not right")
    for poor in ("short", "wangwangwangwang", "aaaaaaaaaaaaaaa", PASSWORD):
        answer = one.put("/session/password", json={"old": PASSWORD, "new": poor})
        assert answer.status_code == 422, poor
    assert one.put("/session/password", json={"old": PASSWORD, "new": NEW}).status_code == 204
    assert one.get("/session").status_code == 200
    assert other.get("/session").status_code == 401
    office.log_in("wang", NEW)


def test_changing_a_user_ends_his_sessions_and_is_kept(office: TestOffice) -> None:
    boss, wang = office.client("boss"), office.client("wang")
    (before,) = [one for one in boss.get("/users").json()["items"] if one["name"] == "wang"]
    etag = f'"{before["version"]}"'
    assert boss.patch("/users/wang", json={"role": "viewer"}).status_code == 428
    change = {"json": {"role": "viewer", "districts": [THERE]}, "headers": {"If-Match": etag}}
    answer = boss.patch("/users/wang", **change)
    assert answer.json()["districts"] == [THERE]
    assert answer.headers["ETag"] != etag
    assert boss.patch("/users/wang", **change).status_code == 412
    assert wang.get("/session").status_code == 401
    assert trail(office) == [("boss", "user_changed")]


@pytest.mark.parametrize("more", ["version", "created_ms", "must_change", "name"])
def test_what_is_not_to_be_set_is_refused(office: TestOffice, more: str) -> None:
    boss = office.client("boss")
    said = {"name": "li", "role": "viewer", "districts": [HERE], "password": NEW}
    if more != "name":
        assert boss.post("/users", json=said | {more: 1}).status_code == 422
    change = {"json": {"disabled": True, more: "boss"}, "headers": {"If-Match": "*"}}
    assert boss.patch("/users/wang", **change).status_code == 422


def test_nobody_gives_more_than_he_has(office: TestOffice) -> None:
    office.add_user("here", "admin", frozenset({HERE}))
    admin = office.client("here")
    user = {"name": "li", "role": "admin", "password": NEW}
    token = {"name": "li", "role": "admin", "expires_ms": NOW_MS + 1_000}
    for districts in (None, [THERE], [HERE, THERE]):
        assert admin.post("/users", json=user | {"districts": districts}).status_code == 422
        assert admin.post("/tokens", json=token | {"districts": districts}).status_code == 422
    seen = {"headers": {"If-Match": "*"}}
    assert admin.patch("/users/boss", json={"disabled": True}, **seen).status_code == 404
    for change in ({"all_districts": True}, {"districts": [THERE]}):
        assert admin.patch("/users/here", json=change, **seen).status_code == 422
    assert {one["name"] for one in admin.get("/users").json()["items"]} == {"here", "wang"}


def test_the_last_administrator_stays(office: TestOffice) -> None:
    boss, seen = office.client("boss"), {"headers": {"If-Match": "*"}}
    for change in ({"disabled": True}, {"role": "viewer"}, {"districts": [HERE]}):
        assert boss.patch("/users/boss", json=change, **seen).status_code == 409
    office.add_user("deputy", "admin", None)
    assert boss.patch("/users/boss", json={"disabled": True}, **seen).status_code == 200


def test_a_token_until_it_ends(office: TestOffice) -> None:
    boss = office.client("boss")
    token = {"name": "wecom", "role": "viewer", "districts": [HERE], "expires_ms": NOW_MS + 1_000}
    made = boss.post("/tokens", json=token).json()
    assert boss.post("/tokens", json=token).status_code == 409
    machine = office.browser()
    machine.headers["Authorization"] = f"Bearer {made['token']}"
    assert machine.get("/session").json()["name"] == "token:wecom"
    assert machine.delete("/session").status_code == 403
    assert "token" not in boss.get("/tokens").json()["items"][0]
    office.clock.ms += 1_000
    assert machine.get("/session").status_code == 401
    again = boss.post("/tokens", json=token | {"expires_ms": NOW_MS + 9_000}).json()
    machine.headers["Authorization"] = f"Bearer {again['token']}"
    assert machine.get("/cases").status_code == 200
    for _ in range(2):
        assert boss.delete(f"/tokens/{again['token_id']}").status_code == 204
    assert machine.get("/cases").status_code == 401
    assert [action for _, action in trail(office)].count("token_revoked") == 1


def test_a_token_makes_no_others_that_outlast_it(office: TestOffice) -> None:
    asked = {"role": "admin", "districts": None, "expires_ms": NOW_MS + 60_000}
    boss = office.client("boss")
    made = boss.post("/tokens", json=asked | {"name": "sync"}).json()
    machine = office.browser()
    machine.headers["Authorization"] = f"Bearer {made['token']}"
    assert machine.get("/users").status_code == 200
    user = {"name": "eve", "role": "admin", "districts": None, "password": "some long password"}
    known = {"If-Match": "*"}
    answers = [
        machine.post("/tokens", json=asked | {"name": "more"}),
        machine.post("/users", json=user),
        machine.patch("/users/wang", json={"role": "admin"}, headers=known),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert machine.delete(f"/tokens/{made['token_id']}").status_code == 204, "it may end itself"


@pytest.mark.parametrize("said", ["Bearer", "Bearer ", "Bearer mt_", "Basic d2FuZzp4", "mt_x"])
def test_what_is_no_token_is_nobody(office: TestOffice, said: str) -> None:
    machine = office.browser()
    machine.headers["Authorization"] = said
    answer = machine.get("/cases")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_many_who_knock_at_once_do_not_keep_others_from_working(office: TestOffice) -> None:
    working, answers = office.client("wang"), []

    def knock(name: str) -> None:
        said = {"name": name, "password": "x"}
        answers.append(office.browser().post("/session", json=said).status_code)

    threads = [threading.Thread(target=knock, args=(f"name-{one}",)) for one in range(30)]
    for thread in threads:
        thread.start()
    assert working.get("/cases").status_code == 200
    for thread in threads:
        thread.join()
    assert len(answers) == 30
    assert set(answers) == {401, 503}
