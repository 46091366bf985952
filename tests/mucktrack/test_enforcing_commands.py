"""`mucktrack users`, `webhooks` and `audit` from outside, and what `console` refuses."""

import re
import socket

import pytest
from conftest import ROOT
from test_cli import mucktrack

from enforcement.audit import Entry, append
from enforcement.database import Database
from enforcement.tables import AuditRow, DeadLetterRow, WebhookRow

CITY = ROOT / "producers" / "cities" / "demo"
PASSWORD = re.compile(r"password, to be changed at the (first|next) login: (\S+)")


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'cases.db'}"


def test_people_are_added_changed_and_listed(address):
    done = mucktrack(
        *("users", "add", "li", "--role", "dispatcher", "--districts", "990102, 990101"),
        *("--database", address),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("li · dispatcher · districts 990101,990102\n")
    first = PASSWORD.search(done.stdout)
    again = mucktrack("users", "add", "li", "--role", "viewer", "--districts", "all",
                      "--database", address)  # fmt: skip
    assert again.returncode == 2
    assert "there is a user 'li' already" in again.stderr
    done = mucktrack(
        *("users", "change", "li", "--disable", "--districts", "all", "--new-password"),
        *("--database", address),
    )
    assert done.stdout.startswith("li · dispatcher · districts all · disabled\n")
    assert PASSWORD.search(done.stdout)[2] != first[2]
    listed = mucktrack("users", "list", "--database", address)
    assert listed.stdout == "li · dispatcher · districts all · disabled\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "li", "--districts", "all"], "say with --role"),
        (["add", "li", "--role", "admin"], "say with --districts"),
        (["add", "li", "--role", "admin", "--districts", "a,,b"], "codes joined by commas"),
        (["add", "system", "--role", "admin", "--districts", "all"], "is not 'system'"),
        (["add", "li", "--role", "chief", "--districts", "all"], "'chief' is not one of"),
        (["change", "nobody", "--disable"], "no user 'nobody'"),
        (["change", "li"], "say what is to be different"),
    ],
)
def test_what_cannot_be_is_told(address, arguments, told):
    Database(address).close()
    done = mucktrack("users", *arguments, "--database", address)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["users", "list"],
        ["users", "change", "li", "--disable"],
        ["audit", "check"],
        ["webhooks", "list"],
        ["webhooks", "again", "wecom"],
        ["evidence", "export", "7"],
    ],
)
def test_a_path_mistyped_is_no_empty_database(tmp_path, address, arguments):
    done = mucktrack(*arguments, "--database", address)
    assert done.returncode == 2
    assert "there is no database of cases" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_trail_is_checked(address):
    database = Database(address)
    with database.change() as (session, head):
        for number in range(3):
            append(session, head, Entry(number, "li", "note"))
    done = mucktrack("audit", "check", "--database", address)
    assert done.returncode == 0
    known = re.fullmatch(r"3 entries, whole; the last is (3:[0-9a-f]{64})\n", done.stdout)[1]
    assert mucktrack("audit", "check", "--known", known, "--database", address).returncode == 0
    with database.change() as (session, _):
        session.get_one(AuditRow, 2).who = "wang"
    database.close()
    done = mucktrack("audit", "check", "--database", address)
    assert done.returncode == 1
    assert done.stdout == "entry 2 is not what it was when it was written\n"
    assert done.stderr == "mucktrack: the audit trail is not whole: 1 faults\n"
    assert mucktrack("audit", "check", "--known", "3:x", "--database", address).returncode == 2


def test_databases_that_cannot_be_used_are_told(tmp_path):
    for address, code, told in (
        (f"sqlite:///{tmp_path}", 2, "unable to open database file"),
        ("postgresql://u:geheim@127.0.0.1:1/x", 1, "postgresql+psycopg://u:***@127.0.0.1:1/x"),
        ("mysql://u:geheim@h/x", 2, "MUCKTRACK_DATABASE=***"),
    ):
        done = mucktrack("audit", "check", MUCKTRACK_DATABASE=address)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert told in done.stderr
        assert "geheim" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_receivers_are_checked_and_dead_letters_sent_again(tmp_path, address):
    file = tmp_path / "webhooks.toml"
    file.write_text(
        '[[receiver]]\nname = "city"\naddress = "https://h.example/?key=geheim"\n'
        'events = ["open"]\nrules = ["speeding"]\n'
    )
    done = mucktrack("webhooks", "check", file)
    assert done.stdout == (
        "city · cloudevents to h.example · not signed · rules speeding · 1 kinds of events\n"
    )
    file.write_text("[receiver]")
    assert mucktrack("webhooks", "check", file).returncode == 2
    database = Database(address)
    with database.change() as (session, _):
        session.add(WebhookRow(receiver="city", next_seq=1, tries=2, failures=2, error="HTTP 500"))
        for seq in (3, 5):
            session.add(
                DeadLetterRow(receiver="city", seq=seq, tries=20, at_ms=0, error="no", again=False)
            )
    listed = mucktrack("webhooks", "list", "--database", address).stdout.splitlines()
    assert listed == [
        "city · 0 entries behind · 2 failures: HTTP 500",
        "city · dead letter 3 after 20 tries: no",
        "city · dead letter 5 after 20 tries: no",
    ]
    done = mucktrack("webhooks", "again", "city", "4", "--database", address)
    assert (done.returncode, done.stderr) == (2, "mucktrack: city has no dead letter 4\n")
    assert mucktrack("webhooks", "again", "city", "5", "--database", address).returncode == 0
    with database.read() as session:
        assert session.get_one(DeadLetterRow, ("city", 5)).again
        assert not session.get_one(DeadLetterRow, ("city", 3)).again
    done = mucktrack("webhooks", "again", "city", "--database", address)
    assert done.stdout == "2 to be sent again\n"
    database.close()


def test_a_console_that_cannot_begin_says_why(tmp_path):
    given = ["console", "--kafka", "127.0.0.1:1", "--state-dir", str(tmp_path)]
    assert "city is not set" in mucktrack(*given).stderr
    given += ["--city", str(CITY), "--console-metrics-port", "0"]
    office = tmp_path / "office.toml"
    office.write_text("hollidays = []")
    done = mucktrack(*given, "--office", str(office))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "hollidays is unknown" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = mucktrack(*given, "--console-port", str(port))
    assert done.returncode == 2
    assert f"the console cannot be served on 127.0.0.1:{port}" in done.stderr


def test_districts_are_those_of_the_city(address):
    who = ("users", "add", "li", "--role", "dispatcher", "--database", address)
    done = mucktrack(*who, "--city", str(CITY), "--districts", "990101,330212")
    assert done.returncode == 2
    assert "has no district '330212'; it has 990101 临溪区, 990102 望湖区" in done.stderr
    assert mucktrack(*who, "--city", str(CITY), "--districts", "990101").returncode == 0
    change = ("users", "change", "li", "--database", address, "--city", str(CITY))
    assert "has no district '1'" in mucktrack(*change, "--districts", "1").stderr


def test_empty_lists_say_so(address):
    Database(address).close()
    listed = mucktrack("users", "list", "--database", address)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "nobody may log in yet; add somebody: mucktrack users add" in listed.stderr
    listed = mucktrack("webhooks", "list", "--database", address)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "nobody is told of cases yet" in listed.stderr
