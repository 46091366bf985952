"""How far the reading of files has come, shown on standard error where that is a terminal.

Used by `mucktrack detect` and `replay`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from producers.files import total_bytes

Advance = Callable[[Path, int, int], None]
"""Told the file, the bytes read of it, and the positions read so far of all files."""


@contextmanager
def file_progress(files: Sequence[Path]) -> Iterator[Advance]:
    """A bar for the files, which are read in this order."""
    bytes_before: dict[Path, int] = {}
    total = 0
    for path in files:
        bytes_before[path] = total
        total += total_bytes(path)
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.fields[name]}"),
        BarColumn(),
        TextColumn("{task.fields[positions]:,} positions"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=total, name="", positions=0)

        def advance(path: Path, bytes_read: int, positions: int) -> None:
            completed = bytes_before[path] + bytes_read
            bar.update(task, completed=completed, name=path.name, positions=positions)

        yield advance
