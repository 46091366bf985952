"""Reading a worker's figures from its Prometheus endpoint."""

import socket
import threading
from contextlib import closing

import pytest

from mucktrack.embedded import free_port
from mucktrack.scrape import WorkerFigures, scrape
from streams.instruments import FIX
from streams.metrics import Metrics


def test_the_figures_are_the_workers():
    metrics = Metrics()
    metrics.positions.labels("jt808", FIX).inc(90)
    metrics.positions.labels("file", FIX).inc(10)
    metrics.positions.labels("jt808", "late").inc(7)
    metrics.positions.labels("none", "malformed").inc(1)
    metrics.violations.labels("off-route", "minor", "opened", "330203").inc(3)
    metrics.violations.labels("off-route", "major", "closed", "none").inc(2)
    metrics.partitions_assigned.set(12)
    metrics.partitions_loaded.set(11)
    metrics.note_progress(0, 41, 1_700_000_000_123)
    metrics.note_progress(11, 7, 1_600_000_000_000)
    metrics.note_progress(2, 1, None)
    port = metrics.serve("127.0.0.1", 0)
    figures = scrape("127.0.0.1", port)
    assert figures == WorkerFigures(
        positions=108,
        rejected=8,
        violations=5,
        partitions_assigned=12,
        partitions_loaded=11,
        next_offsets={0: 41, 11: 7, 2: 1},
        highest_time_ms=1_700_000_000_123,
    )
    assert not figures.ready
    metrics.partitions_loaded.set(12)
    figures = scrape("127.0.0.1", port)
    assert figures is not None
    assert figures.ready
    metrics.forget_progress()
    figures = scrape("127.0.0.1", port)
    assert figures is not None
    assert (figures.next_offsets, figures.highest_time_ms) == ({}, None)


def test_a_worker_that_has_nothing_yet_is_not_ready():
    assert not WorkerFigures().ready


def test_nobody_there_is_none():
    assert scrape("127.0.0.1", free_port()) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"",
        b"HTTP/1.0 200 OK\r\n\r\n<html>{ a page</html>",
        b"HTTP/1.0 200 OK\r\n\r\n\xff\xfe",
        b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\ncut",
        b"HTTP/1.0 404 Not Found\r\n\r\n",
    ],
)
def test_somebody_else_there_is_none(answer):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert scrape("127.0.0.1", server.getsockname()[1]) is None
        thread.join()
