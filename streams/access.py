"""How Kafka is reached: where, over TLS or not, and as whom.

Made once of the settings (`mucktrack.access`) and handed to everything that connects. It connects
nowhere; whether one is let in is asked by `streams.admission`.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PLAINTEXT: Final = "plaintext"
SSL: Final = "ssl"
SASL_PLAINTEXT: Final = "sasl_plaintext"
SASL_SSL: Final = "sasl_ssl"
SECURITIES: Final = (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)
"""As Kafka calls them, in small letters."""

SCRAM_SHA_512: Final = "SCRAM-SHA-512"
MECHANISMS: Final = (SCRAM_SHA_512, "SCRAM-SHA-256", "PLAIN")


class AccessRefusedError(Exception):
    """A server answers and does not let in; one line that says what to do. Waiting would not
    help."""


class UnusableFileError(OSError):
    """A certificate or key that cannot be used; the message names the file. One that is being
    replaced under a worker at work is tried again, as a server that is away."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """As text it is the brokers' addresses, nothing secret."""

    bootstrap: str
    """`host:port`, several joined by commas."""
    security: str = PLAINTEXT
    """One of `SECURITIES`."""
    ca_file: Path | None = None
    """PEM: who signed the brokers' certificates; None = those whom the system trusts."""
    cert_file: Path | None = None
    """PEM: the certificate shown to brokers that want one."""
    key_file: Path | None = None
    """PEM; None = it is in `cert_file`."""
    mechanism: str = SCRAM_SHA_512
    """One of `MECHANISMS`."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def plain(cls, bootstrap: str) -> "KafkaAccess":
        """Without TLS and password, as on a machine of one's own."""
        return cls(bootstrap)

    def __str__(self) -> str:
        return self.bootstrap

    @property
    def hosts(self) -> list[str]:
        return self.bootstrap.split(",")

    @property
    def has_tls(self) -> bool:
        return self.security in (SSL, SASL_SSL)

    @property
    def has_login(self) -> bool:
        return self.security in (SASL_PLAINTEXT, SASL_SSL)

    def client_options(self) -> dict[str, Any]:
        """For any client of kafka-python or aiokafka: they have the same names for them. Raises
        `UnusableFileError`."""
        return {"bootstrap_servers": self.hosts, **self.connection_options()}

    def connection_options(self) -> dict[str, Any]:
        """The same without the addresses."""
        options: dict[str, Any] = {"security_protocol": self.security.upper()}
        if self.has_tls:
            options["ssl_context"] = self.tls()
        if self.has_login:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self.password
        return options

    def tls(self) -> ssl.SSLContext:
        """The broker's certificate and its name are checked. Raises `UnusableFileError`."""
        return tls_context(self.ca_file, self.cert_file, self.key_file)


def tls_context(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> ssl.SSLContext:
    """Of PEM files. Raises `UnusableFileError`."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise UnusableFileError(f"{ca_file}: {_why(error, 'certificate')}") from None
    if cert_file is not None:
        try:
            # Without a password at hand the library would ask for one on the terminal.
            context.load_cert_chain(cert_file, key_file, password="")
        except OSError as error:
            names = f"{cert_file}" + (f" with {key_file}" if key_file else "")
            raise UnusableFileError(
                f"{names}: {_why(error, 'certificate with its key, which has no password')}"
            ) from None
    return context


def _why(error: OSError, what: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"holds no {what} in PEM ({error.reason or error})"
    return error.strerror or str(error)
