"""Webhooks against real HTTP servers that fail, hang, point elsewhere and come back."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from case_parts import NOW_MS, lead, taken, the_case, trail, violation
from sqlalchemy import select

from enforcement.actions import Office
from enforcement.rulebook import read_rulebook
from enforcement.tables import DeadLetterRow, WebhookRow
from enforcement.webhooks.post import signature
from enforcement.webhooks.receivers import Receiver
from enforcement.webhooks.sender import Sender
from streams.health import Health

SECRET = b"a secret of two"
PATIENCE_S = 20.0


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Site:
    """What a receiver's server has got, and how it answers."""

    answer: Callable[["Got"], tuple[int, bytes]] = lambda _: (200, b'{"errcode": 0}')
    got: list[Got] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def wait(self, count: int) -> list[Got]:
        until = time.monotonic() + PATIENCE_S
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.02)
        assert len(self.got) >= count, f"{len(self.got)} of {count}"
        return self.got


@contextmanager
def served(site: Site) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.path, headers, body)
            status, answer = site.answer(got)
            site.got.append(got)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", answer.decode())
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", site.port), Handler)
    server.daemon_threads = True
    site.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site():
    made = Site()
    with served(made):
        yield made


@contextmanager
def sending(database, receiver: Receiver, clock=lambda: NOW_MS) -> Iterator[Sender]:
    stop = Event()
    sender = Sender(receiver, database, Health(), clock)
    thread = Thread(target=sender.run, args=(stop,), daemon=True)
    thread.start()
    known = time.monotonic() + PATIENCE_S
    while time.monotonic() < known:
        with database.read() as session:
            if session.get(WebhookRow, receiver.name) is not None:
                break
        time.sleep(0.02)
    try:
        yield sender
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def hurried() -> int:
    """A clock in which pauses pass quickly."""
    return NOW_MS + round((time.monotonic() % 1e6) * 1_000_000)


def row_of(database, name="city"):
    with database.read() as session:
        row = session.get_one(WebhookRow, name)
        session.expunge(row)
        return row


def letters(database):
    with database.read() as session:
        return [(row.seq, row.tries, row.error) for row in session.scalars(select(DeadLetterRow))]


def until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def office(database):
    return Office(database, read_rulebook(None, ZoneInfo("Asia/Shanghai")), lambda: NOW_MS)


def test_every_change_of_a_case_is_told_in_order(database, office, site):
    with sending(database, Receiver("city", site.address, secret=SECRET)):
        taken(database, violation("浙B00001"))
        lead(office, the_case(database), "closed")
        got = site.wait(7)
    events = [one.json()["data"]["event"] for one in got]
    assert events == [
        *("open", "violation-opened", "accept", "dispatch", "handle", "verify", "close"),
    ]
    assert [one.json()["data"]["seq"] for one in got] == list(range(1, 8))
    told = got[3].json()
    case_id = the_case(database)
    assert told["specversion"] == "1.0"
    assert told["type"] == "mucktrack.case.dispatch"
    assert told["id"] == f"{case_id}/4"
    assert told["time"] == "2026-09-21T14:13:20.000Z"
    assert told["data"]["details"] == {"squad": "一中队"}
    assert told["data"]["case"]["truck_id"] == "浙B00001"
    assert told["data"]["violation"]["rule"] == "off-route"
    assert got[3].headers["content-type"].startswith("application/cloudevents+json")


def test_who_knows_the_secret_can_tell_that_it_is_genuine(database, site):
    with sending(database, Receiver("city", site.address, secret=SECRET)):
        taken(database, violation())
        got = site.wait(1)[0]
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60


def test_the_signature_is_that_of_standard_webhooks():
    """The example of the specification's reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_server_that_fails_gets_it_again_and_in_order(database, site):
    failures = iter([500, 503, 404, 429])
    site.answer = lambda _: (next(failures, 200), b"")
    with sending(database, Receiver("city", site.address), hurried) as sender:
        taken(database, violation("浙B00001"), violation("浙B00002"))
        got = site.wait(8)
        until(lambda: sender.tally.sent == 4)
    ids = [one.headers["webhook-id"] for one in got]
    assert ids[0] == ids[1] == ids[2] == ids[3] == ids[4]
    seqs = [one.json()["data"]["seq"] for one in got]
    assert seqs == [1, 1, 1, 1, 1, 2, 3, 4]
    assert (sender.tally.sent, sender.tally.not_taken) == (4, 4)


def test_pauses_grow(database, site):
    site.answer = lambda _: (500, b"broken \x1b[31m")
    clock = [NOW_MS]
    with sending(database, Receiver("city", site.address), lambda: clock[0]):
        taken(database, violation())
        pauses = []
        for tries in range(1, 12):
            until(lambda tries=tries: row_of(database).tries == tries)
            row = row_of(database)
            pauses.append((row.retry_ms - clock[0]) // 1000)
            clock[0] = row.retry_ms
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert row_of(database).error == r"HTTP 500: broken \x1b[31m"


def test_what_is_not_taken_is_put_aside_and_can_be_sent_again(database, site):
    bad = {1}
    site.answer = lambda got: (400 if got.json()["data"]["seq"] in bad else 200, b"no")
    with sending(database, Receiver("city", site.address, tries=3), hurried) as sender:
        taken(database, violation())
        until(lambda: sender.tally.sent == 1)
        assert letters(database) == [(1, 3, "HTTP 400: no")]
        assert [one.json()["data"]["seq"] for one in site.got] == [1, 1, 1, 2]
        # Still not taken, it stays a dead letter; then it is.
        for still_bad in ({1}, set()):
            bad = still_bad
            before = len(site.got)
            with database.change() as (session, _):
                session.scalars(select(DeadLetterRow)).one().again = True
            site.wait(before + 1)
            until(lambda: not again(database))
        assert letters(database) == []
        assert sender.tally.dead == 1
    assert site.got[-1].headers["webhook-id"] == site.got[0].headers["webhook-id"]


def again(database) -> bool:
    with database.read() as session:
        found = session.scalars(select(DeadLetterRow.again)).all()
    return any(found)


def test_redirects_are_not_followed(database, site):
    elsewhere = Site()
    with served(elsewhere):
        site.answer = lambda _: (307, elsewhere.address.encode())
        with sending(database, Receiver("city", site.address), hurried):
            taken(database, violation())
            site.wait(2)
        assert elsewhere.got == []
    assert row_of(database).error == "HTTP 307: it points elsewhere, which is not followed"


def test_a_server_that_hangs_does_not_hold_up_another(database, site):
    hanging, free = Event(), Site()
    site.answer = lambda _: (hanging.wait(PATIENCE_S) and 200, b"")
    with (
        served(free),
        sending(database, Receiver("slow", site.address)),
        sending(database, Receiver("fast", free.address)),
    ):
        taken(database, violation())
        free.wait(2)
        until(lambda: row_of(database, "slow").error == "no answer within 5 s")
        hanging.set()


def test_a_server_that_dribbles_is_left(database, site):
    """One byte at a time it would keep a connection for ever."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def dribble():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        def drip(connection):
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.2)
            except OSError:
                connection.close()

        threading.Thread(target=dribble, daemon=True).start()
        with sending(database, Receiver("city", f"http://127.0.0.1:{port}/")):
            taken(database, violation())
            until(lambda: row_of(database).error == "no whole answer within 10 s")


def test_a_server_that_was_away_gets_what_happened_meanwhile(database, tmp_path):
    site = Site()
    with served(site):
        pass
    receiver = Receiver("city", site.address)
    with sending(database, receiver, hurried):
        taken(database, violation("浙B00001"))
        until(lambda: row_of(database).failures >= 2)
        assert row_of(database).error == "ConnectError at 127.0.0.1"
    taken(database, violation("浙B00002"))
    with served(site), sending(database, receiver, hurried):
        got = site.wait(4)
    assert [one.json()["data"]["seq"] for one in got] == [1, 2, 3, 4]


def test_a_receiver_is_told_from_the_moment_it_is_known(database, site):
    taken(database, violation("浙B00001"))
    with sending(database, Receiver("city", site.address)):
        taken(database, violation("浙B00002"))
        got = site.wait(2)
    assert {one.json()["data"]["case"]["truck_id"] for one in got} == {"浙B00002"}


def test_two_processes_tell_a_receiver_once(database, site):
    receiver = Receiver("city", site.address)
    with sending(database, receiver) as one, sending(database, receiver) as other:
        for number in range(30):
            taken(database, violation(f"浙B{number:05}"))
        site.wait(60)
        until(lambda: one.tally.sent + other.tally.sent == 60)
    seqs = [got.json()["data"]["seq"] for got in site.got]
    assert seqs == list(range(1, 61))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"rules": frozenset({"speeding"})}, {2}),
        ({"severities": frozenset({"major", "critical"})}, {3}),
        ({"districts": frozenset({"990102"})}, {3}),
        ({"events": frozenset({"open"})}, {1, 2, 3}),
        ({"events": frozenset({"open"}), "rules": frozenset({"speeding"})}, {2}),
    ],
)
def test_a_receiver_is_told_what_it_wants(database, site, limits, expected):
    with sending(database, replace(Receiver("city", site.address), **limits)):
        taken(
            database,
            violation("浙B00001"),
            violation("浙B00002", "speeding"),
            violation("浙B00003", severity="major", district="990102"),
        )
        until(lambda: row_of(database).next_seq == len(trail(database)) + 1)
    assert {one.json()["data"]["case"]["number"] for one in site.got} == expected


def test_a_robot_of_wecom(database, site):
    receiver = Receiver("night", f"{site.address}?key=geheim", format="wecom",
                        link="https://console.example/cases/{case_id}")  # fmt: skip
    site.answer = lambda _: (200, b'{"errcode": 0, "errmsg": "ok"}')
    with sending(database, receiver):
        taken(database, violation("浙B[点](http://evil)", company=None))
        got = site.wait(2)[1]
    assert got.path == "/hook?key=geheim"
    assert "webhook-signature" not in got.headers
    said = got.json()
    assert said["msgtype"] == "markdown"
    text = said["markdown"]["content"]
    assert text.startswith("### 违规开始 · 案件 1\n")
    assert "车辆：浙B［点］(http://evil)" in text
    assert "载货行驶中偏离核准路线 83.2 米" in text
    assert text.endswith(f"[查看案件](https://console.example/cases/{the_case(database)})")


def test_a_robot_of_dingtalk_signs_in_the_query(database, site):
    receiver = Receiver("night", f"{site.address}?access_token=t", format="dingtalk",
                        secret=b"SEC000", language="en")  # fmt: skip
    with sending(database, receiver):
        taken(database, violation())
        got = site.wait(1)[0]
    query = {key: values[0] for key, values in parse_qs(urlsplit(got.path).query).items()}
    signed = f"{query['timestamp']}\nSEC000".encode()
    digest = hmac.new(b"SEC000", signed, hashlib.sha256).digest()
    assert query["sign"] == base64.b64encode(digest).decode()
    assert "access_token=t&" in got.path
    assert abs(int(query["timestamp"]) / 1000 - time.time()) < 60
    said = got.json()
    assert said["markdown"]["title"] == "New case · case 1"
    assert "Severity: minor" in said["markdown"]["text"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"errcode": 45009, "errmsg": "api freq out of limit"}', "45009: api freq out of limit"),
        (b"<html>", "the robot's answer has no errcode"),
        (b"[1]", "the robot's answer has no errcode"),
    ],
)
def test_a_robot_that_says_200_and_has_not_taken_it(database, site, answer, told):
    site.answer = lambda _: (200, answer)
    with sending(database, Receiver("night", site.address, format="wecom")):
        taken(database, violation())
        until(lambda: told in (row_of(database, "night").error or ""))
