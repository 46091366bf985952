"""Whether Kafka lets in: asked before a client library is let loose, which would take a wrong
password for a broker that is away, and try again for ever.

Called by whatever connects at its start. A refusal is told only on what a server has said; where
none answers, that is for the caller to wait for.
"""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.access import PLAINTEXT, AccessRefusedError, KafkaAccess
from streams.probe import certificate_fault, talks_tls, tls_alert

ANSWER_MS: Final = 5_000
CLOSE_S: Final = 1.0
ASKED_FOR_NONE: Final = IllegalSaslStateError.errno

FAILED = (KafkaError, OSError, EOFError, TimeoutError)


async def check_kafka(access: KafkaAccess) -> None:
    """Return where a broker lets in, and where none answers.

    Raises `AccessRefusedError` where brokers answer and none of them lets in, and
    `UnusableFileError`.
    """
    refusal: str | None = None
    for address in access.hosts:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        try:
            await _enter(access, host, int(port))
        except FAILED as error:
            why = _refusal(access, error) or await _mismatch(access, host, int(port))
            if why is not None and refusal is None:
                refusal = f"Kafka at {address}: {why}"
        else:
            return
    if refusal is not None:
        raise AccessRefusedError(refusal)


def check_kafka_now(access: KafkaAccess) -> None:
    """`check_kafka`, waited for; in a thread, since the caller's may run an event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, check_kafka(access)).result()


async def _enter(access: KafkaAccess, host: str, port: int) -> None:
    """Connect, log in, and ask what only those are told who have been let in."""
    connection = await _connect(host, port, **access.connection_options())
    try:
        await connection.send(MetadataRequest([]))
    finally:
        await _close(connection)


async def _connect(host: str, port: int, **options: Any) -> AIOKafkaConnection:
    return await create_conn(
        host, port, client_id="mucktrack", request_timeout_ms=ANSWER_MS, **options
    )


async def _close(connection: AIOKafkaConnection) -> None:
    closed: Awaitable[None] = connection.close()
    try:
        async with asyncio.timeout(CLOSE_S):
            await closed
    except FAILED:
        pass


def _refusal(access: KafkaAccess, error: BaseException) -> str | None:
    """What the error itself says of it."""
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"it does not let in user {access.user!r} with this password ({access.mechanism}); see "
            "MUCKTRACK_KAFKA_USER and MUCKTRACK_KAFKA_PASSWORD or _PASSWORD_FILE"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"it takes no {access.mechanism}; set MUCKTRACK_KAFKA_SASL_MECHANISM"
    if isinstance(error, IllegalSaslStateError):
        other = "ssl" if access.has_tls else "plaintext"
        return f"it asks for no login here; set MUCKTRACK_KAFKA_SECURITY={other}"
    if fault := certificate_fault(error):
        return (
            f"its certificate is not trusted ({fault}); set MUCKTRACK_KAFKA_CA_FILE to the "
            "certificate of who signed it, and use the name it was made for"
        )
    return None


async def _mismatch(access: KafkaAccess, host: str, port: int) -> str | None:
    """Whether the broker speaks otherwise than it was spoken to; None = that is not known."""
    if access.has_tls and await _talks_plain(host, port):
        return "it speaks no TLS here; set MUCKTRACK_KAFKA_SECURITY to plaintext or sasl_plaintext"
    if not access.has_tls and await asyncio.to_thread(talks_tls, host, port):
        return "it speaks TLS; set MUCKTRACK_KAFKA_SECURITY to ssl or sasl_ssl"
    if not access.has_login and await _wants_login(access, host, port):
        other = "sasl_ssl" if access.has_tls else "sasl_plaintext"
        return (
            f"it asks for a login; set MUCKTRACK_KAFKA_SECURITY={other}, MUCKTRACK_KAFKA_USER and "
            "MUCKTRACK_KAFKA_PASSWORD or _PASSWORD_FILE"
        )
    if access.has_tls:
        alert = await asyncio.to_thread(tls_alert, host, port, access.tls())
        if alert:
            return f"it ends the TLS connection ({alert}); see MUCKTRACK_KAFKA_CERT_FILE"
    return None


async def _talks_plain(host: str, port: int) -> bool:
    try:
        await _close(await _connect(host, port, security_protocol=PLAINTEXT.upper()))
    except FAILED:
        return False
    return True


async def _wants_login(access: KafkaAccess, host: str, port: int) -> bool:
    try:
        connection = await _connect(host, port, **access.connection_options())
        try:
            answer = await connection.send(SaslHandShakeRequest(access.mechanism))
        finally:
            await _close(connection)
    except FAILED:
        return False
    return bool(answer.error_code != ASKED_FOR_NONE)
