"""Files of lines that are there whole or not at all."""

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
