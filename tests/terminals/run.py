"""One run of the whole way from TCP: disturbed as a plan says, and judged.

`tests/mucktrack/test_terminals_live.py` has short ones, `make terminals` a long one.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from chaos.verdict import Verdict, verdict

from producers.demo_city import make_city
from terminals.verdict import Delivered, Judged, delivered, judged
from terminals.way import Told, Way

GATEWAY_KILLED: Final = "gateway killed"
KAFKA_FROZEN: Final = "kafka frozen"
REDIS_FROZEN: Final = "redis frozen"
GATEWAY_REPLACED: Final = "gateway replaced"
WORKER_REPLACED: Final = "worker replaced"
KINDS: Final = (GATEWAY_KILLED, GATEWAY_REPLACED, WORKER_REPLACED, KAFKA_FROZEN, REDIS_FROZEN)
FROZEN_S: Final = {KAFKA_FROZEN: (4.0, 16.0), REDIS_FROZEN: (1.0, 6.0)}
"""Kafka for longer than the outbox tries to deliver a batch, too."""
LEAST_RECALL: Final = 0.9
"""With the errors of receivers and sensors, over the same fleet in files it is no higher."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`cut_after`: bytes that a connection carries on average before it is cut; 0 = never."""

    seed: int
    trucks: int
    hours: float
    speed: float
    """Event time against the clock. Whatever delays a position for longer than 960 s of event time
    lets an offline engine judge otherwise than the worker: long faults need a low speed."""
    cut_after: float
    share: float = 0.4
    faults: Sequence[str] = ()
    apache: bool = False
    apart_s: float = 0.0
    """Between two faults; the first comes when the terminals are under way."""


@dataclass(frozen=True, slots=True)
class Report:
    told: Told
    delivered: Delivered
    same: Verdict
    """The worker beside `detect` over the archive."""
    beside: Judged
    """The worker beside an offline engine over what the terminals sent."""
    given_up: int
    """Times that the gateway gave up delivering to Kafka."""
    seconds: float
    """From the first terminal to the last violation."""

    def faults(self) -> list[str]:
        """What is not as it must be; none = all is well."""
        found, beside = self.delivered, self.beside
        counts = {
            "sent, not in Kafka": found.sent - found.in_kafka,
            "sent, not acknowledged": found.sent - found.acknowledged,
            "left with the terminals": self.told.left,
            "acknowledged and lost": len(found.lost),
            "acknowledged without a frame": len(found.without_frame),
            "invented or altered": len(found.invented),
            "out of order": len(found.out_of_order),
            "violations that files give and the worker does not": len(beside.missing),
            "violations that the worker gives and files do not": len(beside.invented),
            "violations that differ": len(beside.different),
        }
        wrong = [f"{what}: {count}" for what, count in counts.items() if count]
        if not self.same.agrees:
            wrong.append(f"not what detect says of the archive: {self.same.compared}")
        for rule, of_files in beside.found_before_the_end.items():
            if beside.found[rule].found < of_files.found:
                wrong.append(f"{rule}: {beside.found[rule].found} found, {of_files.found} in files")
        if (beside.found["all"].recall or 0) < LEAST_RECALL:
            wrong.append(f"recall {beside.found['all'].recall}")
        return wrong


def write_city(folder: Path, trucks: int) -> Path:
    """The made-up city for so many trucks that have somewhere to go."""
    folder.mkdir()
    for name, content in make_city(trucks=trucks * 3 // 2).items():
        (folder / name).write_bytes(content)
    return folder


def run(plan: Plan, folder: Path, city: Path, limit_s: float) -> Report:
    """`limit_s`: for the terminals, however slow the machine is."""
    with Way(folder, city, seed=plan.seed, cut_after=plan.cut_after, apache=plan.apache) as way:
        started_s = time.monotonic()
        way.simulate(
            *("--trucks", str(plan.trucks), "--share", str(plan.share)),
            *("--hours", str(plan.hours), "--speed", str(plan.speed)),
        )
        way.until(lambda: way.acknowledged_lines() > 10 * plan.trucks)
        _break_things(way, plan)
        told = way.finish(limit_s)
        seconds = time.monotonic() - started_s
        found = delivered(way)
        same = asyncio.run(verdict(way.kafka, way.archive, [str(way.city)], way.folder))
        given_up = (folder / "gateway.log").read_text().count("not_delivered")
        return Report(told, found, same, judged(way, found.too_late), given_up, seconds)


def _break_things(way: Way, plan: Plan) -> None:
    rng = Random(plan.seed)
    for number, fault in enumerate(plan.faults):
        if number:
            time.sleep(plan.apart_s)
        if not way.is_alive("terminals"):
            raise RuntimeError(f"the terminals ended before fault {number + 1}: {fault}")
        if fault == GATEWAY_KILLED:
            way.kill_gateway()
            way.start_gateway()
        elif fault == GATEWAY_REPLACED:
            way.stop("gateway")
            way.start_gateway()
        elif fault == WORKER_REPLACED:
            way.stop("worker")
            way.start_worker()
        else:
            server = fault.split()[0]
            way.freeze(server)
            time.sleep(rng.uniform(*FROZEN_S[fault]))
            way.thaw(server)


def figures(report: Report) -> Counter[str]:
    """What there was of everything."""
    found, total = report.delivered, report.beside.found["all"]
    return Counter(
        {
            "positions": found.in_kafka,
            "acknowledged": found.acknowledged,
            "repeats": found.repeats,
            "trucks too late": len(found.too_late),
            "as backfill": report.told.backfilled,
            "given up": report.given_up,
            "cuts": report.told.proxy.get("cuts", 0),
            "connections": report.told.proxy.get("connections", 0),
            "violations": report.beside.violations,
            "labels": total.labels,
            "found": total.found,
        }
    )
