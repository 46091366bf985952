"""The PostgreSQL that tests start."""

import psycopg
import pytest

from servers.postgres_server import PostgresServer
from servers.programs import MissingProgramError


def test_it_keeps_its_data_when_it_is_killed():
    try:
        server = PostgresServer()
    except MissingProgramError as error:
        pytest.skip(str(error))
    with server:
        address = server.new_database()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (one int)")
        server.kill()
        server.start()
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address, connect_timeout=2)
