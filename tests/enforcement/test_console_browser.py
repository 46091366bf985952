"""The console as people use it: in a browser, on the real process, with violations from Kafka."""

import math
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn
from console_parts import (
    PASSWORD,
    Scene,
    Visitor,
    chromium,
    now_ms,
    open_browser,
    scene,
    visit,
)
from evidence_parts import PROGRAM, stream
from evidence_parts import office as evidence_office
from fastapi import FastAPI
from msgspec import structs
from office_parts import CITY, TestOffice, violation
from playwright.sync_api import Browser, expect, sync_playwright

from enforcement.console.routes import FOLDER, mount
from enforcement.evidence.verify import check
from enforcement.tables import SessionRow
from geofences.city import City
from geofences.loader import load_city
from streams.output import Violation

Arrive = Callable[[], Visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("chromium is missing: install the packages chromium and fonts-noto-cjk")
    with sync_playwright() as playwright:
        opened = open_browser(playwright, program)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(CITY)


@pytest.fixture
def arrive(office: Scene, browser: Browser) -> Iterator[Arrive]:
    """Visitors who ask nobody else for anything, and whose browsers complain of nothing."""
    visitors: list[Visitor] = []

    def come() -> Visitor:
        visitors.append(visit(office, browser))
        return visitors[-1]

    yield come
    for one in visitors:
        one.context.close()
    for one in visitors:
        assert one.outside() == []
        assert one.unexcused() == []


def offence(truck_id: str, **said: Any) -> Violation:
    """One of now, that everybody sees."""
    return violation(truck_id, started_ms=now_ms() - 300_000, **said)


def off_route(city: City, truck_id: str) -> Violation:
    """Beside a route of the city."""
    route = city.routes[0]
    points = [route.shape.interpolate(share / 20, normalized=True) for share in range(8)]
    started_ms = now_ms() - 600_000
    return offence(
        truck_id,
        severity="major",
        lon=points[-1].x,
        lat=points[-1].y + 0.001,
        place={"route_id": route.route_id, "distance_m": 111.2},
        measured={"distance_m": 111.2, "duration_s": 140, "fixes": 8},
        threshold={"corridor_m": route.corridor_m, "min_fixes": 3, "min_s": 60, "severe_s": 900},
        track=[
            (started_ms + 20_000 * at, point.x, point.y + 0.001, 41.5)
            for at, point in enumerate(points)
        ],
    )


def test_a_violation_becomes_a_closed_case_before_ones_eyes(office, arrive, city):
    dispatcher = arrive()
    dispatcher.log_in("liwei")
    expect(dispatcher.row("浙Y00123")).to_have_count(0)

    critical = off_route(city, "浙Y00123")
    critical.severity = "critical"
    office.publish(critical)
    expect(dispatcher.row("浙Y00123")).to_have_count(1)
    expect(dispatcher.page).to_have_title("(1) 渣土车执法")

    dispatcher.open_case("浙Y00123")
    expect(dispatcher.page).to_have_title("渣土车执法")
    expect(dispatcher.page.locator(".violations .message")).to_have_text(critical.message)
    expect(dispatcher.page.locator(".measured")).to_contain_text("111.2 m")
    expect(dispatcher.page.locator(".measured svg.gauge").first).to_be_visible()
    dispatcher.page.keyboard.press("a")
    expect(dispatcher.page.locator(".case-head")).to_contain_text("已受理")
    dispatcher.act("派遣", squad="城管三中队")
    expect(dispatcher.page.locator(".case-head")).to_contain_text("已派遣")

    officer = arrive()
    officer.log_in("chenjie")
    officer.open_case("浙Y00123")
    expect(officer.page.locator(".actions")).not_to_contain_text("结案")
    officer.page.set_input_files(
        ".upload input",
        {"name": "现场.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 50},
    )
    expect(officer.page.locator(".attachments li")).to_contain_text("现场.png")
    officer.act("处理", findings="现场查实，责令改正")

    reviewer = arrive()
    reviewer.log_in("wangfang")
    reviewer.open_case("浙Y00123")
    reviewer.act("核查")
    expect(reviewer.page.locator(".case-head")).to_contain_text("已核查")
    reviewer.act("结案")
    expect(reviewer.page.locator(".case-head")).to_contain_text("已结案")

    # The dispatcher has it before his eyes without a hand.
    expect(dispatcher.page.locator(".case-head")).to_contain_text("已结案")
    trail = dispatcher.page.locator(".timeline li")
    told = trail.all_inner_texts()
    for words in (
        "立案",
        "受理 liwei",
        "派遣 liwei",
        "处理 chenjie",
        "核查 wangfang",
        "结案 wangfang",
    ):
        assert any(words in one for one in told), (words, told)
    assert any("城管三中队" in one for one in told)


def test_whoever_handled_a_case_does_not_judge_it(office, arrive):
    office.publish(offence("浙Y00200"))
    boss = arrive()
    boss.log_in("boss")
    boss.open_case("浙Y00200")
    boss.act("受理")
    expect(boss.page.locator(".case-head")).to_contain_text("已受理")
    boss.act("派遣", squad="一中队")
    expect(boss.page.locator(".case-head")).to_contain_text("已派遣")
    boss.act("处理", findings="查实")
    expect(boss.page.locator(".case-head")).to_contain_text("已处理")
    expect(boss.page.locator(".actions")).not_to_contain_text("核查")
    boss.page.keyboard.press("v")
    expect(boss.page.locator(".toast.bad")).to_contain_text("您现在不能")


def test_the_language_is_switched_and_kept(office, arrive):
    office.publish(offence("浙Y00300"))
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.page.get_by_role("button", name="English").click()
    expect(somebody.page.locator("thead")).to_contain_text("Violations")
    somebody.open_case("浙Y00300")
    expect(somebody.page.locator(".violations .message")).to_have_text("off the route")
    somebody.page.reload()
    expect(somebody.page.locator(".actions")).to_contain_text("Accept")
    expect(somebody.page.locator("html")).to_have_attribute("lang", "en")
    somebody.page.get_by_role("button", name="中文").click()
    expect(somebody.page.locator(".actions")).to_contain_text("受理")


def test_a_case_of_another_district_is_refused(office, arrive):
    office.publish(offence("浙Y00400", district="990101"))
    insider = arrive()
    insider.log_in("liwei")
    insider.open_case("浙Y00400")
    address = insider.page.url
    outsider = arrive()
    outsider.excused = ("404",)
    outsider.log_in("sunyu")
    expect(outsider.row("浙Y00400")).to_have_count(0)
    outsider.page.goto(address)
    expect(outsider.page.locator(".empty")).to_contain_text("不在您的辖区")
    assert "浙Y00400" not in outsider.page.content()


def test_a_night_with_the_keyboard_alone(office, arrive):
    office.publish(
        offence("浙Y00500", severity="critical"), offence("浙Y00501", severity="critical")
    )
    somebody = arrive()
    page, press = somebody.page, somebody.page.keyboard.press
    somebody.open()
    page.wait_for_selector("#name")
    page.keyboard.type("zhaomin")
    press("Tab")
    page.keyboard.type(PASSWORD)
    press("Enter")
    expect(somebody.row("浙Y00501")).to_have_count(1)
    press("?")
    expect(page.locator("dialog[open]")).to_contain_text("受理")
    press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    press("/")
    page.keyboard.type("浙Y00501")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    press("Enter")
    press("j")
    expect(page.locator("tr.chosen")).to_contain_text("浙Y00501")
    press("a")
    expect(page.locator("tr.chosen")).to_contain_text("已受理")
    press("d")
    expect(page.locator("dialog[open] #field-squad")).to_be_focused()
    page.keyboard.type("夜班中队")
    press("Enter")
    expect(page.locator("tr.chosen")).to_contain_text("已派遣")
    press("Enter")
    expect(page.locator(".case-head h1")).to_be_visible()
    press("n")
    page.keyboard.type("已电话核对")
    press("Tab")
    press("Tab")
    press("Enter")
    expect(page.locator(".timeline")).to_contain_text("已电话核对")
    press("Escape")
    expect(page.locator("tr.chosen")).to_contain_text("浙Y00501")
    press("2")
    expect(page.locator(".view-map .panel")).to_be_visible()


def test_hostile_texts_are_texts(office, arrive):
    plate = "<img src=x onerror=alert(1)>"
    company = '"><script>alert(2)</script>'
    message = "<b onmouseover=alert(3)>越界</b>{{7*7}}"
    case = offence(plate, company=company, message=message, rule="<i>规则</i>", severity="critical")
    office.publish(case)
    office.drive([_truck(plate, 120.9, 30.2)])
    somebody = arrive()
    somebody.log_in("liwei")
    expect(somebody.row(plate)).to_have_count(1)
    somebody.open_case(plate)
    expect(somebody.page.locator(".message")).to_have_text(message)
    expect(somebody.page.locator(".facts")).to_contain_text(company)
    somebody.act("备注", reason="<script>alert(4)</script>")
    expect(somebody.page.locator(".timeline")).to_contain_text("<script>alert(4)</script>")
    somebody.open(f"#/map?truck={plate}")
    expect(somebody.page.locator(".card h2")).to_have_text(plate)
    expect(somebody.page.locator(".card .cases li").first).to_contain_text("<i>规则</i>")
    somebody.open("#/figures")
    expect(somebody.page.locator(".tiles")).to_be_visible()
    for made in ("main img", "main script", "main b[onmouseover]", "main i:not(.swatch)"):
        assert somebody.page.locator(made).count() == 0, made


def test_who_was_slower_is_told_who_has_it(office, arrive):
    office.publish(offence("浙Y00700"))
    slow = arrive()
    slow.excused = ("409", "412", "ERR_FAILED")
    # His line of events is dead, so that he still sees the case as it was.
    slow.context.route("**/api/v1/events", lambda route: route.abort())
    slow.log_in("zhaomin")
    slow.open_case("浙Y00700")
    fast = arrive()
    fast.log_in("liwei")
    fast.open_case("浙Y00700")
    fast.act("受理")
    expect(fast.page.locator(".case-head")).to_contain_text("已受理")
    slow.act("受理")
    expect(slow.page.locator(".toast.bad")).to_contain_text("liwei")
    expect(slow.page.locator(".case-head")).to_contain_text("已受理")


def test_what_is_chosen_and_shown_stays_when_cases_come(office, arrive):
    office.publish(*(offence(f"浙Z{number:05d}", severity="lead") for number in range(90)))
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.open("#/queue?q=浙Z")
    somebody.page.reload()
    expect(somebody.page.locator("table.queue tbody tr")).to_have_count(60)
    row = somebody.page.locator("table.queue tbody tr").nth(40)
    chosen = row.get_attribute("data-id")
    row.click()
    somebody.page.locator(".scroll").evaluate("one => { one.scrollTop = 700; }")
    somebody.page.wait_for_timeout(500)
    place = somebody.page.locator(f'tr[data-id="{chosen}"]')
    before = place.bounding_box()
    office.publish(*(offence(f"浙Z9{number:04d}", severity="critical") for number in range(5)))
    expect(somebody.row("浙Z90004")).to_have_count(1)
    somebody.page.wait_for_timeout(300)
    expect(somebody.page.locator("tr.chosen")).to_have_attribute("data-id", chosen)
    assert abs(place.bounding_box()["y"] - before["y"]) < 2


def test_who_follows_is_chosen_when_a_case_leaves_the_list(office, arrive):
    office.publish(*(offence(f"浙W{number:05d}", severity="lead") for number in range(3)))
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.open("#/queue?q=浙W&state=new")
    somebody.page.reload()
    rows = somebody.page.locator("table.queue tbody tr")
    expect(rows).to_have_count(3)
    plates = [text.split()[3] for text in rows.all_inner_texts()]
    somebody.page.keyboard.press("j")
    for left, plate in enumerate(plates[1:]):
        somebody.page.keyboard.press("a")
        expect(rows).to_have_count(2 - left)
        expect(somebody.page.locator("tr.chosen")).to_contain_text(plate)


def test_a_session_that_has_ended_leads_to_the_login_and_back(office, arrive):
    office.publish(offence("浙Y00800"))
    somebody = arrive()
    somebody.excused = ("401",)
    somebody.log_in("zhaomin")
    somebody.open_case("浙Y00800")
    address = somebody.page.url
    database = office.database()
    with database.change() as (session, _):
        for row in session.query(SessionRow).filter_by(name="zhaomin"):
            session.delete(row)
    database.close()
    somebody.page.keyboard.press("a")
    somebody.page.wait_for_selector("#name")
    somebody.page.fill("#name", "zhaomin")
    somebody.page.fill("#password", PASSWORD)
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.locator(".case-head h1")).to_be_visible()
    assert somebody.page.url == address


def test_an_administrator_adds_somebody_who_chooses_his_password(office, arrive):
    boss = arrive()
    boss.log_in("boss")
    boss.page.get_by_role("link", name="用户").click()
    boss.page.get_by_role("button", name="添加用户").click()
    boss.page.fill("#field-name", "newhand")
    boss.page.fill("#field-password", "first words only")
    boss.page.locator("#field-districts label").first.click()
    boss.page.locator("dialog button[type=submit]").click()
    expect(boss.page.locator("tbody")).to_contain_text("newhand")
    expect(boss.page.locator("tr", has_text="newhand")).to_contain_text("待改密码")

    newcomer = arrive()
    newcomer.open()
    newcomer.page.fill("#name", "newhand")
    newcomer.page.fill("#password", "first words only")
    newcomer.page.keyboard.press("Enter")
    newcomer.page.fill("#old", "first words only")
    newcomer.page.fill("#new", "then some others")
    newcomer.page.fill("#again", "then some others")
    newcomer.page.keyboard.press("Enter")
    newcomer.page.wait_for_selector(".view-queue table.queue")
    boss.page.reload()
    boss.page.locator("tr", has_text="newhand").get_by_role("button", name="停用").click()
    boss.page.locator("dialog button[type=submit]").click()
    expect(boss.page.locator("tr", has_text="newhand")).to_contain_text("已停用")
    newcomer.excused = ("401",)
    newcomer.page.keyboard.press("r")
    newcomer.page.wait_for_selector("#name")


def test_the_way_is_played_again(office, arrive, city):
    office.publish(off_route(city, "浙Y00900"))
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.open_case("浙Y00900")
    shown = somebody.page.locator(".replay output")
    expect(shown).to_contain_text("km/h")
    before = shown.inner_text()
    somebody.page.get_by_role("button", name="播放").click()
    expect(shown).not_to_have_text(before)
    somebody.page.get_by_role("button", name="暂停").click()
    somebody.page.locator(".replay input").focus()
    stopped = shown.inner_text()
    somebody.page.keyboard.press("End")
    expect(shown).not_to_have_text(stopped)


def test_what_was_measured_is_told_when_it_is_over(office, arrive, city):
    opened = off_route(city, "浙Y00950")
    closed = structs.replace(
        opened,
        phase="closed",
        ended_ms=opened.detected_ms + 60_000,
        message="偏离核准路线结束，共 120 秒",
        measured={"duration_s": 120, "fixes": 9},
    )
    office.publish(opened, closed)
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.open_case("浙Y00950")
    expect(somebody.page.locator(".violations .message")).to_have_text(closed.message)
    expect(somebody.page.locator(".violations .grounds")).to_contain_text(opened.message)
    expect(somebody.page.locator(".measured")).to_contain_text("111.2 m")
    expect(somebody.page.locator(".measured")).to_contain_text("2分0秒")


def test_a_critical_violation_is_heard_unless_it_is_muted(office, arrive):
    somebody = arrive()
    somebody.context.add_init_script(
        """window.tones = 0;
        const make = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function () {
            window.tones += 1;
            return make.call(this);
        };"""
    )
    somebody.log_in("liwei")
    office.publish(offence("浙Y00960", severity="minor"))
    expect(somebody.row("浙Y00960")).to_have_count(1)
    assert somebody.page.evaluate("tones") == 0
    office.publish(offence("浙Y00961", severity="critical"))
    expect(somebody.row("浙Y00961")).to_have_count(1)
    somebody.page.wait_for_function("tones == 2")
    somebody.page.keyboard.press("m")
    somebody.page.reload()
    expect(somebody.page.get_by_role("button", name="提示音：关")).to_be_visible()
    somebody.page.keyboard.press("k")
    office.publish(offence("浙Y00962", severity="critical"))
    expect(somebody.row("浙Y00962")).to_have_count(1)
    assert somebody.page.evaluate("tones") == 0


def test_every_module_is_one(office, arrive):
    """The browser reads all of them, those too that no test has come to."""
    somebody = arrive()
    somebody.open()
    folder = FOLDER / "js"
    for path in sorted(folder.rglob("*.js")):
        name = f"console/js/{path.relative_to(folder)}"
        if path.name != "main.js":
            assert somebody.page.evaluate(
                "name => import(new URL(name, location)).then(Boolean)", name
            )


def test_the_evidence_is_handed_over(tmp_path, browser):
    """Of a case that can be proved: its positions lie in an archive."""
    room = evidence_office(tmp_path, stream("illegal-dumping"))
    desk = TestOffice(f"sqlite:///{tmp_path / 'cases.db'}", evidence=room.exporter())
    desk.add_people(None)
    mount(desk.app)
    with closing(room.database), closing(desk), serving(desk.app) as address:
        page = browser.new_page()
        page.goto(address)
        page.fill("#name", "reviewer")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.locator("table.queue tbody tr a").first.click()
        with page.expect_download(timeout=60_000) as waiting:
            page.get_by_role("button", name="证据包").click()
        assert waiting.value.suggested_filename == "evidence-1.zip"
        assert check(waiting.value.path().read_bytes(), PROGRAM).holds
        expect(page.locator(".timeline")).to_contain_text("生成证据包 reviewer")
        page.close()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The app on a free port, in a thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            app.state.feed.end()
            server.should_exit = True
            thread.join()


def test_the_theme_is_dark_until_it_is_switched(office, arrive):
    somebody = arrive()
    somebody.log_in("liwei")
    expect(somebody.page.locator("html")).to_have_attribute("data-theme", "dark")
    somebody.page.get_by_role("button", name="明暗切换").click()
    somebody.page.reload()
    expect(somebody.page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_server_goes_away_and_comes_back(tmp_path, browser):
    with scene(tmp_path) as made:
        somebody = visit(made, browser)
        somebody.log_in("liwei")
        made.process.stop()
        expect(somebody.page.locator("#banner")).to_contain_text("没有应答")
        made.publish(offence("浙Y01000"))
        made.process.start()
        expect(somebody.row("浙Y01000")).to_have_count(1, timeout=40_000)
        expect(somebody.page.locator("#banner")).to_be_empty()
        assert somebody.outside() == []
        assert [one for one in somebody.complaints if "ERR_" not in one] == []
        somebody.context.close()


TRUCKS = 5_000
FRAME_MS = 100.0


def test_five_thousand_trucks_move_smoothly(office, arrive, city):
    """The p95 of the time between frames, while all move and the map is dragged about."""
    office.drive(_fleet(city, 0.0))
    somebody = arrive()
    somebody.log_in("liwei")
    somebody.open("#/map")
    status = somebody.page.locator(".panel .status")
    expect(status).to_contain_text(re.compile(r"^500\d"), timeout=20_000)
    somebody.page.evaluate(
        """() => {
            window.frames_ms = [];
            let last = performance.now();
            const look = (now) => {
                frames_ms.push(now - last);
                last = now;
                requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        }"""
    )
    mouse = somebody.page.mouse
    for step in range(1, 5):
        office.drive(_fleet(city, step * 0.004))
        mouse.move(500, 400)
        mouse.down()
        mouse.move(500 + 60 * (-1) ** step, 430, steps=12)
        mouse.up()
        somebody.page.wait_for_timeout(1_500)
    frames = sorted(somebody.page.evaluate("frames_ms"))
    p95_ms = frames[math.floor(0.95 * len(frames))]
    print(f"{len(frames)} frames, p50 {frames[len(frames) // 2]:.1f} ms, p95 {p95_ms:.1f} ms")  # noqa: T201
    assert len(frames) > 60
    assert p95_ms <= FRAME_MS


def _fleet(city: City, share: float) -> list[dict[str, Any]]:
    """Trucks all over the routes, `share` of their way on."""
    fleet = []
    for number in range(TRUCKS):
        line = city.routes[number % len(city.routes)].shape
        point = line.interpolate((number / TRUCKS * 7 + share) % 1, normalized=True)
        fleet.append(_truck(f"浙X{number:05d}", point.x, point.y, heading_deg=number % 360))
    return fleet


def _truck(truck_id: str, lon: float, lat: float, heading_deg: float = 0.0) -> dict[str, Any]:
    return {
        "truck_id": truck_id,
        "time_ms": now_ms(),
        "lon": lon,
        "lat": lat,
        "speed_kmh": 40.0,
        "heading_deg": heading_deg,
        "loaded": 1,
        "district": "",
    }
