"""A worker for chaos runs: `worker_process.py CONFIG.json [SABOTAGE]`.

It dies by its own hand at the point that the file named in the configuration names: after its
outputs were acknowledged, within a checkpoint, or after it. SABOTAGE breaks the order that loses
nothing, to show that a chaos run notices:

    early     outputs are sent some time after they are said to be acknowledged
    careless  an exception in the engine is passed over, and what comes after is saved
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from streams.access import KafkaAccess
from streams.app import Kinds, WorkerConfig, run_worker
from streams.checkpoint import Checkpoint, Keeper
from streams.detect import Engine, Outcome
from streams.metrics import Metrics
from streams.redis_checkpoints import RedisCheckpoints
from streams.sinks import Output, Outputs
from streams.worker import Topics

AFTER_OUTPUTS: Final = "after outputs"
WITHIN_CHECKPOINT: Final = "within a checkpoint"
AFTER_CHECKPOINT: Final = "after a checkpoint"
EARLY_S = 2.0


class FaultPoint:
    """Dies where it is told."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, point: str) -> None:
        try:
            told = self._file.read_text() == point
        except FileNotFoundError:
            return
        if told:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalKeeper:
    """A keeper of the store whose worker may die round a save."""

    def __init__(self, keeper: Keeper, fault: FaultPoint) -> None:
        self._keeper = keeper
        self._fault = fault

    @property
    def checkpoint(self) -> Checkpoint | None:
        return self._keeper.checkpoint

    @property
    def size_bytes(self) -> int:
        return self._keeper.size_bytes

    async def save(self, checkpoint: Checkpoint) -> int:
        saving = asyncio.ensure_future(self._keeper.save(checkpoint))
        await asyncio.sleep(0.001)
        self._fault(WITHIN_CHECKPOINT)
        written = await saving
        self._fault(AFTER_CHECKPOINT)
        return written


def kinds(fault: FaultPoint, sabotage: str) -> Kinds:
    class MortalOutputs(Outputs):
        async def send(self, outputs: Sequence[Output]) -> None:
            await super().send(outputs)
            self._fault()

        def _fault(self) -> None:
            fault(AFTER_OUTPUTS)

    class EarlyOutputs(Outputs):
        """Says that outputs are acknowledged, and sends them later."""

        def __init__(self, kafka: Any, metrics: Metrics) -> None:
            super().__init__(kafka, metrics)
            self._later: set[asyncio.Task[None]] = set()
            self._turn = asyncio.Lock()

        async def send(self, outputs: Sequence[Output]) -> None:
            if outputs:
                task = asyncio.create_task(self._send_later(list(outputs)))
                self._later.add(task)
                task.add_done_callback(self._later.discard)

        async def _send_later(self, outputs: list[Output]) -> None:
            await asyncio.sleep(EARLY_S)
            async with self._turn:
                await super().send(outputs)

    class CarelessEngine(Engine):
        """Has a bug that some positions meet, and goes on after it. Its first batch is spared, so
        that it knows trucks and nothing else gives the bug away."""

        _begun = False

        def process_columns(self, batch: Any) -> Outcome:
            try:
                for row in batch if self._begun else ():
                    if row.truck >= 0 and _meets_the_bug(self.trucks.ids[row.truck], row.time_ms):
                        raise ZeroDivisionError("a bug")
            except ZeroDivisionError:
                return Outcome()
            self._begun = True
            return super().process_columns(batch)

    class MortalCheckpoints(RedisCheckpoints):
        async def load(self, topic: str, partition: int) -> Keeper | None:
            keeper = await super().load(topic, partition)
            return None if keeper is None else MortalKeeper(keeper, fault)

    return Kinds(
        engine=CarelessEngine if sabotage == "careless" else Engine,
        outputs=EarlyOutputs if sabotage == "early" else MortalOutputs,
        checkpoints=MortalCheckpoints.at,
    )


def _meets_the_bug(truck_id: str, time_ms: int) -> bool:
    """One in a thousand, whatever the pace of the fleet."""
    return crc32(f"{truck_id}|{time_ms}".encode()) % 997 == 0


def main(config_file: str, sabotage: str = "") -> int:
    given: dict[str, Any] = json.loads(Path(config_file).read_text())
    fault = FaultPoint(Path(given.pop("fault_file")))
    given["kafka"] = KafkaAccess.plain(given["kafka"])
    given["topics"] = Topics(**given["topics"])
    for name in ("city", "state_dir", "metrics_port_file"):
        given[name] = Path(given[name])
    return run_worker(WorkerConfig(**given), kinds(fault, sabotage))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
