"""How often ticks are written, and which positions may move event time (design sections 3 and 5).

Used by replay and simulator. Knows nothing of trucks' histories: what a position alone tells.
"""

from streams.position import Position

TICK_MS = 30_000
WATERMARK_DELAY_MS = 360_000
"""How far a worker's watermark stays behind, unless the city sets `watermark_delay_s` otherwise."""
MIN_SATELLITES = 4
FUTURE_MS = 300_000


def is_plausible(position: Position) -> bool:
    """Whether the position passes those tests of the quality gate that need no history: only then
    may it be a fix, and only fixes move the watermark."""
    lon, lat = position.lon, position.lat
    return (
        abs(lon) <= 180
        and abs(lat) <= 90
        and not (lon == 0 and lat == 0)
        and position.located
        and (position.satellites is None or position.satellites >= MIN_SATELLITES)
        and (position.received_ms is None or position.time_ms - FUTURE_MS <= position.received_ms)
    )
