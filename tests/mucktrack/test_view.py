"""What `mucktrack up` shows, on a terminal and elsewhere."""

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console

from mucktrack.picture import Snapshot, picture
from mucktrack.view import LiveView, PlainView, open_view
from mucktrack.violation_queue import Seen, Tally
from streams.catalogue import CATALOGUE

HEADING = ["Kafka 127.0.0.1:9092"]
SEEN = [
    Seen(
        violation_id=f"id-{number}",
        phase="opened",
        rule="off-route",
        severity="minor",
        title="偏离核准路线",
        message=f"偏离 {number} 米",
        message_en=f"{number} m off the route",
        truck_id="浙B12345",
        detected_ms=1_700_000_000_000,
    )
    for number in range(8)
]
NOW = Snapshot(
    elapsed_s=12.3,
    positions=12_345,
    rejected=6,
    rate=987.6,
    trucks=40,
    violations=8,
    by_rule={"off-route": {"opened": 8}},
    titles={"off-route": "偏离核准路线"},
    latest=SEEN,
)
FIGURES = "12 s · positions 12,345 (988/s) · trucks 40 · violations 8 · rejected 6"


def shown_on(console: Console) -> str:
    with closing(open_view(console, HEADING, "Asia/Shanghai")) as view:
        view.show(NOW, SEEN)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def terminal(height: int) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=110, height=height
    )


def test_a_terminal_shows_figures_rules_and_the_newest_messages():
    text = shown_on(terminal(height=60))
    assert HEADING[0] in text
    assert FIGURES in text
    assert "off-route" in text
    assert "偏离 7 米" in text
    assert "7 m off the route" in text
    assert "11-15 06:13:20" in text, "times are the city's"
    assert text.index("偏离 7 米") < text.index("偏离 0 米"), "newest first"


def test_a_small_terminal_shows_as_many_as_fit():
    text = shown_on(terminal(height=24))
    assert "偏离 7 米" in text
    assert "偏离 0 米" not in text


def test_elsewhere_there_are_plain_lines_now_and_then():
    console = Console(file=io.StringIO(), width=80)
    view = PlainView(console, HEADING, every_s=0.0)
    view.show(NOW, SEEN)
    assert console.file.getvalue().splitlines() == [
        HEADING[0],
        FIGURES,
        "  off-route opened · 浙B12345 · 偏离 5 米",
        "  off-route opened · 浙B12345 · 偏离 6 米",
        "  off-route opened · 浙B12345 · 偏离 7 米",
    ]


def test_lines_do_not_come_at_every_look():
    console = Console(file=io.StringIO(), width=80)
    view = PlainView(console, HEADING, every_s=3_600)
    view.show(NOW, SEEN)
    assert console.file.getvalue().splitlines() == HEADING


def test_the_console_decides_which_view_it_is():
    assert isinstance(open_view(Console(file=io.StringIO()), [], "UTC"), PlainView)
    with closing(open_view(terminal(height=40), [], "UTC")) as view:
        assert isinstance(view, LiveView)


LONG_HEADING = [
    "Kafka 127.0.0.1:47919 · Redis redis://127.0.0.1:35299/0 · metrics http://127.0.0.1:38515/metrics",
    "云溪市: 6 districts, 46 sites, 77 routes, 4 zones, 500 trucks, 49 permits · fleet of 200",
    "logs and labels of the offences in /home/somebody/.mucktrack/runs/20261122-045744-30914",
]
LONG_MESSAGES = [
    Seen(
        violation_id=f"id-{number}",
        phase="opened",
        rule="no-permit",
        severity="major",
        title="无证运输",
        message="载货行驶时没有在有效期内的核准文件，已持续 61.8 秒、7 个定位点",
        message_en="driving loaded without a permit in force for 61.8 s and 7 fixes",
        truck_id=f"浙Y0049{number}",
        detected_ms=1_700_000_000_000,
    )
    for number in range(8)
]
TITLES = {rule.id: rule.title for rule in CATALOGUE}


def with_rules(count: int) -> Snapshot:
    """`count` rules, the first with the most violations: 1000, 990, …"""
    rules = list(TITLES)[:count]
    by_rule = {
        rule: {"opened": 900 - 10 * number, "closed": 100} for number, rule in enumerate(rules)
    }
    return Snapshot(
        elapsed_s=123.0,
        positions=1_234_567,
        rate=1_234.0,
        trucks=200,
        by_rule=by_rule,
        titles=TITLES,
        latest=LONG_MESSAGES,
    )


def drawn(now: Snapshot, width: int, height: int) -> Sequence[str]:
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=width, height=height
    )
    shown = picture(now, LONG_HEADING, ZoneInfo("Asia/Shanghai"), console)
    lines = console.render_lines(shown, console.options.update(height=None), pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


def of_violations(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if "浙Y0049" in line]


@pytest.mark.parametrize("rules", [0, 1, 4, 8, 12, len(TITLES)])
@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (60, 20), (110, 35), (110, 20), (40, 15), (200, 60)]
)
def test_the_picture_fits_the_terminal_and_always_shows_the_latest(rules, width, height):
    lines = drawn(with_rules(rules), width, height)
    assert len(lines) <= height
    first = next(number for number, line in enumerate(lines) if "浙Y00497" in line)
    assert len(lines) - first >= 4


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (110, 35)])
def test_eight_rules_are_all_there_with_their_numbers(width, height):
    lines = drawn(with_rules(8), width, height)
    assert not any("more" in line for line in lines)
    for number, title in enumerate(list(TITLES.values())[:8]):
        (row,) = [line for line in lines if title in line and not of_violations([line])]
        shown = row.replace("│", " ").split()[-2:]
        opened, total = 900 - 10 * number, 1_000 - 10 * number
        assert shown == [str(opened), "100"] or shown[-1] == f"{total:,}"


def test_a_roomy_terminal_has_both_languages_and_all_phases():
    text = "\n".join(drawn(with_rules(4), 110, 35))
    assert "driving loaded without a permit" in text
    assert "escalated" in text
    assert "off-route" in text


def test_eighty_columns_have_whole_headings_in_one_language():
    text = "\n".join(drawn(with_rules(8), 80, 24))
    assert "opened" in text
    assert "occurred" in text
    assert "driving loaded" not in text
    assert "38515/metrics" in text


def test_where_there_is_no_room_the_rarest_rules_make_way():
    lines = drawn(with_rules(len(TITLES)), 60, 20)
    titles = list(TITLES.values())
    assert len(of_violations(lines)) == 4
    (more,) = [line for line in lines if line.startswith("and ")]
    left_out = int(more.split()[1])
    above = lines[: lines.index(more)]
    for number, title in enumerate(titles):
        assert any(title in line for line in above) == (number < len(titles) - left_out)
    assert len(lines) == 20, "no line is wasted"


@pytest.mark.parametrize("height", [60, 14])
def test_what_a_truck_is_called_does_nothing_to_the_terminal(height: int) -> None:
    """Its id is whatever a terminal has sent: escape sequences, line breaks, Rich's own markup."""
    tally = Tally()
    fields = msgspec.structs.asdict(SEEN[0]) | {
        "truck_id": "[/red]\x1b[2J\n\u202ea",
        "message": "\x1b]0;x\x07" + "x" * 10_000,
    }
    fresh = tally.add([msgspec.json.encode(fields)])
    now = replace(NOW, latest=fresh)
    for console in (terminal(height), Console(file=io.StringIO(), width=110)):
        view = open_view(console, HEADING, "Asia/Shanghai")
        if isinstance(view, PlainView):
            view = PlainView(console, HEADING, every_s=0)
        with closing(view):
            view.show(now, fresh)
        text = console.file.getvalue()
        assert "\x1b[2J" not in text
        assert "\x1b]0" not in text
        assert "\u202e" not in text
        assert "[/red]" in text
        assert len(text) < 10_000
