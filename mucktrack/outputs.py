"""Files of JSON lines that are there whole or not at all.

Used by `mucktrack detect`, and by `simulate` for its check. It knows nothing of what the lines
mean.
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
    ends, and vanish if it raises. What is no regular file (a device, a pipe) is written straight
    into, and a symbolic link is followed. Raises `BadInputError` where a target cannot be written,
    or is one of the `inputs`.
    """
    check_distinct(targets, inputs)
    with interrupts(), contextlib.ExitStack() as cleanup:
        files = []
        renames = []
        for target in targets:
            if target is None:
                files.append(LineFile(None))
            elif target == STANDARD_OUTPUT:
                files.append(LineFile(_standard_output()))
            elif _is_special(target):
                files.append(LineFile(_open_special(target, cleanup)))
            else:
                place = target.resolve()
                stream, temporary = _open_beside(place, cleanup)
                files.append(LineFile(stream))
                renames.append((stream, temporary, place))
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


def check_distinct(targets: Sequence[Path | None], inputs: Sequence[Path]) -> None:
    """Raises `BadInputError` where two of the targets are one file, or one is read."""
    taken = {path.resolve(): "is read and cannot be written too" for path in inputs}
    for target in targets:
        if target is None or _is_special(target):
            continue
        place = target if target == STANDARD_OUTPUT else target.resolve()
        if place in taken:
            name = "standard output" if target == STANDARD_OUTPUT else str(target)
            raise BadInputError(f"{name} {taken[place]}")
        taken[place] = "is asked to hold two kinds of output; give each its own"


def _standard_output() -> BinaryIO:
    if sys.stdout is None:
        raise BadInputError("standard output is closed; name a file to write")
    return sys.stdout.buffer


def _is_special(target: Path) -> bool:
    """Whether it is there and no regular file; nothing may take the place of such a thing."""
    return target.exists() and not (target.is_file() or target.is_dir())


def _open_special(target: Path, cleanup: contextlib.ExitStack) -> BinaryIO:
    try:
        return cleanup.enter_context(target.open("wb"))
    except OSError as error:
        raise BadInputError(f"cannot write {target}: {error.strerror}") from None


def _open_beside(target: Path, cleanup: contextlib.ExitStack) -> tuple[BinaryIO, Path]:
    if target.is_dir():
        raise BadInputError(f"{target} is a directory; name a file to write")
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BadInputError(f"cannot write {target}: {error.strerror}") from None
    temporary = Path(name)
    cleanup.callback(temporary.unlink, missing_ok=True)
    # mkstemp makes files private; a result is as readable as what was there, or any new file.
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~umask)
    stream = cleanup.enter_context(os.fdopen(number, "wb"))
    return stream, temporary
