"""Sends what `benchmarks.nation_stream` has made, by the clock, with hardly any processor time.

`python -m benchmarks.nation_send FOLDER HOST:PORT` sends each request when it is due, out of its
file into the socket without looking at it, and prints a line of JSON in the end. Ends with an error
where the broker refuses one.
"""

import os
import select
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.bench.wire import Connection, check_produced
from benchmarks.nation_stream import STEP_S, Index, Request, read_index

MOST_UNANSWERED = 100
"""Then the broker does not keep up, and the sender waits for it, and is late."""


class Sent(msgspec.Struct):
    """How it went."""

    seconds: float
    processor_s: float
    late_s: float
    """At most, of all requests."""


def send(folder: Path, address: str, index: Index) -> Sent:
    """Send all; returns when the broker has all."""
    files = {name: os.open(folder / name, os.O_RDONLY) for name in _names(index)}
    unanswered, late_s = 0, 0.0
    with Connection(address) as connection:
        begun_s = time.monotonic()
        for number, request in enumerate(index.requests):
            due_s = begun_s + number * STEP_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            late_s = max(late_s, time.monotonic() - due_s)
            _send(connection, files[request.file], request)
            unanswered += 1
            while unanswered > MOST_UNANSWERED or (unanswered and _has_answer(connection)):
                check_produced(connection.answer())
                unanswered -= 1
        for _ in range(unanswered):
            check_produced(connection.answer())
        seconds = time.monotonic() - begun_s
    for file in files.values():
        os.close(file)
    return Sent(seconds, time.process_time(), late_s)


def _names(index: Index) -> set[str]:
    return {request.file for request in index.requests}


def _send(connection: Connection, file: int, request: Request) -> None:
    done = 0
    while done < request.length:
        # The socket has a timeout, so that it is not blocking and may take less than all.
        select.select([], [connection.socket], [])
        done += os.sendfile(
            connection.socket.fileno(), file, request.start + done, request.length - done
        )


def _has_answer(connection: Connection) -> bool:
    return bool(select.select([connection.socket], [], [], 0)[0])


def main() -> None:
    folder, address = Path(sys.argv[1]), sys.argv[2]
    index = read_index(folder)
    if index is None:
        raise SystemExit(f"{folder}: nothing has been made to be sent")
    sys.stdout.write(msgspec.json.encode(send(folder, address, index)).decode() + "\n")


if __name__ == "__main__":
    main()
