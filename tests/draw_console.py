"""Draws the console's pages into `docs/images` (`make screenshots`): the real process, a fleet that
offends, and people who have worked on what came of it.
"""

import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from conftest import ROOT
from console_parts import Scene, Visitor, chromium, now_ms, open_browser, scene, visit, wait_for
from office_parts import CITY
from playwright.sync_api import sync_playwright
from sqlalchemy import func, select

from enforcement.actions import ActionError, Actor, Office, Said
from enforcement.rulebook import read_rulebook
from enforcement.steps import Role
from enforcement.tables import CaseRow
from geofences.city import City
from geofences.loader import load_city
from streams.output import Violation

IMAGES: Final = ROOT / "docs" / "images"
LARGEST: Final = 300_000
"""Bytes of a picture."""
TRUCKS: Final = 600
SEED: Final = 6
LASTING: Final = ("opened", "escalated")
PEOPLE: Final[dict[Role, str]] = {
    "dispatcher": "liwei",
    "officer": "chenjie",
    "reviewer": "wangfang",
}
Course = Sequence[tuple[str, Role, dict[str, str]]]
COURSES: Final[Sequence[Course]] = (
    (),
    (("accept", "dispatcher", {}),),
    (("accept", "dispatcher", {}), ("dispatch", "dispatcher", {"squad": "城管三中队"})),
    (
        ("accept", "dispatcher", {}),
        ("dispatch", "dispatcher", {"squad": "夜查一中队"}),
        ("handle", "officer", {"findings": "现场查实，拍照取证，责令清理"}),
    ),
    (
        ("accept", "dispatcher", {}),
        ("dispatch", "dispatcher", {"squad": "城管三中队"}),
        ("handle", "officer", {"findings": "查实，已清理"}),
        ("verify", "reviewer", {}),
        ("close", "reviewer", {}),
    ),
    (("void", "dispatcher", {"reason": "传感器故障，已报修"}),),
)

WAITS, DISPATCHED = COURSES[0], COURSES[2]


def main() -> int:
    program = chromium()
    if program is None:
        print("chromium is missing: install the packages chromium and fonts-noto-cjk")
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        violations = _simulate(folder)
        with scene(folder) as office, sync_playwright() as playwright:
            _publish(office, violations)
            _work(office, _offenders(violations), _worth_seeing(violations).truck_id)
            office.drive(_fleet(load_city(CITY), 0.0, violations))
            browser = open_browser(playwright, program)
            _draw(visit(office, browser), violations)
            browser.close()
    return _too_large()


def _simulate(folder: Path) -> list[Violation]:
    """What a simulated fleet does wrong within two hours, moved to now."""
    positions, found = folder / "positions.jsonl", folder / "violations.jsonl"
    for command in (
        ["simulate", "--hours", "2", "--trucks", "450", "--out", str(positions)],
        ["detect", "--city", str(CITY), str(positions), "--violations", str(found)],
    ):
        subprocess.run([sys.executable, "-m", "mucktrack", *command], cwd=ROOT, check=True)
    said = [json.loads(line) for line in found.read_text().splitlines()]
    # Of the fleet's two hours the last half has not come yet, so that some offend now.
    until_ms = max(one["detected_ms"] for one in said) - 1_800_000
    said = [one for one in said if one["detected_ms"] <= until_ms]
    later_ms = now_ms() - until_ms
    return [msgspec.convert(_moved(one, later_ms), Violation) for one in said]


def _moved(said: dict[str, Any], later_ms: int) -> dict[str, Any]:
    for name in ("started_ms", "detected_ms", "ended_ms"):
        if said[name] is not None:
            said[name] += later_ms
    said["track"] = [[time_ms + later_ms, *rest] for time_ms, *rest in said["track"]]
    return said


def _publish(office: Scene, violations: Sequence[Violation]) -> None:
    office.publish(*violations)
    database = office.database()

    def all_taken() -> bool:
        with database.read() as session:
            trucks = session.scalars(select(func.count(CaseRow.truck_id.distinct()))).one()
        return trucks == len({one.truck_id for one in violations})

    wait_for(all_taken)
    database.close()


def _work(office: Scene, offenders: Sequence[str], seen: str) -> None:
    """Cases have come some way, each another; the gravest still wait, and those of trucks that
    offend. `seen`: the truck whose case is drawn."""
    chance = random.Random(SEED)
    database = office.database()
    rulebook = read_rulebook(None, ZoneInfo("Asia/Shanghai"))
    with database.read() as session:
        cases = [
            (row.case_id, DISPATCHED if row.truck_id == seen else WAITS)
            if row.truck_id in (*offenders, seen) or row.rank == 3
            else (row.case_id, chance.choice(COURSES))
            for row in session.scalars(select(CaseRow))
        ]
    desk = Office(database, rulebook, now_ms)
    for case_id, course in cases:
        for action, role, said in course:
            try:
                desk.act(case_id, action, Actor(PEOPLE[role], role, None), Said(**said))
            except ActionError as error:
                print(f"{action}: {error}")
    database.close()


def _offenders(violations: Sequence[Violation]) -> list[str]:
    """Trucks that offend now."""
    latest = {one.violation_id: one for one in violations}
    return sorted({one.truck_id for one in latest.values() if one.phase in LASTING})


def _fleet(city: City, share: float, violations: Sequence[Violation]) -> list[dict[str, Any]]:
    """Trucks all over the routes, those that offend among them."""
    chance = random.Random(SEED)
    names = _offenders(violations)
    names += [f"浙Y{number:05d}" for number in range(600, 600 + TRUCKS - len(names))]
    fleet = []
    for name in names:
        line = chance.choice(city.routes).shape
        at = (chance.random() + share) % 0.999
        here = line.interpolate(at, normalized=True)
        there = line.interpolate(at + 0.001, normalized=True)
        east = (there.x - here.x) * math.cos(math.radians(here.y))
        fleet.append(
            {
                "truck_id": name,
                "time_ms": now_ms(),
                "lon": here.x,
                "lat": here.y,
                "speed_kmh": chance.choice((0.0, 32.0, 45.0, 51.0)),
                "heading_deg": math.degrees(math.atan2(east, there.y - here.y)) % 360,
                "loaded": int(chance.random() < 0.6),
                "district": "",
            }
        )
    return fleet


def _draw(somebody: Visitor, violations: Sequence[Violation]) -> None:
    page = somebody.page
    somebody.log_in("boss")
    page.keyboard.press("j")
    page.keyboard.press("j")
    _shoot(somebody, "queue")
    grave = _worth_seeing(violations)
    somebody.open(f"#/queue?q={grave.truck_id}")
    page.reload()
    somebody.row(grave.truck_id).first.locator("a").click()
    page.wait_for_selector(".replay output")
    _shoot(somebody, "case")
    somebody.open("#/map")
    page.wait_for_selector(".offenders li")
    page.locator(".offenders button").first.click()
    page.wait_for_selector(".card .cases li")
    page.keyboard.press("f")
    _shoot(somebody, "map")
    somebody.open("#/figures")
    page.wait_for_selector(".tiles")
    _shoot(somebody, "figures")
    page.get_by_role("button", name="明暗切换").click()
    page.get_by_role("button", name="English").click()
    somebody.open("#/queue")
    page.wait_for_selector("table.queue tbody tr")
    _shoot(somebody, "queue-light")


def _worth_seeing(violations: Sequence[Violation]) -> Violation:
    """Off its route for long: there is a corridor to be seen."""
    off = [one for one in violations if one.rule == "off-route"]
    return max(off or violations, key=lambda one: len(one.track))


def _shoot(somebody: Visitor, name: str) -> None:
    # The last tooltips and fades are over.
    somebody.page.wait_for_timeout(1_500)
    somebody.page.screenshot(path=IMAGES / f"console-{name}.png")
    print(f"docs/images/console-{name}.png")


def _too_large() -> int:
    for path in sorted(IMAGES.glob("console-*.png")):
        if path.stat().st_size > LARGEST:
            print(f"{path.name} has {path.stat().st_size} bytes; allowed are {LARGEST}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
