"""The steps of the `Dockerfile`, done without a container engine in a folder for the root
of each stage.

What is done: COPY from the repository and from other stages, WORKDIR, ENV, and RUN by the shell,
with absolute paths of the image under the stage's folder. What is not: the base image (this
machine's Python stands for it), its users, and that nothing else of this machine can be seen.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conftest import ROOT

FILE = ROOT / "Dockerfile"
PLACES = re.compile(r"(?<![\w./])/(opt|wheels|build|var/lib)(?=[/\s:]|$)")
USERS = ("groupadd", "useradd", "install --directory --owner")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    name: str
    text: str


@dataclass(slots=True)
class Stage:
    """What has been done of it so far."""

    name: str
    root: Path
    folder: str = "/"
    environment: dict[str, str] = field(default_factory=dict)

    def place(self, path: str) -> Path:
        return self.root / (path if path.startswith("/") else f"{self.folder}/{path}").lstrip("/")


def steps() -> Iterator[Step]:
    """Of the file, without comments, each on one line."""
    lines = (line for line in FILE.read_text().splitlines() if not line.startswith("#"))
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, text = line.strip().partition(" ")
            yield Step(name, text)


def build(folder: Path, changed: Mapping[str, str]) -> dict[str, Stage]:
    """All stages; `changed` goes before what ENV says."""
    stages: dict[str, Stage] = {}
    stage = Stage("", folder)
    for step in steps():
        if step.name == "FROM":
            stage = _begin(step.text, stages, folder)
        elif step.name == "WORKDIR":
            stage.folder = step.text
            stage.place(step.text).mkdir(parents=True, exist_ok=True)
        elif step.name == "ENV":
            told = dict(one.split("=", 1) for one in shlex.split(step.text))
            stage.environment |= {name: _here(stage, value) for name, value in told.items()}
        elif step.name == "COPY":
            _copy(step.text, stage, stages)
        elif step.name == "RUN":
            _run(step.text, stage, changed)
    return stages


def _begin(text: str, stages: dict[str, Stage], folder: Path) -> Stage:
    origin, _, name = text.partition(" AS ")
    stages[name] = Stage(name, folder / name)
    stages[name].root.mkdir(parents=True)
    if origin in stages:
        stages[name].environment |= stages[origin].environment
    return stages[name]


def _copy(text: str, stage: Stage, stages: Mapping[str, Stage]) -> None:
    *options, target = text.split()
    origin = ROOT
    if options[0].startswith("--from="):
        origin = stages[options.pop(0).removeprefix("--from=")].root
    place = stage.place(target.removeprefix("./") or ".")
    for source in options:
        here = origin / source.lstrip("/")
        if here.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(here, place, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, place)


def _run(text: str, stage: Stage, changed: Mapping[str, str]) -> None:
    if text.startswith(USERS):
        return
    command = _here(stage, text)
    # What the image calls python is this one; that of a virtual environment is named by its path.
    command = re.sub(r"(?<![\w/.-])python(?= -m)", shlex.quote(sys.executable), command)
    environment = {"PATH": os.defpath, "HOME": str(stage.root), **stage.environment, **changed}
    done = subprocess.run(
        ["sh", "-ec", command], cwd=stage.place(stage.folder), env=environment,
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, f"RUN {text}\n{done.stdout}\n{done.stderr}"


def _here(stage: Stage, text: str) -> str:
    return PLACES.sub(lambda found: str(stage.root) + found[0], text)
