"""Writes the locks that are parts of `requirements.lock`: what mucktrack runs with, for images and
bundles, and what its wheel is built with.

`make locks` and `make lock` call it. It asks no index: what needs what is read from the packages
that are installed, so all of `requirements.lock` must be.
"""

import argparse
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "requirements.lock"
NAME = re.compile(r"[A-Za-z0-9._-]+")
OF_AN_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def parts() -> dict[Path, str]:
    """The locks and what they are to hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        ROOT / "requirements-runtime.lock": part_for(project["project"]["dependencies"]),
        ROOT / "requirements-build.lock": part_for(project["build-system"]["requires"]),
    }


def part_for(wanted: Iterable[str]) -> str:
    """The entries of the whole lock that these requirements need, directly or not.

    What only other systems need is among them, with its condition, as the whole lock has it.
    """
    whole = entries(WHOLE.read_text(encoding="utf-8"))
    found: set[str] = set()
    waiting = [(name_of(one), extras_of(one)) for one in wanted]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if name not in whole or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        waiting += needed_by(name, extras, optional=";" in whole[name])
    return "".join(whole[name] for name in whole if name in found)


def entries(lock: str) -> dict[str, str]:
    """The lines of each package, by its name, in the lock's order; all of its versions, where it
    has one for each Python."""
    found: dict[str, str] = {}
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", lock):
        if entry:
            found[name_of(entry)] = found.get(name_of(entry), "") + entry
    return found


def needed_by(
    name: str, extras: frozenset[str], *, optional: bool
) -> Iterator[tuple[str, frozenset[str]]]:
    """`optional`: not for every system, and so perhaps not installed here."""
    try:
        requirements = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        if optional:
            return
        sys.exit(f"{name} of requirements.lock is not installed; run `make install`")
    for requirement in requirements:
        extra = OF_AN_EXTRA.search(requirement)
        if extra is None or extra[1] in extras:
            yield name_of(requirement), extras_of(requirement)


def name_of(requirement: str) -> str:
    found = NAME.match(requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0] if found else "").lower()


def extras_of(requirement: str) -> frozenset[str]:
    found = re.match(r"[^;\[]*\[([^\]]*)\]", requirement)
    return frozenset(one.strip() for one in found[1].split(",")) if found else frozenset()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where it differs")
    check = parser.parse_args().check
    for file, text in parts().items():
        if not check:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.exit(f"{file.name} is not what requirements.lock says; run `make locks`")


if __name__ == "__main__":
    main()
