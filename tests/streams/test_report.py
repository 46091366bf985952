"""What a violation says: measured against what, where, and its track (design section 7)."""

import json
import math
import uuid
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest
from reference.geometry import CityMap
from reference.judging import judge
from reference.tracks import in_arrival_order, random_case
from shapely import LineString, Point, box

from geofences.city import City, District, Permit, Route, Site, Truck, Zone
from geofences.hours import ALWAYS, Validity, parse_hours
from streams import words
from streams.catalogue import CATALOGUE, CONDITIONS
from streams.detect import PreparedCity
from streams.output import NAMESPACE, Violation, ce_headers, encode
from streams.position import Position

START_MS = 1_795_320_000_000
"""2026-11-22 12:00 in Shanghai."""
METRE = 1 / 110_860
"""Of latitude, in degrees."""
PIT, TIP, OTHER_TIP = (121.02, 29.05), (121.08, 29.05), (121.05, 29.08)
CITY = City(
    name="two districts",
    admin_code="330200",
    timezone="Asia/Shanghai",
    version="c" * 64,
    speed_limit_kmh=60,
    state_overrides={},
    rule_overrides={},
    districts=(
        District("330201", "west", box(121.0, 29.0, 121.1, 29.1)),
        District("330202", "east", box(121.1, 29.0, 121.2, 29.1)),
    ),
    sites=(
        Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS),
        Site("tip", "tip", "disposal", Point(TIP), 100, None, ALWAYS),
        Site("tip 2", "tip 2", "disposal", Point(OTHER_TIP), 100, None, ALWAYS),
    ),
    routes=(Route("way", "way", LineString([PIT, TIP]), 40),),
    zones=(
        Zone("quiet", "quiet", "no_go", box(121.0, 29.06, 121.2, 29.07), None, ALWAYS),
        Zone("slow", "slow", "speed_limit", box(121.0, 29.04, 121.2, 29.046), 30, ALWAYS),
    ),
    trucks=(Truck("浙B1", None, "甲", 15_000), Truck("浙B2", None, None, None)),
    permits=(Permit("P1", ("浙B1",), ("pit",), ("tip",), ("way",), (), ALWAYS),),
)
LOADING = ((0, False), (30, False), (60, True), (90, True))


def at(seconds: float, place: tuple[float, float], **fields: Any) -> Position:
    truck_id = fields.pop("truck_id", "浙B1")
    return Position(truck_id, START_MS + round(1000 * seconds), *place, **fields)


def loaded_at_the_pit(**fields: Any) -> list[Position]:
    return [at(s, PIT, speed_kmh=0.0, loaded=loaded, **fields) for s, loaded in LOADING]


def violations(*track: Position) -> list[Violation]:
    return judge(PreparedCity.of(CITY), track).violations


def only(rule: str, phase: str, *track: Position) -> Violation:
    (found,) = [v for v in violations(*track) if (v.rule, v.phase) == (rule, phase)]
    return found


def test_off_route_says_how_far_from_which_route() -> None:
    way = [
        at(150 + 30 * n, (121.03 + 0.003 * n, 29.05 + 83 * METRE), speed_kmh=35.0, loaded=True)
        for n in range(3)
    ]
    back = at(250, (121.04, 29.05), speed_kmh=35.0, loaded=True)
    opened = only("off-route", "opened", *loaded_at_the_pit(), *way, back)
    assert opened.measured == {"distance_m": pytest.approx(83, abs=0.5), "duration_s": 60,
                               "fixes": 3}  # fmt: skip
    assert opened.threshold == {"corridor_m": 40, "min_fixes": 3, "min_s": 60, "severe_s": 900}
    assert opened.place == {"route_id": "way", "distance_m": opened.measured["distance_m"]}
    assert opened.message == (
        "载货行驶中偏离核准路线 82.7 米（最近路线 way，走廊 40 米），已持续 60 秒、3 个定位点"
    )
    assert opened.message_en == (
        "Loaded and 82.7 m off the permitted routes (nearest way, corridor 40 m), for 60 s over 3 "
        "fixes"
    )
    assert (opened.permit_ids, opened.company) == (["P1"], "甲")
    assert (opened.district, opened.origin_district) == ("330201", "330201")
    assert opened.trip_id == str(uuid.uuid5(NAMESPACE, f"浙B1|trip|{START_MS + 60_000}"))
    assert opened.ended_ms is None

    closed = only("off-route", "closed", *loaded_at_the_pit(), *way, back)
    assert closed.violation_id == opened.violation_id
    assert (closed.detected_ms, closed.ended_ms) == (START_MS + 250_000, START_MS + 210_000)
    assert closed.measured == {"duration_s": 60, "fixes": 3}
    assert closed.message == "偏离核准路线结束，共 60 秒"


def test_speeding_says_the_limit_that_decided_and_its_zone() -> None:
    slow = [at(30 * n, (121.05, 29.045), speed_kmh=35.5) for n in range(2)]
    fast = [at(30 * n, (121.05, 29.02), speed_kmh=61.0) for n in range(3)]
    in_zone = only("speeding", "opened", *slow, at(60, (121.05, 29.045), speed_kmh=37.25))
    assert in_zone.measured == {"speed_kmh": 37.2, "duration_s": 60, "fixes": 3}
    assert in_zone.threshold == {"limit_kmh": 30, "min_fixes": 3, "min_s": 20}
    assert in_zone.place == {"zone_id": "slow"}
    assert in_zone.message.startswith("车速 37.2 公里/小时，限速区 slow 限速 30 公里/小时，")
    assert "37.2 km/h where 30 km/h is allowed (zone slow), for" in in_zone.message_en
    in_city = only("speeding", "opened", *fast)
    assert (in_city.threshold["limit_kmh"], in_city.place) == (60, {})
    assert in_city.message == "车速 61 公里/小时，全市限速 60 公里/小时，已持续 60 秒、3 个定位点"
    assert (in_city.trip_id, in_city.origin_district) == (None, None)


def test_no_go_and_lifted_say_the_speed() -> None:
    inside = [
        at(10 * n, (121.05, 29.065), speed_kmh=20.0, lifted=True, truck_id="外A1") for n in range(2)
    ]
    no_go = only("no-go-zone", "opened", *inside)
    assert (no_go.place, no_go.measured["speed_kmh"]) == ({"zone_id": "quiet"}, 20)
    assert no_go.message.startswith("以 20 公里/小时行驶于禁行区 quiet，")
    assert (no_go.company, no_go.permit_ids) == (None, [])
    lifted = only("lifted-moving", "opened", *inside)
    assert lifted.place == {}
    assert lifted.message_en == "Moving at 20 km/h with the body lifted, for 10 s over 2 fixes"


def test_overload_says_weight_limit_and_tolerance() -> None:
    way = [
        at(150 + 30 * n, (121.03, 29.05), speed_kmh=35.0, loaded=True, load_kg=15_751.0)
        for n in range(3)
    ]
    opened = only("overload", "opened", *loaded_at_the_pit(), *way)
    assert opened.measured == {"load_kg": 15_751, "duration_s": 60, "fixes": 3}
    assert opened.threshold == {"max_load_kg": 15_000, "tolerance": 1.05, "min_fixes": 3,
                                "min_s": 60}  # fmt: skip
    assert opened.message_en.startswith("Load of 15751 kg, permitted 15000 kg (tolerance ×1.05)")
    assert opened.severity == "major"


def test_a_dump_says_the_nearest_site_where_it_would_be_allowed() -> None:
    field = (TIP[0], TIP[1] + 350 * METRE)
    tipped = [at(300 + 30 * n, field, speed_kmh=0.0, loaded=False) for n in range(2)]
    dump = only("illegal-dumping", "occurred", *loaded_at_the_pit(), *tipped)
    assert dump.measured == {"distance_m": pytest.approx(250, abs=0.3), "duration_s": 30}
    assert dump.threshold == {"site_margin_m": 50}
    assert dump.place == {"site_id": "tip", "distance_m": dump.measured["distance_m"]}
    assert dump.message == "在消纳场和中转站范围外倾倒，距最近处 tip 249.9 米（范围 50 米）"
    assert (dump.lon, dump.lat) == field
    assert [point[0] for point in dump.track] == [
        START_MS + 1000 * s for s in (0, 30, 60, 90, 300, 330)
    ]


def test_a_dump_at_a_wrong_site_says_which() -> None:
    there = (OTHER_TIP[0], OTHER_TIP[1] + 120 * METRE)
    tipped = [at(400 + 30 * n, there, speed_kmh=0.0, loaded=False) for n in range(2)]
    dump = only("wrong-site", "occurred", *loaded_at_the_pit(), *tipped)
    assert dump.place == {"site_id": "tip 2", "distance_m": pytest.approx(20, abs=0.2)}
    assert dump.measured["distance_m"] == dump.place["distance_m"]
    assert dump.threshold == {"site_margin_m": 50, "disposal_site_ids": "tip"}
    distance_m = dump.measured["distance_m"]
    assert dump.message == (
        f"在 tip 2 倾倒，距该场所 {distance_m} 米（范围 50 米），有效核准文件列明的是 tip"
    )
    assert dump.message_en == (
        f"Dumped at tip 2, {distance_m} m from it (margin 50 m); the permits in date list tip"
    )


def test_a_dump_at_a_closed_site_says_the_permitted_one_though_another_is_nearer() -> None:
    closed = Validity(None, None, parse_hours("21:00-06:00"))
    city = replace(
        CITY,
        sites=(
            *CITY.sites[:1],
            Site("open", "open", "transfer", Point(TIP), 100, None, ALWAYS),
            Site("tip", "tip", "disposal", Point(TIP[0], TIP[1] + 130 * METRE), 100, None, closed),
        ),
    )
    tipped = [at(300 + 30 * n, TIP, speed_kmh=0.0, loaded=False) for n in range(2)]
    (dump,) = judge(PreparedCity.of(city), [*loaded_at_the_pit(), *tipped]).violations
    assert (dump.rule, dump.place["site_id"]) == ("site-closed", "tip")
    assert dump.place["distance_m"] == dump.measured["distance_m"] == pytest.approx(30, abs=1)
    assert (dump.measured["local_time"], dump.threshold["hours"]) == ("12:05", "21:00-06:00")
    assert dump.message.startswith("12:05 在 tip 倾倒，该场所开放时段为 21:00-06:00（距离 ")
    assert dump.message_en.startswith("Dumped at tip at 12:05, open 21:00-06:00 (")


def open_hours(*validities: Validity, at_s: float = 0) -> Violation:
    """Loaded and driving from noon and `at_s` seconds on, under permits of these hours."""
    permits = tuple(
        Permit(f"P{n}", ("浙B1",), (), (), (), (), validity)
        for n, validity in enumerate(validities)
    )
    way = [at(at_s + 120 + 30 * n, (121.03, 29.05), speed_kmh=35.0, loaded=True) for n in range(3)]
    loading = [
        at(at_s + 30 * n, PIT, speed_kmh=0.0, loaded=loaded)
        for n, loaded in enumerate((False, False, True, True))
    ]
    city = PreparedCity.of(replace(CITY, permits=permits))
    (found,) = [v for v in judge(city, [*loading, *way]).violations if v.phase == "opened"]
    return found


def test_out_of_hours_says_the_local_time_and_the_hours_of_each_permit() -> None:
    night, evening = "21:00-06:00", "18:00-24:00"
    told = open_hours(
        *(Validity(None, None, parse_hours(hours)) for hours in (night, evening, night))
    )
    assert told.measured == {"local_time": "12:03", "duration_s": 60, "fixes": 3}
    assert told.threshold == {"hours": "21:00-06:00;18:00-24:00", "min_fixes": 3, "min_s": 60}
    assert told.message == (
        "载货行驶于 12:03，核准时段为 21:00-06:00;18:00-24:00，已持续 60 秒、3 个定位点"
    )
    assert told.message_en == (
        "Loaded and moving at 12:03, permitted 21:00-06:00;18:00-24:00, for 60 s over 3 fixes"
    )


def test_on_the_first_day_the_night_before_is_not_permitted() -> None:
    """03:03 lies in 21:00-06:00 but for the date."""
    first = Validity(date(2026, 11, 23), None, parse_hours("21:00-06:00"))
    told = open_hours(first, at_s=15 * 3_600)
    assert told.measured["local_time"] == "03:03"
    assert told.threshold["hours"] == "2026-11-23 21:00-06:00"


@pytest.mark.parametrize(
    ("name", "said"),
    [("东场", "D1 东场"), ("", "D1"), ("D1", "D1"), ("D1 东场", "D1 东场"), ("路线 D1", "路线 D1")],
)
def test_an_id_is_said_once(name: str, said: str) -> None:
    assert words.named("D1", name) == said


def test_names_are_said_beside_ids() -> None:
    sites = tuple(replace(site, name=f"场{site.site_id}") for site in CITY.sites)
    districts = tuple(replace(district, name="东区") for district in CITY.districts)
    listed = tuple(Site(f"D{n}", "", "disposal", Point(121, 29), 1, None, ALWAYS) for n in range(3))
    permit = replace(CITY.permits[0], disposal_site_ids=("tip", "D0", "D1", "D2"), route_ids=())
    city = replace(CITY, sites=(*listed, *sites), districts=districts, permits=(permit,))
    tipped = [at(400 + 30 * n, OTHER_TIP, speed_kmh=0.0, loaded=False) for n in range(2)]
    (dump,) = judge(PreparedCity.of(city), [*loaded_at_the_pit(), *tipped]).violations
    assert dump.message.startswith("在 tip 2 场tip 2 倾倒")
    assert dump.message.endswith("列明的是 D0、D1、D2等 4 处")
    assert dump.message_en.endswith("list D0, D1, D2 and 1 more")
    assert dump.threshold["disposal_site_ids"] == "D0;D1;D2;tip"


def test_crossing_a_border_says_from_where_to_where() -> None:
    east = [at(900 + 30 * n, (121.15, 29.05), speed_kmh=35.0, loaded=True) for n in range(3)]
    tipped = [at(1_000 + 30 * n, (121.15, 29.05), speed_kmh=0.0, loaded=False) for n in range(2)]
    track = [*loaded_at_the_pit(), *east, *tipped]
    transit = only("cross-district-transit", "opened", *track)
    far = transit.measured["distance_m"]
    assert transit.message == (
        f"载货行驶于核准区域之外（330202 east），距最近核准区 330201 west {far} 米（界限 100 米），"
        "已持续 60 秒、3 个定位点"
    )
    dump = only("cross-district-dumping", "occurred", *track)
    assert dump.message_en == (
        f"Loaded in 330201 west, dumped in 330202 east, {far} m from 330201 west, the nearest of "
        "the district of origin and those permitted (limit 100 m)"
    )


def test_escalation_says_that_it_has_lasted_long_enough() -> None:
    run = [at(500 + 300 * n, (121.05, 29.09), speed_kmh=35.0, loaded=True) for n in range(14)]
    track = [*loaded_at_the_pit(), *run]
    escalated = only("off-route", "escalated", *track)
    assert escalated.message.endswith("，已持续 900 秒、4 个定位点，达到升级界限 900 秒")
    assert escalated.message_en.endswith(
        ", for 900 s over 4 fixes, long enough to be major (limit 900 s)"
    )


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, "0 秒", "0 s"),
        (61.8, "61.8 秒", "61.8 s"),
        (3_599.999, "3599.999 秒", "3599.999 s"),
        (3_600, "1 小时", "1 h 0 min"),
        (14_400, "4 小时", "4 h 0 min"),
        (14_460, "4 小时 1 分", "4 h 1 min"),
        (14_401.5, "4 小时 0 分 1.5 秒", "4 h 0 min 1.5 s"),
    ],
)
def test_long_durations_are_in_hours(seconds: float, chinese: str, english: str) -> None:
    assert words.duration(seconds) == (chinese, english)


def test_whatever_is_measured_can_be_read() -> None:
    """The gate takes any finite number."""
    fast = [at(30 * n, (121.05, 29.02), speed_kmh=1e300) for n in range(3)]
    told = only("speeding", "opened", *fast)
    assert told.message.startswith("车速 1e+300 公里/小时，")
    assert len(encode(told)) < 2_000


def test_loading_at_a_disposal_site_says_how_far_the_nearest_construction_site_is() -> None:
    loading = [at(30 * n, TIP, speed_kmh=0.0, loaded=n > 1) for n in range(4)]
    loaded = only("unregistered-source", "occurred", *loading)
    assert loaded.place == {"site_id": "pit", "distance_m": loaded.measured["distance_m"]}
    assert loaded.measured["distance_m"] == pytest.approx(5_745, abs=20)
    assert f"{loaded.measured['distance_m']} m from the nearest, pit (margin" in loaded.message_en


def test_leaving_a_no_go_zone_says_which() -> None:
    inside = [at(10 * n, (121.05, 29.065), speed_kmh=20.0) for n in range(2)]
    outside = at(60, (121.05, 29.07 + 100 * METRE), speed_kmh=20.0)
    left = only("no-go-zone", "closed", *inside, outside)
    assert left.place == {"zone_id": "quiet", "distance_m": pytest.approx(100, abs=5)}


def test_a_lost_signal_says_the_nearest_site_and_every_second() -> None:
    silent = [*loaded_at_the_pit(), at(300, (121.06, 29.05), speed_kmh=30.0, loaded=True)]
    back = at(1_500_300.001, (121.06, 29.05), speed_kmh=0.0)
    opened = only("signal-lost", "opened", *silent, back)
    assert opened.place == {"site_id": "tip", "distance_m": pytest.approx(1_848, abs=5)}
    closed = only("signal-lost", "closed", *silent, back)
    assert closed.message_en.endswith(": ended, 416 h 40 min 0.001 s in all")


def test_of_routes_as_near_the_lower_id_is_told() -> None:
    """Both begin at the pit, the truck is behind it; the permit names them in the other order."""
    ways = tuple(
        Route(name, name, LineString([PIT, (TIP[0], TIP[1] + lat)]), 40)
        for name, lat in (("way 1", 0), ("way 2", 0.01))
    )
    permit = Permit("P1", ("浙B1",), ("pit",), ("tip",), ("way 2", "way 1"), (), ALWAYS)
    behind = [at(150 + 30 * n, (121.01, 29.05), speed_kmh=35.0, loaded=True) for n in range(3)]
    city = PreparedCity.of(replace(CITY, routes=ways, permits=(permit,)))
    told = judge(city, [*loaded_at_the_pit(), *behind]).violations
    assert [(v.rule, v.place["route_id"]) for v in told if v.phase == "opened"] == [
        ("off-route", "way 1")
    ]


def test_a_city_without_sites_has_none_to_say() -> None:
    bare = PreparedCity.of(replace(CITY, sites=(), permits=()))
    field = [
        at(30 * n, (121.05, 29.05), speed_kmh=0.0, loaded=n in (2, 3), truck_id="外A1")
        for n in range(6)
    ]
    told = judge(bare, field).violations
    assert [v.rule for v in told] == ["unregistered-source", "illegal-dumping"]
    for violation in told:
        assert violation.place == {}
        assert "distance_m" not in violation.measured
    assert [v.message for v in told] == [
        "在登记工地范围外装载：全市没有在有效期内的登记工地",
        "在消纳场和中转站范围外倾倒：全市没有在有效期内的消纳场或中转站",
    ]


def thinned(fixes: list[Position]) -> list[int]:
    """Every 2**n-th from the first with the smallest n that leaves at most 32, and the latest."""
    n = next(n for n in range(20) if len(fixes[:: 2**n]) <= 32)
    kept = fixes[:: 2**n]
    return [fix.time_ms for fix in (kept if kept[-1] is fixes[-1] else [*kept, fixes[-1]])]


@pytest.mark.parametrize(
    "length", [3, 4, 31, 32, 33, 34, 63, 64, 65, 66, 127, 128, 129, 257, 400, 1_000]
)
def test_the_track_of_a_run_is_thinned(length: int) -> None:
    """The whole run at its close; at opening and escalation what there was of it by then."""
    rules = {"off-route": {"severe_s": 10 * max(6, length // 2)}}
    run = [at(500 + 10 * n, (121.05, 29.09), speed_kmh=35.0, loaded=True) for n in range(length)]
    end = at(800 + 10 * length, (121.05, 29.05), speed_kmh=35.0, loaded=True)
    city = PreparedCity.of(replace(CITY, rule_overrides=rules))
    outcome = judge(city, [*loaded_at_the_pit(), *run, end])
    assert outcome.rejected == []
    told = [v for v in outcome.violations if v.rule == "off-route"]
    assert [v.phase for v in told] == ([] if length < 7 else ["opened", "escalated", "closed"])
    for violation in told:
        until_ms = violation.ended_ms or violation.detected_ms
        seen = [fix for fix in run if fix.time_ms <= until_ms]
        assert [point[0] for point in violation.track] == thinned(seen)
        assert len(violation.track) <= 33
        assert {point[1:] for point in violation.track} == {(121.05, 29.09, 35.0)}
    assert [v.severity for v in told] == ["minor", "major", "major"][: len(told)]


def test_the_track_of_an_event_is_the_last_eight_fixes() -> None:
    driving = [at(100 + 10 * n, (121.02, 29.05), loaded=True) for n in range(20)]
    field = (TIP[0], TIP[1] + 350 * METRE)
    tipped = [at(600 + 30 * n, field, speed_kmh=0.0, loaded=False) for n in range(2)]
    track = [*loaded_at_the_pit(), *driving, *tipped]
    dump = only("illegal-dumping", "occurred", *track)
    assert [point[0] for point in dump.track] == [fix.time_ms for fix in track[-8:]]
    assert [point[3] for point in dump.track] == [0.0] * 6 + [0.0, 0.0]
    first = only("illegal-dumping", "occurred", *track[:4], *tipped)
    assert len(first.track) == 6


def test_a_speed_that_nobody_knows_is_null() -> None:
    dump = only(
        "illegal-dumping", "occurred",
        at(0, (121.05, 29.02), loaded=True), at(10, (121.05, 29.02), loaded=True),
        at(20, (121.05, 29.02), loaded=False), at(30, (121.05, 29.02), loaded=False),
    )  # fmt: skip
    assert [point[3] for point in dump.track] == [None, 0.0, 0.0, 0.0]
    assert json.loads(encode(dump))["track"][0] == [START_MS, 121.05, 29.02, None]


SEEDS = 40
RULES = {rule.id: rule for rule in CATALOGUE}
CONDITION_IDS = {rule.id for rule in CONDITIONS}


@cache
def everything_said() -> list[tuple[PreparedCity, Violation]]:
    told = []
    for seed in range(SEEDS):
        city, tracks, rng = random_case(seed)
        prepared = PreparedCity.of(city)
        outcome = judge(prepared, in_arrival_order(rng, tracks))
        told += [(prepared, violation) for violation in outcome.violations]
    return told


ROUNDING = 0.0501
BEYOND = {
    "off-route": ("distance_m", "corridor_m"),
    "speeding": ("speed_kmh", "limit_kmh"),
    "cross-district-transit": ("distance_m", "border_m"),
    "cross-district-dumping": ("distance_m", "border_m"),
    "unregistered-source": ("distance_m", "site_margin_m"),
    "illegal-dumping": ("distance_m", "site_margin_m"),
    "suspected-dumping": ("duration_s", "dump_dwell_s"),
}
WITHIN = {
    "wrong-site": ("distance_m", "site_margin_m"),
    "site-closed": ("distance_m", "site_margin_m"),
}
EXACTLY = {"signal-lost": ("duration_s", "offline_s"), "undelivered": ("duration_s", "max_trip_s")}


def pairs(violation: Violation, names: dict[str, tuple[str, str]]) -> list[tuple[float, float]]:
    """What was measured and the threshold of the same quantity, if the rule has such a pair."""
    if violation.rule not in names or "全市没有在有效期内" in violation.message:
        return []
    measured, threshold = names[violation.rule]
    return [(number(violation.measured[measured]), number(violation.threshold[threshold]))]


def number(value: float | str) -> float:
    assert not isinstance(value, str)
    return value


def test_every_violation_measures_what_its_threshold_forbids() -> None:
    """Over made-up cities: what is said is beyond the limit that is said, rounding apart."""
    for prepared, v in everything_said():
        assert set(prepared.thresholds.rules[v.rule]) <= set(v.threshold)
        if v.phase == "closed":
            continue
        assert all(measured >= limit - ROUNDING for measured, limit in pairs(v, BEYOND)), v
        assert all(measured <= limit + ROUNDING for measured, limit in pairs(v, WITHIN)), v
        assert all(measured == limit for measured, limit in pairs(v, EXACTLY)), v
        if v.rule in CONDITION_IDS:
            assert number(v.measured["fixes"]) >= number(v.threshold["min_fixes"])
            limit_s = v.threshold["severe_s" if v.phase == "escalated" else "min_s"]
            assert number(v.measured["duration_s"]) >= number(limit_s)
        if v.rule == "overload":
            permitted_kg = number(v.threshold["max_load_kg"]) * number(v.threshold["tolerance"])
            assert number(v.measured["load_kg"]) > permitted_kg


def test_every_violation_is_whole() -> None:
    for prepared, v in everything_said():
        city, rule = prepared.compiled.city, RULES[v.rule]
        assert (v.title, v.title_en, v.revision) == (rule.title, rule.title_en, 0)
        assert v.city_version == city.version
        assert v.message
        assert v.message_en
        assert "{" not in v.message + v.message_en
        assert "nan" not in (v.message + v.message_en).lower()
        assert v.violation_id == str(uuid.uuid5(NAMESPACE, f"{v.truck_id}|{v.rule}|{v.started_ms}"))
        assert 1 <= len(v.track) <= 33
        assert [point[0] for point in v.track] == sorted({point[0] for point in v.track})
        for value in (*v.measured.values(), *v.threshold.values()):
            assert value != "" if isinstance(value, str) else math.isfinite(value)
        assert (v.ended_ms is not None) == (v.phase == "closed")
        assert v.started_ms <= v.detected_ms
        assert msgspec.json.decode(encode(v), type=Violation) == v
        headers = dict(ce_headers(v))
        assert headers["ce_id"] == f"{v.violation_id}/{v.phase}".encode()
        assert headers["ce_type"] == f"mucktrack.violation.{v.phase}".encode()
        assert headers["ce_time"].endswith(f".{v.detected_ms % 1000:03}Z".encode())


def test_the_place_is_where_it_says() -> None:
    """The distances to sites and routes are shapely's."""
    maps: dict[int, CityMap] = {}
    for prepared, v in everything_said():
        city = prepared.compiled.city
        margin_m = prepared.thresholds.state["site_margin_m"]
        city_map = maps.setdefault(id(prepared), CityMap(city, margin_m))
        place = city_map.place(v.started_ms, v.lon, v.lat)
        if "route_id" in v.place:
            expected_m = city_map.distance_to_route_m(place.point, str(v.place["route_id"]))
            assert v.place["distance_m"] == pytest.approx(expected_m, abs=0.0501)
        elif "site_id" in v.place:
            site = city_map.sites[str(v.place["site_id"])]
            circle = city_map.place(0, site.shape.centroid.x, site.shape.centroid.y)
            if site.radius_m:
                expected_m = max(0.0, place.distance_m(circle) - site.radius_m)
                assert v.place["distance_m"] == pytest.approx(expected_m, abs=0.0501)
        if "zone_id" in v.place:
            assert v.place["zone_id"] in {zone.zone_id for zone in city.zones}
