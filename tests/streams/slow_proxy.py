"""A server that is slow: a TCP proxy on the loopback that holds back what passes."""

import contextlib
import socket
import threading
import time

CHUNK = 1 << 16


class SlowProxy:
    """Passes on connections to `port`; each piece of data waits `delay_s`, as it is at the
    moment, in each direction."""

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        self._port = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self._port))
            for one, other in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                until_s = time.monotonic()
                while time.monotonic() - until_s < self.delay_s:
                    time.sleep(0.02)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
