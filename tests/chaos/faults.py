"""The faults of a chaos run: what each kind does, and how long until things are as before.

`Faults.inject` does one of the kinds to what runs; `chaos.run` chooses when. Times are short
against a shift, and long against every timeout that a worker has.
"""

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from servers.kafka_cluster import KafkaCluster
from servers.redis_server import RedisServer

from chaos.crew import Crew, Member
from chaos.worker_process import AFTER_CHECKPOINT, AFTER_OUTPUTS, WITHIN_CHECKPOINT

WORKER_KINDS: Final = (
    "worker killed",
    f"worker killed {AFTER_OUTPUTS}",
    f"worker killed {WITHIN_CHECKPOINT}",
    f"worker killed {AFTER_CHECKPOINT}",
    "worker frozen until fenced",
    "worker told to stop",
)
REDIS_KINDS: Final = ("redis killed", "redis frozen")
LOST: Final = "redis killed, its data lost"
BROKER: Final = "broker killed"
POINT_S = 20.0
"""How long a worker may take to come to the point at which it is to die."""


class Faults:
    """Hands that break things, and mend what nobody else does."""

    def __init__(
        self,
        rng: Random,
        crew: Crew,
        redis: RedisServer,
        cluster: KafkaCluster | None,
        session_timeout_s: float,
    ) -> None:
        self._rng = rng
        self._crew = crew
        self._redis = redis
        self._cluster = cluster
        self._frozen_s = session_timeout_s + 4.0
        self.recoveries_s: dict[str, list[float]] = {}

    async def inject(self, kind: str) -> bool:
        """Whether it came about; returns when what was taken away is back."""
        started_s = time.monotonic()
        done = await self._does(kind)()
        if done:
            self.recoveries_s.setdefault(kind, []).append(time.monotonic() - started_s)
        return done

    def _does(self, kind: str) -> Callable[[], Awaitable[bool]]:
        points = {
            f"worker killed {point}": point
            for point in (AFTER_OUTPUTS, WITHIN_CHECKPOINT, AFTER_CHECKPOINT)
        }
        if kind in points:
            return lambda: self._worker_dies_at(kind, points[kind])
        return {
            "worker killed": lambda: self._worker_ends(kind, signal.SIGKILL),
            "worker told to stop": lambda: self._worker_ends(kind, signal.SIGTERM),
            "worker frozen until fenced": self._worker_freezes,
            "redis killed": self._redis_dies,
            "redis frozen": self._redis_freezes,
            LOST: self._redis_forgets,
            BROKER: self._broker_dies,
        }[kind]

    def _member(self) -> Member | None:
        """One that works."""
        ready = [
            member
            for member in self._crew.members
            if not member.frozen and member.expected_end is None and member.loaded() > 0
        ]
        return self._rng.choice(ready) if ready else None

    async def _worker_ends(self, kind: str, number: signal.Signals) -> bool:
        member = self._member()
        if member is None:
            return False
        member.expected_end = kind
        member.signal(number)
        return await self._is_back(member, member.lives)

    async def _worker_dies_at(self, kind: str, point: str) -> bool:
        member = self._member()
        if member is None:
            return False
        life = member.lives
        member.expected_end = kind
        member.fault_file.write_text(point)
        deadline = time.monotonic() + POINT_S
        while member.lives == life:
            if time.monotonic() > deadline:
                member.fault_file.unlink(missing_ok=True)
                member.expected_end = None
                return False
            await asyncio.sleep(0.1)
        return await self._is_back(member, life)

    async def _is_back(self, member: Member, life: int) -> bool:
        """Started again, and with partitions of its own."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if member.lives > life and member.loaded() > 0:
                break
            await asyncio.sleep(0.2)
        return True

    async def _worker_freezes(self) -> bool:
        member = self._member()
        if member is None:
            return False
        member.frozen = True
        member.signal(signal.SIGSTOP)
        await asyncio.sleep(self._frozen_s)
        member.signal(signal.SIGCONT)
        member.frozen = False
        return True

    async def _redis_dies(self) -> bool:
        self._redis.kill()
        await asyncio.sleep(self._rng.uniform(0.5, 4.0))
        await asyncio.to_thread(self._redis.start)
        return True

    async def _redis_forgets(self) -> bool:
        self._redis.kill()
        for folder in self._redis.log.parent.glob("appendonly*"):
            shutil.rmtree(folder)
        await asyncio.sleep(self._rng.uniform(0.5, 2.0))
        await asyncio.to_thread(self._redis.start)
        return True

    async def _redis_freezes(self) -> bool:
        self._redis.freeze()
        await asyncio.sleep(self._rng.uniform(3.0, 13.0))
        self._redis.thaw()
        return True

    async def _broker_dies(self) -> bool:
        assert self._cluster is not None
        number = self._rng.randrange(3)
        self._cluster.kill(number)
        await asyncio.sleep(self._rng.uniform(0.5, 6.0))
        await asyncio.to_thread(self._cluster.start, number)
        return True
