"""Positions of platforms that are logged in: to positions, raw frames and rejects on Kafka.

Called by `producers.gateway.platform_link` for every 0x1200. JT/T 809 acknowledges no position, so
a platform cannot be told to send one again: what Kafka does not take is kept here and put again,
and nothing more is read meanwhile (`behind`). What is kept is bounded by what the outbox holds.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Final

from producers.gateway.outbox import Outbox, RawFrame
from producers.gateway.platform_file import Platform
from producers.gateway.platform_metrics import PlatformMetrics
from producers.jt808.location import BadLocation
from producers.jt809.locations import BACKFILL, Reported, positions_in
from producers.jt809.message import OfVehicle
from producers.profiles.positions import position_of
from streams.logs import get_log
from streams.output import Reject
from streams.position import MAX_ID, Position

log = get_log(__name__)

PROTOCOL: Final = "jt809"
MALFORMED: Final = "malformed"
ENCRYPTED: Final = "encrypted_coordinates"
AGAIN_S: Final = 0.5
"""Between two tries to put again what Kafka did not take."""

Put = Callable[[Callable[[bool], None]], None]
"""Puts one record into the outbox; its argument is told whether it was delivered."""


class PlatformIntake:
    """Takes positions of all links."""

    def __init__(self, outbox: Outbox, metrics: PlatformMetrics) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._again: list[tuple[Put, int]] = []
        """With how many positions each is."""
        self._ends = False
        self.lost = 0
        """Records that Kafka had not taken at the end."""

    @property
    def behind(self) -> bool:
        """Whether something waits to be put again: nothing more should be read."""
        return bool(self._again)

    def take(
        self, platform: Platform, body: OfVehicle, frame: bytes, received_ms: int, connection: str
    ) -> int:
        """The positions of a message; how many there were. `received_ms`: Unix milliseconds."""
        found = positions_in(body)
        raw = RawFrame(frame, platform.name, received_ms, connection, PROTOCOL)
        self._keep(partial(self._outbox.put_raw, raw), 0)
        truck_id = plate_of(body.plate)
        if truck_id is None:
            detail = f"plate {body.plate!r}: expected 1 to {MAX_ID} characters that can be seen"
            self.reject(platform, MALFORMED, detail, frame, None)
            return len(found)
        for one in found:
            self._take_one(platform, truck_id, one, body.sub_id == BACKFILL, frame, received_ms)
        return len(found)

    def reject(
        self, platform: Platform, reason: str, detail: str, data: bytes, truck_id: str | None
    ) -> None:
        """Keep what is no position. `data`: its frame, or the part that cannot be read."""
        value = {"hex": data.hex(), "detail": detail, "platform": platform.name}
        self._metrics.rejects.labels(reason).inc()
        reject = Reject(reason, value, truck_id)
        key = truck_id or platform.name
        self._keep(lambda done: self._outbox.put_rejected(reject, done, key), 0)

    async def put_again(self) -> None:
        """For ever: what Kafka did not take."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self._again:
                again, self._again = self._again, []
                log.warning("records_put_again", records=len(again))
                for put, positions in again:
                    self._keep(put, positions)
            self._metrics.again.set(len(self._again))

    def end(self) -> None:
        """From now on everything is put once more at the most; what Kafka does not take then is
        lost, and counted."""
        self._ends = True
        again, self._again = self._again, []
        for put, positions in again:
            self._keep(put, positions)

    def _take_one(
        self,
        platform: Platform,
        truck_id: str,
        found: Reported | BadLocation,
        backfill: bool,
        frame: bytes,
        received_ms: int,
    ) -> None:
        if isinstance(found, BadLocation):
            self.reject(platform, MALFORMED, found.error, found.raw, truck_id)
            return
        if found.encrypted:
            detail = "the coordinates are encrypted"
            self.reject(platform, ENCRYPTED, detail, frame, truck_id)
            return
        position = position_of(
            found.location,
            platform.profile,
            truck_id,
            platform.name,
            received_ms,
            backfill,
            PROTOCOL,
        )
        if isinstance(position, Position):
            self._keep(partial(self._outbox.put, position), 1)
        else:
            self.reject(platform, position.reason, position.detail, frame, truck_id)

    def _keep(self, put: Put, positions: int) -> None:
        put(partial(self._kept, put, positions))

    def _kept(self, put: Put, positions: int, kept: bool) -> None:
        if kept:
            self._metrics.positions.inc(positions)
        elif self._ends:
            self.lost += 1
            self._metrics.lost.inc()
        else:
            self._again.append((put, positions))


def plate_of(text: str) -> str | None:
    """The plate that a field of text holds; None where it holds none.

    Senders fill up with blanks or zero bytes, leave whatever was in their memory behind the first
    zero byte, and put a blank behind the first two characters.
    """
    plate = "".join(text.strip("\0").partition("\0")[0].split())
    if not 1 <= len(plate) <= MAX_ID or any(_unseen(character) for character in plate):
        return None
    return plate


def _unseen(character: str) -> bool:
    """Controls, and what stands for nothing or for anything."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs")
