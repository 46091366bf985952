"""A worker process for the tests: `worker_process.py CONFIG.json [TRUCK]`.

With TRUCK, its engine has a bug that this truck's positions meet.
"""

import json
import sys
from pathlib import Path
from typing import Any

from streams.access import KafkaAccess
from streams.app import Kinds, WorkerConfig, run_worker
from streams.detect import Engine, Outcome
from streams.worker import Topics


def engine_with_bug(truck_id: str) -> type[Engine]:
    class EngineWithBug(Engine):
        def process_columns(self, batch: Any) -> Outcome:
            if truck_id in {self.trucks.ids[row] for row in batch.truck if row >= 0}:
                raise ZeroDivisionError("a bug")
            return super().process_columns(batch)

    return EngineWithBug


def main(config_file: str, *truck: str) -> int:
    given: dict[str, Any] = json.loads(Path(config_file).read_text())
    given["kafka"] = KafkaAccess.plain(given["kafka"])
    given["topics"] = Topics(**given["topics"])
    for name in ("city", "state_dir", "metrics_port_file"):
        given[name] = Path(given[name])
    kinds = Kinds(engine=engine_with_bug(*truck)) if truck else Kinds()
    return run_worker(WorkerConfig(**given), kinds)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
