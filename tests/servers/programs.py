"""Programs that tests start and a machine may lack."""

import os
import shutil
from pathlib import Path


class MissingProgramError(Exception):
    """The machine lacks a program; the message says which, and what needs it."""


def find(name: str, needed_for: str, home_variable: str = "") -> str:
    """The path of a program: in `bin` of the folder that an environment variable names, else on
    the search path. Raises `MissingProgramError`."""
    home = os.environ.get(home_variable)
    found = shutil.which(Path(home) / "bin" / name) if home else None
    found = found or shutil.which(name)
    if found is None:
        raise MissingProgramError(f"{needed_for} needs the program {name}, which is not installed")
    return found


def openssl() -> str:
    return find("openssl", "making certificates")


def redis_with_tls() -> str:
    return find("redis-server", "Redis with TLS")


def java() -> str:
    return find("java", "Apache Kafka", "JAVA_HOME")


def kustomize() -> list[str]:
    """The command that renders a kustomization, without its folder."""
    try:
        return [find("kustomize", "Kubernetes manifests"), "build"]
    except MissingProgramError:
        return [find("kubectl", "Kubernetes manifests"), "kustomize"]
