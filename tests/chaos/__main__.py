"""`make chaos SEED=n`: a million positions against three brokers of Apache Kafka, Redis and three
workers, while all of them are broken in turn. Prints what was done and what came of it; exit code 1
where anything was lost or invented.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from chaos.run import Plan, Report, chaos_run

SHOWN = 5
"""Ids of what is not as it should be."""


def lines(report: Report) -> Iterator[str]:
    plan, found = report.plan, report.verdict
    yield f"seed {plan.seed}: {plan.workers} workers, {plan.brokers or 'embedded'} brokers, Redis"
    yield ""
    yield f"{'fault':<36} {'times':>5}  {'lasted, median and longest, s':>34}"
    for kind, times in sorted(report.faults.items()):
        if times:
            took = report.recoveries_s.get(kind, [0.0])
            yield f"{kind:<36} {times:>5}  {median(took):>22.1f} {max(took):>11.1f}"
    yield f"{'all':<36} {report.faults.total():>5}"
    yield ""
    for what, count in sorted(report.cargo.items()):
        yield f"{what:<36} {count:>9,}"
    yield f"{'records sent':<36} {report.records:>9,}"
    yield f"{'worker crashes that were not asked for':<38} {report.crashes.total():>7,}"
    yield ""
    yield f"detect over the archive: {found.summary}"
    yield (
        f"{'':<12} {'expected':>9} {'received':>9} {'lost':>6} {'invented':>9} {'different':>10} "
        f"{'repeats':>9}"
    )
    for one in found.compared:
        yield (
            f"{one.what:<12} {one.expected:>9,} {one.received:>9,} {len(one.lost):>6,} "
            f"{len(one.invented):>9,} {len(one.different):>10,} {one.repeats:>9,}"
        )
        for word in ("lost", "invented", "different"):
            for name in getattr(one, word)[:SHOWN]:
                yield f"    {word}: {name}"
    yield ""
    yield (
        f"caught up {report.caught_up_s:.0f} s after the last record; workers ended with "
        f"{report.last_ends}; {report.seconds:.0f} s in all"
    )
    yield "nothing lost, nothing invented" if report.agrees else "NOT THE SAME"
    if not report.complete:
        yield "NOT AS PLANNED: faults that did not come about, or workers that ended by themselves"


def main() -> int:
    options = argparse.ArgumentParser(prog="chaos", description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--positions", type=int, default=1_000_000)
    options.add_argument("--rate", type=float, default=4_000.0, help="positions a second")
    options.add_argument("--brokers", type=int, choices=(0, 1, 3), default=3)
    options.add_argument("--workers", type=int, default=3)
    options.add_argument("--faults", type=int, default=36)
    options.add_argument("--apart", type=float, default=5.0, help="seconds between faults")
    options.add_argument("--sabotage", choices=("", "early", "careless"), default="")
    options.add_argument("--folder", type=Path, help="kept; otherwise a temporary one")
    given = options.parse_args()
    plan = Plan(
        given.seed, given.positions, given.rate, given.brokers, given.workers, given.faults,
        given.apart, (), given.sabotage,
    )  # fmt: skip
    if given.folder is not None:
        given.folder.mkdir(parents=True)
        report = chaos_run(plan, given.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = chaos_run(plan, Path(folder))
    print("\n".join(lines(report)))
    return 0 if report.agrees and report.complete else 1


if __name__ == "__main__":
    sys.exit(main())
