"""The `Dockerfile`: looked through by hadolint, read, and its steps done outside of a container."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from image_steps import FILE, steps

from mucktrack.settings import SETTINGS

IMAGE = [(step.name, step.text) for step in steps()]
LAST = IMAGE[max(at for at, (name, _) in enumerate(IMAGE) if name == "FROM") :]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_begins_with_one_pinned_python_that_the_project_runs_on() -> None:
    outside = [text for name, text in IMAGE if name == "FROM" and not text.startswith("base ")]
    assert len(outside) == 1
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-\w+ AS base", outside[0])
    assert found
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found[1] == here, "tests are run with the Python of the image"


def test_the_last_stage_has_no_tools_and_no_root() -> None:
    texts = [text for name, text in LAST if name == "RUN"]
    assert not [text for text in texts if re.search(r"\b(apt|pip|gcc|curl)\b", text)]
    assert ("USER", "10001:10001") in LAST
    assert LAST[-2:] == [("ENTRYPOINT", '["mucktrack"]'), ("CMD", '["--help"]')]


def test_labels_and_settings_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    [version] = re.findall(r'^version = "(.*)"', project, re.MULTILINE)
    told = " ".join(text for _, text in LAST)
    assert f'org.opencontainers.image.version="{version}"' in told
    known = {setting.variable for setting in SETTINGS.values()}
    assert set(re.findall(r"\bMUCKTRACK_\w+(?==)", told)) <= known


def test_all_that_is_copied_reaches_the_engine() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for name, text in IMAGE
        if name == "COPY" and not text.startswith("--from=")
        for source in text.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


def test_the_locks_of_parts_are_parts_of_the_lock() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops.bundle.locks", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


JUDGE = """
import os, sys
from streams.warm import compile_core
from streams.passage import pass_over
import numba
compile_core()
print(numba.config.CACHE_DIR)
print(sum(pass_over.stats.cache_hits.values()), sum(pass_over.stats.cache_misses.values()))
"""


def test_compiled_code_that_can_only_be_read_is_used(tmp_path: Path) -> None:
    """As in a container: another user, whose image cannot be written to."""
    cache = _compiled_here()
    lent = tmp_path / "cache" / "mucktrack" / "compiled"
    shutil.copytree(cache, lent / cache.name)
    for path in (tmp_path / "cache", *(tmp_path / "cache").rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (tmp_path, *list(tmp_path.parents)[:3]):
        path.chmod(path.stat().st_mode | 0o055)
    other = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--"]
    done = subprocess.run(
        [*(other if os.getuid() == 0 else []), sys.executable, "-c", JUDGE],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    folder, counted = done.stdout.splitlines()
    assert "mucktrack-compiled-" in folder
    assert not Path(folder).exists(), "what was lent is given back"
    hits, misses = map(int, counted.split())
    assert hits > 0
    assert misses == 0


def _compiled_here() -> Path:
    from streams.warm import compile_core

    compile_core()
    import numba

    folder = Path(numba.config.CACHE_DIR)
    assert folder.is_dir()
    return folder
