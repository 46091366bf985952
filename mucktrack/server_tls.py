"""A server's certificate from its settings. Used by the gateways' commands."""

import ssl
from pathlib import Path

from mucktrack.failures import BadInputError
from mucktrack.settings import SETTINGS, Settings


def server_tls(settings: Settings, cert_name: str, key_name: str) -> ssl.SSLContext | None:
    """TLS with the certificate and key that these settings name; None where there is none.

    Raises `BadInputError` where they cannot be used.
    """
    cert: Path | None = getattr(settings, cert_name)
    key: Path | None = getattr(settings, key_name)
    if cert is None:
        if key is not None:
            raise BadInputError(
                f"{SETTINGS[key_name].variable} needs {SETTINGS[cert_name].variable}"
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for file in (cert, key):
        if file is not None and not file.is_file():
            raise BadInputError(f"{file}: there is no such file")
    try:
        # Without the callback a key with a password would be asked for on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "")
    except OSError as error:
        raise BadInputError(
            f"{cert}{f' and {key}' if key else ''}: no certificate with its key, in PEM and "
            f"without a password ({error.strerror or error})"
        ) from None
    return context
