"""What a simulated terminal writes by a profile, a platform reads by it."""

from itertools import product

import pytest

from producers.profiles.profile import Profile, load_profiles
from producers.profiles.writing import SensorWriter

PROFILES = {profile.name: profile for profile in load_profiles()}
SWITCHES = list(product((True, False, None), repeat=3))
WEIGHTS_KG = (None, 0.0, 10.0, 16_000.0, 31_990.0)
CANNOT_SAY_UNKNOWN = {"vendor-one-byte"}
"""A bit that stands for raised or not."""


def told(profile: Profile, *sensors: bool | float | None) -> list[object]:
    """What is read of what was written."""
    written = SensorWriter(profile).write(*sensors)  # type: ignore[arg-type]
    items = {item: bytes(value) for item, value in written.items.items()}
    readers = (
        profile.read_loaded, profile.read_lifted, profile.read_covered, profile.read_load_kg,
    )  # fmt: skip
    return [read(written.status_bits, items) for read in readers]


@pytest.mark.parametrize("name", sorted(PROFILES.keys() - CANNOT_SAY_UNKNOWN))
def test_what_is_written_is_read(name: str) -> None:
    profile = PROFILES[name]
    places = (profile.loaded, profile.lifted, profile.covered, profile.load_kg)
    for switches, weight_kg in product(SWITCHES, WEIGHTS_KG):
        wanted = [*switches, weight_kg]
        expected = [
            None if place is None else one for place, one in zip(places, wanted, strict=True)
        ]
        assert told(profile, *wanted) == expected


@pytest.mark.parametrize("name", sorted(CANNOT_SAY_UNKNOWN))
def test_a_profile_that_cannot_say_unknown_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="none is left for unknown"):
        SensorWriter(PROFILES[name])


def test_a_weight_beyond_the_scale_is_its_end_and_never_unknown() -> None:
    profile = PROFILES["simulated-bits"]
    assert told(profile, None, None, None, 1e9)[3] == 655_340.0
    assert told(profile, None, None, None, -5.0)[3] == 0.0


def test_items_are_as_long_as_the_profile_says() -> None:
    written = SensorWriter(PROFILES["simulated-bits"]).write(True, False, None, 12_340.0)
    assert {item: value.hex() for item, value in written.items.items()} == {0xE1: "2304d2"}
    written = SensorWriter(PROFILES["standard-2013"]).write(True, True, True, 1.0)
    assert (written.status_bits, written.items) == (0x300, {})
