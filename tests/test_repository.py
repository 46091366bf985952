"""What the repository promises of itself: generated pages are current, lists are complete."""

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT

from geofences.jit import COMPILED_SOURCES
from mucktrack.pages import commands_page, settings_page
from streams.catalogue import CATALOGUE, CONDITIONS
from streams.rules_page import page


def test_rules_page_is_current() -> None:
    assert (ROOT / "RULES.md").read_text() == page(), "run `make rules`"


def test_pages_of_commands_and_settings_are_current() -> None:
    for name, page_of in (("commands", commands_page), ("settings", settings_page)):
        written = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        assert written == page_of(), "run `make commands`"


def test_condition_rules_come_first() -> None:
    """A condition's number is its place among the truck's runs."""
    assert CATALOGUE[: len(CONDITIONS)] == CONDITIONS


def test_every_source_of_compiled_code_is_in_the_digest() -> None:
    """A file that defines compiled functions, and all that such a file takes constants from."""
    compiled = {
        path
        for package in ("geofences", "streams")
        for path in (ROOT / package).rglob("*.py")
        if "\n@compiled\n" in path.read_text()
    }
    needed = compiled | {imported for path in compiled for imported in _constants_of(path)}
    assert {str(path.relative_to(ROOT)) for path in needed} <= set(COMPILED_SOURCES)


def test_listed_sources_exist() -> None:
    for source in COMPILED_SOURCES:
        assert (ROOT / source).is_file(), source


@pytest.mark.parametrize("name", ["requirements", "requirements-runtime", "requirements-build"])
def test_lock_file_names_no_host_and_pins_with_hashes(name: str) -> None:
    lock = (ROOT / f"{name}.lock").read_text()
    assert "://" not in lock
    requirements = re.split(r"\n(?=\S)", lock.strip())
    for requirement in requirements:
        assert "==" in requirement
        assert "--hash=sha256:" in requirement, requirement


def _constants_of(path: Path) -> set[Path]:
    """Project files from which `path` imports an upper-case name: compiled code freezes those."""
    files = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            file = ROOT / (node.module.replace(".", "/") + ".py")
            if file.is_file() and any(alias.name.isupper() for alias in node.names):
                files.add(file)
    return files
