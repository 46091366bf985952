"""The pages of a process for those who watch it: `/healthz`, `/readyz` and `/metrics`.

`/healthz` answers 200 while the process works and 503 when it should be restarted. `/readyz`
answers 200 when nothing is waited for, else 503 with what is. Started by the metrics of a process
(`streams.registry`); plain HTTP without passwords, so only for addresses that strangers cannot
reach. It must not know what the parts are.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.health import Health

ASK_S: Final = 10.0
"""Who connects must have asked by then."""

Answer = tuple[str, Any]
Site = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve_pages(registry: CollectorRegistry, health: Health, host: str, port: int) -> int:
    """Answer in threads of their own until the process ends; the port taken.

    Port 0 takes a free one. Raises `OSError` where the address cannot be had.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    server_class = _Server6 if family == socket.AF_INET6 else _Server
    server = make_server(host, port, _site(registry, health), server_class, _Handler)
    threading.Thread(target=server.serve_forever, name="pages", daemon=True).start()
    return server.server_port


def _site(registry: CollectorRegistry, health: Health) -> Site:
    metrics: Site = make_wsgi_app(registry)
    pages = {"/healthz": _healthz, "/readyz": _readyz}

    def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in ("/", "/metrics"):
            return metrics(environ, start_response)
        if path not in pages:
            return _say(start_response, "404 Not Found", {"pages": [*pages, "/metrics"]})
        return _say(start_response, *pages[path](health))

    return site


def _healthz(health: Health) -> Answer:
    ailment = health.ailment()
    if ailment is None:
        return "200 OK", {"live": True}
    return "503 Service Unavailable", {"live": False, "why": ailment}


def _readyz(health: Health) -> Answer:
    waits = [
        {"for": wait.waiting_for, "what": wait.what, "seconds": round(wait.seconds(), 1)}
        for wait in health.waited_for()
    ]
    ailment = health.ailment()
    if ailment is not None:
        return "503 Service Unavailable", {"ready": False, "why": ailment, "waiting": waits}
    if waits:
        return "503 Service Unavailable", {"ready": False, "waiting": waits}
    return "200 OK", {"ready": True}


def _say(start_response: Any, status: str, value: object) -> Iterable[bytes]:
    body = json.dumps(value).encode() + b"\n"
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response(status, headers)
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = ASK_S

    def log_message(self, *_: object) -> None:
        """Scrapes are not worth a line each."""
