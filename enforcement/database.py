"""The database of cases: SQLite in WAL mode, or PostgreSQL by its address (design section 11).

Opened by the command line; handed to everything of enforcement that reads or changes. Every change
runs in `Database.change`, one at a time: it holds the row that ends the audit trail, so that there
is one order of changes and the chain has no forks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import DatabaseError as SqlDatabaseError
from sqlalchemy.orm import Session

from enforcement import audit
from enforcement.tables import HeadRow

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_S: Final = 30
"""A change waits so long for another one at most."""
CHANGES: Final = "mucktrack_changes"
MIGRATION_LOCK: Final = 6_825_847
"""A number of this program's own."""
POSTGRESQL: Final = "postgresql"
SQLITE: Final = "sqlite"


class DatabaseError(Exception):
    """The database cannot be used; one line that says what to do."""


class DatabaseAwayError(DatabaseError):
    """It does not answer at present; waiting may help."""

    def __init__(self, message: str, *, is_file: bool) -> None:
        super().__init__(message)
        self.is_file = is_file
        """A file that cannot be opened will not come by itself, as a server does."""


class Database:
    """An open database with the tables of this program. Safe for use by several threads."""

    def __init__(self, address: str) -> None:
        """`address`: `sqlite:///cases.db` or `postgresql://user:password@host/name`. Tables are
        made, or brought up to date. Raises `DatabaseError`."""
        self._engine = _engine(address)
        options: dict[str, Any] = {CHANGES: True}
        if not self.is_sqlite:
            # Once it has its turn, a change sees what those before it have made.
            options["isolation_level"] = "READ COMMITTED"
        self._changes = self._engine.execution_options(**options)
        with self._told():
            _migrate(self._changes)

    @property
    def shown(self) -> str:
        """Its address without the password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == SQLITE

    @contextmanager
    def change(self) -> Iterator[tuple[Session, HeadRow]]:
        """A transaction that changes: all of it, or nothing where the block raises."""
        with self._told(), Session(self._changes) as session:
            with session.begin():
                head = session.scalars(select(HeadRow).with_for_update()).one()
                yield session, head
            audit.tell(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; what it sees does not change under it."""
        with self._told(), Session(self._engine) as session, session.begin():
            yield session

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database says, in one line."""
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise DatabaseAwayError(
                    f"{self.shown}: {_line(error)}", is_file=self.is_sqlite
                ) from error
            if type(error) is SqlDatabaseError:
                # SQLite says so of a file that is none, or no longer one.
                raise DatabaseError(f"{self.shown}: {_line(error)}") from error
            raise


def _engine(address: str) -> Engine:
    try:
        url = make_url(address)
    except ArgumentError:
        raise DatabaseError(
            "the database's address cannot be read; write sqlite:///cases.db or "
            "postgresql://user:password@host/name"
        ) from None
    if url.drivername == POSTGRESQL:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in (SQLITE, POSTGRESQL):
        raise DatabaseError(
            f"{url.render_as_string()}: cases are kept in SQLite or PostgreSQL; the address begins "
            "with sqlite:/// or postgresql://"
        )
    try:
        if url.get_backend_name() == SQLITE:
            return _sqlite(url)
        return create_engine(url, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    except (NoSuchModuleError, ImportError) as error:
        raise DatabaseError(f"{url.render_as_string()}: {error}") from None


def _sqlite(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, later than they begin here.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A reader that became a writer would fail where another one has written in between.
        changes = connection.get_execution_options().get(CHANGES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if changes else "BEGIN")

    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        if engine.dialect.name == POSTGRESQL:
            # Two processes started at once; a SQLite file has one writer anyway.
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        present = MigrationContext.configure(connection).get_current_revision()
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        if present is not None and present not in known:
            raise DatabaseError(
                f"{engine.url.render_as_string()}: its tables are of a newer version ({present}) "
                f"than this program knows ({newest}); use that version"
            )
        if present != newest:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _line(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
