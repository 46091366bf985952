"""Which version of the reference data is in force when (design section 4).

A `PreparedCity` is one version, ready to judge by; a `Succession` says from when each one is in
force. Both are made once, never changed, and shared by engines. Where versions are kept is not
known here.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.city import City
from geofences.findings import Finding
from geofences.index import CompiledCity, compile_city
from streams.state import NEVER, NO_TIME
from streams.thresholds import Thresholds, resolve

FROM_THE_BEGINNING: Final = NO_TIME
"""From when the first version of a succession is in force."""


class UnusableCity(ValueError):
    """The city's thresholds are at fault; `findings` say how."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(finding.render() for finding in findings))
        self.findings = findings


@dataclass(frozen=True)
class PreparedCity:
    """A city ready to judge by. Made once a version, shared by engines."""

    compiled: CompiledCity
    thresholds: Thresholds
    limits: Any

    @classmethod
    def of(cls, city: City) -> "PreparedCity":
        """Raises `UnusableCity` where a threshold is unknown or out of range."""
        thresholds, findings = resolve(city)
        if findings:
            raise UnusableCity(findings)
        compiled = compile_city(
            city,
            site_margin_m=thresholds.state["site_margin_m"],
            border_m=thresholds.border_m,
        )
        return cls(compiled, thresholds, thresholds.record())

    @property
    def version(self) -> str:
        """`city_version`."""
        return self.compiled.city.version


class Succession:
    """Versions in the order in which they come into force."""

    def __init__(self, first: PreparedCity, later: Iterable[tuple[int, PreparedCity]] = ()) -> None:
        """`first` is in force from the beginning, each of `later` from its time (Unix ms) on.

        Raises `ValueError` where two begin at the same time.
        """
        in_order = sorted(later, key=lambda version: version[0])
        self.from_ms = [FROM_THE_BEGINNING, *(from_ms for from_ms, _ in in_order)]
        self.cities = [first, *(city for _, city in in_order)]
        if len(set(self.from_ms)) < len(self.from_ms):
            raise ValueError("two versions of the city come into force at the same time")
        self._starts = np.array(self.from_ms[1:], np.int64)

    @classmethod
    def of(cls, city: "PreparedCity | Succession") -> "Succession":
        """One city is a succession of one."""
        return city if isinstance(city, Succession) else cls(city)

    def __len__(self) -> int:
        return len(self.cities)

    def number_at(self, time_ms: int) -> int:
        """The number of the version in force at a time."""
        return bisect_right(self.from_ms, time_ms) - 1

    def numbers_at(self, times_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The number of the version in force at each time."""
        return np.searchsorted(self._starts, times_ms, side="right")

    def until_ms(self, number: int) -> int:
        """The time from which a version is no more in force."""
        return NEVER if number + 1 == len(self) else self.from_ms[number + 1]

    def in_force(self, time_ms: int) -> PreparedCity:
        """The version in force at a time (Unix ms)."""
        return self.cities[self.number_at(time_ms)]

    @property
    def key(self) -> list[tuple[int, str]]:
        """Start and `city_version` of each version: what makes it this succession."""
        return [
            (from_ms, city.version) for from_ms, city in zip(self.from_ms, self.cities, strict=True)
        ]
