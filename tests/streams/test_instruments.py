"""The table of metrics: names by the book, labels with the values that the code has, and pages that
tell what is declared, whatever comes in."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import get_args

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import check_page, figure
from prometheus_client import generate_latest

from enforcement import steps
from enforcement.consumer import Counts
from enforcement.database import Database
from enforcement.metrics import EnforcementMetrics
from producers.gateway.conflicts import Kind as Conflict
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outbox import Outbox
from producers.gateway.platform_link import KINDS as PLATFORM_KINDS
from producers.gateway.platform_metrics import PlatformMetrics
from producers.gateway.registration import Registered
from producers.gateway.talk import KINDS
from producers.jt809 import links
from streams import published
from streams.access import KafkaAccess
from streams.archive.metrics import ArchiveMetrics
from streams.catalogue import CATALOGUE, Severity
from streams.detect import Engine, PreparedCity
from streams.districts import Districts
from streams.gate import REASONS
from streams.health import For, Server
from streams.instruments import (
    FIX,
    INSTRUMENTS,
    MOST_DISTRICTS,
    NONE,
    OTHER,
    SERVERS,
    Instrument,
    Process,
    of_process,
)
from streams.metrics import Metrics
from streams.metrics_page import page
from streams.output import Violation
from streams.position import MAX_TIME_MS, Malformed, Position, Tick
from streams.registry import ProcessMetrics
from streams.sources import SOURCES, source_number
from streams.state import BASES
from streams.warm import CITY, START_MS

GATEWAY = ROOT / "producers" / "gateway"
ENDING_CALLS = {"close", "drop", "abort"}
REFUSING_CALLS = {"_refuse", "_count_refused"}
UNITS = ("seconds", "bytes", "records", "offset", "info", "total")
COUNTED = {
    *("mucktrack_waiting", "mucktrack_server_up", "mucktrack_partitions_assigned"),
    *("mucktrack_partitions_loaded", "mucktrack_outputs_waiting", "mucktrack_trucks"),
    *("mucktrack_trucks_seen", "mucktrack_trucks_moving", "mucktrack_trucks_loaded"),
    *("mucktrack_trucks_silent", "mucktrack_trips_open", "mucktrack_city_versions"),
    "mucktrack_city_permits",
    *("mucktrack_gateway_connections", "mucktrack_gateway_paused_connections"),
    *("mucktrack_gateway_sessions", "mucktrack_gateway_platforms", "mucktrack_cases"),
    *("mucktrack_cases_overdue", "mucktrack_cases_supervised"),
    *("mucktrack_webhook_dead_letters", "mucktrack_webhook_waiting_entries"),
    *("process_open_fds", "process_max_fds"),
}
"""Gauges of things that are counted, or that hold or do not."""


def values_of(process: Process, name: str, label: str) -> tuple[str, ...]:
    (one,) = (one for one in of_process(process) if one.name == f"mucktrack_{name}")
    (found,) = (found for found in one.labels if found.name == label)
    return found.values


@pytest.mark.parametrize("one", INSTRUMENTS, ids=lambda one: f"{one.processes[0]}-{one.name}")
def test_names_and_helps_are_by_the_book(one: Instrument) -> None:
    assert re.fullmatch(r"(mucktrack|process)(_[a-z]+)+", one.name)
    assert one.name.endswith("_total") == (one.kind == "counter")
    assert one.name in COUNTED or one.name.endswith(UNITS)
    assert one.kind != "histogram" or one.name.endswith("_seconds")
    assert one.help.isascii()
    assert one.help.endswith(".")
    assert bool(one.buckets) == (one.kind == "histogram")
    assert list(one.buckets) == sorted(set(one.buckets))
    for label in one.labels:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", label.name)
        assert bool(label.values) != bool(label.bound), "either a list or what bounds it"


@pytest.mark.parametrize("process", get_args(Process))
def test_a_process_has_a_name_once(process: Process) -> None:
    names = [one.name for one in of_process(process)]
    assert len(names) == len(set(names))


def test_one_name_means_the_same_everywhere() -> None:
    said: dict[str, tuple[str, str, tuple[float, ...]]] = {}
    for one in INSTRUMENTS:
        assert said.setdefault(one.name, (one.kind, one.help, one.buckets)) == (
            *(one.kind, one.help, one.buckets),
        )


def test_labels_have_the_values_that_the_code_has() -> None:
    assert values_of("worker", "positions_total", "outcome") == (FIX, *REASONS[1:])
    assert values_of("worker", "positions_total", "source") == SOURCES
    assert values_of("worker", "violations_total", "severity") == get_args(Severity)
    assert values_of("worker", "violations_total", "rule") == tuple(one.id for one in CATALOGUE)
    assert values_of("worker", "trips_total", "dump_basis") == BASES
    assert values_of("worker", "waiting", "for") == get_args(For)
    assert values_of("worker", "server_up", "server") == get_args(Server)
    assert {server for servers in SERVERS.values() for server in servers} == set(get_args(Server))
    assert set(values_of("worker", "city_failures_total", "reason")) == {
        *(published.AWAY, published.BROKEN, published.GONE, published.REPLACED),
    }
    assert values_of("console", "cases", "state") == steps.STATES
    assert values_of("gateway", "gateway_messages_total", "kind") == (*KINDS.values(), OTHER)
    assert set(PLATFORM_KINDS.values()) < set(
        values_of("gateway809", "gateway_messages_total", "kind")
    )
    assert values_of("gateway", "gateway_registrations_total", "result") == (
        *(result.name.lower() for result in Registered),
        "away",
    )
    assert values_of("gateway", "gateway_conflicts_total", "kind") == get_args(Conflict)
    assert values_of("gateway809", "gateway_logins_total", "result") == tuple(
        str(number) for number in range(links.OK, links.OTHER + 1)
    )


@pytest.mark.parametrize(
    ("process", "files"),
    [
        ("gateway", ["server", "sessions", "talk", "terminal_link"]),
        ("gateway809", ["platform_link", "platform_server"]),
    ],
)
def test_why_connections_end_and_messages_are_refused_is_declared(
    process: Process, files: list[str]
) -> None:
    texts = {name: set(_said(files, calls)) for name, calls in (
        ("gateway_connections_closed_total", ENDING_CALLS),
        ("gateway_refused_total", REFUSING_CALLS),
    )}  # fmt: skip
    for name, said in texts.items():
        assert said
        assert said <= set(values_of(process, name, "reason"))


def _said(files: list[str], calls: set[str]) -> Iterator[str]:
    """The texts that are given to the methods of these names."""
    for file in files:
        for node in ast.walk(ast.parse((GATEWAY / f"{file}.py").read_text())):
            if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") not in calls:
                continue
            for one in (one for arg in node.args for one in ast.walk(arg)):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def test_the_page_of_metrics_is_current() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "run `make metrics`"


def whole(process: Process) -> ProcessMetrics:
    """As the process makes them."""
    if process == "worker":
        return Metrics()
    if process == "archiver":
        return ArchiveMetrics()
    if process == "console":
        metrics = EnforcementMetrics()
        metrics.tell_of(Counts(), [], Database("sqlite://"), lambda: START_MS)
        return metrics
    gateway = GatewayMetrics() if process == "gateway" else PlatformMetrics()
    gateway.tell_of(Outbox(KafkaAccess.plain("127.0.0.1:1"), 1, gateway.health))
    return gateway


def told(metrics: ProcessMetrics) -> str:
    return generate_latest(metrics.registry).decode()


@pytest.mark.parametrize("process", get_args(Process))
def test_each_process_tells_what_is_declared_for_it(process: Process) -> None:
    metrics = whole(process)
    check_page(told(metrics), process)
    for server in SERVERS[process]:
        assert figure(told(metrics), f'mucktrack_server_up{{server="{server}"}}') == 1


@pytest.mark.parametrize("process", get_args(Process))
def test_promtool_finds_nothing_wrong_with_the_page(process: Process) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here (Debian: prometheus)")
    command = [promtool, "check", "metrics"]
    ran = subprocess.run(command, input=told(whole(process)), text=True, capture_output=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_what_is_not_declared_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        Metrics().counter("gateway_positions_total")
    with pytest.raises(TypeError, match="mucktrack_trucks is a gauge"):
        Metrics().counter("trucks")


def test_a_server_is_away_while_it_is_waited_for_or_has_not_answered() -> None:
    metrics = Metrics()
    kafka, redis = 'mucktrack_server_up{server="kafka"}', 'mucktrack_server_up{server="redis"}'
    with metrics.health.waiting("city", "published versions", after_s=0.0):
        assert (figure(told(metrics), kafka), figure(told(metrics), redis)) == (1, 0)
    metrics.health.answered("redis", answered=False)
    assert figure(told(metrics), redis) == 0
    metrics.health.answered("redis", answered=True)
    assert figure(told(metrics), redis) == 1


elements = st.one_of(
    st.builds(Tick, st.integers(0, START_MS)),
    st.builds(
        Malformed,
        st.text(max_size=5),
    ),
    st.builds(
        Position,
        st.sampled_from(["浙B1", "浙B2", "other"]),
        st.integers(START_MS, START_MS + 50_000),
        st.sampled_from([0.11, 200.0]),
        st.just(0.11),
        source=st.one_of(st.none(), st.sampled_from(SOURCES), st.text(max_size=9)),
        received_ms=st.one_of(st.none(), st.integers(0, 2 * START_MS)),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(elements, max_size=20), max_size=3), st.integers(-5, 200_000))
def test_positions_are_counted_as_one_would_by_hand(
    batches: list[list[Position | Tick | Malformed]], later_ms: int
) -> None:
    engine = Engine.live(PREPARED, 0, 1)
    metrics = Metrics()
    tallies = metrics.tallies()
    now_ms = START_MS + later_ms
    counts: dict[tuple[str, str], int] = {}
    ticks, received_s, judged_s = 0, [], []
    for batch in batches:
        outcome = engine.process(batch, [START_MS] * len(batch))
        tallies.add(*outcome.judged, now_ms)
        rejected = dict(outcome.rejected)
        for number, element in enumerate(batch):
            if isinstance(element, Tick):
                ticks += 1
                continue
            source = getattr(element, "source", None)
            key = SOURCES[source_number(source)], rejected.get(number, FIX)
            counts[key] = counts.get(key, 0) + 1
            if number not in rejected and isinstance(element, Position):
                given_ms = START_MS if element.received_ms is None else element.received_ms
                received_s.append(max(0, given_ms - element.time_ms) / 1000)
                judged_s.append(max(0, now_ms - given_ms) / 1000)
    metrics.note_tallies(tallies, 0.25)
    text = told(metrics)
    check_page(text, "worker")
    assert figure(text, "mucktrack_ticks_total") == ticks
    assert figure(text, "mucktrack_positions_total") == sum(counts.values())
    for (source, outcome_), count in counts.items():
        labels = f'{{source="{source}",outcome="{outcome_}"}}'
        assert figure(text, f"mucktrack_positions_total{labels}") == count
    for stage, seconds in (
        ("received", received_s),
        ("judged", judged_s),
        ("queued", [0.25] * len(received_s)),
    ):
        for bound in (0.005, 0.25, 5.0, 1_800.0):
            bucket = f'mucktrack_stage_seconds_bucket{{stage="{stage}",le="{bound}"}}'
            assert figure(text, bucket) == sum(value <= bound for value in seconds)
        total = figure(text, f'mucktrack_stage_seconds_sum{{stage="{stage}"}}')
        assert total == pytest.approx(sum(seconds))
        assert figure(text, f'mucktrack_stage_seconds_count{{stage="{stage}"}}') == len(seconds)


PREPARED = PreparedCity.of(CITY)


@given(
    st.lists(st.text(max_size=6), max_size=200), st.lists(st.one_of(st.none(), st.text(max_size=6)))
)
def test_districts_are_so_many_and_no_more(known: list[str], met: list[str | None]) -> None:
    districts = Districts()
    districts.learn(known[:100])
    before = {code: districts.label(code) for code in known}
    districts.learn(known)
    labels = {districts.label(code) for code in (*known, *met)}
    assert len(labels - {NONE, OTHER}) <= MOST_DISTRICTS
    assert labels <= {NONE, OTHER, *known}
    for code in met:
        assert districts.label(code) in (NONE if code is None else code, OTHER)
    for code, label in before.items():
        assert label in (OTHER, districts.label(code)), "a label is never taken away"


def violations_in(districts: list[str]) -> list[Violation]:
    engine = Engine.offline(PREPARED)
    drive = [
        Position("浙B1", START_MS + 20_000 * i, 0.11 + 0.002 * i, 0.11, speed_kmh=40.0, loaded=on)
        for i, on in enumerate([False] * 2 + [True] * 8 + [False] * 4)
    ]
    found = engine.process(drive).violations[0]
    made = []
    for district in districts:
        found.district = district
        made.append(type(found)(*(getattr(found, name) for name in found.__struct_fields__)))
    return made


def test_violations_are_counted_by_district_and_their_age_told() -> None:
    metrics = Metrics()
    metrics.districts.learn(["330203", "330205"])
    made = violations_in(["330203", "330203", "330205", "110000", "' or 1=1"])
    metrics.note_violations(made, made[0].detected_ms / 1000 + 0.2)
    text = told(metrics)
    check_page(text, "worker")
    by_district = {
        one: figure(text, f'mucktrack_violations_total{{district="{one}"}}')
        for one in ("330203", "330205", OTHER, NONE)
    }
    assert by_district == {"330203": 2, "330205": 1, OTHER: 2, NONE: 0}
    bucket = "mucktrack_violation_latency_seconds_bucket"
    assert figure(text, bucket + '{le="0.1"}') == 0
    assert figure(text, bucket + '{le="0.25"}') == 5


def test_records_from_the_future_are_told_for_a_while() -> None:
    metrics = Metrics()
    metrics.note_newest_record(START_MS)
    assert figure(told(metrics), "mucktrack_record_ahead_seconds") == 0
    metrics.note_newest_record(4_000_000_000_000)
    assert figure(told(metrics), "mucktrack_record_ahead_seconds") > 1_000_000
    metrics.note_newest_record(START_MS)
    assert figure(told(metrics), "mucktrack_record_ahead_seconds") > 1_000_000


def test_fixes_of_the_future_are_counted() -> None:
    """Within what the quality gate lets pass."""
    tallies = Metrics().tallies()
    fixes = [
        Position("浙B1", START_MS + ahead, 0.1, 0.1, received_ms=START_MS)
        for ahead in (0, 1_999, 2_000, 60_000)
    ]
    tallies.add(*Engine.offline(PREPARED).process(fixes).judged, START_MS)
    assert (tallies.fixes, tallies.ahead, tallies.received_s) == (4, 2, 0.0)


def test_a_time_of_receipt_in_no_possible_year_is_none() -> None:
    """Such as one in microseconds: a sum that had taken it in would tell no seconds any more."""
    tallies = Metrics().tallies()
    received = [START_MS, START_MS * 1_000, 2**63 - 2, MAX_TIME_MS + 1, MAX_TIME_MS]
    fixes = [
        Position(f"浙B{number}", START_MS, 0.1, 0.1, received_ms=received_ms)
        for number, received_ms in enumerate(received)
    ]
    outcome = Engine.offline(PREPARED).process(fixes)
    assert outcome.fixes == len(fixes)
    tallies.add(*outcome.judged, START_MS)
    assert tallies.fixes == 2
    assert tallies.received_s == (MAX_TIME_MS - START_MS) / 1000
