"""An authority of the tests' own, and certificates signed by it.

authority = Authority(folder)
server = authority.sign("server")
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from mucktrack.embedded import HOST
from servers.programs import openssl

DAYS = "2"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    cert: Path
    key: Path
    both: Path
    """The key, then the certificate."""


class Authority:
    """Raises `MissingProgramError`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.cert = folder / f"{name}.pem"
        """What those trust who trust it."""
        _openssl(
            *("req", "-x509", *KEY, "-keyout", self._key, "-out", self.cert, "-days", DAYS),
            *("-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign"),
        )

    def sign(self, name: str, host: str = f"IP:{HOST}") -> Certificate:
        """For whoever is `name`, at `host` (as in a certificate: `IP:…`, `DNS:…`)."""
        key, cert, request = (self._folder / f"{name}.{end}" for end in ("key", "pem", "csr"))
        names = self._folder / f"{name}.names"
        names.write_text(f"subjectAltName={host}\n")
        _openssl("req", "-new", *KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-days", DAYS),
            *("-CAcreateserial", "-extfile", names, "-out", cert),
        )
        both = self._folder / f"{name}.both"
        both.write_text(key.read_text() + cert.read_text())
        return Certificate(cert, key, both)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([openssl(), *arguments], check=True, capture_output=True)
