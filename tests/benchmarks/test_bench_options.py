"""What `mucktrack bench` says to options that cannot be, before it measures anything."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mucktrack.cli import cli


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["everything"], "'everything' is not one of 'core', 'detect'"),
        (["core", "--trucks", "5"], "5 is not in the range 100<=x<=10000000"),
        (["core", "--rounds", "0"], "0 is not in the range x>=1"),
        (["core", "--plot", "curves.png"], "--plot draws growth: use it with `growth` or `all`"),
        (["growth", "--plot", "curves.svg"], "--plot curves.svg: the picture is a .png"),
        (["core", "--json", "nowhere/figures.json"], "there is no folder nowhere"),
        (["core", "--json", ""], "the path is empty"),
    ],
)
def test_bad_options(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["bench", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_without_matplotlib_no_picture_is_promised(tmp_path: Path) -> None:
    # Where it is not installed nobody finds it; here a finder in front says the same.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n_find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'matplotlib' else _find(name, *a)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", "bench", "growth", "--plot", "curves.png"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert "--plot needs matplotlib, which is not installed" in done.stderr
    assert "Traceback" not in done.stderr
