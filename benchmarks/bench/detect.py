"""`bench detect`: a file to verdicts by `mucktrack detect`, beside reading and decoding alone."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench.core import OFFENDING
from benchmarks.bench.figures import Report, median
from benchmarks.bench.sizes import Sizes
from benchmarks.city import write_city
from benchmarks.detect import read, run_command, timed
from benchmarks.load import Load
from geofences.loader import load_city


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds `detect_positions_per_s`: processor time of the whole command less its start, that is
    what it takes for an empty file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say("detect: a city and a file")
        city, file, empty = folder / "city", folder / "positions.jsonl", folder / "empty.jsonl"
        write_city(city, sizes.trucks, plan=sizes.plan)
        Load(load_city(city), offending=OFFENDING).write(file, sizes.positions)
        empty.touch()
        run_command(city, empty)  # what is to be compiled is
        whole, starts, reads = [], [], []
        for number in range(sizes.rounds):
            say(f"detect: round {number + 1} of {sizes.rounds}")
            whole.append(run_command(city, file))
            starts.append(run_command(city, empty))
            reads.append(timed(lambda: read(file)))
        line_bytes = file.stat().st_size / sizes.positions
    # Never below a thousandth of the whole, should a tiny run drown in the start.
    seconds = max(median(whole) - median(starts), median(whole) / 1000)
    rate, reading = sizes.positions / seconds, sizes.positions / median(reads)
    report.add("detect, positions/s", f"{rate:,.0f}")
    report.add("  with its start, positions/s", f"{sizes.positions / median(whole):,.0f}")
    report.add(f"  reading and decoding {line_bytes:.0f} bytes each", f"{reading:,.0f}")
    report.add("  detect / reading and decoding", f"{rate / reading:.0%}")
    report.figures.detect_positions_per_s = rate
