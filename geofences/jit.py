"""The one door to numba: `@compiled` for every function of the core.

Compiled code is kept on disk, so that only the first start on a machine compiles. numba checks the
age of the file that a function stands in but not of the functions it calls; the folder is
therefore named by a digest of the sources in `COMPILED_SOURCES`, and a changed line in any of them
compiles afresh. Where that folder can only be read, what it holds is used all the same.
`NUMBA_DISABLE_JIT=1` runs the same functions as plain Python, for debugging and
coverage.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

CACHE_LINE_BYTES = 64

_ROOT = Path(__file__).resolve().parent.parent
COMPILED_SOURCES = (
    "geofences/city.py",
    "geofences/geometry.py",
    "geofences/index.py",
    "geofences/jit.py",
    "geofences/lookup.py",
    "geofences/projection.py",
    "streams/catalogue.py",
    "streams/events.py",
    "streams/evidence.py",
    "streams/explain/survey.py",
    "streams/force.py",
    "streams/gate.py",
    "streams/load.py",
    "streams/partition.py",
    "streams/passage.py",
    "streams/position.py",
    "streams/reading/record.py",
    "streams/reading/tokens.py",
    "streams/rules.py",
    "streams/runs.py",
    "streams/state.py",
    "streams/sources.py",
    "streams/stop.py",
    "streams/tallies.py",
    "streams/thresholds.py",
    "streams/trucks.py",
    "streams/waiting.py",
    "streams/whereabouts.py",
)
"""The files that hold compiled functions or what those take as constants; a test keeps the list."""


def _cache_folder() -> Path:
    """Where compiled code is kept, and may be added."""
    folder = _kept_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return _lent(folder)
    return folder


def _kept_folder() -> Path:
    digest = hashlib.sha256(numba.__version__.encode())
    for source in COMPILED_SOURCES:
        digest.update(source.encode() + (_ROOT / source).read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "mucktrack" / "compiled" / digest.hexdigest()[:16]


def _lent(folder: Path) -> Path:
    """Until this process ends, a folder that shows what `folder` holds and can be added to: numba
    uses none that it cannot write to, such as that of a container's image."""
    lent = Path(tempfile.mkdtemp(prefix="mucktrack-compiled-"))
    atexit.register(shutil.rmtree, lent, ignore_errors=True)
    for file in folder.glob("*/*"):
        shown = lent / file.parent.name / file.name
        shown.parent.mkdir(exist_ok=True)
        shown.symlink_to(file)
    return lent


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())


def compiled(function: Function) -> Function:
    """Compile for speed; integer and float semantics stay those of numpy (no fastmath).

    The core allocates nothing, so arrays need no reference counts (`_nrt=False`): counting the
    arrays of a city at each call cost more than half of the time. Small functions are put into
    their callers, so that writing them small costs nothing.
    """
    compile_it = numba.njit(cache=True, error_model="numpy", _nrt=False, forceinline=True)
    return cast("Function", compile_it(function))


def records(array: Any) -> Any:
    """A structured array as compiled functions are to be given it where they are called for each
    record of Kafka: a record array would cost 2 µs a call more. In plain Python it must be one."""
    return array.view(np.recarray) if numba.config.DISABLE_JIT else array


if numba.config.DISABLE_JIT:

    def prefetch(array: Any, index: int) -> None:
        """Nothing, in plain Python."""

else:

    @intrinsic  # type: ignore[untyped-decorator]
    def prefetch(_: Any, array: Any, index: Any) -> Any:
        """`prefetch(array, index)`: begin to fetch an item into the processor's cache."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            int32, int64, pointer = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
            item_bytes = context.get_abi_sizeof(context.get_data_type(array.dtype))
            data = context.make_array(array)(context, builder, arguments[0]).data
            offset = builder.mul(builder.sext(arguments[1], int64), ir.Constant(int64, item_bytes))
            begin = builder.add(builder.ptrtoint(data, int64), offset)
            call = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [pointer, int32, int32, int32]),
                "llvm.prefetch.p0i8",
            )
            to_write, keep, is_data = (ir.Constant(int32, value) for value in (1, 3, 1))
            for line in range(0, item_bytes, CACHE_LINE_BYTES):
                address = builder.add(begin, ir.Constant(int64, line))
                place = builder.inttoptr(address, pointer)
                builder.call(call, [place, to_write, keep, is_data])
            return context.get_dummy_value()

        return types.void(array, index), generate
