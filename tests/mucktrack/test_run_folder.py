"""Folders of runs: one each, the old ones removed."""

import os
import subprocess
import sys

from mucktrack.run_folder import KEPT, make_run_folder


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    return process.pid


def test_a_run_has_a_folder_of_its_own(tmp_path):
    folder = make_run_folder(tmp_path / "state")
    assert folder.parent == (tmp_path / "state" / "runs").resolve()
    assert folder.name.endswith(f"-{os.getpid()}")


def test_the_oldest_runs_are_removed_but_not_those_that_still_run(tmp_path):
    gone = ended_process()
    runs = tmp_path / "runs"
    old = [runs / f"20200101-0000{second:02}-{gone}" for second in range(KEPT + 3)]
    alive = runs / f"20190101-000000-{os.getpid()}"
    for folder in (*old, alive):
        folder.mkdir(parents=True)
        (folder / "worker.log").touch()
    new = make_run_folder(tmp_path)
    assert new.exists()
    assert alive.exists()
    assert [folder for folder in old if folder.exists()] == old[-(KEPT - 1) :]
