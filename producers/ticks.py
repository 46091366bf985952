"""How often ticks are written, how far behind them a worker's watermark stays, and which positions
may move event time (design sections 3 and 5).

Used by replay and simulator. Knows nothing of trucks' histories: what a position alone tells.
"""

from streams.gate import FUTURE_MS, MIN_SATELLITES
from streams.position import Position
from streams.thresholds import STATE_THRESHOLDS, Thresholds

TICK_MS = 30_000


def watermark_delay_ms(thresholds: Thresholds | None) -> int:
    """How far a worker's watermark stays behind the highest time; None = in a city that says
    nothing of it."""
    if thresholds is not None:
        return round(thresholds.state["watermark_delay_s"] * 1000)
    defaults = {threshold.name: threshold.default for threshold in STATE_THRESHOLDS}
    return round(defaults["watermark_delay_s"] * 1000)


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
