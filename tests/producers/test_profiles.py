"""Terminal profiles: what readings mean, and which files are refused."""

import textwrap
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from geofences.findings import Report
from producers.profiles.parse import parse_profile
from producers.profiles.profile import (
    SHIPPED,
    Profile,
    ProfileError,
    check_profiles,
    load_profiles,
)
from producers.profiles.reading import Switch
from producers.profiles.words import describe

CASES = Path(__file__).parent / "profile_cases"
READINGS = ("loaded", "lifted", "covered", "load_kg")
SHIPPED_PROFILES = {profile.name: profile for profile in load_profiles()}
HEAD = 'name = "one"\nversion = "2013"\n'


def profile_of(text: str) -> Profile:
    report = Report()
    profile = parse_profile(text.encode(), "one.toml", report)
    assert profile is not None, [finding.render() for finding in report.findings]
    return profile


def faults_of(text: str) -> list[str]:
    report = Report()
    assert parse_profile(text.encode(), "one.toml", report) is None
    return [finding.render() for finding in report.findings]


def readings(profile: Profile, status: int, items: dict[int, bytes]) -> dict[str, object]:
    return {name: getattr(profile, f"read_{name}")(status, items) for name in READINGS}


def cases() -> list[tuple[str, dict[str, object]]]:
    files = sorted(CASES.glob("*.toml"))
    return [(file.stem, case) for file in files for case in tomllib.loads(file.read_text())["case"]]


def test_every_shipped_profile_has_cases() -> None:
    assert {file.name for file in CASES.glob("*.toml")} == {
        f"{name}.toml" for name in SHIPPED_PROFILES
    }
    assert {path.stem for path in SHIPPED.glob("*.toml")} == set(SHIPPED_PROFILES)


@pytest.mark.parametrize(("name", "case"), cases())
def test_case(name: str, case: dict[str, object]) -> None:
    items = case.get("items", {})
    assert isinstance(items, dict)
    by_id = {int(item, 0): bytes.fromhex(value) for item, value in items.items()}
    status = case.get("status", 0)
    assert isinstance(status, int)
    expected = {reading: case.get(reading) for reading in READINGS}
    assert readings(SHIPPED_PROFILES[name], status, by_id) == expected


@st.composite
def switches(draw: st.DrawFn) -> tuple[str, str]:
    """A profile of one switch, and where it reads."""
    if draw(st.booleans()):
        low = draw(st.integers(0, 31))
        high = draw(st.integers(low, 31))
        place = f"status_bits = [{low}, {high}]"
    else:
        width = draw(st.sampled_from([1, 2, 4]))
        low = draw(st.integers(0, 8 * width - 1))
        high = draw(st.integers(low, 8 * width - 1))
        byte = draw(st.integers(0, 5))
        place = f"item = 0xE5\nbyte = {byte}\nbytes = {width}\nbits = [{low}, {high}]"
    highest = (1 << (high - low + 1)) - 1
    values = draw(st.sets(st.integers(0, highest), min_size=1, max_size=6))
    true = draw(st.sets(st.sampled_from(sorted(values))))
    text = f"{HEAD}[loaded]\n{place}\ntrue = {sorted(true)}\nfalse = {sorted(values - true)}\n"
    return text, place


@given(
    switches(),
    st.integers(0, 2**32 - 1),
    st.none() | st.binary(max_size=12) | st.binary(max_size=12).map(lambda raw: raw[:1] * 12),
)
def test_a_reading_means_what_is_listed_and_nothing_else(
    switch: tuple[str, str], status: int, item: bytes | None
) -> None:
    """Against the reading of a person: bits cut out of the binary digits."""
    profile = profile_of(switch[0])
    told = profile.loaded
    assert isinstance(told, Switch)
    place = told.place
    if place.item is None:
        digits = f"{status:032b}"
    elif item is None or len(item) < place.byte + place.bytes:
        digits = None
    else:
        cut = item[place.byte : place.byte + place.bytes]
        digits = "".join(f"{byte:08b}" for byte in cut)
    expected = None
    if digits is not None:
        low, high = place.bits
        value = int(digits[len(digits) - 1 - high : len(digits) - low], 2)
        expected = True if value in told.true else False if value in told.false else None
    items = {} if item is None else {0xE5: item}
    assert profile.read_loaded(status, items) is expected
    assert not told.true & told.false


@given(st.integers(0, 2**32 - 1), st.dictionaries(st.integers(0xE0, 255), st.binary(max_size=6)))
def test_no_reading_of_a_shipped_profile_goes_wrong(status: int, items: dict[int, bytes]) -> None:
    for profile in SHIPPED_PROFILES.values():
        told = readings(profile, status, items)
        assert all(told[name] in (True, False, None) for name in ("loaded", "lifted", "covered"))
        assert told["load_kg"] is None or isinstance(told["load_kg"], float)


def test_a_weight_has_unit_and_scale() -> None:
    weight = "[load_kg]\nitem = 0xE4\nbytes = 2\n"
    read = profile_of(HEAD + weight + 'unit = "t"\nscale = 0.1\n').read_load_kg
    assert read(0, {0xE4: b"\x00\x7b"}) == 12_300
    read = profile_of(HEAD + weight + 'unit = "kg"\nscale = 0.1\nbits = [0, 11]\n').read_load_kg
    assert read(0, {0xE4: b"\xf0\x03"}) == 0.3
    assert read(0, {0xE4: b"\x03"}) is None


FAULTS = {
    'version = "2013"\n': ["one.toml: name is missing; fill it in"],
    'name = "Wu Xi"\nversion = "2013"\n': [
        "one.toml: name 'Wu Xi' is no name; allowed are 1 to 40 of a-z, 0-9, '.', '_' and '-'"
    ],
    'name = "one"\n': ["one.toml: version is missing; allowed are '2011', '2013', '2019'"],
    'name = "one"\nversion = 2013\n': [
        "one.toml: version 2013 is not known; allowed are '2011', '2013', '2019'"
    ],
    HEAD + 'datum = "bd-09"\n': [
        "one.toml: datum 'bd-09' is not known; allowed are 'wgs84', 'gcj02', 'bd09'"
    ],
    HEAD + "load = 1\n": [
        "one.toml: 'load' is no key here; allowed are name, about, version, datum, models, "
        "loaded, lifted, covered, load_kg"
    ],
    HEAD + 'models = ["HX100"]\n': [
        "one.toml: models 'HX100' is no model; write MANUFACTURER/MODEL, or MANUFACTURER/* for "
        "all others"
    ],
    HEAD + "models = [70111]\n": ['one.toml: models [70111] is no list of texts, ["A", "B"]'],
    HEAD + "loaded = true\n": ["one.toml: loaded True is no table; write its keys under [loaded]"],
    HEAD + "[loaded]\ntrue = [1]\n": [
        "one.toml: [loaded]: item, status_bits are both missing; give one"
    ],
    HEAD + "[loaded]\nitem = 0xE1\nstatus_bits = 8\ntrue = [1]\n": [
        "one.toml: [loaded]: item, status_bits are both given; keep one"
    ],
    HEAD + "[loaded]\nitem = 256\ntrue = [1]\n": [
        "one.toml: [loaded]: item 256 is out of range; allowed are 1 to 255"
    ],
    HEAD + "[loaded]\nitem = 0xE1\nbits = 8\ntrue = [1]\n": [
        "one.toml: [loaded]: bits 8 is no bit nor [lowest, highest]; allowed are bits 0 to 7"
    ],
    HEAD + "[loaded]\nitem = 0xE1\nbits = [1, 0]\ntrue = [1]\n": [
        "one.toml: [loaded]: bits [1, 0] is no bit nor [lowest, highest]; allowed are bits 0 to 7"
    ],
    HEAD + "[loaded]\nitem = 0xE1\nbytes = 3\ntrue = [1]\n": [
        "one.toml: [loaded]: bytes 3 is no width; allowed are 1, 2, 4"
    ],
    HEAD + "[loaded]\nitem = 0xE1\nbyte = 2\nlength = 2\ntrue = [1]\n": [
        "one.toml: [loaded]: length 2 is out of range; allowed are 3 to 255"
    ],
    HEAD + "[loaded]\nstatus_bits = 32\ntrue = [1]\n": [
        "one.toml: [loaded]: status_bits 32 is no bit nor [lowest, highest]; allowed are bits "
        "0 to 31"
    ],
    HEAD + "[loaded]\nstatus_bits = 8\nbyte = 1\ntrue = [1]\n": [
        "one.toml: [loaded]: byte is of an item, and the reading is in `status_bits`; leave it out"
    ],
    'name = "one"\nversion = "2011"\n[loaded]\nstatus_bits = [9, 10]\ntrue = [1]\n': [
        "one.toml: [loaded]: status_bits [9, 10] holds bits 8-9, which JT/T 808-2011 reserves: "
        'what they mean there is unknown; leave the table out, or state the version "2013" or '
        '"2019"'
    ],
    HEAD + "[covered]\nitem = 0xE1\ntrue = [1, 2]\nfalse = [0, 2]\n": [
        "one.toml: [covered]: true 2 is in `false` too; a reading means one of them"
    ],
    HEAD + "[covered]\nitem = 0xE1\nbits = [0, 1]\ntrue = [4]\nfalse = [-1]\n": [
        "one.toml: [covered]: true 4 can never be read; allowed are 0 to 3",
        "one.toml: [covered]: false -1 can never be read; allowed are 0 to 3",
    ],
    HEAD + "[covered]\nitem = 0xE1\n": [
        "one.toml: [covered]: true lists no value, nor does `false`; list what is known, or leave "
        "the table out"
    ],
    HEAD + "[covered]\nitem = 0xE1\ntrue = true\n": [
        "one.toml: [covered]: true True is no list of whole numbers, [0, 1]"
    ],
    HEAD + "[load_kg]\nstatus_bits = [8, 9]\n": [
        "one.toml: [load_kg]: 'status_bits' is no key here; allowed are item, byte, bytes, bits, "
        "length, unit, scale, unknown",
        "one.toml: [load_kg]: item is missing; allowed are 1 to 255, e.g. 0xE1",
        "one.toml: [load_kg]: unit is missing; allowed are 'kg', 't'",
    ],
    HEAD + '[load_kg]\nitem = 0xE1\nunit = "kg"\nscale = "0.1"\n': [
        "one.toml: [load_kg]: scale '0.1' is no scale; allowed are numbers above 0, at most 1000000"
    ],
    HEAD + '[load_kg]\nitem = 0xE1\nunit = "kg"\nscale = nan\nunknown = [256]\n': [
        "one.toml: [load_kg]: scale nan is no scale; allowed are numbers above 0, at most 1000000"
    ],
    HEAD + '[load_kg]\nitem = 0xE1\nunit = "kg"\nunknown = [256]\n': [
        "one.toml: [load_kg]: unknown 256 can never be read; allowed are 0 to 255"
    ],
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_wrong_profile_is_refused(text: str) -> None:
    assert faults_of(text) == FAULTS[text]


@pytest.mark.parametrize("text", ["name =", 'name = "one"\nname = "two"', "x = 1" + "0" * 9000])
def test_what_is_no_toml_is_refused(text: str) -> None:
    (fault,) = faults_of(text)
    assert fault.startswith("one.toml: is not TOML")


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


def test_a_folder_of_ones_own_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    folder = write(tmp_path, one=HEAD + 'models = ["70111/HX 100", "70222/*", "70222/B"]\n')
    profiles = load_profiles(folder)
    assert set(profiles.names) == {*SHIPPED_PROFILES, "one"}
    one = profiles.named("one")
    assert one is not None
    assert profiles.of_model("70111", "HX 100\0\0") is one
    assert profiles.of_model("70111", "HX 101") is None
    assert profiles.of_model("70222\0", "A") is one
    assert profiles.of_model("70333", "A") is None
    assert profiles.named("two") is None
    assert profiles.standard("2011").name == "standard-2011"
    assert check_profiles([folder]) == [one]
    assert check_profiles([folder / "one.toml", folder]) == [one]


def test_an_exact_model_goes_before_all_others_of_the_maker(tmp_path: Path) -> None:
    text = 'name = "{0}"\nversion = "2013"\nmodels = ["{1}"]\n'
    folder = write(tmp_path, a=text.format("a", "7/*"), b=text.format("b", "7/B"))
    profiles = load_profiles(folder)
    assert [one and one.name for one in map(profiles.of_model, "777", "ABC")] == ["a", "b", "a"]


def test_two_profiles_of_one_name_or_one_model_are_refused(tmp_path: Path) -> None:
    model = 'models = ["70111/A"]\n'
    other = f'name = "other"\nversion = "2019"\n{model}'
    folder = write(tmp_path, a=HEAD + model, b=HEAD, c=other)
    with pytest.raises(ProfileError) as refused:
        load_profiles(folder)
    assert str(refused.value).splitlines() == [
        f"{folder}/b.toml: name 'one' is the name of {folder}/a.toml too; give each profile a "
        "name of its own",
        f"{folder}/c.toml: models '70111/A' is claimed by {folder}/a.toml too; a model has one "
        "profile",
    ]
    write(tmp_path, a=HEAD.replace("one", "standard-2013"))
    with pytest.raises(ProfileError, match=r"standard-2013\.toml too"):
        check_profiles([tmp_path / "a.toml"])


def test_every_faulty_file_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, a="name =", b='version = "2013"')
    with pytest.raises(ProfileError) as refused:
        load_profiles(folder)
    assert len(str(refused.value).splitlines()) == 2
    with pytest.raises(ProfileError, match=r"none\.toml: cannot be read: No such file"):
        check_profiles([tmp_path / "none.toml"])
    with pytest.raises(ProfileError, match="holds no profile"):
        load_profiles(write(tmp_path / "empty"))


def test_words() -> None:
    assert describe(SHIPPED_PROFILES["vendor-one-byte"]) == [
        "vendor-one-byte: JT/T 808-2013, wgs84, models: none, taken by its name",
        "  loaded: item 0xE1 byte 0 bits 0-1: 1 or 3 = true, 0 = false, else unknown",
        "  lifted: item 0xE1 byte 0 bit 2: 1 = true, 0 = false, else unknown",
        "  covered: item 0xE1 byte 0 bit 3: 1 = true, 0 = false, else unknown",
        "  load_kg: item 0xE1 bytes 1-2: × 10 kg, 65535 = unknown",
    ]
    profile = profile_of(
        HEAD + 'datum = "gcj02"\nmodels = ["A/B"]\n[loaded]\nstatus_bits = 8\nfalse = [0]\n'
    )
    assert describe(profile)[:2] == [
        "one: JT/T 808-2013, gcj02, models: A/B",
        "  loaded: status bit 8: 0 = false, else unknown",
    ]


def test_the_example_of_the_docs_is_a_profile() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text()
    _, _, rest = page.partition("## Writing one\n\n")
    example = textwrap.dedent(rest.partition("\nEvery table")[0])
    profile = profile_of(example)
    assert readings(profile, 1 << 20, {0xE1: b"\x03", 0xE3: b"\0\1\0\0", 0xE4: b"\x0b\xb8"}) == {
        "loaded": True,
        "covered": True,
        "lifted": True,
        "load_kg": 30_000.0,
    }


def test_the_docs_name_every_shipped_profile() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text()
    assert all(f"`{name}`" in page for name in SHIPPED_PROFILES)
