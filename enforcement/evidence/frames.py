"""Which frames, as terminals and platforms sent them, tell of a truck.

A frame of JT/T 808 is its terminal's alone. One of JT/T 809 is a platform's, which sends those of
many trucks: it tells of the truck whose plate stands in it; where a platform encrypts, that cannot
be seen, and the frame is left out. Called by `enforcement.evidence.export`. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from producers.jt809.framing import unescape
from streams.position import Element, Position

JT808: Final = "jt808"
JT809: Final = "jt809"


def senders(elements: Iterable[Element]) -> dict[str, set[int]]:
    """Who sent the positions, with the moments at which a gateway received them."""
    found: dict[str, set[int]] = defaultdict(set)
    for position in elements:
        if not isinstance(position, Position):
            continue
        received_ms, sender = position.received_ms, position.terminal_id
        if position.source in (JT808, JT809) and sender and received_ms is not None:
            found[sender].add(received_ms)
    return found


def tells_of(truck_id: str, protocol: str, frame: bytes) -> bool:
    """Whether a frame of the truck's terminal or platform is about the truck."""
    if protocol != JT809:
        return protocol == JT808
    try:
        plate = truck_id.encode("gbk")
    except UnicodeEncodeError:
        return False
    return plate in unescape(frame)
