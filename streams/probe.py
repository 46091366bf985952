"""What a server speaks, TLS or not: asked after a connection has failed, to say why.

Used by `streams.admission` and `streams.redis_admission`. Nothing secret is sent.
"""

import socket
import ssl
from contextlib import closing
from typing import Final

ANSWER_S: Final = 3.0


def talks_tls(host: str, port: int) -> bool:
    """Whether a server there answers in TLS, whoever it is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with closing(socket.create_connection((host, port), ANSWER_S)) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLError as error:
        return _is_alert(error)
    except OSError:
        return False
    return True


def tls_alert(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The word with which a server ends a TLS connection right after it was made, such as
    "certificate required"; None where it does not."""
    try:
        with (
            closing(socket.create_connection((host, port), ANSWER_S)) as plain,
            closing(context.wrap_socket(plain, server_hostname=host)) as connection,
        ):
            connection.recv(1)
    except ssl.SSLError as error:
        if _is_alert(error):
            return str(error.reason).partition("ALERT_")[2].replace("_", " ").lower()
    except OSError:
        pass
    return None


def certificate_fault(error: BaseException) -> str | None:
    """Why a certificate was not trusted, where that is what is behind an error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message.rstrip(".")
        seen = seen.__cause__ or seen.__context__
    return None


def _is_alert(error: ssl.SSLError) -> bool:
    """What the other side has said, not what it has not understood."""
    return "ALERT_" in str(error.reason)
