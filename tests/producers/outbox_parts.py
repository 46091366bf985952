"""What the outbox's tests share: positions with numbers, what became of each, what Kafka holds."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

from kafka import KafkaConsumer, TopicPartition

from producers.gateway.outbox import Outbox, RawFrame
from streams.access import KafkaAccess
from streams.health import Health
from streams.position import Position

PARTITIONS = 4
START_MS = 1_795_266_467_000
TRUCKS = 40
SETTLED_WITHIN_S = 60.0
READ_WITHIN_S = 30.0


@dataclass
class Fleet:
    """Puts numbered messages, each a position and a frame, and keeps what is said of them."""

    outbox: Outbox
    health: Health
    put: int = 0
    pending: int = 0
    kept: list[int] = field(default_factory=list)
    """Position and frame acknowledged, as they were."""
    lost: list[int] = field(default_factory=list)
    slowest_s: float = 0.0

    def message(self) -> None:
        number, self.put = self.put, self.put + 1
        self.pending += 1
        begun_s = time.monotonic()
        answers: list[bool] = []

        def done(delivered: bool) -> None:
            answers.append(delivered)
            assert len(answers) <= 2
            if len(answers) == 2:
                self.pending -= 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
                (self.kept if all(answers) else self.lost).append(number)

        self.outbox.put(position(number), done)
        self.outbox.put_raw(frame(number), done)

    async def drive(self, seconds: float, rate: int = 400) -> None:
        begun_s, put = time.monotonic(), 0
        while (passed_s := time.monotonic() - begun_s) < seconds:
            while put < passed_s * rate:
                self.message()
                put += 1
            await asyncio.sleep(0.01)

    async def settled(self) -> None:
        await until(lambda: not self.pending)

    def waits_for(self) -> list[str]:
        return [wait.waiting_for for wait in self.health.waited_for()]


@asynccontextmanager
async def fleet(kafka: str, **options: float) -> AsyncIterator[Fleet]:
    """`options` as the outbox has them; no ticks unless they say so."""
    health = Health()
    made = {"tick_s": 0.0} | options
    outbox = Outbox(KafkaAccess.plain(kafka), PARTITIONS, health, **made)  # type: ignore[arg-type]
    await outbox.start()
    try:
        yield Fleet(outbox, health)
    finally:
        await outbox.close()


def position(number: int) -> Position:
    truck = number % TRUCKS
    return Position(
        f"浙B{truck:05d}",
        START_MS + number,
        121.0,
        29.0,
        mileage_km=number,
        terminal_id=phone(truck),
    )


def frame(number: int) -> RawFrame:
    key = phone(number % TRUCKS)
    return RawFrame(b"%d" % number, key, START_MS + number, "127.0.0.1:1", "jt808")


def phone(truck: int) -> str:
    return f"{13_800_000_000 + truck}"


async def until(true: Callable[[], bool], within_s: float = SETTLED_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def read(kafka: str, topic: str, partitions: int, enough: Callable[[list[object]], bool]) -> list:
    """The records of the topic, as they come, until there are enough."""
    records: list[object] = []
    deadline = time.monotonic() + READ_WITHIN_S
    with closing(
        KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, api_version=(2, 5))
    ) as consumer:
        assigned = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(assigned)
        consumer.seek_to_beginning(*assigned)
        while not enough(records) and time.monotonic() < deadline:
            for some in consumer.poll(timeout_ms=100).values():
                records += some
    assert enough(records)
    return records
