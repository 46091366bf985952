"""Databases to try the enforcement side on: SQLite and, from the system's packages, PostgreSQL.

A pytest plugin, loaded by `conftest.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.postgres_server import PostgresServer
from servers.programs import MissingProgramError

from enforcement.database import Database


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that the tests share; each makes a database of its own."""
    try:
        server = PostgresServer()
    except MissingProgramError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def mortal_postgres() -> Iterator[PostgresServer]:
    """A server of the test's own, which it may end."""
    try:
        server = PostgresServer()
    except MissingProgramError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cases.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    opened = Database(address)
    yield opened
    opened.close()
