"""docs/adding-a-rule.md, applied to a copy of the project: what it says works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PACKAGES = ("geofences", "streams", "producers", "mucktrack", "tests")
BLOCK = re.compile(r"^```(diff|json|text)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RULE = "crawling"


def copy_of_the_project(folder: Path) -> Path:
    copy = folder / "copy"
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def apply(page: str, copy: Path) -> None:
    """Do to the copy what the blocks of the page say."""
    for kind, name, block in BLOCK.findall(page):
        file = copy / name
        if kind != "diff":
            file.parent.mkdir(exist_ok=True)
            file.write_text(block, "utf-8")
            continue
        lines = block.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] == " ")
        after = "".join(line[1:] for line in lines)
        text = file.read_text("utf-8")
        assert text.count(before) == 1, f"{name} has no such place, or several: {before}"
        file.write_text(text.replace(before, after), "utf-8")


def run(copy: Path, *arguments: str) -> str:
    """What Python prints, run in the copy without compiling."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{copy}:{copy / 'tests'}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_rule_works_as_written(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    apply((ROOT / "docs" / "adding-a-rule.md").read_text("utf-8"), copy)

    rules = run(copy, "-m", "streams.rules_page")
    assert f"## {RULE}\n" in rules
    assert "| `slow_kmh` | 10 | km/h | slower is crawling |" in rules
    assert f"## {RULE}\n" not in (ROOT / "RULES.md").read_text("utf-8")

    (copy / "RULES.md").write_text(rules, "utf-8")
    golden = run(
        copy, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "tests/streams/test_golden.py",
        "tests/test_repository.py", "-k", f"{RULE} or every_rule or rules_page or off-route",
    )  # fmt: skip
    for test in ("plain", "stopped_and_restored_anywhere", "the_independent_reading_agrees"):
        assert f"PASSED tests/streams/test_golden.py::test_{test}[{RULE}]" in golden


def test_its_stream_fails_without_its_function(tmp_path: Path) -> None:
    """So that the stream proves something."""
    copy = copy_of_the_project(tmp_path)
    apply((ROOT / "docs" / "adding-a-rule.md").read_text("utf-8"), copy)
    rules = copy / "streams" / "rules.py"
    text = rules.read_text("utf-8")
    line = "        truths |= crawling(limits, now) << CRAWLING\n"
    assert line in text
    rules.write_text(text.replace(line, ""), "utf-8")
    failing = (
        "import golden; from reference.judging import judge; s = golden.golden('crawling');"
        "print(golden.verdicts(judge(golden.prepared_city(), s.positions)) == s.expected)"
    )
    assert run(copy, "-c", failing).strip() == "False"
