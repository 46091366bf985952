"""What one link of a platform may cost. Numbers that an installation chooses are settings; these
are not.

Used by `producers.gateway.platform_link` and `platform_server`.
"""

from dataclasses import dataclass
from typing import Final

READ_BYTES: Final = 65_536
"""Taken from a connection in one turn of the loop."""
BYTES_BEFORE_LOGIN: Final = 4_096
"""A stranger is heard for so long: a login has 172 bytes when every byte is escaped."""
LOGIN_S: Final = 30.0
"""So much time has who connects until it is logged in."""
FAULTS: Final = 20.0
"""Frames that cannot be read before the link is closed."""
FAULT_FORGIVEN: Final = 0.05
"""Taken off by each frame that can be read."""
UNSENT_BYTES: Final = 65_536
"""Answers that a platform does not fetch before it is no longer read."""
UNSENT_S: Final = 30.0
"""And so long until it is cut off."""
DRAIN_S: Final = 2.0
"""How long a link is read that another has taken over from, once it can be read."""
HANDSHAKE_S: Final = 15.0
"""For TLS."""
GOODBYE_S: Final = 2.0
"""For the last answers to go out."""
SWEEP_S: Final = 0.5
"""How often links are looked through for what is due."""
ROOM_S: Final = 0.02
"""How often it is looked whether Kafka takes more."""


@dataclass(frozen=True, slots=True)
class PlatformLimits:
    """What an installation chooses."""

    idle_s: float
    """A platform that sends nothing for so long is gone: it keeps alive every minute."""
    connections: int
    frame_bytes: int
    """The longest frame, as on the wire."""
