"""The cities that a command line names, with the times from which they are in force.

Used by `mucktrack detect` and its `--explain`.
"""

from collections.abc import Sequence
from pathlib import Path

from mucktrack import city_check
from mucktrack.failures import BadInputError
from mucktrack.moments import moment_ms
from streams.detect import PreparedCity
from streams.succession import Succession


def succession(cities: Sequence[Path]) -> Succession:
    """The cities named by `DIR`, one of them, in force from the beginning, and `DIR@TIME`.

    A directory whose own name has an @ in it is one without a time. Raises `BadInputError`.
    """
    first: list[PreparedCity] = []
    later: list[tuple[int, PreparedCity]] = []
    for path in cities:
        folder, at, time_text = str(path).rpartition("@")
        if not at or path.is_dir():
            first.append(PreparedCity.of(city_check.load(path)))
        else:
            city = city_check.load(Path(folder))
            from_ms = moment_ms(time_text, city.timezone, f"--city {path}")
            later.append((from_ms, PreparedCity.of(city)))
    if len(first) != 1:
        raise BadInputError(
            f"{len(first)} cities are given without a time; name one that is in force from the "
            "beginning, and the others as DIR@TIME"
        )
    try:
        return Succession(first[0], later)
    except ValueError as error:
        raise BadInputError(f"--city: {error}; give each its own time") from None
