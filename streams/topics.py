"""The names of the topics (design section 12). `mucktrack.topics` makes them."""

from typing import Final

POSITIONS: Final = "gps.positions"
RAW: Final = "gps.raw"
REJECTED: Final = "gps.rejected"
VIOLATIONS: Final = "enforcement.violations"
TRIPS: Final = "transport.trips"
