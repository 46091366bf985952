"""Server-sent events, from a real server: in order, resumed, limited to districts, ended."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from office_parts import HERE, THERE, TestOffice, violation

from enforcement.api import event_routes
from enforcement.api.app import PREFIX
from enforcement.feed import PAGE

WAIT_S = 20.0


class Served:
    """An office, on a port."""

    def __init__(self, office: TestOffice) -> None:
        self.office = office
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{PREFIX}"
        self._server = uvicorn.Server(uvicorn.Config(office.app, log_level="warning"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    def close(self) -> bool:
        """Whether it ended soon."""
        self.office.app.state.feed.end()
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        self._socket.close()
        return not self._thread.is_alive()

    @contextmanager
    def listen(self, name: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        cookies = dict(self.office.client(name).cookies)
        with (
            httpx2.Client(cookies=cookies, timeout=WAIT_S) as client,
            client.stream("GET", f"{self.url}/events", headers=headers) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    said: dict[str, Any] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            said[name] = value
        elif "event" in said:
            yield {"event": said["event"], "id": int(said["id"]), **json.loads(said["data"])}
            said = {}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    office = TestOffice(f"sqlite:///{tmp_path}/cases.db", heartbeat_s=0.2)
    office.add_people()
    office.add_user("boss", "admin", None)
    made = Served(office)
    yield made
    made.close()
    office.close()


def take(stream: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return [next(stream) for _ in range(count)]


def test_what_is_new_in_ones_districts(served: Served) -> None:
    office = served.office
    with served.listen("viewer") as mine, served.listen("boss") as all_of_it:
        assert next(mine)["event"] == next(all_of_it)["event"] == "hello"
        office.take(violation("浙Y2", district=THERE), violation("浙Y1", severity="critical"))
        opened, told = take(mine, 2)
        assert (opened["event"], opened["action"]) == ("case", "open")
        assert (told["event"], told["violation"]["truck_id"]) == ("violation", "浙Y1")
        assert told["case"]["severity"] == "critical"
        assert told["violation"]["message"]
        assert [one["case"]["truck_id"] for one in take(all_of_it, 4)] == [
            *("浙Y2", "浙Y2", "浙Y1", "浙Y1")
        ]
        case_id = told["case"]["case_id"]
        seen = {"json": {}, "headers": {"If-Match": "*"}}
        office.client("dispatcher").post(f"/cases/{case_id}/actions/accept", **seen)
        accepted = next(mine)
        assert (accepted["event"], accepted["who"]) == ("case", "dispatcher")
        assert accepted["case"]["state"] == "accepted"


def test_nothing_is_lost_between_two_connections_nor_over_a_restart(served: Served) -> None:
    office = served.office
    with served.listen("viewer") as stream:
        (hello,) = take(stream, 1)
        office.take(violation("浙Y1"))
        last = take(stream, 2)[-1]["id"]
    office.take(*(violation(f"浙Y{number}") for number in range(2, 400)))
    assert served.close()
    again = TestOffice(str(office.database.shown))
    restarted = Served(again)
    with restarted.listen("viewer", **{"Last-Event-ID": str(last)}) as stream:
        assert next(stream)["id"] == last
        missed = take(stream, 796)
    assert [one["id"] for one in missed] == sorted({one["id"] for one in missed})
    trucks = [one["violation"]["truck_id"] for one in missed if one["event"] == "violation"]
    assert trucks == [f"浙Y{number}" for number in range(2, 400)]
    assert hello["id"] < last
    restarted.close()
    again.close()


def test_who_has_missed_too_much_begins_anew(served: Served) -> None:
    for last in ("999999999", "99999999999999999999"):
        with served.listen("viewer", **{"Last-Event-ID": last}) as stream:
            assert next(stream)["event"] == "reset"
    with served.listen("viewer", **{"Last-Event-ID": "x"}) as stream:
        assert next(stream)["event"] == "hello"


def test_who_is_logged_out_hears_nothing_more(served: Served) -> None:
    with served.listen("viewer") as stream:
        next(stream)
        change = {"json": {"disabled": True}, "headers": {"If-Match": "*"}}
        assert served.office.client("boss").patch("/users/viewer", **change).status_code == 200
        assert list(stream) == []


def test_listeners_are_limited_and_let_go(served: Served) -> None:
    cookies = dict(served.office.client("viewer").cookies)
    listeners = served.office.app.state.listeners
    with httpx2.Client(cookies=cookies, timeout=WAIT_S) as client:
        open_ones = [
            client.stream("GET", f"{served.url}/events") for _ in range(event_routes.MOST_OF_ONE)
        ]
        for one in open_ones:
            one.__enter__()
        until_s = time.monotonic() + WAIT_S
        while listeners["viewer"] < event_routes.MOST_OF_ONE and time.monotonic() < until_s:
            time.sleep(0.05)
        assert client.get(f"{served.url}/events").status_code == 429
        for one in open_ones:
            one.__exit__(None, None, None)
    served.office.take(violation())
    while listeners.total() and time.monotonic() < until_s:
        time.sleep(0.05)
        served.office.take(violation(district=HERE))
    assert not listeners


def test_a_server_with_listeners_ends(served: Served) -> None:
    with served.listen("viewer") as stream:
        next(stream)
        assert served.close()


def test_who_sees_little_of_much_is_told_soon(served: Served) -> None:
    """What is not for him does not keep him waiting, page by page."""
    with served.listen("viewer") as stream:
        last = next(stream)["id"]
    office = served.office
    for start in range(0, 3_000, 500):
        office.take(*(violation(f"浙Y{start + one}", district=THERE) for one in range(500)))
    office.take(violation("浙X1"))
    began_s = time.monotonic()
    with served.listen("viewer", **{"Last-Event-ID": str(last)}) as stream:
        assert [one["event"] for one in take(stream, 3)] == ["hello", "case", "violation"]
    pages = 6_000 / PAGE
    assert time.monotonic() - began_s < 0.8 * pages * event_routes.LOOK_S
