"""How much memory trucks take that somebody invents, with the limit of a partition and without.

`python -m benchmarks.invented` sends positions of a million trucks with ids of 64 characters, in
arrays of 1,000, through decoding and one partition's engine, and prints what memory it gained.
With `--offending` each of them drives with its body up, so that it has a run under way, which takes
more than the truck.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from streams.detect import Engine, PreparedCity
from streams.position import Position, decode_record, encode_array
from streams.warm import CITY

ARRAY = 1_000
START_MS = 1_795_266_000_000


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 1e6


def array(first: int, *, offending: bool) -> bytes:
    """Positions of `ARRAY` trucks, the record of an attacker."""
    how: dict[str, Any] = {"loaded": False}
    if offending:
        how = {"lifted": True, "speed_kmh": 60.0}
    return encode_array(
        [
            Position(f"{number:x<64}", START_MS, 0.15, 0.15, **how)
            for number in range(first, first + ARRAY)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invented")
    parser.add_argument("--trucks", type=int, default=1_000_000)
    parser.add_argument("--most", type=int, default=200_000, help="the limit; 0 = none")
    parser.add_argument("--offending", action="store_true")
    options = parser.parse_args()
    city = PreparedCity.of(CITY)
    Engine.live(city, 0, 1).process(decode_record(array(0, offending=options.offending)))
    engine = Engine.live(city, 0, 1, options.most or None)
    before_mb, started, fixes = resident_mb(), time.monotonic(), 0
    for first in range(0, options.trucks, ARRAY):
        fixes += engine.process(decode_record(array(first, offending=options.offending))).fixes
    gained_mb, count = resident_mb() - before_mb, len(engine.trucks)
    print(
        f"{options.trucks:,} trucks invented, limit {options.most or 'none'}: "
        f"{count:,} remembered, {options.trucks - fixes:,} positions rejected, "
        f"{gained_mb:,.0f} MB more, {gained_mb * 1e6 / count:,.0f} bytes a truck, "
        f"{time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
