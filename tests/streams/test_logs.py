"""What the lines of a log hold, and what is kept out of them."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from streams import logs_page
from streams.endings import CannotGoOnError
from streams.log_events import EVENTS
from streams.log_filters import MOST_IN_A_WINDOW, ErrorOnce, NotTooOften
from streams.log_lines import MASK, JsonLines, Readable, hide, hide_in_address, without_secrets
from streams.logs import Log, said_with

SHOWN = re.compile(r"\d\d:\d\d:\d\d warning tests\.logs: kafka_away  (.*)")


class Kept(logging.Handler):
    """Lines instead of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(JsonLines("tests"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def told(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, logger = Kept(), logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield handler
    logger.removeHandler(handler)


LOG = Log("tests.logs")


def test_a_line_is_an_object_with_its_fields(kept: Kept) -> None:
    LOG.info("partition_loaded", topic="gps.positions", partition=3, offset=2**40, trucks=None)
    (line,) = kept.told()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("time")))
    assert line == {
        "level": "info",
        "process": "tests",
        "logger": "tests.logs",
        "event": "partition_loaded",
        "topic": "gps.positions",
        "partition": 3,
        "offset": 2**40,
    }


def test_values_that_are_no_json_are_words(kept: Kept) -> None:
    LOG.warning(
        "kafka_away",
        error=TimeoutError(),
        other=KeyError("浙B1\n\x1b[2J\ud800"),
        many=(1, {2.5}, None, True),
        path="x" * 10_000,
    )
    (line,) = kept.told()
    assert line["error"] == "TimeoutError"
    assert line["other"] == r"'浙B1\\n\\x1b[2J\\ud800'".replace("\\\\", "\\")
    assert line["many"] == [1, [2.5], None, True]
    assert len(str(line["path"])) < 2_100
    assert kept.lines[0].isprintable()


def test_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("tests.logs")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Readable(has_colours=False))
    logger.addHandler(handler)
    LOG.warning("kafka_away", kafka="a:1", error=OSError("it is away"), left="")
    logger.removeHandler(handler)
    (said,) = SHOWN.findall(capsys.readouterr().out)
    assert said == 'kafka=a:1  error="it is away"  left=""'


def test_a_bug_has_its_traceback_once(kept: Kept) -> None:
    kept.addFilter(ErrorOnce())
    try:
        raise ValueError("forged\n2026-01-01 ERROR")
    except ValueError as error:
        LOG.bug("thread_failed", error, thread="a")
        LOG.bug("outbox_failed", error)
    LOG.bug("thread_failed", CannotGoOnError("delete the checkpoint"))
    first, second = kept.told()
    assert "ValueError: forged" in str(first["traceback"])
    assert (second["event"], second["error"]) == ("cannot_go_on", "delete the checkpoint")
    assert "traceback" not in second


def test_what_floods_is_counted(kept: Kept) -> None:
    kept.addFilter(limit := NotTooOften())
    for number in range(1_000):
        LOG.info("terminal_refused", phone=str(number))
    for action in ("open", "login"):
        LOG.info("audit_entry", action=action)
    assert len(kept.lines) == MOST_IN_A_WINDOW + 2
    limit._began_s -= 60
    LOG.info("terminal_refused", phone="last")
    assert kept.told()[-1]["left_out"] == 1_000 - MOST_IN_A_WINDOW
    LOG.info("terminal_refused", phone="one more")
    assert "left_out" not in kept.told()[-1]


async def test_what_is_said_with_a_request_stays_with_it(kept: Kept) -> None:
    async def ask(request_id: str) -> None:
        with said_with(request_id=request_id):
            await asyncio.sleep(0.01)
            await asyncio.to_thread(LOG.info, "audit_entry", action=request_id)

    await asyncio.gather(ask("a"), ask("b"))
    LOG.info("audit_entry", action="c")
    assert {(one["action"], one.get("request_id")) for one in kept.told()} == {
        ("a", "a"),
        ("b", "b"),
        ("c", None),
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://mucktrack:geheim@127.0.0.1:6379/0", f"redis://mucktrack:{MASK}@127.0.0.1:6379/0"),
        ("redis://:ge:h@im@host", f"redis://:{MASK}@host"),
        ("https://robot/send?key=abc-def&x=1", f"https://robot/send?key={MASK}&x=1"),
        ("rediss://host/0?password=a%20b", f"rediss://host/0?password={MASK}"),
        ("Authorization: Bearer mt_abc", f"Authorization: Bearer {MASK}"),
        ("Client(sasl_plain_password='geheim')", f"Client(sasl_plain_password='{MASK}')"),
        ("{'password': 'geheim', 'user': 'a'}", f"{{'password': '{MASK}', 'user': 'a'}}"),
        ('{"access_token":"geheim"}', f'{{"access_token":"{MASK}"}}'),
        ("wrong password: try again", "wrong password: try again"),
        ("nothing to mask: 127.0.0.1:9092 = here", "nothing to mask: 127.0.0.1:9092 = here"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_what_is_known_to_be_secret_is_masked_wherever_it_stands(kept: Kept) -> None:
    hide("correct horse", b"battery-staple", None, "abc")
    hide_in_address("rediss://user@host/0?password=s%C3%A9cr%C3%A8t")
    error = ValueError("the server does not take 'correct horse', battery-staple, abc, sécrèt")
    fields = {"password": "x", "api_key": 7}
    LOG.bug("thread_failed", error, thread="s%C3%A9cr%C3%A8t", **fields)
    (line,) = kept.lines
    for secret in ("correct horse", "battery-staple", "sécrèt", "s%C3%A9cr"):
        assert secret not in line
    told = json.loads(line)
    assert (told["password"], told["api_key"], told["thread"]) == (MASK, MASK, MASK)
    assert "abc" in line, "three letters are in too many words"


def test_every_event_is_in_the_table_and_every_row_is_said() -> None:
    said = list(logs_page.said_in(logs_page.ROOT))
    assert {one.event for one in said} | set(logs_page.UNSEEN) == set(EVENTS)
    assert list(EVENTS) == sorted(EVENTS)
    own = {"time", "level", "process", "logger", "event", "traceback", "left_out", "message"}
    assert not [one.where for one in said if own & set(one.fields)]
    path = logs_page.ROOT / "docs" / "logs.md"
    assert path.read_text(encoding="utf-8") == logs_page.page(), "run: make logs"


def test_nobody_logs_past_it() -> None:
    allowed = {"streams/logs.py", "streams/log_setup.py", "streams/log_filters.py"}
    for package in logs_page.PACKAGES:
        for path in (logs_page.ROOT / package).rglob("*.py"):
            where = str(path.relative_to(logs_page.ROOT))
            assert where in allowed or "logging.getLogger" not in path.read_text(), where
