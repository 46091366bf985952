"""The worker process: Faust on `gps.positions`, and the parts around it, wired together.

`run_worker` is what `mucktrack worker` calls. This is the one place where the worker's parts are
chosen; each of them can be read without it.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import faust
import mode
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP
from yarl import URL

from geofences.loader import CityError
from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka_now
from streams.checkpoint import CheckpointStore, NoCheckpoints, StoreAwayError
from streams.cities import RedisCities
from streams.consumer import MAX_RECORDS, PositionsTransport
from streams.detect import Engine
from streams.health import HUNG_S, Health
from streams.intake import Intake
from streams.live import LiveView
from streams.log_setup import log_to_stderr, say_last
from streams.logs import get_log
from streams.metrics import Metrics
from streams.published import Published
from streams.readiness import NotReadyError, wait_until_ready
from streams.redis_admission import check_redis
from streams.redis_checkpoints import RedisCheckpoints
from streams.sinks import Outputs
from streams.snapshot import State
from streams.succession import Succession, UnusableCity
from streams.warm import compile_core
from streams.watch import Watch
from streams.worker import Topics, Worker

log = get_log(__name__)

FEW_RECORDS = 100
LINGER_S = 0.01
"""So long more is waited for where only this many records are there: a micro-batch has its cost."""
BUFFERED = 8
"""Pieces of a fetch (`streams.consumer`) that wait for the agent; as many again are in the
micro-batch, and a few on their way. Of what is large a piece is one go."""
REBALANCE_S = 30.0
REQUEST_S = 35.0
"""Joining a group is answered when the others have joined, so above `REBALANCE_S`."""
HEARTBEAT_S = 0.5
"""A worker learns with its next heartbeat that others come or go, and until all of them have, none
works: this is most of what a rebalance costs."""

BEAT_S = 1.0
THREADS_S = 3.0
"""How long threads have to end by themselves when the work is over."""

COLLECT_AT = 100_000, 50, 1_000
"""When the collector of garbage looks: a micro-batch makes thousands of objects and no cycles, and
with Python's own thresholds it would look at them, and at the city, many times a second."""

DONE, FAILED, BAD_INPUT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """All a worker needs to know; `mucktrack.settings` has the defaults."""

    kafka: KafkaAccess
    city: Path
    """City directory: in force where no published version is."""
    redis: str | None = field(repr=False)
    """URL, secret, for checkpoints, published cities and live positions; None = none of them."""
    group: str
    """Consumer group: the workers of a group share the partitions."""
    partitions: int
    """Of the positions topic; must be what the topic has."""
    state_dir: Path
    """Folder for what Faust keeps on disk."""
    metrics_host: str
    metrics_port: int
    """0 = a free one."""
    session_timeout_s: float
    """After this long without a sign of life a worker's partitions go to the others."""
    checkpoint_s: float = 5.0
    """How often the state of a partition is saved; less often where that would be much work."""
    most_trucks: int | None = None
    """Trucks that are remembered of a partition; positions of others are rejected. None = all."""
    hung_s: float = HUNG_S
    """A worker whose event loop has not turned for so long leaves the group, and is not live."""
    metrics_port_file: Path | None = None
    """Where the port taken is written, for those who asked for a free one."""
    topics: Topics = field(default_factory=Topics)


class Versioned(Protocol):
    """What knows the versions of the city by now."""

    @property
    def succession(self) -> Succession: ...

    def read(self) -> None:
        """Learn of all that are published by now. Raises `StoreAwayError`."""
        ...


class Engines:
    """Makes the engines of a worker's partitions, all for the same versions of the city."""

    def __init__(
        self,
        engine: type[Engine],
        published: Versioned,
        partitions: int,
        most_trucks: int | None = None,
    ) -> None:
        self._engine = engine
        self._published = published
        self._partitions = partitions
        self._most_trucks = most_trucks

    def fresh(self, partition: int) -> Engine:
        return self._engine.live(
            self._published.succession, partition, self._partitions, self._most_trucks
        )

    def restored(self, partition: int, state: State) -> Engine:
        engine = self.fresh(partition)
        engine.restore(state)
        return engine

    async def learn(self) -> None:
        """Know the versions that are published by now. Raises `StoreAwayError`."""
        await asyncio.to_thread(self._published.read)

    def bring_up_to_date(self, engine: Engine) -> None:
        """Let an engine take up the versions that have been published since."""
        if engine.succession is not self._published.succession:
            engine.take_up(self._published.succession)


class PositionsApp(faust.App):  # type: ignore[misc]
    """A Faust app that leaves it to `intake` where each partition starts."""

    mundane_level = "debug"
    intake: Intake

    def _new_transport(self) -> Any:
        return PositionsTransport(self.conf.broker_consumer, self)


class Parts(mode.Service):  # type: ignore[misc]
    """What runs beside the app: started before it and stopped after it."""

    mundane_level = "debug"

    def __init__(
        self,
        live: LiveView,
        outputs: Outputs,
        published: Published,
        intake: Intake,
        watch: Watch,
        health: Health,
    ) -> None:
        super().__init__()
        self._watch = watch
        self._health = health
        self._live = live
        self._outputs = outputs
        self._published = published
        self._intake = intake
        self._tasks: list[asyncio.Task[None]] = []

    async def on_start(self) -> None:
        self._live.start()
        guarded = self._intake.guarded
        self._tasks = [
            asyncio.create_task(guarded(self._published.follow()), name="published cities"),
            asyncio.create_task(guarded(self._intake.save_what_is_due()), name="checkpoints"),
            asyncio.create_task(guarded(self._live_on()), name="health"),
            asyncio.create_task(guarded(self._watch.run()), name="watch"),
            asyncio.create_task(guarded(self._live.watch()), name="live view, watched"),
        ]

    async def _live_on(self) -> None:
        while True:
            self._health.beat(broken=self._intake.broken)
            self._intake.stay()
            await asyncio.sleep(BEAT_S)

    async def on_stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._intake.store.close)
            closing.push_async_callback(self._outputs.close)
            closing.push_async_callback(self._live.close)


@dataclass(frozen=True, slots=True)
class Kinds:
    """What the parts of a worker are made of; tests put in others, which fail as they are told."""

    engine: type[Engine] = Engine
    outputs: type[Outputs] = Outputs
    checkpoints: Callable[[str], CheckpointStore] = RedisCheckpoints.at


def run_worker(config: WorkerConfig, kinds: Kinds = Kinds()) -> int:
    """Work until a signal (SIGTERM, SIGINT) ends it; the exit code (design section 8).

    0: told to stop; the micro-batch under way was finished, the group left. 1: Kafka or Redis does
    not let in, said on stderr; or a bug, its traceback logged, nothing of the micro-batch
    acknowledged. 2: the city, the topics or the
    address for metrics are not as they must be, said on stderr. Waits while Kafka is away. Takes
    over the signal handlers and the event loop of the process. `kinds`: see there.
    """
    log_to_stderr("worker")
    try:
        metrics = Metrics(config.hung_s)
        starting = metrics.health.waiting("starting", "the city and the core", after_s=0.0)
        _check_access(config)
        _datadir(config).mkdir(parents=True, exist_ok=True)
        _serve(metrics, config)
        store = None if config.redis is None else RedisCities(config.redis)
        published = Published(config.city, store, metrics)
        published.look()
        # Before the group is joined: the event loop would stand still meanwhile.
        compile_core()
        if not asyncio.run(_unless_told_to_stop(_ready(config, metrics.health))):
            return DONE
    except AccessRefusedError as error:
        _say_last(error)
        return FAILED
    except (CityError, UnusableCity, NotReadyError, OSError) as error:
        _say_last(error)
        return BAD_INPUT
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app, parts = _wire(config, kinds, published, metrics)
    starting.end()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AT)
    worker = faust.Worker(
        app,
        parts,
        loop=loop,
        quiet=True,
        override_logging=False,
        redirect_stdouts=False,
    )
    worker.spinner = None
    try:
        worker.execute_from_commandline()
        code = DONE
    except SystemExit as end:
        code = DONE if end.code in (None, 0) else FAILED
    _end_with_threads_left(code)
    return code


def _say_last(error: Exception) -> None:
    if not say_last("mucktrack worker", str(error)):
        print(f"mucktrack worker: {error}", file=sys.stderr)  # noqa: T201


def _end_with_threads_left(code: int) -> None:
    """End the process here and now if a thread goes on: after a crash that of Faust's consumer
    sometimes does, and the interpreter would wait for it for ever."""
    until = time.monotonic() + THREADS_S
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                log.warning("thread_remains", thread=thread.name)
                logging.shutdown()
                os._exit(code)


def _wire(
    config: WorkerConfig, kinds: Kinds, published: Published, metrics: Metrics
) -> tuple[PositionsApp, Parts]:
    """The app with its agent, and what runs beside it."""
    app = _faust_app(config)
    engines = Engines(kinds.engine, published, config.partitions, config.most_trucks)
    store: CheckpointStore = NoCheckpoints()
    if config.redis is not None:
        store = kinds.checkpoints(config.redis)
    intake = app.intake = Intake(
        config.partitions,
        engines,
        store,
        config.checkpoint_s,
        config.session_timeout_s,
        metrics,
        app.crash,
    )
    outputs = kinds.outputs(config.kafka, metrics)
    live = LiveView(config.redis, metrics)
    worker = Worker(config.topics, intake, outputs, live, metrics)
    topic = app.topic(
        config.topics.positions,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
    )

    async def positions(stream: Any) -> None:
        waiting = stream.channel.queue
        async for event in stream.noack().events():
            fetched = [event.message.fetched]
            if len(fetched[0].records) <= FEW_RECORDS and waiting.empty():
                await asyncio.sleep(LINGER_S)
            while not waiting.empty():
                fetched.append(waiting.get_nowait().message.fetched)
            await worker.handle(fetched, app.consumer_generation_id)

    async def assigned(_: Any, partitions: set[TP], **__: Any) -> None:
        # Those that are given some are told by Faust's seek (`streams.consumer`).
        if not partitions:
            intake.joined()

    async def revoked(_: Any, partitions: set[TP], **__: Any) -> None:
        await intake.release()

    async def before_shutdown(_: Any, **__: Any) -> None:
        await intake.release(for_good=True)

    app.agent(topic, name="positions", supervisor_strategy=mode.CrashingSupervisor)(positions)
    app.on_partitions_assigned.connect(assigned)
    app.on_partitions_revoked.connect(revoked)
    app.on_before_shutdown.connect(before_shutdown)
    watch = Watch(intake, published, metrics)
    return app, Parts(live, outputs, published, intake, watch, metrics.health)


def _faust_app(config: WorkerConfig) -> PositionsApp:
    return PositionsApp(
        config.group,
        broker=[URL(f"kafka://{host}") for host in config.kafka.hosts],
        broker_credentials=_credentials(config.kafka),
        datadir=_datadir(config),
        autodiscover=False,
        # Faust would let environment variables such as BROKER_URL or WEB_PORT overrule what
        # stands here.
        env={},
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFERED,
        broker_max_poll_records=MAX_RECORDS,
        broker_max_poll_interval=config.hung_s,
        broker_session_timeout=config.session_timeout_s,
        broker_heartbeat_interval=min(HEARTBEAT_S, config.session_timeout_s / 3),
        broker_rebalance_timeout=max(REBALANCE_S, config.session_timeout_s),
        broker_request_timeout=max(REQUEST_S, config.session_timeout_s + 5),
    )


def _credentials(kafka: KafkaAccess) -> Any:
    """As Faust wants them; None = plain."""
    tls = kafka.tls() if kafka.has_tls else None
    if kafka.has_login:
        return SASLCredentials(
            username=kafka.user,
            password=kafka.password,
            mechanism=kafka.mechanism,
            ssl_context=tls,
        )
    return tls and SSLCredentials(tls)


def _check_access(config: WorkerConfig) -> None:
    """Raises `AccessRefusedError`, before anything that takes long. What is away may come: nothing
    waits for it here."""
    check_kafka_now(config.kafka)
    if config.redis is None:
        return
    try:
        check_redis(config.redis)
    except StoreAwayError as error:
        log.warning("redis_away", purpose="to begin", error=error)


def _datadir(config: WorkerConfig) -> Path:
    """Faust's own would be a folder in the working folder."""
    return config.state_dir / "faust"


def _serve(metrics: Metrics, config: WorkerConfig) -> None:
    try:
        port = metrics.serve(config.metrics_host, config.metrics_port)
    except OSError as error:
        raise OSError(
            f"metrics cannot be served on {config.metrics_host}:{config.metrics_port} "
            f"({error.strerror or error}); choose another port, or 0 for a free one"
        ) from None
    log.info("pages_served", host=config.metrics_host, port=port)
    if config.metrics_port_file is not None:
        config.metrics_port_file.write_text(f"{port}\n")


async def _ready(config: WorkerConfig, health: Health) -> None:
    topics = config.topics
    await wait_until_ready(
        config.kafka,
        topics.positions,
        config.partitions,
        (topics.rejected, topics.violations, topics.trips),
        health,
        group=config.group,
    )


async def _unless_told_to_stop(work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` was done before a signal came."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return False
    return True
