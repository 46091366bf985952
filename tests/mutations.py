"""Breaks the engine one small thing at a time and asks whether a test fails: `make mutations`.

Each comparison, `and`/`or`/`not`, sign, number and statement of the compiled functions in `SOURCES`
is changed by itself, in a process of its own, in plain mode, and the tests are asked until one
fails: the golden streams; the unit tests that concern it; the made-up cities against the
independent reading, whose answers are found once, before; and with `--deep` the slower tests. What
no test notices is printed: it is equivalent, and then `equivalent.py` says why, or a test is
missing. docs/proof.md keeps the counts.

    python tests/mutations.py [--share K/N] [--file NAME] [--line N,…] [--kinds K,…]
                              [--cities N] [--deep] [--seconds S]
"""

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from itertools import chain
from pathlib import Path
from types import CodeType
from typing import Any

os.environ["NUMBA_DISABLE_JIT"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest
from equivalent import EQUIVALENT
from golden import SCENARIOS, golden, prepared_city, rejects, verdicts
from mutants import ROOT, Mutant, mutants
from reference.agreement import Told, told_by_engine, told_by_reference
from reference.judging import judge
from reference.tracks import in_arrival_order, random_case, with_ticks

from streams.detect import PreparedCity
from streams.position import Element

INDEX, REPORT = "tests/geofences/test_index.py", "tests/streams/test_report.py"
ALIKE = "tests/geofences/test_alike.py"
REFERENCE = "tests/streams/test_engine_reference.py"
READING = "tests/streams/test_reading.py"
ROOM = "tests/streams/test_room.py"
SOURCES = {
    "streams/gate.py": ("tests/streams/test_gate.py",),
    "streams/load.py": (REFERENCE,),
    "streams/rules.py": (REFERENCE,),
    "streams/runs.py": (REFERENCE, REPORT),
    "streams/passage.py": (REFERENCE, ROOM),
    "streams/stop.py": ("tests/streams/test_stop.py", REFERENCE),
    "streams/state.py": (REFERENCE,),
    "streams/events.py": (REFERENCE, REPORT, ROOM),
    "streams/reading/tokens.py": (READING,),
    "streams/reading/record.py": (READING,),
    "streams/trucks.py": ("tests/streams/test_trucks.py",),
    "streams/waiting.py": ("tests/streams/test_waiting.py",),
    "geofences/lookup.py": (ALIKE, INDEX, REPORT),
    "geofences/geometry.py": ("tests/geofences/test_geometry.py", INDEX),
}
"""Each with the unit tests that concern it."""
SLOW = "not made_up and not rim_of and not over_days and not measures_what and not thinned"
"""Left to `--deep`; of the made-up cities it is asked, without shrinking, what differs."""
DEEP_TESTS = (
    INDEX,
    REPORT,
    "tests/streams/test_golden.py",
    "tests/streams/test_live.py",
    "tests/streams/test_engine_invariants.py",
)
"""Slower, for what the others let through."""
STREAM_S, TEST_S, DEEP_TEST_S = 3, 10, 300
"""Of the processor, for one stream and for one test; only what goes round for ever needs more."""
SURVIVED, KILLED, TIMED_OUT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A stream through a made-up city, and what the independent reading says of it."""

    seed: int
    live: bool
    prepared: PreparedCity
    elements: list[Element]
    answer: Told


def made_up(seed: int) -> Iterator[MadeUp]:
    """As `test_engine_reference` has them."""
    city, tracks, rng = random_case(seed)
    prepared = PreparedCity.of(city)
    positions = in_arrival_order(rng, tracks, shuffle=seed % 5 == 0)
    for live, elements in ((False, list[Element](positions)), (True, with_ticks(rng, positions))):
        answer = told_by_reference(city, prepared, elements, live=live)
        yield MadeUp(seed, live, prepared, elements, answer)


class FirstFailure:
    """A pytest plugin: the name of the test that failed; ends the process at one that goes on."""

    def __init__(self, seconds: float) -> None:
        self.name = ""
        self._seconds = seconds

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def failing(unit_tests: Collection[str], cities: list[MadeUp], *, deep: bool) -> str:
    """The first that fails, or ""."""
    return (
        _failing_golden()
        or _failing_test(unit_tests, TEST_S, SLOW)
        or _failing_city(cities)
        or (_failing_test(DEEP_TESTS, DEEP_TEST_S) if deep else "")
    )


def _failing_golden() -> str:
    for name in SCENARIOS:
        signal.setitimer(signal.ITIMER_VIRTUAL, STREAM_S)
        scenario = golden(name)
        outcome = judge(prepared_city(), scenario.positions)
        told = verdicts(outcome), rejects(outcome, scenario.positions)
        if told != (scenario.expected, scenario.rejected):
            return f"golden {name}"
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def _failing_city(cities: list[MadeUp]) -> str:
    for case in cities:
        signal.setitimer(signal.ITIMER_VIRTUAL, STREAM_S)
        told = told_by_engine(case.prepared, case.elements, live=case.live)
        if _unordered(told) != _unordered(case.answer):
            return f"made-up city {case.seed}"
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def _unordered(told: Told) -> tuple[Any, ...]:
    return sorted(told.rejected), told.violations, told.trips


def _failing_test(tests: Collection[str], seconds: float, expression: str = "") -> str:
    failure = FirstFailure(seconds)
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "-k", expression]
    code = pytest.main([*options, *tests], plugins=[failure])
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return "" if code == pytest.ExitCode.OK else failure.name or f"pytest {code}"


def verdict(
    mutant: Mutant | None, unit_tests: Collection[str], cities: list[MadeUp], *, deep: bool
) -> tuple[int, str]:
    """What the tests say of the engine with that change, and which of them said it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        if mutant:
            _put_in_place(mutant)
        try:
            name = failing(unit_tests, cities, deep=deep)
        except Exception as error:
            name = repr(error)
        os.write(writer, name.encode())
        os._exit(KILLED if name else SURVIVED)
    os.close(writer)
    with os.fdopen(reader) as told:
        by = told.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (status, by) if status >= 0 else (TIMED_OUT, "time-out")


def _put_in_place(mutant: Mutant) -> None:
    """All that imported the function before has the change too."""
    module = import_module(mutant.file.removesuffix(".py").replace("/", "."))
    for code in compile(mutant.source, mutant.file, "exec").co_consts:
        if isinstance(code, CodeType) and code.co_name == mutant.function:
            getattr(module, mutant.function).__code__ = code


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--share", default="1/1", help="the Kth of N random shares of the mutants")
    parser.add_argument("--file", default="", help="only of files whose name holds this")
    parser.add_argument("--line", default="", help="only of these lines, such as 72,154")
    parser.add_argument(
        "--kinds", default="", help="only these kinds of syntax, such as Compare,BoolOp"
    )
    parser.add_argument("--cities", type=int, default=40, help="ask so many made-up cities")
    parser.add_argument("--deep", action="store_true", help="ask the slower tests too")
    parser.add_argument("--seconds", type=float, default=900, help="begin none after so long")
    options = parser.parse_args()
    share, shares = map(int, options.share.split("/"))

    everything = [m for file in SOURCES if options.file in file for m in mutants(file)]
    random.Random(0).shuffle(everything)
    lines = options.line.split(",") if options.line else {str(m.line) for m in everything}
    kinds = options.kinds.split(",") if options.kinds else {m.kind for m in everything}
    chosen = [
        m for m in everything[share - 1 :: shares] if str(m.line) in lines and m.kind in kinds
    ]
    os.chdir(ROOT)
    cities = [case for seed in range(options.cities) for case in made_up(seed)]
    return _try(chosen, cities, options.seconds, deep=options.deep)


def _try(chosen: list[Mutant], cities: list[MadeUp], seconds: float, *, deep: bool) -> int:
    with redirect_stdout(StringIO()):  # what the tests import is there before the fork
        tests = sorted({*chain(*(SOURCES[mutant.file] for mutant in chosen))})
        pytest.main(["--collect-only", "-p", "no:cacheprovider", *tests, *DEEP_TESTS])
    _failing_golden()
    code, by = verdict(None, tests, cities, deep=deep)
    if code != SURVIVED:
        print(f"the tests fail without any change: {by}", flush=True)
        return 2
    counts, begun = Counter[str](), time.monotonic()
    for mutant in chosen:
        if time.monotonic() - begun > seconds:
            break
        if mutant.key in EQUIVALENT:
            counts["equivalent"] += 1
            continue
        code, by = verdict(mutant, SOURCES[mutant.file], cities, deep=deep)
        word = ("survived", "killed", "killed")[code]
        counts[word] += 1
        print(f"{word:9} {mutant}" + (f"  [{by}]" if code else ""), flush=True)
    tried = counts.total()
    print(f"{tried} of {len(chosen)} mutants: {dict(counts)}, {time.monotonic() - begun:.0f} s")
    return int(counts["survived"] > 0)


if __name__ == "__main__":
    sys.exit(main())
