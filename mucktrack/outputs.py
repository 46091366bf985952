"""Files of JSON lines that are there whole or not at all.

Used by `mucktrack detect`. It knows nothing of what the lines mean.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interrupts import interrupts

STANDARD_OUTPUT = Path("-")

_Item = TypeVar("_Item")


class LineFile:
    """Where one kind of output goes: a file, standard output, or nowhere (None)."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream = stream
        self.lines = 0

    def write(self, items: Sequence[_Item], line_of: Callable[[_Item], bytes]) -> None:
        """A line for each of `items`, which is only made where it goes anywhere."""
        self.lines += len(items)
        if self._stream is not None:
            for item in items:
                self._stream.write(line_of(item))
                self._stream.write(b"\n")

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()


@contextlib.contextmanager
def open_outputs(
    targets: Sequence[Path | None], inputs: Sequence[Path]
) -> Iterator[list[LineFile]]:
    """One `LineFile` for each target: a path, `-` (standard output), or None.

    Files are written under temporary names beside their targets, which they replace when the block
    ends, and vanish if it raises. Raises `BadInputError` where a target cannot be written, or
    is one of the `inputs`.
    """
    _check_distinct(targets, inputs)
    with interrupts(), contextlib.ExitStack() as cleanup:
        files = []
        renames = []
        for target in targets:
            if target is None or target == STANDARD_OUTPUT:
                files.append(LineFile(None if target is None else sys.stdout.buffer))
                continue
            stream, temporary = _open_beside(target, cleanup)
            files.append(LineFile(stream))
            renames.append((stream, temporary, target))
        try:
            yield files
            for file in files:
                file.flush()
            for stream, temporary, target in renames:
                stream.close()
                temporary.replace(target)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WorkFailedError(f"{error.filename or 'output'}: {error.strerror}") from None


def _check_distinct(targets: Sequence[Path | None], inputs: Sequence[Path]) -> None:
    taken = {path.resolve(): "is read and cannot be written too" for path in inputs}
    for target in targets:
        if target is None:
            continue
        place = target if target == STANDARD_OUTPUT else target.resolve()
        if place in taken:
            name = "standard output" if target == STANDARD_OUTPUT else str(target)
            raise BadInputError(f"{name} {taken[place]}")
        taken[place] = "is asked to hold two kinds of output; give each its own"


def _open_beside(target: Path, cleanup: contextlib.ExitStack) -> tuple[BinaryIO, Path]:
    if target.is_dir():
        raise BadInputError(f"{target} is a directory; name a file to write")
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BadInputError(f"cannot write {target}: {error.strerror}") from None
    temporary = Path(name)
    cleanup.callback(temporary.unlink, missing_ok=True)
    # mkstemp makes files private; a result is as readable as any other new file.
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    stream = cleanup.enter_context(os.fdopen(number, "wb"))
    return stream, temporary
