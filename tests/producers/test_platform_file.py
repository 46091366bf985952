"""The file of platforms: what is read, and what is said of a bad one."""

from pathlib import Path

import pytest

from producers.gateway.platform_file import Platform, PlatformFileError, load_platforms
from producers.jt809.cipher import Cipher
from producers.profiles.profile import load_profiles

PROFILES = load_profiles()
GOOD = """
[[platform]]
name = "east"
centre_id = 86896940
user_id = 1001
password = "secret"
"""


def load(folder: Path, text: str) -> dict[int, Platform]:
    file = folder / "platforms.toml"
    file.write_text(text)
    return load_platforms(file, PROFILES)


def test_the_least(tmp_path: Path) -> None:
    (platform,) = load(tmp_path, GOOD).values()
    assert (platform.name, platform.centre_id, platform.user_id) == ("east", 86896940, 1001)
    assert platform.password == "secret"  # noqa: S105
    assert (platform.version, platform.cipher, platform.addresses) == (None, None, ())
    assert platform.profile.loaded is None
    assert platform.may_come_from("2001:db8::1")
    assert "secret" not in repr(platform)


def test_everything(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-it\n")
    (platform,) = load(
        tmp_path,
        GOOD.replace('password = "secret"', 'password_file = "password"')
        + """version = "2019"
m1 = 1
ia1 = 0
ic1 = 4294967295
profile = "standard-2013"
addresses = ["10.1.2.3", "192.168.0.0/16", "2001:db8::/32"]
""",
    ).values()
    assert platform.password == "from-it"  # noqa: S105
    assert platform.version == "2019"
    assert platform.cipher == Cipher(1, 0, 4294967295)
    assert platform.profile.name == "standard-2013"
    for host, let_in in {
        "10.1.2.3": True,
        "10.1.2.4": False,
        "192.168.77.1": True,
        "::ffff:192.168.77.1": True,
        "2001:db8::1": True,
        "fe80::1%eth0": False,
    }.items():
        assert platform.may_come_from(host) is let_in, host


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no platform; write a table [[platform]] for each"),
        ("[platform]\nname='x'", "platform is no list of tables; head each with [[platform]]"),
        ("x = [", "is not TOML: "),
        ("x = 1\n" + GOOD, "'x' is no key here; allowed are platform"),
        (GOOD + "pasword = 1", "[platform 1]: 'pasword' is no key here; allowed are name, "),
        (GOOD.replace('"east"', '"ea st"'), "[platform 1]: name 'ea st' is no name; allowed are "),
        (GOOD.replace("86896940", "4294967296"), "centre_id 4294967296 is out of range; allowed"),
        (GOOD.replace("86896940", '"1"'), "centre_id '1' is out of range; allowed are 0 to "),
        (GOOD.replace("user_id = 1001", ""), "user_id is missing; fill it in"),
        (GOOD.replace('password = "secret"', ""), "password or password_file: give one of them"),
        (GOOD + 'password_file = "x"', "password or password_file: give one of them"),
        (
            GOOD.replace('password = "secret"', 'password_file = "none"'),
            "password_file 'none' cannot be read: No such file or directory",
        ),
        (
            GOOD.replace("secret", "secret-12"),
            "password has a password that is not of 1 to 8 bytes",
        ),
        (GOOD + 'version = "2013"', "version '2013' is not known; allowed are '2011', '2019'"),
        (GOOD + "m1 = 1\nic1 = 2", "ia1 is missing beside m1 and ic1; a cipher needs all three"),
        (GOOD + "m1 = -1\nia1 = 1\nic1 = 2", "m1 -1 is out of range; allowed are 0 to 4294967295"),
        (GOOD + 'profile = "x"', "profile 'x' is not known; there are no-sensors-2013, "),
        (
            GOOD + 'addresses = ["10.1.2.3/8"]',
            "addresses '10.1.2.3/8' is no address or network; write 10.1.2.3 or 10.1.2.0/24",
        ),
        (GOOD + 'addresses = "10.1.2.3"', "addresses '10.1.2.3' is no list of texts"),
        (GOOD + GOOD, "[platform 2]: name 'east' is that of platform 1 too; give each its own"),
        (
            GOOD + GOOD.replace("east", "west"),
            "[platform 2]: centre_id 86896940 is that of platform 1 too; give each its own",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(PlatformFileError) as raised:
        load(tmp_path, text)
    assert error in str(raised.value)
    assert "secret" not in str(raised.value)


def test_every_fault_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlatformFileError) as raised:
        load(tmp_path, "[[platform]]\nname = 7\n[[platform]]\nuser_id = -1\n")
    assert len(str(raised.value).splitlines()) >= 7


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(PlatformFileError, match="cannot be read: No such file or directory"):
        load_platforms(tmp_path / "none.toml", PROFILES)
