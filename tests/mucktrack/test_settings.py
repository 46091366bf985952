"""Settings: flag, variable, default, and how they are shown."""

from dataclasses import fields
from pathlib import Path

import pytest

from mucktrack.settings import (
    SETTINGS,
    SettingError,
    Settings,
    load_settings,
    unknown_variables,
)
from mucktrack.settings_list import settings_lines


def test_nothing_given_gives_the_defaults():
    assert load_settings({}, {}) == Settings()


def test_a_variable_is_read_and_an_empty_one_is_unset():
    settings = load_settings({}, {"MUCKTRACK_PARTITIONS": "6", "MUCKTRACK_KAFKA": ""})
    assert settings.partitions == 6
    assert settings.kafka is None


def test_a_flag_goes_before_a_variable():
    settings = load_settings({"partitions": 3, "kafka": None}, {"MUCKTRACK_PARTITIONS": "6"})
    assert settings.partitions == 3


def test_every_setting_has_a_variable_a_flag_and_a_help_text():
    assert list(SETTINGS) == [one.name for one in fields(Settings)]
    for setting in SETTINGS.values():
        assert setting.variable == f"MUCKTRACK_{setting.name.upper()}"
        assert setting.flag == f"--{setting.name.replace('_', '-')}"
        assert setting.help.endswith(".")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("kafka", "a:9092, b.example:9093", "a:9092,b.example:9093"),
        ("kafka", "[::1]:9092", "[::1]:9092"),
        ("redis", "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis", "rediss://user:word@h/1", "rediss://user:word@h/1"),
        ("redis", "unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("city", "somewhere/city", Path("somewhere/city")),
        ("metrics_port", "0", 0),
    ],
)
def test_what_can_be_read(name, text, value):
    setting = SETTINGS[name]
    assert getattr(load_settings({}, {setting.variable: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("kafka", "localhost", "MUCKTRACK_KAFKA=localhost: 'localhost' is not host:port"),
        ("kafka", "a:9092,", "'' is not host:port"),
        ("kafka", "a:99999", "'a:99999' is not host:port"),
        ("redis", "127.0.0.1:6379", "MUCKTRACK_REDIS=***: not the URL of a Redis"),
        ("redis", "redis://", "not the URL of a Redis"),
        ("redis", "redis://h:word", "the port is not a number"),
        ("redis", "redis://[h", "MUCKTRACK_REDIS=***"),
        ("partitions", "0", "MUCKTRACK_PARTITIONS=0: not a whole number from 1 to 10000"),
        ("partitions", "twelve", "not a whole number"),
        ("partitions", "１２", "not a whole number"),
        ("metrics_port", "-1", "not a whole number from 0 to 65535"),
        ("metrics_host", "http://h", "not the name or address of a host"),
        ("group", " a", "not a name"),
    ],
)
def test_what_cannot_be_read_is_told(name, text, told):
    with pytest.raises(SettingError) as caught:
        load_settings({}, {SETTINGS[name].variable: text})
    assert told in str(caught.value)


SECRETS = [name for name, setting in SETTINGS.items() if setting.secret]


def test_passwords_and_what_may_hold_them_are_secret():
    assert SECRETS == [
        "kafka_password",
        "redis",
        "redis_password",
        "database",
        "database_password",
    ]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(name, tmp_path):
    text = "redis://me:geheim@h/0" if name == "redis" else "postgresql://me:geheim@h/cases"
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    variable = f"MUCKTRACK_{name.upper()}_FILE"
    assert getattr(load_settings({}, {variable: str(file)}), name) == text
    assert getattr(load_settings({name: "other"}, {variable: str(file)}), name) == "other"
    assert unknown_variables({variable: str(file)}) == []
    assert any(f"file that holds it: {variable}" in line for line in settings_lines(Settings()))


def test_only_secrets_are_read_from_files(tmp_path):
    file = tmp_path / "partitions"
    file.write_text("6\n")
    given = {"MUCKTRACK_PARTITIONS_FILE": str(file)}
    assert load_settings({}, given) == Settings()
    assert unknown_variables(given) == ["MUCKTRACK_PARTITIONS_FILE"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "must hold the value and nothing else, on one line"),
        (b"\r\n", "must hold the value"),
        (b"geheim\nsecond\n", "must hold the value"),
        (b"\xff\xfe", "is no text in UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_without_a_secret_is_told(content, told, tmp_path):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=told) as caught:
        load_settings({}, {"MUCKTRACK_KAFKA_PASSWORD_FILE": str(file)})
    assert f"MUCKTRACK_KAFKA_PASSWORD_FILE: {file}" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_what_a_secret_file_holds_is_checked_and_not_shown(tmp_path):
    file = tmp_path / "secret"
    file.write_text("geheim")
    with pytest.raises(SettingError, match=r"MUCKTRACK_REDIS_FILE=\*\*\*: not the URL"):
        load_settings({}, {"MUCKTRACK_REDIS_FILE": str(file)})


def test_a_secret_that_is_told_twice_is_refused(tmp_path):
    given = {"MUCKTRACK_REDIS": "redis://h", "MUCKTRACK_REDIS_FILE": str(tmp_path / "secret")}
    with pytest.raises(SettingError, match="are both set; leave one out"):
        load_settings({}, given)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:geheim@h:1/0", "redis://:***@h:1/0"),
        ("redis://me:geheim@h/0", "redis://me:***@h/0"),
        ("redis://h:1/0?password=geheim", "redis://h:1/0?***"),
        ("redis://h:1/0", "redis://h:1/0"),
    ],
)
def test_secrets_are_masked(url, shown):
    lines = list(settings_lines(load_settings({"redis": url}, {})))
    assert f"MUCKTRACK_REDIS={shown}" in lines
    assert "geheim" not in "\n".join(lines)


def test_what_is_printed_can_be_read_back():
    settings = load_settings({"partitions": 5, "kafka": "a:1", "state_dir": Path("x/y")}, {})
    lines = [line for line in settings_lines(settings) if not line.startswith("#")]
    assert load_settings({}, dict(line.split("=", 1) for line in lines)) == settings


def test_a_slip_of_the_pen_is_noticed():
    environment = {"MUCKTRACK_KAKFA": "a:1", "MUCKTRACK_KAFKA": "a:1", "PATH": "/bin"}
    assert unknown_variables(environment) == ["MUCKTRACK_KAKFA"]
