"""`mucktrack console`: the enforcement process, put together of the settings.

One process: a thread that makes cases of violations, one that supervises, one that tells others,
and the API with its console in front. It stands here what belongs together and how it ends.
"""

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn

from enforcement.api.app import make_app
from enforcement.api.parts import Parts, make_parts
from enforcement.console import routes
from enforcement.console.tiles import source
from enforcement.consumer import Consumer
from enforcement.crew import Crew
from enforcement.database import Database, DatabaseAwayError, DatabaseError
from enforcement.evidence.export import Exporter
from enforcement.feed import Feed
from enforcement.metrics import EnforcementMetrics
from enforcement.rulebook import Rulebook, RulebookError, read_rulebook
from enforcement.supervision import supervise
from enforcement.webhooks.receivers import Receiver, ReceiversError, read_receivers
from enforcement.webhooks.sender import Sender
from mucktrack import city_check
from mucktrack.access import redis_url
from mucktrack.evidence import sources
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interrupts import interrupts
from mucktrack.options import required
from mucktrack.server_tls import server_tls
from mucktrack.settings import Settings
from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka_now
from streams.log_setup import log_to_stderr
from streams.logs import get_log
from streams.pauses import Pauses

log = get_log(__name__)

BACKLOG = 1_024
LAST_ANSWERS_S = 3
"""Streams of events would go on for ever."""
CREW_ENDS_S = 10.0


@dataclass(frozen=True, slots=True)
class Ports:
    """For who starts the process: files in which the ports taken are written."""

    console: Path | None = None
    metrics: Path | None = None
    any_port: bool = False
    """Where the console's port is taken, another will do."""


def console(settings: Settings, kafka: KafkaAccess, address: str, ports: Ports) -> None:
    """Serve until a signal ends it.

    Raises `BadInputError` for what cannot be used, `WorkFailedError` where the work cannot go on.
    """
    city: Path = required(settings, "city")
    zone = ZoneInfo(city_check.load(city).timezone)
    try:
        rulebook = read_rulebook(settings.office, zone)
        receivers = read_receivers(settings.webhooks) if settings.webhooks else []
    except (RulebookError, ReceiversError) as error:
        raise BadInputError(str(error)) from None
    redis = redis_url(settings)
    tls = server_tls(settings, "console_cert_file", "console_key_file")
    log_to_stderr("console", settings.log, settings.log_level)
    try:
        check_kafka_now(kafka)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    metrics = EnforcementMetrics()
    _serve_pages(metrics, settings, ports.metrics)
    with _listening(settings, any_port=ports.any_port) as listener:
        stop = Event()
        with interrupts(stop.set):
            database = _open(address, metrics, stop)
        if database is None:
            return
        try:
            parts = make_parts(
                database,
                rulebook,
                city,
                _now_ms,
                redis_url=redis,
                archive=settings.archive,
                evidence=Exporter(database, sources(settings, [city]), _now_ms),
                secure_cookies=tls is not None or settings.console_behind_https == "yes",
            )
            _work(settings, kafka, parts, rulebook, receivers, metrics, listener, ports.console)
        finally:
            database.close()


def _work(
    settings: Settings,
    kafka: KafkaAccess,
    parts: Parts,
    rulebook: Rulebook,
    receivers: Sequence[Receiver],
    metrics: EnforcementMetrics,
    listener: socket.socket,
    port_file: Path | None,
) -> None:
    health = metrics.health
    consumer = Consumer(
        kafka, parts.database, health, _now_ms, rulebook, note_stamps=metrics.note_stamps
    )
    senders = [Sender(one, parts.database, health, _now_ms) for one in receivers]
    metrics.tell_of(consumer.counts, senders, parts.database, _now_ms)
    app = make_app(parts, source(settings.console_tiles))
    routes.mount(app, settings.console_tiles)
    server = _Server(_server_config(app, settings), app.state.feed)
    crew = Crew(health, server.end)
    crew.start("violations", consumer.run)
    crew.start("supervision", partial(supervise, parts.office, health))
    for sender in senders:
        crew.start(f"webhook {sender.name}", sender.run)
    scheme = "http" if settings.console_cert_file is None else "https"
    host, port = listener.getsockname()[:2]
    log.info("console_served", scheme=scheme, host=host, port=port, database=parts.database.shown)
    if port_file is not None:
        port_file.write_text(f"{port}\n")
    with interrupts(server.end):
        server.run(sockets=[listener])
        ended = crew.stop(CREW_ENDS_S)
    if crew.failure is not None:
        failure = crew.failure
        raise WorkFailedError(f"{type(failure).__name__}: {failure}; the log has its traceback")
    if not ended:
        log.warning("thread_remains", thread="of the crew")


class _Server(uvicorn.Server):
    """Signals are the command's, not the library's."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        # Those who listen to events would be waited for, and then cut off.
        self._feed.end()
        self.should_exit = True


def _server_config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        backlog=BACKLOG,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
        ssl_certfile=settings.console_cert_file,
        ssl_keyfile=settings.console_key_file,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _open(address: str, metrics: EnforcementMetrics, stop: Event) -> Database | None:
    """Waits where PostgreSQL does not answer; None where it was told to stop. Raises
    `BadInputError`."""
    pauses = Pauses()
    with metrics.health.waiting("database", "to open it", after_s=0.0):
        while not stop.is_set():
            metrics.health.beat()
            try:
                return Database(address)
            except DatabaseAwayError as error:
                if error.is_file:
                    raise BadInputError(str(error)) from None
                log.warning("database_away", purpose="to begin", error=error)
                stop.wait(pauses.next_s())
            except DatabaseError as error:
                raise BadInputError(str(error)) from None
    return None


def _serve_pages(metrics: EnforcementMetrics, settings: Settings, port_file: Path | None) -> None:
    host, wanted = settings.metrics_host, settings.console_metrics_port
    try:
        port = metrics.serve(host, wanted)
    except OSError as error:
        raise BadInputError(
            f"metrics cannot be served on {host}:{wanted} "
            f"({error.strerror or error}); choose another port, or 0 for a free one"
        ) from None
    log.info("pages_served", host=host, port=port)
    if port_file is not None:
        port_file.write_text(f"{port}\n")


@contextmanager
def _listening(settings: Settings, *, any_port: bool) -> Iterator[socket.socket]:
    """A socket whose address is taken before anything is begun."""
    host, port = settings.console_host, settings.console_port
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BadInputError(f"{host}:{port}: {error.strerror or error}") from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            _bind(listener, place, any_port=any_port)
        except OSError as error:
            raise BadInputError(
                f"the console cannot be served on {host}:{port} "
                f"({error.strerror or error}); choose another port, or 0 for a free one"
            ) from None
        yield listener


def _bind(listener: socket.socket, place: Any, *, any_port: bool) -> None:
    """And listen: two sockets may be bound to an address as long as neither does."""
    try:
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        if not any_port or error.errno != errno.EADDRINUSE:
            raise
        listener.bind((place[0], 0, *place[2:]))
        listener.listen(BACKLOG)
