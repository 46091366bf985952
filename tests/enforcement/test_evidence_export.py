"""Packages of all golden streams: made, the same each time, and verified to the same verdict."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT
from evidence_parts import CITY, MADE_BY, NOW_MS, PARTITIONS, PROGRAM, Office, office, stream
from golden import SCENARIOS, golden
from sqlalchemy import select

from enforcement.evidence.container import unpack
from enforcement.evidence.contents import Contents
from enforcement.evidence.export import (
    EvidenceError,
    KnownCity,
    NotReproducedError,
    Package,
    UnknownError,
)
from enforcement.evidence.verify import check
from enforcement.tables import AttachmentRow, AuditRow, CaseRow
from geofences.loader import read_files
from streams.catalogue import CATALOGUE
from streams.partition import partition_of
from streams.position import Position

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def contents_of(package: Package) -> Contents:
    return Contents.of(unpack(package.content).files)


def cases_of(room: Office) -> list[str]:
    with room.database.read() as session:
        return list(session.scalars(select(CaseRow.case_id).order_by(CaseRow.number)))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_cases_of_a_golden_stream_reach_their_verdicts_again(name: str, tmp_path: Path) -> None:
    room = office(tmp_path, stream(name))
    for case_id in cases_of(room):
        package = room.exporter().export(case_id, "li")
        checked = check(package.content, PROGRAM)
        assert checked.holds, [line for line in checked.lines if not line.holds]
        again = [line.text for line in checked.lines if "same verdict" in line.text]
        events = contents_of(package).events
        assert len(again) == len({event.violation().violation_id for event in events})
    assert not room.faults()


def test_all_rules_are_among_the_golden_streams() -> None:
    said = {one["rule"] for name in SCENARIOS for one in golden(name).expected}
    assert said == {rule.id for rule in CATALOGUE}


@pytest.fixture
def dumping(tmp_path: Path) -> Iterator[Office]:
    room = office(tmp_path, stream("illegal-dumping"))
    yield room
    room.database.close()


def test_a_package_holds_what_proves_its_violation(dumping: Office) -> None:
    (violation_id,) = dumping.ids()
    package = dumping.exporter().export(violation_id, "li")
    contents = contents_of(package)
    (event,) = contents.events
    assert event.value.encode() == msgspec.json.encode(dumping.violations[0])
    assert (event.topic, event.partition, event.offset) == ("enforcement.violations", 0, 0)
    own = [one for one in contents.arrivals if one.clock_ms is None]
    assert [one.element() for one in own] == [
        one for one in stream("illegal-dumping") if one.truck_id == contents.about.truck_id
    ]
    assert contents.cities == {event.violation().city_version: read_files(CITY)}
    assert contents.about.provenance == MADE_BY
    assert [entry.action for entry in contents.audit] == ["open", "occurred"]
    assert contents.rules.decode().strip() == (ROOT / "RULES.md").read_text("utf-8").strip()


def test_it_is_the_same_each_time_and_its_hash_is_in_the_trail(dumping: Office) -> None:
    (violation_id,) = dumping.ids()
    first = dumping.exporter().export(violation_id, "li")
    second = dumping.exporter().export(violation_id, "wang")
    assert first.content == second.content
    with dumping.database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "evidence")).all()
        noted = [(row.who, row.at_ms, json.loads(row.details)) for row in rows]
    told = {"manifest_sha256": first.manifest_sha256, "violation_ids": [violation_id]}
    assert noted == [("li", NOW_MS, told), ("wang", NOW_MS, told)]
    assert not dumping.faults()


@pytest.mark.parametrize("wanted", ["1", "case"])
def test_a_case_is_meant_by_number_or_id(dumping: Office, wanted: str) -> None:
    (case_id,) = cases_of(dumping)
    package = dumping.exporter().export(case_id if wanted == "case" else wanted, "li")
    assert (package.name, package.case_id) == ("evidence-1.zip", case_id)


@pytest.mark.parametrize("wanted", ["2", "", "'; --", "9" * 40, "案", "\x00"])
def test_what_there_is_not_is_said(dumping: Office, wanted: str) -> None:
    with pytest.raises(UnknownError):
        dumping.exporter().export(wanted, "li")


def test_files_added_to_the_case_are_in_it(dumping: Office) -> None:
    (case_id,) = cases_of(dumping)
    photo = b"\xff\xd8 a photo"
    with dumping.database.change() as (session, _):
        for number, name in enumerate(["../<b>现场.JPG", "no suffix", "x." + "y" * 9]):
            session.add(
                AttachmentRow(
                    attachment_id=f"0000-{number}",
                    case_id=case_id,
                    name=name,
                    media_type="image/jpeg",
                    sha256=hashlib.sha256(photo).hexdigest(),
                    added_ms=NOW_MS,
                    added_by="li",
                    content=photo,
                )
            )
    package = dumping.exporter().export(case_id, "li")
    files = unpack(package.content).files
    added = ["attachments/0000-0.jpg", "attachments/0000-1", "attachments/0000-2"]
    assert {name: files[name] for name in added} == dict.fromkeys(added, photo)
    assert b"../&lt;b&gt;" in files["report.html"]
    assert check(package.content, PROGRAM).holds


def drive(truck_id: str, from_ms: int, count: int, *, loaded: bool | None) -> list[Position]:
    """Slowly east, a position each half minute, in the middle of nowhere."""
    return [
        Position(
            truck_id=truck_id,
            time_ms=from_ms + number * 30_000,
            lon=121.05 + 0.00005 * number,
            lat=29.055,
            speed_kmh=30.0,
            loaded=loaded,
        )
        for number in range(count)
    ]


BEGIN_MS = 1_795_320_000_000


def test_it_goes_as_far_back_as_the_verdict_needs_and_no_further(tmp_path: Path) -> None:
    """That the truck was empty before it was loaded was said two days ago and not since."""
    long_ago = drive("浙B1", BEGIN_MS - 6 * DAY_MS, 40, loaded=None)
    empty = drive("浙B1", BEGIN_MS - 2 * DAY_MS, 4, loaded=False)
    between = drive("浙B1", BEGIN_MS - DAY_MS, 40, loaded=None)
    loaded = drive("浙B1", BEGIN_MS, 8, loaded=True)
    room = office(tmp_path, [*long_ago, *empty, *between, *loaded])
    violations = {one.rule: one.violation_id for one in room.violations}
    package = room.exporter().export(violations["unregistered-source"], "li")
    positions = [position for _, position in contents_of(package).positions()]
    assert positions[: len(empty)] == empty
    assert positions[-1].time_ms < loaded[-1].time_ms, "nothing after the last phase"
    assert check(package.content, PROGRAM).holds


def test_a_short_memory_suffices_where_the_rule_needs_no_more(tmp_path: Path) -> None:
    history = drive("浙B1", BEGIN_MS - 4 * HOUR_MS, 400, loaded=False)
    rushing = [
        msgspec.structs.replace(one, speed_kmh=90.0)
        for one in drive("浙B1", BEGIN_MS, 6, loaded=False)
    ]
    room = office(tmp_path, [*history, *rushing])
    (speeding,) = {one.violation_id for one in room.violations if one.rule == "speeding"}
    assert room.exporter().export(speeding, "li").positions <= 20 + len(rushing)


NEIGHBOURS = [f"浙C{number}" for number in range(20)]


def test_without_ticks_the_times_of_other_trucks_tell_of_silence(tmp_path: Path) -> None:
    """Nothing else of them is in the package."""
    silent = drive("浙B1", BEGIN_MS, 2, loaded=False) + drive(
        "浙B1", BEGIN_MS + 60_000, 6, loaded=True
    )
    same = partition_of("浙B1", PARTITIONS)
    other = next(one for one in NEIGHBOURS if partition_of(one, PARTITIONS) == same)
    others = drive(other, BEGIN_MS, 120, loaded=False)
    positions = sorted([*silent, *others], key=lambda one: one.time_ms)
    room = office(tmp_path, positions, ticks=False)
    lost = [one for one in room.violations if one.rule == "signal-lost"]
    assert [one.phase for one in lost] == ["opened"]
    package = room.exporter().export(lost[0].violation_id, "li")
    clocks = [one for one in contents_of(package).arrivals if one.of == "fix"]
    assert clocks
    assert all(one.text is None for one in clocks)
    files = unpack(package.content).files
    told = b"".join(files[name] for name in files if not name.startswith("city/"))
    assert other not in told.decode(errors="replace")


def test_each_position_is_judged_by_the_city_of_its_time(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(CITY, other)
    settings = (other / "city.toml").read_text("utf-8")
    (other / "city.toml").write_text(settings + "\n[rules.overload]\ntolerance = 1.2\n", "utf-8")
    positions = stream("off-route-escalated")
    change_ms = positions[len(positions) // 2].time_ms
    room = office(tmp_path, positions, later=[(change_ms, other)])
    known = [KnownCity(read_files(CITY)), KnownCity(read_files(other), change_ms)]
    for case_id in cases_of(room):
        package = room.exporter(cities=lambda: known).export(case_id, "li")
        assert check(package.content, PROGRAM).holds
    versions = [len(contents_of(package).about.cities)]
    assert 2 in versions
    with pytest.raises(EvidenceError, match="is not known; give its directory with --city"):
        room.exporter().export(cases_of(room)[0], "li")


def test_what_cannot_be_shown_again_is_not_exported(dumping: Office) -> None:
    days = [one for one in dumping.archive.iterdir() if one.is_dir()]
    for day in days:
        for file in sorted(day.iterdir())[len(list(day.iterdir())) // 3 :]:
            file.unlink()
    with pytest.raises(NotReproducedError, match="do not come of the positions"):
        dumping.exporter().export(dumping.ids()[0], "li")
    with dumping.database.read() as session:
        assert not session.scalars(select(AuditRow).where(AuditRow.action == "evidence")).all()


def test_a_damaged_archive_is_said(dumping: Office) -> None:
    for file in dumping.archive.glob("*/*.parquet"):
        content = bytearray(file.read_bytes())
        content[len(content) // 3] ^= 0xFF
        file.write_bytes(content)
    with pytest.raises(EvidenceError, match="not readable as an archived file"):
        dumping.exporter().export(dumping.ids()[0], "li")


def test_without_a_source_there_is_none(dumping: Office) -> None:
    with pytest.raises(EvidenceError, match="neither an archive nor Kafka"):
        dumping.exporter(archive=None).export(dumping.ids()[0], "li")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_needs_nothing_else_and_says_that_it_is_a_lead(
    dumping: Office, language: str
) -> None:
    package = dumping.exporter().export("1", "li", language)  # type: ignore[arg-type]
    page = unpack(package.content).files["report.html"].decode()
    assert not re.search(r"<script|https?:|url\(|<link|<img|\son\w+=", page)
    assert page.count("<svg") == 2
    said = {
        "zh": ("执法线索", "违规倾倒", "实测值"),
        "en": ("is a lead", "Illegal dumping", "Measured"),
    }
    for words in (*said[language], "浙B1", "52"):
        assert words in page
    assert check(package.content, PROGRAM).holds


def test_names_in_the_report_are_text(tmp_path: Path) -> None:
    truck = "<script>alert(1)</script>\u202e"
    positions = [
        msgspec.structs.replace(one, truck_id=truck)
        for one in stream("illegal-dumping")
        if one.truck_id == "浙B1"
    ]
    room = office(tmp_path, positions)
    page = unpack(room.exporter().export("1", "li").content).files["report.html"].decode()
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_map_of_all_the_earth_can_be_drawn(tmp_path: Path) -> None:
    """Positions that are no fixes may lie anywhere."""
    positions = stream("illegal-dumping")
    stray = [
        msgspec.structs.replace(
            positions[0], time_ms=positions[-1].time_ms - 1_000 + i, lon=lon, lat=lat
        )
        for i, (lon, lat) in enumerate([(-180.0, -90.0), (180.0, 90.0), (1e300, -1e300)])
    ]
    room = office(tmp_path, [*positions[:-2], *stray, *positions[-2:]], size=1)
    for case_id in cases_of(room):
        assert check(room.exporter().export(case_id, "li").content, PROGRAM).holds
