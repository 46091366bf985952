"""The database of cases, for commands that do one thing with it and end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from enforcement.database import SQLITE, Database, DatabaseAwayError, DatabaseError
from mucktrack.failures import BadInputError, WorkFailedError


@contextmanager
def opened(address: str, *, to_begin: bool = False) -> Iterator[Database]:
    """`to_begin`: where there is no file yet, one is made; else a path mistyped would look like a
    database without anything in it.

    Raises `BadInputError` where it cannot be used, `WorkFailedError` where it does not answer.
    """
    if not to_begin:
        _check_there(address)
    try:
        database = Database(address)
        try:
            yield database
        finally:
            database.close()
    except DatabaseAwayError as error:
        raise (BadInputError if error.is_file else WorkFailedError)(str(error)) from None
    except DatabaseError as error:
        raise BadInputError(str(error)) from None


def _check_there(address: str) -> None:
    try:
        url = make_url(address)
    except ArgumentError:
        # `Database` says what is wrong with it.
        return
    if url.get_backend_name() != SQLITE or not url.database:
        return
    if not Path(url.database).exists():
        raise BadInputError(
            f"{url.database}: there is no database of cases; `mucktrack console` and "
            "`mucktrack users add` make one, --database says where it is"
        )
