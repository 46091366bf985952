"""With what this program runs: its version, Python's, and those of what it depends on.

Goes into evidence packages, whose verdicts rest on it.
"""

import importlib.metadata
import platform
import re
import tomllib

from enforcement.evidence.contents import Provenance
from streams.version import PROJECT_FILE, version

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OF_AN_EXTRA = re.compile(r";.*\bextra\s*==")


def provenance() -> Provenance:
    """As it runs now."""
    return Provenance(version(), platform.python_version(), dependencies())


def dependencies() -> dict[str, str]:
    """Versions of all that the program needs, directly or not, as far as it is installed; by name,
    sorted."""
    found: dict[str, str] = {}
    waiting = _of_the_project()
    while waiting:
        name = _canonical(waiting.pop())
        if name in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = distribution.version
        waiting += [one for one in distribution.requires or [] if not _OF_AN_EXTRA.search(one)]
    return dict(sorted(found.items()))


def _of_the_project() -> list[str]:
    try:
        declared = importlib.metadata.requires("mucktrack")
    except importlib.metadata.PackageNotFoundError:
        declared = tomllib.loads(PROJECT_FILE.read_text())["project"]["dependencies"]
    return list(declared or [])


def _canonical(requirement: str) -> str:
    found = _NAME.match(requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0] if found else "").lower()
