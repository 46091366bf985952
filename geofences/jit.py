"""The one door to numba: `@compiled` for every function of the core.

Compiled code is kept on disk, so that only the first start on a machine compiles. numba checks the
age of the file that a function stands in but not of the functions it calls; the folder is
therefore named by a digest of the sources in `COMPILED_SOURCES`, and a changed line in any of them
compiles afresh. `NUMBA_DISABLE_JIT=1` runs the same functions as plain Python, for debugging and
coverage.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
COMPILED_SOURCES = (
    "geofences/geometry.py",
    "geofences/index.py",
    "geofences/jit.py",
    "geofences/lookup.py",
    "geofences/projection.py",
    "streams/catalogue.py",
    "streams/events.py",
    "streams/gate.py",
    "streams/load.py",
    "streams/passage.py",
    "streams/report.py",
    "streams/rules.py",
    "streams/runs.py",
    "streams/state.py",
    "streams/thresholds.py",
    "streams/whereabouts.py",
)
"""The files that hold compiled functions or what those take as constants; a test keeps the list."""


def _cache_folder() -> Path:
    digest = hashlib.sha256(numba.__version__.encode())
    for source in COMPILED_SOURCES:
        digest.update(source.encode() + (_ROOT / source).read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "mucktrack" / "compiled" / digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())


def compiled(function: Function) -> Function:
    """Compile for speed; integer and float semantics stay those of numpy (no fastmath)."""
    return cast("Function", numba.njit(cache=True, error_model="numpy")(function))
