"""The embedded broker, to be killed, frozen and started again like Apache Kafka's
(`servers.kafka_cluster`). It keeps its log in memory: after `kill` it holds nothing, no topics
either.
"""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from mucktrack.embedded import HOST, Server, tansu
from servers.server_process import children_of, quiet_port


class TansuServer:
    """One broker on a port that stays the same; the number that the methods take is that of
    `KafkaCluster`, always 0."""

    keeps = False
    """What it has written, when it is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = quiet_port()
        self._running = ExitStack()
        self._server: Server | None = None

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self._port}"

    def start(self, *_: int) -> None:
        self._server = self._running.enter_context(tansu(self._folder, self._port))

    def kill(self, _: int) -> None:
        self._signal(signal.SIGKILL)
        self.stop()

    def freeze(self, _: int) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self, _: int) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        self._running.close()
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None and self._server.child.exit_code() is None:
            self.thaw(0)
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None, "the broker does not run"
        (pid,) = children_of(self._server.child.leash_pid)
        os.kill(pid, number)
