"""`docker-compose.yml` as the tests read it: with its variables put in, as a container engine does.

`${NAME}` and `${NAME:-default}` are all that the file uses; another form fails here.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from conftest import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}|\$")
OWN_IMAGE = "mucktrack:"
SECRETS_FOLDER = "/run/secrets"


@cache
def text() -> str:
    return FILE.read_text(encoding="utf-8")


def compose(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    return _put_in(yaml.safe_load(text()), environment or {})


def services(environment: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    return compose(environment)["services"]


def own_services() -> dict[str, dict[str, Any]]:
    """Those that are processes of mucktrack."""
    return {name: one for name, one in services().items() if one["image"].startswith(OWN_IMAGE)}


def seconds(duration: str) -> float:
    found = re.fullmatch(r"(\d+)(s|m)", duration)
    assert found, duration
    return int(found[1]) * {"s": 1, "m": 60}[found[2]]


def _put_in(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _put_in(one, environment) for name, one in value.items()}
    if isinstance(value, list):
        return [_put_in(one, environment) for one in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: _value(found, environment), value)
    return value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    assert found[1], f"{found.string}: a dollar that is no variable"
    return environment.get(found[1]) or found[2] or ""
