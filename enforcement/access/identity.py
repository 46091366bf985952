"""Who asks: the result of a session or a token, and what it may see and manage.

Made by `enforcement.access.sessions` and `tokens`, asked by the API. Pure.
"""

from dataclasses import dataclass

from enforcement.actions import Actor
from enforcement.steps import Role

Districts = frozenset[str] | None
"""None = all."""


class AccessError(Exception):
    """What somebody wants of users or tokens cannot be; the message says why."""


class TakenError(AccessError):
    """There is one of that name, or somebody else has changed it meanwhile."""


class WrongPasswordError(AccessError):
    """The old password, which he has to know, is another."""


class OutdatedError(TakenError):
    """It has changed since it was seen."""


class UnknownError(AccessError):
    """There is none of that name, or none that he may manage."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has shown who he is."""

    name: str
    role: Role
    districts: Districts
    must_change: bool = False
    secret_sha256: str | None = None
    """Of his session; None = a token, or the command line."""
    csrf: str | None = None
    """What requests of the session that change something have to say."""

    @property
    def actor(self) -> Actor:
        return Actor(self.name, self.role, self.districts)

    def may_grant(self, districts: Districts) -> bool:
        """Nobody gives more than he has."""
        if self.districts is None:
            return True
        return districts is not None and districts <= self.districts


COMMAND_LINE = Identity("command line", "admin", None)
"""Who has the database's address needs no password."""


def stored(districts: Districts) -> list[str] | None:
    return None if districts is None else sorted(districts)


def read_districts(value: list[str] | None) -> Districts:
    return None if value is None else frozenset(value)
