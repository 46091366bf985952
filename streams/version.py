"""The program's version, which `pyproject.toml` alone declares."""

import importlib.metadata
import tomllib
from pathlib import Path

PROJECT_FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version() -> str:
    """Of the installed package, or of the checkout it runs from."""
    try:
        return importlib.metadata.version("mucktrack")
    except importlib.metadata.PackageNotFoundError:
        return str(tomllib.loads(PROJECT_FILE.read_text())["project"]["version"])
