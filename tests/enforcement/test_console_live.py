"""The enforcement process on a broker and a database: everything becomes a case, once, whatever
ends in between."""

import random
import time

import msgspec
import pytest
from case_parts import faults, trip, violation
from office_process import (
    counts,
    make_topic,
    office_process,
    publish,
    publish_raw,
    wait_until,
    waits_for,
)
from pages import check_page
from sqlalchemy import select

from enforcement.database import Database
from enforcement.tables import AuditRow, ViolationRow

KILLS = 20


def phases(number: int):
    """Two violations of a trip, one of them with two phases: three events, one case."""
    truck_id = f"浙B{number:05}"
    opened = violation(truck_id, trip_id=trip(number))
    other = violation(truck_id, "speeding", trip_id=trip(number), phase="occurred")
    return [opened, other, msgspec.structs.replace(opened, phase="closed")]


def streams(first: int, count: int):
    return [one for number in range(first, first + count) for one in phases(number)]


def test_what_is_on_the_topic_becomes_cases(tmp_path, fresh_kafka, address):
    make_topic(fresh_kafka)
    with office_process(tmp_path / "office", fresh_kafka, address) as process:
        wait_until(process.is_ready, process)
        publish(fresh_kafka, streams(0, 20))
        database = Database(address)
        wait_until(lambda: counts(database)["events"] == 60, process)
        # What comes twice; what is none; and what follows it.
        publish(fresh_kafka, streams(0, 20))
        bad = [b"", None, b"{}", b"\xff", b"[" * 100_000, b'{"violation_id": "\\ud800"}']
        publish_raw(fresh_kafka, bad)
        too_long = msgspec.structs.replace(violation(), truck_id="x" * 65)
        publish_raw(fresh_kafka, [msgspec.json.encode(too_long)], partition=1)
        publish(fresh_kafka, streams(20, 5))
        wait_until(lambda: counts(database)["events"] == 75, process)
        wait_until(lambda: process.metric("mucktrack_enforcement_unreadable_total") == 7, process)
        assert counts(database) | {"entries": 0} == {
            "cases": 25,
            "violations": 50,
            "events": 75,
            "entries": 0,
        }
        assert process.metric("mucktrack_enforcement_repeated_total") == 60
        assert process.metric("mucktrack_enforcement_events_total") == 75
        wait_until(lambda: process.metric('mucktrack_cases{state="new"}') == 25, process)
        check_page(process.page("metrics")[1], "console")
        assert process.metric("mucktrack_enforcement_arrival_seconds_count") == 60 * 2 + 15 + 7
        assert process.metric("mucktrack_audit_entries_total") == counts(database)["entries"]
        assert process.page("healthz")[0] == 200
        assert process.stop() == 0, process.log
    assert faults(database) == []
    with database.read() as session:
        unreadable = session.scalars(select(AuditRow).where(AuditRow.action == "unreadable")).all()
        assert len(unreadable) == 7
        assert '"offset":' in unreadable[0].details
    # Started again it goes on where it was.
    with office_process(tmp_path / "office", fresh_kafka, address) as process:
        publish(fresh_kafka, streams(25, 1))
        wait_until(lambda: counts(database)["events"] == 78, process)
        assert process.metric("mucktrack_enforcement_repeated_total") == 0
    database.close()


def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice(
    tmp_path, fresh_kafka, address
):
    make_topic(fresh_kafka)
    database = Database(address)
    chance = random.Random(7)
    published = kills = 0
    while kills < KILLS:
        with office_process(tmp_path / "office", fresh_kafka, address) as process:
            wait_until(lambda process=process: process.site("/")[0], process)
            # The more it has to do, the likelier it is in the middle of something.
            publish(fresh_kafka, streams(published, 100))
            published += 100
            for _ in range(chance.randrange(30)):
                time.sleep(0.01)
            process.kill()
            kills += 1
            assert faults(database) == []
    with office_process(tmp_path / "office", fresh_kafka, address) as process:
        wait_until(lambda: counts(database)["events"] == 3 * published, process)
    found = counts(database)
    assert (found["cases"], found["violations"]) == (published, 2 * published)
    # One entry for each case and event.
    assert found["entries"] == 4 * published
    assert faults(database) == []
    with database.read() as session:
        phases_of = set(session.scalars(select(ViolationRow.phase)))
        assert phases_of == {"closed", "occurred"}
    database.close()


def test_two_processes_on_one_database(tmp_path, fresh_kafka, postgres):
    make_topic(fresh_kafka)
    address = postgres.new_database()
    with (
        office_process(tmp_path / "one", fresh_kafka, address) as one,
        office_process(tmp_path / "two", fresh_kafka, address) as two,
    ):
        wait_until(one.is_ready, one)
        wait_until(two.is_ready, two)
        database = Database(address)
        for first in range(0, 300, 60):
            publish(fresh_kafka, streams(first, 60))
        wait_until(lambda: counts(database)["events"] == 900, one)

        def told(name):
            return sum(
                process.metric(f"mucktrack_enforcement_{name}_total") for process in (one, two)
            )

        wait_until(lambda: told("events") + told("repeated") == 1_800, one)
        assert told("events") == 900
        one.kill()
        publish(fresh_kafka, streams(300, 10))
        wait_until(lambda: counts(database)["events"] == 930, two)
    assert faults(database) == []
    assert counts(database)["cases"] == 310
    database.close()


def test_a_topic_made_anew_is_read_from_its_start(tmp_path, breakable_kafka):
    address = f"sqlite:///{tmp_path / 'cases.db'}"
    if breakable_kafka.keeps:
        pytest.skip("this broker keeps its topics")
    kafka = breakable_kafka.bootstrap
    make_topic(kafka)
    with office_process(tmp_path / "office", kafka, address) as process:
        publish(kafka, streams(0, 20))
        database = Database(address)
        wait_until(lambda: counts(database)["events"] == 60, process)
        breakable_kafka.kill(0)
        wait_until(lambda: "kafka" in waits_for(process), process)
        breakable_kafka.start(0)
        make_topic(kafka)
        publish(kafka, streams(20, 2))
        wait_until(lambda: counts(database)["events"] == 66, process)
        wait_until(lambda: process.page("readyz")[0] == 200, process)
    assert faults(database) == []
    database.close()


def test_a_broker_that_is_away_at_first_is_waited_for(tmp_path, mortal_kafka):
    address = f"sqlite:///{tmp_path / 'cases.db'}"
    mortal_kafka.stop()
    with office_process(tmp_path / "office", mortal_kafka.address, address) as process:
        wait_until(lambda: "kafka" in waits_for(process), process)
        assert process.page("healthz")[0] == 200
        # People can work meanwhile.
        assert process.site("/api/v1/session")[0] == 401
        assert process.stop() == 0, process.log


def test_a_database_that_goes_and_comes_back(tmp_path, fresh_kafka, mortal_postgres):
    make_topic(fresh_kafka)
    address = mortal_postgres.new_database()
    with office_process(tmp_path / "office", fresh_kafka, address) as process:
        wait_until(process.is_ready, process)
        publish(fresh_kafka, streams(0, 10))
        database = Database(address)
        wait_until(lambda: counts(database)["events"] == 30, process)
        mortal_postgres.kill()
        publish(fresh_kafka, streams(10, 10))
        wait_until(lambda: "database" in waits_for(process), process)
        assert process.page("metrics")[0] == 200
        mortal_postgres.start()
        wait_until(process.is_ready, process)
        wait_until(lambda: counts_or_none(database, 60), process)
    assert faults(database) == []
    database.close()


def counts_or_none(database, events) -> bool:
    return counts(database)["events"] == events


def test_a_database_that_is_away_at_first_is_waited_for(tmp_path, fresh_kafka, mortal_postgres):
    make_topic(fresh_kafka)
    address = mortal_postgres.new_database()
    mortal_postgres.shut_down()
    with office_process(tmp_path / "office", fresh_kafka, address) as process:
        wait_until(lambda: "database" in waits_for(process), process)
        mortal_postgres.start()
        wait_until(process.is_ready, process)
        assert process.stop() == 0, process.log
