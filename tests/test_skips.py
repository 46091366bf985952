"""A skip on CI is a failure, but for what lies beside the checkout."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

CASES = """
import pytest
from skips import NO_SHARED_MATERIAL

def test_passes():
    pass

def test_lacks_a_program():
    pytest.skip("nothing works without the program frobnicate")

@pytest.fixture
def needed():
    pytest.skip("no frobnicate here either")

def test_needs_a_fixture(needed):
    pass

@pytest.mark.skip(reason="for another system")
def test_is_for_another_system():
    pass

@pytest.mark.xfail
def test_is_known_to_fail():
    raise AssertionError

def test_has_no_shared_material():
    pytest.skip(NO_SHARED_MATERIAL)
"""
WHOLE_FILE = "import pytest\npytest.skip('none of it', allow_module_level=True)\n"


@pytest.mark.parametrize(
    ("ci", "outcomes"),
    [
        ("true", {"passed": 1, "failed": 1, "xfailed": 1, "skipped": 1, "errors": 3}),
        ("", {"passed": 1, "xfailed": 1, "skipped": 5}),
    ],
)
def test_skips_fail_on_ci_only(tmp_path: Path, ci: str, outcomes: dict[str, int]) -> None:
    (tmp_path / "test_cases.py").write_text(CASES)
    (tmp_path / "test_whole_file.py").write_text(WHOLE_FILE)
    command = [sys.executable, "-m", "pytest", "-p", "skips", "--continue-on-collection-errors"]
    said = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT / "tests")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    counts = re.findall(r"(\d+) (passed|failed|xfailed|skipped|errors)\b", said.splitlines()[-1])
    assert {what: int(count) for count, what in counts} == outcomes, said
    reason = "skipped, which CI does not allow: nothing works without the program frobnicate"
    assert (reason in said) == (ci == "true")
