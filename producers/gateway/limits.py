"""What one connection may cost. Numbers that an installation chooses are settings; these are not.

Used by `producers.gateway.terminal_link` and `server`.
"""

from dataclasses import dataclass
from typing import Final

READ_BYTES: Final = 16_384
"""Taken from a connection in one turn of the loop, so that one that sends without end delays the
others by some 250 messages and not more."""
BYTES_BEFORE_A_FRAME: Final = 8_192
"""A stranger is heard for so long: the longest frame has 2 kB when every byte is escaped."""
FIRST_FRAME_S: Final = 30.0
"""So much time has who connects until its first whole frame."""
LET_IN_S: Final = 120.0
"""And so much until one terminal on the connection is let in; it connects anew then. Redis may be
away for longer, and connections that say nothing of use must not pile up."""
FAULTS: Final = 20.0
"""Frames that cannot be read before the connection is closed."""
FAULT_FORGIVEN: Final = 0.1
"""Taken off by each frame that can be read: a bad line is borne, a bad terminal is not."""
REFUSALS: Final = 50
"""Registrations and authentications refused before the connection is closed."""
UNANSWERED: Final = 1_000
"""Messages of one connection that await Kafka; at so many it is not read until half are
answered."""
AWAITED: Final = 100
"""Messages of one terminal kept while Redis is asked for it; those beyond are answered failure."""
UNSENT_BYTES: Final = 262_144
"""Answers that a terminal does not fetch before it is no longer read."""
UNSENT_S: Final = 30.0
"""And so long until it is cut off."""
HANDSHAKE_S: Final = 15.0
"""For TLS."""
GOODBYE_S: Final = 2.0
"""For the last answers to go out."""
SWEEP_S: Final = 1.0
"""How often connections are looked through for what is due."""
BACKLOG: Final = 1_024
"""Connections not yet taken: after an outage all terminals come at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an installation chooses."""

    idle_s: float
    """A terminal that sends nothing for so long is gone."""
    connections: int
    connections_an_address: int
    phones: int
    """Terminals on one connection."""
