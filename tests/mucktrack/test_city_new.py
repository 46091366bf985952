"""`mucktrack city new` and `city picture` from outside."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from conftest import ROOT
from test_cli import mucktrack

from producers.city_import.example import COMMAND


@pytest.fixture
def office(tmp_path):
    folder = tmp_path / "example"
    done = mucktrack("city", "new", str(folder), "--example")
    assert done.returncode == 0
    assert f"cd {folder} && {COMMAND}\n" in done.stdout
    return folder


def make(office, *changed):
    """The example's command, in its folder."""
    words = [*COMMAND.split()[1:], *changed]
    return subprocess.run(
        [sys.executable, "-m", "mucktrack", *words],
        capture_output=True,
        text=True,
        cwd=office,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "LC_ALL": "C.UTF-8"},
        check=False,
    )


def test_from_an_offices_files_to_verdicts(office):
    done = make(office)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "districts.geojson: 2 features; read: adcode = code, name = name"
    assert lines[-2:] == [
        "CITY: 临江市: 2 districts, 3 sites, 1 route, 2 zones, 3 trucks, 1 permit; 0 warnings",
        "look at it: CITY/city.svg (in a browser)",
    ]
    city = office / "CITY"
    assert mucktrack("city", "check", str(city)).stdout.endswith("1 permit; 0 warnings\n")
    picture = ET.parse(city / "city.svg")  # noqa: S314 (made here)
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {
        "990201 西岸区",
        "滨江花园至北山",
        "老城禁行区",
        "北山消纳场（消纳场）",
    } <= texts
    detected = mucktrack(
        *("detect", "--city", str(city), "--columns", str(office / "columns.toml")),
        *(str(office / "positions.csv"), "--stats", "--violations", str(office / "v.jsonl")),
    )
    assert detected.returncode == 0
    found = [line.split() for line in (detected.stdout + detected.stderr).splitlines()]
    rules = {words[0] for words in found if len(words) == 5 and words[1:] != ["0"] * 4}
    assert rules == {
        "rule", "off-route", "cross-district-transit", "illegal-dumping", "cross-district-dumping",
        "all",
    }  # fmt: skip


def test_nothing_is_half_written(office):
    permits = office / "permits.csv"
    permits.write_text(permits.read_text().replace("北山消纳场", "南山消纳场"))
    done = make(office)
    assert done.returncode == 2
    assert "error: permits.csv: row 2: 消纳场 '南山消纳场' is not among the sites" in done.stdout
    assert done.stderr == "mucktrack: CITY: 2 errors, 0 warnings; nothing is written\n"
    assert not (office / "CITY").exists()
    assert not [path for path in office.iterdir() if path.is_dir()]


def test_sheets_and_datums_that_there_are_not(office):
    done = make(office, "--trucks", "trucks.xlsx#2")
    assert "no sheet 2 (FILE#2); there are '车辆'" in done.stdout
    done = make(office, "--districts", "districts.geojson@gps")
    assert done.stderr.startswith(
        "mucktrack: districts.geojson@gps: 'gps' is no datum; allowed are"
    )


def test_what_is_there_stays(office):
    done = mucktrack("city", "new", str(office), "--example")
    assert (done.returncode, "is there already; name a new folder" in done.stderr) == (2, True)
    done = mucktrack("city", "new", str(office / "C"))
    assert (done.returncode, "--name is missing" in done.stderr) == (2, True)


def test_a_picture_of_any_city(tmp_path):
    target = tmp_path / "demo.svg"
    city = ROOT / "producers" / "cities" / "demo"
    assert mucktrack("city", "picture", str(city), "--to", str(target)).returncode == 0
    ET.parse(target)  # noqa: S314 (made here)
