"""One folder for each run of `mucktrack up`: its logs, its files, its servers' data.

The broker of a run keeps its log in memory, so nothing of a run is of use to the next; the last
few are kept for their logs.
"""

import contextlib
import os
import shutil
from datetime import datetime
from pathlib import Path

KEPT = 10


def make_run_folder(state_dir: Path) -> Path:
    """A new folder under `state_dir/runs`; runs beyond the newest few are removed.

    Raises `OSError` where it cannot be made.
    """
    runs = state_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in sorted(runs.iterdir())[: -KEPT + 1]:
        if not _still_runs(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = runs / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.getpid()}"
    folder.mkdir()
    return folder.resolve()


def _still_runs(folder: Path) -> bool:
    """Whether the process that made it, whose number ends the name, is there."""
    with contextlib.suppress(ValueError, ProcessLookupError):
        try:
            os.kill(int(folder.name.rpartition("-")[2]), 0)
        except PermissionError:
            return True
        return True
    return False
