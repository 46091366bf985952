"""What the guide quotes as said by the program is in the program's source, word for word."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGES = ("geofences", "streams", "producers", "enforcement", "mucktrack")
QUOTING = ("terminals", "troubleshooting", "upgrade")
_SPAN = re.compile(r"`([^`]+)`")
_VALUES = re.compile(r"…|'[^']*'|\b\d[\d.:]*|gps\.positions|: ")
SHORTEST = 8
"""Characters of a run of words that is looked for."""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", QUOTING)
def test_quoted_messages_are_said(language: str, name: str) -> None:
    text = (ROOT / "docs" / "guide" / language / f"{name}.md").read_text(encoding="utf-8")
    unknown = [run for run in _quoted(text) if run.casefold() not in _said()]
    assert not unknown


def test_there_are_quotations() -> None:
    text = (ROOT / "docs" / "guide" / "en" / "troubleshooting.md").read_text(encoding="utf-8")
    assert len(list(_quoted(text))) > 12
    assert "has lost the part" in _said()


def _quoted(text: str) -> Iterator[str]:
    """Runs of words between the values in a message."""
    for span in _SPAN.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        is_message = "…" in span or len(span.split()) > 3
        if not is_message or span.startswith(("mucktrack ", "journalctl ")):
            continue
        span = " ".join(span.split())
        for run in _VALUES.split(span):
            if len(run.strip(" :;,")) >= SHORTEST:
                yield run.strip(" :;,")


@cache
def _said() -> str:
    """All texts of the program, with a line for each and a mark for each value in it."""
    lines = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            lines += _texts(path)
    return "\n".join(lines).casefold()


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[a-z]", "\0", node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id
