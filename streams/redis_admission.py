"""Whether Redis lets in: asked before it is relied on, since a wrong password is nothing that
waiting would cure.

Called by whatever uses Redis, at its start. A refusal is told only on what the server has said.
"""

import socket
import ssl
from contextlib import closing
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from streams.access import AccessRefusedError, tls_context
from streams.checkpoint import StoreAwayError
from streams.probe import ANSWER_S, certificate_fault, talks_tls, tls_alert

TIMEOUT_S: Final = 3.0


def check_redis(url: str) -> None:
    """Raises `AccessRefusedError` where a Redis answers and does not let in, and `StoreAwayError`
    where none answers."""
    client: Any = redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        with closing(client):
            client.ping()
    except (RedisError, OSError) as error:
        options = client.connection_pool.connection_kwargs
        if why := _refusal(error) or _mismatch(options, url.startswith("rediss:")):
            raise AccessRefusedError(f"Redis at {_place(options)}: {why}") from None
        raise StoreAwayError(" ".join(str(error).split()).rstrip(".")) from None


def _refusal(error: BaseException) -> str | None:
    """What the error itself says of it."""
    if isinstance(error, NoPermissionError):
        return f"the user may not do what is needed ({error}); see the ACL in docs/access.md"
    # Before version 6 a password that is not wanted is a plain error.
    if isinstance(error, AuthenticationError) or (
        isinstance(error, ResponseError) and "AUTH" in str(error)
    ):
        return (
            f"it does not let in this user with this password ({str(error).rstrip('.')}); see "
            "MUCKTRACK_REDIS and MUCKTRACK_REDIS_PASSWORD or _PASSWORD_FILE"
        )
    if fault := certificate_fault(error):
        return (
            f"its certificate is not trusted ({fault}); set MUCKTRACK_REDIS_CA_FILE to the "
            "certificate of who signed it, and use the name it was made for"
        )
    return None


def _mismatch(options: dict[str, Any], has_tls: bool) -> str | None:
    """Whether it speaks otherwise than it was spoken to; None = that is not known."""
    if "path" in options:
        return None
    host, port = options.get("host", "localhost"), int(options.get("port", 6379))
    if has_tls and _talks_plain(host, port):
        return "it speaks no TLS here; write redis:// instead of rediss:// in MUCKTRACK_REDIS"
    if not has_tls and talks_tls(host, port):
        return "it speaks TLS; write rediss:// instead of redis:// in MUCKTRACK_REDIS"
    if has_tls and (alert := tls_alert(host, port, _tls(options))):
        return f"it ends the TLS connection ({alert}); see MUCKTRACK_REDIS_CERT_FILE"
    return None


def _tls(options: dict[str, Any]) -> ssl.SSLContext:
    return tls_context(
        options.get("ssl_ca_certs"), options.get("ssl_certfile"), options.get("ssl_keyfile")
    )


def _talks_plain(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), ANSWER_S)) as connection:
            connection.settimeout(ANSWER_S)
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in (b"+", b"-")
    except OSError:
        return False


def _place(options: dict[str, Any]) -> str:
    if "path" in options:
        return str(options["path"])
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
