"""The settings as the ways to Kafka and Redis.

Called by every command that connects. What cannot be meant is refused here, before anything
connects: a password that would not be sent, a certificate that would not be looked at.
"""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from redis import ConnectionPool

from mucktrack.failures import BadInputError
from mucktrack.options import required
from mucktrack.settings import SETTINGS, Settings
from streams.access import PLAINTEXT, KafkaAccess, UnusableFileError, tls_context
from streams.log_lines import hide, hide_in_address

KAFKA_TLS = ("kafka_ca_file", "kafka_cert_file", "kafka_key_file")
KAFKA_LOGIN = ("kafka_user", "kafka_password")
KAFKA_ACCESS = ("kafka_security", *KAFKA_TLS, "kafka_sasl_mechanism", *KAFKA_LOGIN)
REDIS_TLS = ("redis_ca_file", "redis_cert_file", "redis_key_file")
REDIS_ACCESS = ("redis_password", *REDIS_TLS)


def kafka_access(settings: Settings) -> KafkaAccess:
    """Raises `BadInputError` where no Kafka is given, or the settings do not fit together."""
    access = KafkaAccess(
        required(settings, "kafka"),
        settings.kafka_security,
        settings.kafka_ca_file,
        settings.kafka_cert_file,
        settings.kafka_key_file,
        settings.kafka_sasl_mechanism,
        settings.kafka_user,
        settings.kafka_password,
    )
    security = SETTINGS["kafka_security"].variable
    if not access.has_tls and (given := _first_given(settings, KAFKA_TLS)):
        better = "sasl_ssl" if access.has_login else "ssl"
        raise BadInputError(
            f"{given} is for TLS, and {security} is {access.security}; set {security}={better}"
        )
    if not access.has_login and (given := _first_given(settings, KAFKA_LOGIN)):
        better = "sasl_ssl (or sasl_plaintext)" if access.security == PLAINTEXT else "sasl_ssl"
        raise BadInputError(
            f"{given} is for a login, and {security} is {access.security}; set {security}={better}"
        )
    if access.has_login and access.user is None:
        raise BadInputError(f"{security}={access.security} needs {_variable('kafka_user')}")
    if access.has_login and access.password is None:
        raise BadInputError(
            f"{security}={access.security} needs {_variable('kafka_password')} or "
            f"{SETTINGS['kafka_password'].file_variable}"
        )
    _check_files(settings, "kafka")
    hide(access.password)
    return access


def redis_url(settings: Settings) -> str | None:
    """With its password and the files for TLS, as the client library takes them; secret. None where
    no Redis is given. Raises `BadInputError`."""
    password = settings.redis_password
    if settings.redis is None:
        return None
    url = urlsplit(settings.redis)
    if url.scheme != "rediss" and (given := _first_given(settings, REDIS_TLS)):
        raise BadInputError(
            f"{given} is for TLS; write rediss:// instead of {url.scheme}:// in MUCKTRACK_REDIS"
        )
    query = parse_qsl(url.query, keep_blank_values=True)
    if password is not None:
        if url.password is not None or any(name == "password" for name, _ in query):
            raise BadInputError(
                "a password is in MUCKTRACK_REDIS and beside it; take the one out of the URL"
            )
        query.append(("password", password))
    if url.scheme == "rediss":
        _check_files(settings, "redis")
        names = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
        files = (settings.redis_ca_file, settings.redis_cert_file, settings.redis_key_file)
        query += [(name, str(file)) for name, file in zip(names, files, strict=True) if file]
    told = urlunsplit(url._replace(query=urlencode(query)))
    try:
        ConnectionPool.from_url(told)
    except ValueError as error:
        raise BadInputError(f"Redis at {SETTINGS['redis'].shown(told)}: {error}") from None
    hide_in_address(told)
    return told


def database_address(settings: Settings) -> str:
    """With its password; secret. Raises `BadInputError`."""
    password = settings.database_password
    if settings.database is None:
        if password is not None:
            raise BadInputError(
                f"a password is set, but no {_variable('database')} for which it would be"
            )
        try:
            settings.state_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"cannot write {settings.state_dir}: {error.strerror}") from None
        return f"sqlite:///{settings.state_dir / 'cases.db'}"
    hide(password)
    hide_in_address(settings.database)
    if password is None:
        return settings.database
    url = urlsplit(settings.database)
    if url.password is not None:
        raise BadInputError(
            f"a password is in {_variable('database')} and beside it; take the one out of the URL"
        )
    if url.username is None:
        raise BadInputError(f"{_variable('database')} names no user for the password")
    account, _, place = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{account}:{quote(password, safe='')}@{place}"))


def check_unused(settings: Settings) -> None:
    """Raises `BadInputError` where it is said how to reach what is not given: `up` would start
    servers of its own, which know of no passwords."""
    for server, names in (("kafka", KAFKA_ACCESS), ("redis", REDIS_ACCESS)):
        if getattr(settings, server) is None and (given := _first_given(settings, names)):
            raise BadInputError(f"{given} is set, but no {_variable(server)} for which it would be")


def _variable(name: str) -> str:
    return SETTINGS[name].variable


def _first_given(settings: Settings, names: tuple[str, ...]) -> str | None:
    for name in names:
        if getattr(settings, name) != SETTINGS[name].default:
            return _variable(name)
    return None


def _check_files(settings: Settings, server: str) -> None:
    """That certificates and keys can be read, before anything waits for a server."""
    files = [getattr(settings, f"{server}_{what}_file") for what in ("ca", "cert", "key")]
    if files[2] is not None and files[1] is None:
        raise BadInputError(
            f"{_variable(f'{server}_key_file')} needs {_variable(f'{server}_cert_file')}"
        )
    try:
        tls_context(*files)
    except UnusableFileError as error:
        raise BadInputError(f"{server}: {error}") from None
