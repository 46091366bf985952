"""The terminals that are connected: one session for each phone on each connection, since behind a
forwarder many terminals share one (JT/T 808 has the phone in every header).

`Sessions` knows who is live in the whole gateway. A session ends with its connection, when it has
been silent, when its terminal comes in elsewhere, or when the register no longer has it in that
truck. Called on the event loop only; knows no protocol, no Kafka and no Redis.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from producers.jt808.connection import Received
from producers.jt808.header import Version
from producers.profiles.profile import Profile

FLAPS: Final = 3
FLAP_S: Final = 60.0
"""A terminal that comes in elsewhere more often than `FLAPS` times in so long is likely two."""
SERIALS: Final = 0x10000


class Link(Protocol):
    """The connection of a session."""

    name: str
    """As the log names it: `10.0.0.7:51234`."""

    def send(self, data: bytes) -> None: ...

    def unanswered(self, change: int) -> None:
        """So many messages more await Kafka, or fewer."""
        ...

    def drop(self, session: "Session", reason: str) -> None:
        """End the session, and the connection where it was the last on it."""
        ...

    def close(self, reason: str) -> None:
        """End the connection once its answers are out; nothing more is read."""
        ...


class Seat(NamedTuple):
    """What a session is let in as."""

    truck_id: str
    profile: Profile


@dataclass(eq=False, slots=True)
class Session:
    """One terminal on one connection."""

    phone: str
    """As on the wire, which is how it is answered."""
    bare: str
    version: Version
    """That of its headers: 2019, or one that they do not tell."""
    link: Link
    last_s: float
    """When it was last heard, by the loop's clock."""
    seat: Seat | None = None
    """None until it is let in."""
    maker: str = ""
    device: str = ""
    live: bool = True
    """False once it has ended: what is still under way for it is not answered."""
    awaited: deque[tuple[Received, int]] | None = None
    """While Redis is asked something for it: what it has sent meanwhile, for `Talk.take`."""
    refusals: int = 0
    """Registrations and authentications."""
    _serial: int = field(default=0)

    def next_serial(self) -> int:
        """The platform's own, counted for each session (JT/T 808: from 0, around at 65536)."""
        serial = self._serial
        self._serial = (serial + 1) % SERIALS
        return serial


class Sessions:
    """The sessions that have been let in, by phone."""

    def __init__(self) -> None:
        self._live: dict[str, Session] = {}
        self._moves_s: dict[str, deque[float]] = {}
        """When terminals came in elsewhere; those of the last `FLAP_S` only."""

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._live.values()))

    def of(self, phone: str) -> Session | None:
        """By the bare phone."""
        return self._live.get(phone)

    def admit(self, session: Session, now_s: float) -> bool:
        """Let it in; the session the terminal had elsewhere ends. True = it does so too often for
        one terminal that finds its old connection half open."""
        old = self._live.get(session.bare)
        self._live[session.bare] = session
        if old is None or old is session:
            return False
        old.link.drop(old, "taken_over")
        return self._flaps(session.bare, now_s)

    def remove(self, session: Session) -> None:
        """It has ended."""
        session.live = False
        if self._live.get(session.bare) is session:
            del self._live[session.bare]

    def drop_moved(self, truck_of: Callable[[str], str | None]) -> int:
        """End those whose terminal is no longer in the truck it was let in for; how many."""
        moved = [one for one in self if one.seat is None or truck_of(one.bare) != one.seat.truck_id]
        for session in moved:
            session.link.drop(session, "register_changed")
        return len(moved)

    def forget_moves(self, now_s: float) -> None:
        """Of terminals that have been quiet since."""
        old = [phone for phone, moves in self._moves_s.items() if moves[-1] < now_s - FLAP_S]
        for phone in old:
            del self._moves_s[phone]

    def _flaps(self, phone: str, now_s: float) -> bool:
        """Says so once in a series of `FLAPS` + 1."""
        moves = self._moves_s.setdefault(phone, deque(maxlen=FLAPS + 1))
        moves.append(now_s)
        if len(moves) <= FLAPS or moves[0] < now_s - FLAP_S:
            return False
        moves.clear()
        moves.append(now_s)
        return True
