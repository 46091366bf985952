"""How grave violations are, in order, and so cases: the rank by which the queue is sorted and time
limits are set."""

from typing import Final, get_args

from streams.catalogue import Severity

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
RANKS: Final[dict[str, int]] = {name: rank for rank, name in enumerate(SEVERITIES)}
