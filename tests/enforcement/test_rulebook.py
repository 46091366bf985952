"""The file of an office: what it says, and what is told where it cannot be used."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from enforcement.rulebook import SHIPPED, RulebookError, read_rulebook

SHANGHAI = ZoneInfo("Asia/Shanghai")
WHOLE = SHIPPED.read_text(encoding="utf-8")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def test_what_comes_along_can_be_used():
    rulebook = read_rulebook(None, SHANGHAI)
    dispatched = at("2026-09-21T09:00")
    assert rulebook.due_ms(dispatched, "critical", ["illegal-dumping"]) == at("2026-09-22T17:30")
    assert rulebook.due_ms(dispatched, "major", []) == at("2026-09-25T17:30")


def test_the_shortest_limit_counts(tmp_path):
    file = tmp_path / "office.toml"
    file.write_text(WHOLE + "\nillegal-dumping = 2.5\nspeeding = 100\n", encoding="utf-8")
    rulebook = read_rulebook(file, SHANGHAI)
    dispatched = at("2026-09-21T09:00")
    both = ["speeding", "illegal-dumping"]
    assert rulebook.due_ms(dispatched, "minor", both) == at("2026-09-21T11:30")
    assert rulebook.due_ms(dispatched, "critical", ["speeding"]) == at("2026-09-22T17:30")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("holidays = []", "holiday = []", "holiday is unknown; allowed are"),
        ("holidays = []", 'holidays = ["2027-01-01"]', "holidays: '2027-01-01' is no date"),
        ("holidays = []", "holidays = [2027-01-01T00:00:00]", "is no date"),
        ("holidays = []", "holidays = 2027-01-01", "write a list of dates"),
        ('sunday = ""', 'someday = ""', "hours.someday is unknown"),
        ('sunday = ""', "sunday = 9", "hours.sunday = 9; write e.g."),
        ('sunday = ""', 'sunday = "9-12"', "hours.sunday: "),
        ('sunday = ""', 'sunday = "09:00-12:00;11:00-13:00"', "windows overlap"),
        ("critical = 14", "", "limits_h has no critical"),
        ("critical = 14", "critical = 0", "limits_h.critical = 0; allowed are hours above 0"),
        ("critical = 14", "critical = inf", "limits_h.critical = inf"),
        ("critical = 14", "critical = nan", "limits_h.critical = nan"),
        ("critical = 14", "critical = true", "limits_h.critical = True"),
        ("critical = 14", "critical = 9999", "up to 5000"),
        ("critical = 14", "critical = 14\nfatal = 1", "limits_h.fatal is unknown"),
        ("[limits_h.rules]", "[limits_h.rules]\nparking = 1", "limits_h.rules.parking is unknown"),
        ("[limits_h.rules]", "[limits_h.rules]\nspeeding = []", "limits_h.rules.speeding = []"),
        ("[limits_h.rules]", "rules = 3", "limits_h.rules is no table"),
        ("[hours]", "[office]", "office is unknown"),
        ("[limits_h]", "limits_h]", "no TOML"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, before, after, told):
    assert before in WHOLE
    file = tmp_path / "office.toml"
    file.write_text(WHOLE.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        read_rulebook(file, SHANGHAI)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_office_that_never_works_is_told(tmp_path):
    file = tmp_path / "office.toml"
    file.write_text(WHOLE.replace("09:00-12:00;13:30-17:30", ""), encoding="utf-8")
    with pytest.raises(RulebookError, match="give some day its hours"):
        read_rulebook(file, SHANGHAI)


def test_files_that_are_none(tmp_path):
    with pytest.raises(RulebookError, match="No such file"):
        read_rulebook(tmp_path / "nowhere.toml", SHANGHAI)
    file = tmp_path / "office.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(RulebookError, match="no TOML"):
        read_rulebook(file, SHANGHAI)
    with pytest.raises(RulebookError):
        read_rulebook(tmp_path, SHANGHAI)
