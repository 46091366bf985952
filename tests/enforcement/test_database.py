"""Opening, migrating, and losing the database."""

import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from case_parts import faults, taken, the_case, violation
from sqlalchemy import create_engine, text

from enforcement.database import Database, DatabaseAwayError, DatabaseError
from enforcement.tables import Base


def engine_of(address):
    return create_engine(address.replace("postgresql://", "postgresql+psycopg://"))


def test_migrations_make_the_tables_that_the_code_has(database, address):
    with engine_of(address).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_two_may_open_a_new_one_at_once(address):
    opened, both = [], threading.Barrier(4)

    def open_it():
        both.wait()
        opened.append(Database(address))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(opened) == 4
    for one in opened:
        one.close()


def test_opened_again_it_is_what_it_was(database, address):
    taken(database, violation())
    again = Database(address)
    assert the_case(again) == the_case(database)
    again.close()


def test_a_newer_schema_is_told(database, address):
    with engine_of(address).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"of a newer version \(9999\)"):
        Database(address)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("cases.db", "cannot be read; write sqlite:///"),
        ("mysql://u:geheim@h/cases", "are kept in SQLite or PostgreSQL"),
        ("postgresql+nosuch://u:geheim@h/cases", "nosuch"),
    ],
)
def test_an_address_that_is_none(address, told):
    with pytest.raises(DatabaseError, match=told) as caught:
        Database(address)
    assert "geheim" not in str(caught.value)


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(DatabaseAwayError) as caught:
        Database(f"sqlite:///{tmp_path}/nowhere/cases.db")
    assert caught.value.is_file
    file = tmp_path / "cases.db"
    Database(f"sqlite:///{file}").close()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        Database(f"sqlite:///{file}")


def test_a_file_that_may_not_be_written(tmp_path):
    """By its address, since root may write to every file."""
    file = tmp_path / "cases.db"
    Database(f"sqlite:///{file}").close()
    with pytest.raises(DatabaseError, match="readonly"):
        taken(Database(f"sqlite:///file:{file}?mode=ro&uri=true"), violation())


def test_a_postgresql_that_is_not_there(postgres):
    address = postgres.new_database()
    with pytest.raises(DatabaseAwayError, match="does not exist") as caught:
        Database(address + "x")
    assert not caught.value.is_file
    with pytest.raises(DatabaseAwayError) as caught:
        Database("postgresql://u:geheim@127.0.0.1:1/cases")
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_postgresql_that_goes_and_comes_back(mortal_postgres):
    database = Database(mortal_postgres.new_database())
    taken(database, violation("浙B00001"))
    for end in (mortal_postgres.kill, mortal_postgres.shut_down):
        end()
        with pytest.raises(DatabaseAwayError):
            taken(database, violation("浙B00002"))
        with pytest.raises(DatabaseAwayError), database.read() as session:
            session.execute(text("SELECT 1"))
        mortal_postgres.start()
        assert taken(database, violation("浙B00001")).repeated == 1
    assert faults(database) == []
    database.close()


def test_a_connection_lost_in_the_middle_of_a_change_leaves_nothing(mortal_postgres):
    database = Database(mortal_postgres.new_database())

    def broken():
        with database.change() as (session, head):
            head.cases = 7
            session.flush()
            mortal_postgres.kill()

    with pytest.raises(DatabaseAwayError):
        broken()
    mortal_postgres.start()
    with database.change() as (_, head):
        assert head.cases == 0
    database.close()


def test_changes_wait_for_one_another(database):
    """One chain, whoever writes: forks would show as faults."""

    def many(number):
        for count in range(10):
            taken(database, violation(f"浙{number:02}{count:03}"))

    threads = [threading.Thread(target=many, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults(database) == []
    with database.read() as session:
        counted = session.execute(text("SELECT count(*), max(number) FROM cases")).one()
        assert tuple(counted) == (60, 60)


def test_who_reads_sees_one_moment_and_stops_nobody(database):
    taken(database, violation("浙B00001"))
    with database.read() as session:
        count = text("SELECT count(*) FROM cases")
        assert session.scalar(count) == 1
        began = time.monotonic()
        taken(database, violation("浙B00002"))
        assert time.monotonic() - began < 5
        assert session.scalar(count) == 1
