"""Hostile input at length: `make fuzz SECONDS=60 SEED=1`. docs/reliability.md keeps the figures.

Rounds of hostile records go through the engine (`tests/fuzz/harness.py`), and of hostile bytes
through the codecs of terminals and platforms (`tests/fuzz/frames.py`, `platform_frames.py`), until
the time is over. What does not hold is printed with the seed of its round, which alone repeats it,
and the exit code is 1.

    python tests/fuzzing.py [--seconds S] [--seed N] [--rounds N] [--what records|frames|platforms]
"""

import argparse
import itertools
import resource
import sys
import time
import traceback
from collections import Counter

from fuzz.frames import FrameRound
from fuzz.harness import Round
from fuzz.platform_frames import PlatformFrameRound

ROUNDS = {"records": Round, "frames": FrameRound, "platforms": PlatformFrameRound}
MOST_BROKEN = 5
"""Rounds, after which it is enough."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/fuzzing.py")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--rounds", type=int, default=None, help="however long they take")
    parser.add_argument("--what", choices=ROUNDS, action="append", help="default: all")
    options = parser.parse_args()
    started, counts, broken = time.monotonic(), Counter[str](), []
    for seed in itertools.count(options.seed):
        if options.rounds is None:
            over = time.monotonic() - started > options.seconds
        else:
            over = seed - options.seed >= options.rounds
        if over:
            break
        try:
            for what in options.what or ROUNDS:
                counts += ROUNDS[what](seed).run()
        except Exception:
            traceback.print_exc()
            print(f"\nround {seed} is broken: python tests/fuzzing.py --seed {seed} --rounds 1")
            broken.append(seed)
            if len(broken) == MOST_BROKEN:
                break
    seconds = time.monotonic() - started
    counts["broken rounds"] = len(broken)
    for name, count in counts.items():
        print(f"{name:20} {count:>14,}")
    print(f"{'seconds':20} {seconds:>14,.0f}")
    if counts["inputs"]:
        print(f"{'inputs a second':20} {counts['inputs'] / seconds:>14,.0f}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory, MB':20} {peak_mb:>14,.0f}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
