"""How fast `mucktrack detect` goes through a `.jsonl` file, and where the time goes.

`python -m benchmarks.detect` makes the benchmark city and a file of positions in a temporary
folder, runs the command on them, and then its parts one by one: reading and decoding, laying out
columns, and the engine on positions that are decoded already. All in processor time.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.city import write_city
from benchmarks.load import Load
from geofences.loader import load_city
from producers.files import open_positions
from streams.batch import columns
from streams.detect import Engine, PreparedCity
from streams.output import encode
from streams.trucks import TruckTable


def run_command(city: Path, file: Path) -> float:
    """The command as a user runs it, its outputs into files; processor seconds that it takes."""
    outputs = [
        argument
        for name in ("violations", "trips", "rejected")
        for argument in (f"--{name}", str(file.with_suffix(f".{name}")))
    ]
    command = [sys.executable, "-m", "mucktrack", "detect", "--city", str(city), str(file)]
    before = _children_seconds()
    subprocess.run([*command, *outputs], check=True, stderr=subprocess.DEVNULL)
    return _children_seconds() - before


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(file: Path) -> None:
    for _ in open_positions(file):
        pass


def lay_out(file: Path) -> float:
    """Seconds that `columns` takes for the chunks of the file."""
    trucks = TruckTable()
    seconds = 0.0
    for chunk in open_positions(file):
        started = time.process_time()
        columns(chunk.elements, None, trucks)
        seconds += time.process_time() - started
    return seconds


def judge(city: PreparedCity, file: Path) -> tuple[float, float]:
    """Seconds that `Engine.process` takes for them, and that encoding what comes of it takes."""
    engine = Engine.offline(city)
    judging = encoding = 0.0
    for chunk in open_positions(file):
        started = time.process_time()
        outcome = engine.process(chunk.elements)
        judged = time.process_time()
        for found in (outcome.violations, outcome.trips):
            for item in found:
                encode(item)
        judging += judged - started
        encoding += time.process_time() - judged
    return judging, encoding


def median_seconds(rounds: int, work: Callable[[], float]) -> float:
    return statistics.median(work() for _ in range(rounds))


def timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(folder: Path, trucks: int, positions: int, rounds: int, offending: float) -> None:
    city_folder, file = folder / "city", folder / "positions.jsonl"
    write_city(city_folder, trucks)
    city = load_city(city_folder)
    Load(city, offending=offending).write(file, positions)
    empty = folder / "empty.jsonl"
    empty.touch()

    def show(name: str, seconds: float) -> None:
        rate = positions / seconds
        print(f"{name:34} {seconds:7.2f} s {seconds / positions * 1e9:7.0f} ns {rate:11,.0f} /s")

    print(f"{positions:,} positions, {file.stat().st_size / positions:.0f} bytes each")
    started = time.process_time()
    prepared = PreparedCity.of(city)
    print(f"{'compiling the city':34} {time.process_time() - started:7.2f} s")
    judge(prepared, file)  # numba's code is loaded, and the file is in memory
    show("reading and decoding", median_seconds(rounds, lambda: timed(lambda: read(file))))
    show("columns", median_seconds(rounds, lambda: lay_out(file)))
    judged = [judge(prepared, file) for _ in range(rounds)]
    show("Engine.process (with columns)", statistics.median(times[0] for times in judged))
    show("encoding violations and trips", statistics.median(times[1] for times in judged))
    whole = median_seconds(rounds, lambda: run_command(city_folder, file))
    start = median_seconds(rounds, lambda: run_command(city_folder, empty))
    show("mucktrack detect, whole", whole)
    print(f"{'mucktrack detect, of an empty file':34} {start:7.2f} s")
    show("mucktrack detect, without its start", whole - start)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detect")
    parser.add_argument("--trucks", type=int, default=20_000)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--offending", type=float, default=0.02)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.trucks, options.positions, options.rounds, options.offending)


if __name__ == "__main__":
    main()
