"""From the Dockerfile's steps to an installation on a machine without a network.

One test, since each step needs what the one before has made: the steps of the `Dockerfile` give the
wheels, the bundle is made of them, `install.sh` installs it where there is no index, and what it
installed works. The core is not compiled here, twice over; `tests/deploy/test_image.py` has that.
"""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT
from image_steps import build

from streams.version import version

WITHOUT_COMPILING = {"NUMBA_DISABLE_JIT": "1"}
NOWHERE = "http://127.0.0.1:9"
"""A port on which nobody answers, for whoever would ask an index."""
ASSETS = (
    "enforcement/console/static/index.html",
    "producers/cities/demo/districts.geojson",
    "producers/profiles/",
)
WITHIN_S = 240


def test_from_the_dockerfile_to_an_installation_without_a_network(tmp_path: Path) -> None:
    stages = build(tmp_path / "image", {**WITHOUT_COMPILING, "PIP_NO_CACHE_DIR": "0", **_cache()})
    wheels = stages["wheels"].root / "wheels"
    _check_image(stages["installed"].root / "opt" / "mucktrack")
    _check_wheel(wheels)
    bundle = _make(wheels, tmp_path / "dist")
    unpacked = _unpack(bundle, tmp_path / "brought")
    _check_sums_are_looked_at(unpacked, tmp_path)
    folder = tmp_path / "installed here"
    told = _install(unpacked, folder)
    assert f"mucktrack {version()}" in told
    assert "is installed in" in _install(unpacked, folder), "again: nothing to do"
    _check_works(folder, tmp_path)
    _check_upgrade(folder, unpacked)


def _check_image(folder: Path) -> None:
    names = {file.name for file in (folder / "bin").iterdir()}
    assert "mucktrack" in names
    assert "pip" not in names
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    assert not list(packages.glob("pytest*")), "only what runs"
    done = _run([folder / "bin" / "mucktrack", "--version"], {})
    assert done.stdout == f"mucktrack {version()}\n"


def _check_wheel(wheels: Path) -> None:
    """Everything of the packages that is no program: page, map, profiles, city."""
    [own] = wheels.glob("mucktrack-*.whl")
    with zipfile.ZipFile(own) as wheel:
        packed = set(wheel.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "geofences", "streams", "producers", "enforcement", "mucktrack"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert set(tracked) <= packed
    for asset in ASSETS:
        assert any(name.startswith(asset) for name in packed), asset


def _make(wheels: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "ops.bundle.bundle"]
    done = _run([*command, "--wheels", wheels, "--folder", folder], dict(os.environ))
    made = Path(done.stdout.splitlines()[0].rpartition(" (")[0])
    assert re.fullmatch(rf"mucktrack-{version()}-\w+-cp3\d+\.tar\.gz", made.name)
    return made


def _unpack(bundle: Path, folder: Path) -> Path:
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = folder.iterdir()
    for name in ("docker-compose.yml", "Dockerfile", "ops/compose/secrets.sh", "docs/deploy.md"):
        assert (unpacked / name).is_file(), name
    return unpacked


def _check_sums_are_looked_at(unpacked: Path, tmp_path: Path) -> None:
    changed = unpacked / "docs" / "deploy.md"
    text = changed.read_text()
    changed.write_text(f"{text}\n")
    failed = _installing(unpacked, tmp_path / "never")
    assert failed.returncode == 1
    assert "docs/deploy.md: missing or changed" in failed.stderr
    assert not (tmp_path / "never").exists()
    changed.write_text(text)


def _install(unpacked: Path, folder: Path) -> str:
    done = _installing(unpacked, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _installing(unpacked: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", unpacked / "install.sh", folder],
        capture_output=True,
        text=True,
        check=False,
        env=_bare(),
        timeout=WITHIN_S,
    )


def _check_works(folder: Path, tmp_path: Path) -> None:
    program = folder / "bin" / "mucktrack"
    city = folder / "current" / "producers" / "cities" / "demo"
    _run([program, "city", "check", city], _bare())
    positions, violations = tmp_path / "positions.jsonl", tmp_path / "violations.jsonl"
    simulated = ["--trucks", "12", "--hours", "1", "--out", positions, "--city", city]
    _run([program, "simulate", *simulated, "--labels", tmp_path / "labels.jsonl"], _bare())
    _run([program, "detect", "--city", city, positions, "--violations", violations], _bare())
    assert violations.exists()
    listed = _run([program, "settings"], _bare()).stdout
    assert "MUCKTRACK_KAFKA=" in listed
    for name in ("tansu", "valkey-server"):
        assert list((folder / "current" / "python").rglob(name)), f"{name} comes along"


def _check_upgrade(folder: Path, unpacked: Path) -> None:
    """An earlier version stays beside the new one, which is then the one that is used."""
    versions = folder / "versions"
    (versions / version()).rename(versions / "0.0.9")
    (folder / "current").unlink()
    (folder / "current").symlink_to("versions/0.0.9")
    (versions / version()).mkdir()
    (versions / version() / "SHA256SUMS").write_bytes((unpacked / "SHA256SUMS").read_bytes())
    (versions / version() / "python").symlink_to("../0.0.9/python")
    _install(unpacked, folder)
    assert (folder / "current").resolve() == versions / version()
    assert (versions / "0.0.9").is_dir()


def _run(
    command: Sequence[str | Path], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=WITHIN_S
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def _bare() -> dict[str, str]:
    """A machine with Python and nothing else; an index is nowhere to be found."""
    return {
        "PATH": os.defpath,
        "PYTHON": sys.executable if sys.prefix == sys.base_prefix else _base_python(),
        "PIP_NO_INDEX": "1",
        "PIP_INDEX_URL": NOWHERE,
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
        **WITHOUT_COMPILING,
    }


def _base_python() -> str:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = Path(sys.base_prefix) / "bin" / name
    if not found.exists():
        pytest.skip(f"{found} is not there, only a virtual environment of it")
    return str(found)


def _cache() -> dict[str, str]:
    """pip's own, in which what is locked lies since the installation."""
    return {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ}
