"""Files of lines that are there whole or not at all."""

import os
import subprocess
from pathlib import Path

import pytest

from mucktrack.failures import BadInputError
from mucktrack.outputs import open_outputs


def test_a_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "lines"
    with open_outputs([target, None], inputs=[]) as (file, nowhere):
        file.write(["one", "two"], str.encode)
        nowhere.write(["lost"], str.encode)
        assert not target.exists()
    assert target.read_bytes() == b"one\ntwo\n"
    assert (file.lines, nowhere.lines) == (2, 1)
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_is_as_readable_as_any_other(tmp_path):
    target, other = tmp_path / "lines", tmp_path / "other"
    other.touch()
    with open_outputs([target], inputs=[]):
        pass
    assert target.stat().st_mode == other.stat().st_mode


def test_what_was_there_stays_where_the_block_raises(tmp_path):
    target = tmp_path / "lines"
    target.write_text("of before\n")

    def fail() -> None:
        with open_outputs([target], inputs=[]) as (file,):
            file.write(["half"], str.encode)
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "of before\n"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (["a", "a"], "two kinds of output"),
        (["-", "-"], "standard output is asked to hold two kinds"),
        (["in"], "is read and cannot be written too"),
        (["."], "is a directory"),
        (["absent/a"], "cannot write"),
    ],
)
def test_targets_that_cannot_be_are_told(tmp_path, targets, told):
    inputs = [tmp_path / "in"]
    inputs[0].touch()
    paths = [Path(name) if name == "-" else tmp_path / name for name in targets]
    with pytest.raises(BadInputError, match=told), open_outputs(paths, inputs):
        pass
    assert list(tmp_path.iterdir()) == inputs


def test_a_pipe_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    with open_outputs([pipe], inputs=[]) as (file,):
        file.write(["one"], str.encode)
    assert reader.communicate(timeout=10)[0] == b"one\n"
    assert pipe.is_fifo()


def test_a_link_leads_to_what_is_written_and_the_mode_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("of before\n")
    target.chmod(0o600)
    link.symlink_to(target)
    with open_outputs([link], inputs=[]) as (file,):
        file.write(["one"], str.encode)
    assert link.is_symlink()
    assert target.read_text() == "one\n"
    assert target.stat().st_mode & 0o777 == 0o600
