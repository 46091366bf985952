"""The settings of access: what they make together, and what cannot be meant."""

import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
from conftest import ROOT
from redis import ConnectionPool
from servers.certificates import Authority
from servers.programs import MissingProgramError, openssl

from mucktrack.access import KAFKA_ACCESS, REDIS_ACCESS, check_unused, kafka_access, redis_url
from mucktrack.failures import BadInputError
from mucktrack.settings import SETTINGS, Settings, load_settings
from mucktrack.settings_list import settings_lines
from streams.access import KafkaAccess
from streams.app import WorkerConfig

SECRET = "geheim"  # noqa: S105 - opens nothing
KAFKA = {"kafka": "a:1"}
LOGIN = {**KAFKA, "kafka_security": "sasl_ssl", "kafka_user": "me", "kafka_password": SECRET}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    try:
        openssl()
    except MissingProgramError as error:
        pytest.skip(str(error))
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(**values: object) -> Settings:
    return load_settings({}, {f"MUCKTRACK_{name.upper()}": str(values[name]) for name in values})


def test_without_more_kafka_is_plain():
    assert kafka_access(settings(**KAFKA)) == KafkaAccess.plain("a:1")
    assert KafkaAccess.plain("a:1,b:2").client_options() == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }


def test_a_login_over_tls(authority, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    given = {**LOGIN, "kafka_ca_file": authority.cert, "kafka_sasl_mechanism": "SCRAM-SHA-256"}
    access = kafka_access(settings(**given))
    from_file = {**given, "kafka_password": "", "kafka_password_file": file}
    assert kafka_access(settings(**from_file)) == access
    options = access.client_options()
    assert options.pop("ssl_context").cert_store_stats()["x509"] == 1
    assert options == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "me",
        "sasl_plain_password": SECRET,
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kafka_security": ""}, "MUCKTRACK_KAFKA_USER is for a login, and"),
        ({"kafka_security": "ssl"}, "set MUCKTRACK_KAFKA_SECURITY=sasl_ssl"),
        ({"kafka_security": "sasl_plaintext", "kafka_ca_file": "ca"}, "KAFKA_CA_FILE is for TLS"),
        ({"kafka_user": ""}, "needs MUCKTRACK_KAFKA_USER"),
        ({"kafka_password": ""}, "needs MUCKTRACK_KAFKA_PASSWORD or MUCKTRACK_KAFKA_PASSWORD_FILE"),
        ({"kafka_ca_file": "nowhere.pem"}, "nowhere.pem: No such file"),
        ({"kafka_ca_file": "pyproject.toml"}, "pyproject.toml: holds no certificate in PEM"),
        ({"kafka_cert_file": "pyproject.toml"}, "pyproject.toml: holds no certificate with its"),
        ({"kafka_key_file": "key.pem"}, "KAFKA_KEY_FILE needs MUCKTRACK_KAFKA_CERT_FILE"),
    ],
)
def test_what_cannot_be_meant_of_kafka_is_told(change, told):
    given = {**LOGIN, **change}
    given = {
        name: ROOT / value if value == "pyproject.toml" else value for name, value in given.items()
    }
    with pytest.raises(BadInputError) as caught:
        kafka_access(settings(**given))
    assert told in caught.value.message
    assert SECRET not in caught.value.message


def test_a_key_with_a_password_is_told_and_not_asked_for(authority, tmp_path):
    own = authority.sign("own")
    key = tmp_path / "encrypted.key"
    subprocess.run(
        [openssl(), "ec", "-in", own.key, "-aes256", "-passout", "pass:word", "-out", key],
        check=True,
        capture_output=True,
    )
    given = {**KAFKA, "kafka_security": "ssl", "kafka_cert_file": own.cert, "kafka_key_file": key}
    with pytest.raises(BadInputError, match="which has no password"):
        kafka_access(settings(**given))


@pytest.mark.parametrize("password", [SECRET, "p@ss:/?#[]%20&=+ 密"])
@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("redis://h:1/2", None),
        ("redis://me@h:1/2", "me"),
        ("rediss://me@h:1/2", "me"),
        ("unix://me@/run/redis?db=2", "me"),
    ],
)
def test_a_password_of_redis_comes_beside_its_url(url, user, password):
    told = redis_url(settings(redis=url, redis_password=password))
    options = ConnectionPool.from_url(told).connection_kwargs
    assert options["password"] == password
    assert options.get("username") == user
    assert int(options["db"]) == 2


def test_a_redis_with_tls_gets_its_files(authority):
    own = authority.sign("for-redis")
    told = redis_url(
        settings(
            redis="rediss://h/0",
            redis_ca_file=authority.cert,
            redis_cert_file=own.cert,
            redis_key_file=own.key,
        )
    )
    options = ConnectionPool.from_url(told).connection_kwargs
    assert options["ssl_ca_certs"] == str(authority.cert)
    assert options["ssl_certfile"] == str(own.cert)
    assert options["ssl_keyfile"] == str(own.key)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"redis": "redis://h", "redis_ca_file": "ca"}, "write rediss:// instead of redis://"),
        ({"redis": "redis://:x@h", "redis_password": SECRET}, "take the one out of the URL"),
        ({"redis": "rediss://h", "redis_ca_file": "nowhere"}, "nowhere: No such file"),
        ({"redis": "redis://h/0?socket_timeout=geheim"}, "Redis at redis://h/0?***: "),
    ],
)
def test_what_cannot_be_meant_of_redis_is_told(given, told):
    with pytest.raises(BadInputError) as caught:
        redis_url(settings(**given))
    assert told in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("name", [*KAFKA_ACCESS, *REDIS_ACCESS])
def test_access_to_what_is_not_given_is_a_slip(name):
    values = {"kafka_security": "ssl", "kafka_sasl_mechanism": "PLAIN"}
    with pytest.raises(BadInputError, match=SETTINGS[name].variable):
        check_unused(settings(**{name: values.get(name, "x")}))
    check_unused(settings())


def test_secrets_show_nowhere():
    url = f"redis://me:{SECRET}@h"
    database = f"postgresql://me:{SECRET}@h/cases"
    given = settings(
        **LOGIN,
        redis=url,
        redis_password=SECRET,
        database=database,
        database_password=SECRET,
    )
    shown = "\n".join(settings_lines(given))
    assert "MUCKTRACK_KAFKA_PASSWORD=***" in shown
    assert "MUCKTRACK_DATABASE=postgresql://me:***@h/cases" in shown
    for text in (shown, repr(given), str(given), repr(kafka_access(settings(**LOGIN)))):
        assert SECRET not in text
    access = kafka_access(settings(**LOGIN))
    config = WorkerConfig(access, Path(), url, "g", 1, Path(), "127.0.0.1", 0, 6)
    assert SECRET not in repr(config)
    secret = {name for name, setting in SETTINGS.items() if setting.secret}
    assert secret == {
        *("redis", "redis_password", "kafka_password", "database", "database_password")
    }
    assert not any(one.repr for one in fields(Settings) if one.name in secret)


def test_paths_stay_what_they_are():
    assert settings(kafka_ca_file="x/y.pem").kafka_ca_file == Path("x/y.pem")
