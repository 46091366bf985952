"""`mucktrack profiles` from outside."""

from pathlib import Path

from test_cli import mucktrack

FAULTY = 'name = "one"\nversion = "2013"\n[covered]\nitem = 0xE1\ntrue = [1]\nfalse = [1]\n'


def test_list_prints_the_shipped_ones() -> None:
    done = mucktrack("profiles", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "standard-2019: JT/T 808-2019, wgs84" in done.stdout


def test_check_tells_in_words_or_names_each_fault(tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text(FAULTY.replace("false = [1]", "false = [0]"))
    done = mucktrack("profiles", "check", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "covered: item 0xE1 byte 0: 1 = true, 0 = false, else unknown" in done.stdout
    file.write_text(FAULTY)
    done = mucktrack("profiles", "check", file)
    assert (done.returncode, done.stderr) == (2, "mucktrack: 1 error\n")
    assert done.stdout == (
        f"error: {file}: [covered]: true 1 is in `false` too; a reading means one of them\n"
    )
