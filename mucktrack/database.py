"""The database of cases, for commands that do one thing with it and end."""

from collections.abc import Iterator
from contextlib import contextmanager

from enforcement.database import Database, DatabaseAwayError, DatabaseError
from mucktrack.failures import BadInputError, WorkFailedError


@contextmanager
def opened(address: str) -> Iterator[Database]:
    """Raises `BadInputError` where it cannot be used, `WorkFailedError` where it does not
    answer."""
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
