"""When a simulated truck's driver is at work, and has a break.

Used by `producers.truck`. Hours are those of the city's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from geofences.city import Permit
from geofences.hours import DAY_MIN, Validity, Window

DAY_SHARE = 0.12
"""Of the trucks that may drive by day."""
LEAST_MIN = 240
"""A permit must hold for so much of a shift."""


@dataclass(frozen=True)
class Shift:
    """`hours` of work; one break of `meal_s` seconds, taken once its window has come."""

    hours: Validity
    meal: Validity
    meal_s: float

    def works(self, local: datetime) -> bool:
        return self.hours.holds(local)


def draw_shift(permits: Sequence[Permit], chance: np.random.Generator) -> Shift:
    """Most work from evening to morning, when the city lets muck be moved; some by day, where
    their permits let them."""
    by_day = chance.random() < DAY_SHARE
    day, night = _day(chance), _night(chance)
    if by_day and (not permits or any(_suffices(one.validity, day.hours) for one in permits)):
        return day
    return night


def _night(chance: np.random.Generator) -> Shift:
    start = round(18.5 * 60 + chance.uniform(0, 110))
    end = DAY_MIN + round(5.2 * 60 + chance.uniform(0, 100))
    return _shift(start, end, round(23 * 60 + chance.uniform(0, 150)), chance)


def _day(chance: np.random.Generator) -> Shift:
    start = round(6 * 60 + chance.uniform(0, 100))
    return _shift(start, start + 660, round(11.2 * 60 + chance.uniform(0, 70)), chance)


def _shift(start: int, end: int, meal: int, chance: np.random.Generator) -> Shift:
    begins = meal % DAY_MIN
    return Shift(
        Validity(None, None, (Window(start, end),)),
        Validity(None, None, (Window(begins, begins + 120),)),
        float(chance.uniform(25, 50) * 60),
    )


def _suffices(permit: Validity, shift: Validity) -> bool:
    """Whether the permit holds for long enough within the shift, on an ordinary day."""
    window = shift.windows[0]
    clocks = (minute % DAY_MIN for minute in range(window.start_min, window.end_min, 15))
    open_windows = permit.windows or (Window(0, DAY_MIN),)
    holding = sum(
        any(one.start_min <= clock < one.end_min or clock + DAY_MIN < one.end_min
            for one in open_windows)
        for clock in clocks
    )  # fmt: skip
    return holding * 15 >= LEAST_MIN
