"""`make terminals SEED=n`: a thousand terminals for an hour and a half of event time, through a
proxy that cuts, while the gateway is killed and Kafka and Redis stand still. Prints what there was
and what came of it; exit code 1 where anything was lost, invented or judged otherwise.
"""

import argparse
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from random import Random

from terminals.run import KINDS, Plan, figures, run, write_city


def main() -> int:
    options = argparse.ArgumentParser(prog="terminals", description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--trucks", type=int, default=1_000)
    options.add_argument("--hours", type=float, default=1.5, help="of event time")
    options.add_argument("--speed", type=float, default=20.0)
    options.add_argument("--cut-after", type=float, default=8_000.0, help="bytes, on average")
    options.add_argument("--faults", type=int, default=9)
    options.add_argument("--apart", type=float, default=10.0, help="seconds between faults")
    options.add_argument("--folder", type=Path, help="kept; otherwise a temporary one")
    given = options.parse_args()
    kinds = list(KINDS)
    Random(given.seed).shuffle(kinds)
    plan = Plan(
        given.seed, given.trucks, given.hours, given.speed, given.cut_after,
        faults=list(islice(cycle(kinds), given.faults)), apart_s=given.apart,
    )  # fmt: skip
    limit_s = 3_600 * given.hours / given.speed * 3 + 300
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "run"
        folder.mkdir(parents=True)
        city = write_city(folder / "city", given.trucks)
        report = run(plan, folder, city, limit_s)
    print(f"seed {plan.seed}: {plan.trucks} terminals, {', '.join(plan.faults) or 'no faults'}")
    for what, count in figures(report).items():
        print(f"{what:<16} {count:>10,}")
    print(f"{'seconds':<16} {report.seconds:>10,.0f}")
    wrong = report.faults()
    print("\n".join(wrong) or "nothing lost, nothing invented, judged as files are")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
