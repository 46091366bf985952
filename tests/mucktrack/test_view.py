"""What `mucktrack up` shows, on a terminal and elsewhere."""

import io
from contextlib import closing

from rich.console import Console

from mucktrack.view import LiveView, PlainView, Snapshot, open_view
from mucktrack.violation_queue import Seen

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
