"""What a forger may try who can pack a zip as well as we can, and what the command says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from evidence_parts import CITY, PROGRAM, Office, office, stream

from enforcement.evidence.container import PackageError, pack, unpack
from enforcement.evidence.contents import Contents
from enforcement.evidence.report import report
from enforcement.evidence.verify import check
from streams.version import version

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = office(tmp_path_factory.mktemp("office"), stream("illegal-dumping"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def package(room: Office) -> bytes:
    return room.exporter().export("1", "li").content


def test_every_changed_byte_of_a_package_is_found(package: bytes) -> None:
    for place in range(len(package)):
        changed = bytearray(package)
        changed[place] ^= 1 + place % 255
        with pytest.raises(PackageError):
            unpack(bytes(changed))


def replaced(name: str, old: str, new: str) -> Callable[[Files], None]:
    def forge(files: Files) -> None:
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode())

    return forge


def lines(name: str, change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], None]:
    def forge(files: Files) -> None:
        files[name] = b"".join(change(files[name].splitlines(keepends=True)))

    return forge


def without(name: str) -> Callable[[Files], None]:
    return lambda files: (files.pop(name), None)[1]


def put(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({name: content})


def city_file(files: Files) -> str:
    return next(name for name in files if name.endswith("sites.geojson"))


def moved_site(files: Files) -> None:
    name = city_file(files)
    files[name] = files[name].replace(b"121.08", b"121.09")


FORGED: dict[str, tuple[Callable[[Files], None], str]] = {
    "moved": (replaced("positions.jsonl", "121.08", "121.05"), "another verdict"),
    "retimed": (replaced("positions.jsonl", "1795320330000", "1795320331000"), "another verdict"),
    "cut short": (
        lines("positions.jsonl", lambda all_: all_[:-1]),
        "does not come of these positions",
    ),
    "backwards": (lines("positions.jsonl", lambda all_: all_[::-1]), "in the order of arrival"),
    "repeated": (lines("positions.jsonl", lambda all_: all_[:3] + all_), "in the order of arrival"),
    "none": (lines("positions.jsonl", lambda _: []), "does not come of these positions"),
    "renamed": (replaced("positions.jsonl", "浙B1", "浙B9"), "of another truck"),
    "other words": (replaced("violations.jsonl", "52 米", "520 米"), "another verdict"),
    "no record": (lines("violations.jsonl", lambda _: []), "not of the violations that it names"),
    "other phase": (replaced("violations.jsonl", "/occurred", "/closed"), "is not"),
    "other person": (replaced("audit.jsonl", '"who":"system"', '"who":"li"'), "not what it was"),
    "trail backwards": (lines("audit.jsonl", lambda all_: all_[::-1]), "stands behind"),
    "other action": (
        replaced("audit.jsonl", '"action":"open"', '"action":"void"'),
        "not what it was",
    ),
    "other city": (moved_site, "holds another"),
    "other report": (replaced("report.html", "线索", "结论"), "something else than the data say"),
    "other state": (replaced("case.json", '"new"', '"closed"'), "something else than the data say"),
    "other rules": (replaced("rules.md", "Rules", "Laws"), "something else than the data say"),
    "nowhere": (replaced("package.json", '"partition": ', '"partition": 9'), "no partition"),
    "fewer partitions": (
        replaced("package.json", '"partitions": 3', '"partitions": 7'),
        "does not",
    ),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_file_is_found_though_all_hashes_fit(package: bytes, how: str) -> None:
    forge, said = FORGED[how]
    files = unpack(package).files
    forge(files)
    data, _ = pack(files)
    checked = check(data, PROGRAM)
    assert not checked.holds
    assert any(said in line.text for line in checked.lines if not line.holds), checked.lines


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"new"', '"closed"', "in another state than its entries"),
        ('"new"', '{"a": []}', "in another state than its entries"),
        ('"case_id": "', '"case_id": "9', "is another case"),
        ("浙B1", "浙B9", "is another case"),
    ],
)
def test_a_case_that_the_trail_does_not_tell_of_is_found_though_the_report_fits(
    package: bytes, old: str, new: str, said: str
) -> None:
    files = unpack(package).files
    replaced("case.json", old, new)(files)
    files["report.html"] = report(Contents.of(files))
    checked = check(pack(files)[0], PROGRAM)
    assert [said in line.text for line in checked.lines if not line.holds] == [True]


UNREADABLE: dict[str, tuple[Callable[[Files], None], str]] = {
    "no case": (without("case.json"), "case.json is missing"),
    "no report": (without("report.html"), "report.html is missing"),
    "a file more": (put("more.txt", b""), "more.txt is missing, or belongs to"),
    "a file more in a city": (put("city/x/more.txt", b""), "is no file of a city"),
    "an array": (put("package.json", b"[]"), "package.json cannot be read"),
    "deep": (put("package.json", b"[" * 100_000), "cannot be read"),
    "no text": (put("case.json", b"\xff"), "case.json cannot be read"),
    "format": (replaced("package.json", '"format": 1', '"format": 2'), "is of format 2"),
    "no violation": (
        replaced("violations.jsonl", '{\\"violation_id', '[\\"violation_id'),
        "no violation",
    ),
    "no place": (put("positions.jsonl", b"{}\n"), "positions.jsonl cannot"),
    "an array alone": (
        put("positions.jsonl", b'{"offset":1,"index":0,"alone":true,"text":"[1,2]"}\n'),
        "an array is not alone",
    ),
    "no base64": (put("positions.jsonl", b'{"offset":1,"index":0,"base64":"?"}\n'), "no base64"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_what_cannot_be_read_is_said(package: bytes, how: str) -> None:
    forge, said = UNREADABLE[how]
    files = unpack(package).files
    forge(files)
    data, _ = pack(files)
    with pytest.raises(PackageError, match=said):
        check(data, PROGRAM)


def test_a_city_that_does_not_load_is_said(package: bytes) -> None:
    files = unpack(package).files
    files[city_file(files)] = b"{"
    checked = check(pack(files)[0], PROGRAM)
    assert any("sites.geojson" in line.text for line in checked.lines if not line.holds)


def test_another_version_of_the_program_says_so_and_compares(package: bytes) -> None:
    checked = check(package, "9.9.9")
    assert checked.holds
    said = [line.text for line in checked.lines]
    assert f"made by mucktrack {PROGRAM}, judged again by 9.9.9: the rules may differ" in said
    assert any("the same verdict byte for byte" in text for text in said)
    assert [line.text.split()[0] for line in checked.lines if not line.was_checked] == [
        "made",
        "report.html",
    ]


def test_what_was_not_compared_is_not_called_right(package: bytes, tmp_path: Path) -> None:
    files = unpack(package).files
    replaced("package.json", f'"{PROGRAM}"', '"9.9.9"')(files)
    files["report.html"] = b"<script>alert(1)</script>"
    (tmp_path / "p.zip").write_bytes(pack(files)[0])
    told = run("evidence", "verify", "p.zip", folder=tmp_path)
    (line,) = [line for line in told.stdout.splitlines() if "report.html" in line]
    assert line.startswith("??  report.html is not compared, and may say anything")


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUCKTRACK_")}
    return subprocess.run(
        [sys.executable, "-m", "mucktrack", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )


def test_the_commands(room: Office, tmp_path: Path) -> None:
    address = f"sqlite:///{room.archive.parent / 'cases.db'}"
    where = ("--database", address, "--archive", room.archive)
    made = run("evidence", "export", 1, *where, "--city", CITY, folder=tmp_path)
    assert made.returncode == 0, made.stderr
    told, manifest = made.stdout.splitlines()
    file = tmp_path / "evidence-1.zip"
    assert told == f"evidence-1.zip: {file.stat().st_size:,} bytes, 6 positions, 0 frames; checked"
    sha256 = manifest.removeprefix("manifest ").removesuffix(" (in the audit trail)")

    good = run("evidence", "verify", file.name, "--manifest", sha256, folder=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert "the same verdict byte for byte" in good.stdout
    assert good.stdout.splitlines()[-1] == f"manifest {sha256}"
    other = run("evidence", "verify", file, "--manifest", "0" * 64, folder=tmp_path)
    assert (other.returncode, "another package" in other.stderr) == (1, True)

    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    bad = run("evidence", "verify", file, folder=tmp_path)
    assert bad.returncode == 1
    assert "Traceback" not in bad.stderr
    assert len(bad.stderr.splitlines()) == 1
    for odd in ("absent.zip", CITY / "city.toml"):
        assert run("evidence", "verify", odd, folder=tmp_path).returncode == 2
    unknown = run("evidence", "export", "nothing", *where, folder=tmp_path)
    assert (unknown.returncode, "no case nothing" in unknown.stderr) == (2, True)
    homeless = run("evidence", "export", 1, *where, folder=tmp_path)
    assert (homeless.returncode, "--city" in homeless.stderr) == (1, True)


def test_the_command_says_with_what_it_was_made(room: Office, tmp_path: Path) -> None:
    address = f"sqlite:///{room.archive.parent / 'cases.db'}"
    where = ("--database", address, "--archive", room.archive, "--city", CITY)
    file = tmp_path / "p.zip"
    made = run("evidence", "export", 1, *where, "--to", file, "--language", "en", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    about = json.loads(unpack(file.read_bytes()).files["package.json"])
    assert about["provenance"]["program"] == version()
    assert {"numba", "numpy", "shapely", "msgspec"} <= about["provenance"]["dependencies"].keys()
    assert about["language"] == "en"
