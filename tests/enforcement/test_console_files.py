"""What the console's files promise of themselves, without a browser."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from enforcement.api.armour import Armour
from enforcement.console.routes import FOLDER, mount
from enforcement.console.tiles import checked, source
from enforcement.steps import ROLES, STEPS
from streams.catalogue import CATALOGUE

MODULES = sorted((FOLDER / "js").rglob("*.js"))
STYLES = sorted((FOLDER / "css").glob("*.css"))
LONGEST = 300
TILES = "https://tiles.example:8443/{z}/{x}/{y}.png"


def texts(language: str) -> dict[str, str]:
    said: dict[str, str] = json.loads((FOLDER / "texts" / f"{language}.json").read_text())
    return said


def client(tiles: str | None = None) -> TestClient:
    app = FastAPI()
    mount(app, tiles)
    app.add_middleware(Armour, image_sources=source(tiles))
    return TestClient(app)


def test_both_languages_say_the_same_things() -> None:
    chinese, english = texts("zh"), texts("en")
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        names = re.compile(r"\{(\w+)\}")
        assert sorted(names.findall(text)) == sorted(names.findall(english[key])), key
        assert text.strip(), key
        assert english[key].strip(), key


def test_every_text_that_is_shown_is_there() -> None:
    known = texts("zh")
    for path in MODULES:
        for key in re.findall(r"""\bt\("([^"]+)\"""", path.read_text()):
            assert key in known, f"{path.name}: {key}"


def test_no_text_is_there_for_nothing() -> None:
    code = "\n".join(path.read_text() for path in MODULES)
    plain = set(re.findall(r'"([\w.-]+)"', code))
    families = set(re.findall(r"`([\w-]+\.(?:[\w-]+)?)\$\{", code))
    for key in texts("zh"):
        assert key in plain or any(key.startswith(family) for family in families), key


def test_what_the_system_measures_has_a_name() -> None:
    known = texts("zh")
    names = {one.name for rule in CATALOGUE for one in rule.thresholds}
    for rule in CATALOGUE:
        for text in (rule.message, rule.message_nowhere):
            names |= set(re.findall(r"\{(\w+_(?:m|s|kmh|kg)|fixes|hours|local_time)\}", text))
    assert sorted(name for name in names if f"value.{name}" not in known) == []


def test_steps_and_roles_have_names() -> None:
    known = texts("zh")
    assert all(f"role.{role}" in known for role in ROLES)
    assert all(f"need.{need}" in known for step in STEPS for need in step.needs)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_small_and_makes_no_markup_of_texts(path: Path) -> None:
    code = path.read_text()
    assert len(code.splitlines()) < LONGEST
    assert code.startswith("/**"), "a module says what it is for"
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in code, forbidden
    # The name of SVG is none that anybody is asked for.
    assert "://" not in code.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_ask_nobody_else(path: Path) -> None:
    assert "://" not in path.read_text()
    assert "@import" not in path.read_text()


def test_the_page_names_files_that_are_there() -> None:
    page = (FOLDER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="console/([^"]+)"', page)
    assert len(named) > 8
    for name in named:
        assert (FOLDER / name).is_file(), name
    # Inline scripts and styles are refused by the policy.
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page)


def test_imports_name_modules_that_are_there() -> None:
    for path in MODULES:
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text()):
            assert (path.parent / name).resolve().is_file(), f"{path.name}: {name}"


def test_the_library_is_as_it_came() -> None:
    folder = FOLDER / "vendor" / "leaflet"
    origin = (folder / "ORIGIN.txt").read_text()
    assert (folder / "LICENSE").is_file()
    for name in ("leaflet.js", "leaflet.css"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert f"{name} {digest}" in origin


def test_files_are_asked_for_again_and_sent_once() -> None:
    browser = client()
    first = browser.get("/console/js/main.js")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    assert "javascript" in first.headers["content-type"]
    again = browser.get("/console/js/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert browser.get("/").headers["cache-control"] == "no-cache"


def test_nothing_else_of_the_disk_is_served() -> None:
    browser = client()
    for path in ("/console/../routes.py", "/console/%2e%2e/routes.py", "/console/js", "/console/"):
        assert browser.get(path).status_code == 404, path


def test_the_policy_lets_nobody_else_in() -> None:
    policy = client().get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_tiles_come_from_where_the_setting_says() -> None:
    answer = client(TILES).get("/")
    assert f'<meta name="map-tiles" content="{TILES}">' in answer.text
    assert "https://tiles.example:8443" in answer.headers["content-security-policy"]
    assert "map-tiles" not in client().get("/").text


@pytest.mark.parametrize(
    "address",
    [
        "tiles.example/{z}/{x}/{y}.png",
        "ftp://tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}.png",
        "https://{s}.tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example; script-src *//{z}/{x}/{y}",
        'https://tiles.example/{z}/{x}/{y}"><script>',
        "https://user@tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example:x/{z}/{x}/{y}.png",
    ],
)
def test_an_address_that_is_none_of_tiles_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"write e\.g\."):
        checked(address)
