"""What a process tells of itself: live or not, ready or not, and what it waits for."""

import json
import socket
import time
import urllib.error
import urllib.request

import pytest

from streams.archive.metrics import ArchiveMetrics
from streams.health import GRACE_S
from streams.metrics import Metrics


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def readyz(port: int) -> tuple[int, list[tuple[str, str]]]:
    status, body = get(port, "/readyz")
    return status, [(one["for"], one["what"]) for one in json.loads(body).get("waiting", [])]


@pytest.mark.parametrize("kind", [Metrics, ArchiveMetrics])
def test_a_process_is_ready_when_it_waits_for_nothing(kind: type) -> None:
    metrics = kind()
    port = metrics.serve("127.0.0.1", 0)
    assert readyz(port) == (200, [])
    with metrics.health.waiting("redis", "checkpoint of partition 3", after_s=0.0):
        assert readyz(port) == (503, [("redis", "checkpoint of partition 3")])
        assert 'mucktrack_waiting{for="redis"} 1.0' in get(port, "/metrics")[1]
        assert get(port, "/healthz")[0] == 200
    assert readyz(port) == (200, [])
    assert 'mucktrack_waiting{for="redis"} 0.0' in get(port, "/metrics")[1]


def test_what_is_short_is_no_wait() -> None:
    metrics = Metrics()
    port = metrics.serve("127.0.0.1", 0)
    with metrics.health.waiting("kafka", "outputs"):
        assert readyz(port) == (200, [])
        time.sleep(GRACE_S)
        assert readyz(port) == (503, [("kafka", "outputs")])


def test_waits_are_told_from_the_longest_on_and_each_has_its_own_end() -> None:
    metrics = Metrics()
    port = metrics.serve("127.0.0.1", 0)
    waits = metrics.health.waits()
    waits.begin("kafka", "a", after_s=0.0)
    waits.begin("redis", "b", after_s=0.0)
    began = metrics.health.waited_for()
    waits.begin("kafka", "a", after_s=0.0)
    assert metrics.health.waited_for() == began
    with metrics.health.waiting("kafka", "a", after_s=0.0):
        assert readyz(port) == (503, [("kafka", "a"), ("redis", "b"), ("kafka", "a")])
        waits.end()
        assert readyz(port) == (503, [("kafka", "a")])
    assert readyz(port) == (200, [])


def test_a_process_that_does_not_move_is_not_live() -> None:
    metrics = Metrics(hung_s=0.2)
    port = metrics.serve("127.0.0.1", 0)
    time.sleep(0.3)
    assert get(port, "/healthz")[0] == 200, "it starts"
    metrics.health.beat()
    assert get(port, "/healthz") == (200, '{"live": true}\n')
    time.sleep(0.3)
    status, body = get(port, "/healthz")
    assert (status, json.loads(body)["live"]) == (503, False)
    assert get(port, "/readyz")[0] == 503
    metrics.health.beat()
    assert get(port, "/healthz")[0] == 200
    metrics.health.beat(broken=True)
    metrics.health.beat()
    status, body = get(port, "/healthz")
    assert status == 503
    assert "bug" in json.loads(body)["why"]


def test_other_pages_are_named_and_a_silent_visitor_stops_nobody() -> None:
    port = Metrics().serve("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port)):
        status, body = get(port, "/health?x=1")
        assert status == 404
        assert json.loads(body)["pages"] == ["/healthz", "/readyz", "/metrics"]
        assert get(port, "/")[1].startswith("# HELP mucktrack_")


def test_an_address_that_is_taken_is_an_error() -> None:
    port = Metrics().serve("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        Metrics().serve("127.0.0.1", port)
