"""The file of receivers: what it says, and what is told where it cannot be used."""

import pytest

from enforcement.webhooks.receivers import ReceiversError, read_receivers

CITY = "https://example.org/cases?key=geheim"
WHOLE = """
[[receiver]]
name = "city"
address = "https://example.org/cases?key=geheim"
secret = "geheim"
rules = ["illegal-dumping"]
severities = ["critical"]
districts = ["990101"]
events = ["open", "close"]
link = "https://console.example/cases/{case_id}"
tries = 5

[[receiver]]
name = "night"
address = "https://example.org/robot"
format = "dingtalk"
secret = "SEC1"
language = "en"
"""


def read(tmp_path, text):
    file = tmp_path / "webhooks.toml"
    file.write_text(text, encoding="utf-8")
    return read_receivers(file)


def test_what_it_says(tmp_path):
    city, night = read(tmp_path, WHOLE)
    assert (city.name, city.format, city.secret, city.tries) == (
        "city",
        "cloudevents",
        b"geheim",
        5,
    )
    assert city.wants("open", ["speeding", "illegal-dumping"], "critical", ["990101", "990102"])
    assert not city.wants("accept", ["illegal-dumping"], "critical", ["990101"])
    assert not city.wants("open", ["speeding"], "critical", ["990101"])
    assert not city.wants("open", ["illegal-dumping"], "major", ["990101"])
    assert not city.wants("open", ["illegal-dumping"], "critical", [""])
    assert night.wants("violation-withdrawn", ["speeding"], "lead", [""])
    assert "geheim" not in repr(city)


def test_a_secret_may_be_in_a_file_or_in_base64(tmp_path):
    (tmp_path / "key").write_text("whsec_aGFsbG8=\n")
    text = WHOLE.replace('secret = "geheim"', 'secret_file = "key"')
    assert read(tmp_path, text)[0].secret == b"hallo"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[[receiver]]", "[[receivers]]", "write a table [[receiver]]"),
        ('name = "city"', "", "receiver 1: name = None"),
        ('name = "city"', 'name = "night"', "receiver night: there are two"),
        (
            "https://example.org/cases?key=geheim",
            "example.org",
            "receiver city: address: no address",
        ),
        ("https://example.org/cases?key=geheim", "ftp://geheim", "address: no address"),
        ("https://example.org/cases?key=geheim", "http://[geheim", "address: no address"),
        (
            '"https://example.org/cases?key=geheim"',
            '"https://example.org/cases?key=geheim\\u200b"',
            "receiver city: address: no address",
        ),
        (
            '"https://example.org/cases?key=geheim"',
            '["https://example.org/cases?key=geheim"]',
            "receiver city: address: no address",
        ),
        ('rules = ["illegal-dumping"]', 'rules = ["parking"]', "rules: 'parking' is unknown"),
        ('rules = ["illegal-dumping"]', "rules = []", "leave it out for all"),
        ('rules = ["illegal-dumping"]', 'rules = "speeding"', "write a list"),
        ('severities = ["critical"]', 'severities = ["fatal"]', "severities: 'fatal' is unknown"),
        ('events = ["open", "close"]', 'events = ["fine"]', "events: 'fine' is unknown; allowed"),
        ("tries = 5", "tries = 0", "tries = 0; allowed are 1 to"),
        ("tries = 5", "tries = true", "tries = True"),
        ("tries = 5", "try = 5", "try is unknown; allowed are address,"),
        ("/{case_id}", "/1", "it needs {case_id} once"),
        ('format = "dingtalk"', 'format = "fax"', "format = 'fax'; allowed are cloudevents"),
        ('format = "dingtalk"', 'format = "wecom"', "robots of WeCom have none"),
        ('language = "en"', 'language = "fr"', "language = 'fr'; allowed are zh, en"),
        ('secret = "geheim"', 'secret = ""', "secret: it is empty"),
        ('secret = "geheim"', 'secret = "whsec_ä"', "is no Base64"),
        ('secret = "geheim"', 'secret_file = "nowhere"', "No such file"),
        ("tries = 5", 'secret_file = "nowhere"', "leave one out"),
        ("tries = 5", "tries = ", "no TOML"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, before, after, told):
    assert before in WHOLE
    with pytest.raises(ReceiversError) as caught:
        read(tmp_path, WHOLE.replace(before, after, 1))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ReceiversError, match="No such file"):
        read_receivers(tmp_path / "nowhere.toml")
