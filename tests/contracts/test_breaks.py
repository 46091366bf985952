"""Today's contracts are compatible with the last released ones; the checker finds each break."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from breaks import breaks_of_api, breaks_of_input, breaks_of_output
from contract_parts import DOCS, SCHEMAS, schema

RELEASED = SCHEMAS / "released"
INPUTS = {"positions"}
"""What others write; all else is ours to write."""


def last_release() -> Any:
    return max(RELEASED.iterdir(), key=lambda one: [int(part) for part in one.name.split(".")])


def released(name: str) -> Any:
    return json.loads((last_release() / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(one.stem for one in last_release().glob("*.json")))
def test_who_reads_or_writes_by_the_last_release_goes_on(name: str) -> None:
    if name == "openapi":
        now = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
        assert breaks_of_api(released(name), now) == []
        return
    breaks = breaks_of_input if name in INPUTS else breaks_of_output
    assert breaks(released(name), schema(name)) == []


def test_all_contracts_have_been_released() -> None:
    kept = {one.stem for one in last_release().glob("*.json")}
    assert kept >= {"openapi", *(one.stem for one in SCHEMAS.glob("*.json"))} - NEW


NEW: set[str] = set()
"""Contracts that came after the last release."""

Change = Callable[[Any], object]


def changed(name: str, change: Change) -> tuple[Any, Any]:
    now = copy.deepcopy(schema(name))
    change(now)
    return schema(name), now


def position(found: Any) -> Any:
    return found["$defs"]["Position"]


OUTPUT_BREAKS: dict[str, tuple[str, Change, str]] = {
    "field gone": ("violations", lambda s: s["properties"].pop("lon"), "$.lon: is gone"),
    "field optional": (
        "violations",
        lambda s: s["required"].remove("track"),
        "$.track: is no longer always there",
    ),
    "null": (
        "trips",
        lambda s: s["properties"]["truck_id"].update(type=["string", "null"]),
        "$.truck_id: may be null",
    ),
    "type": (
        "trips",
        lambda s: s["properties"]["distance_m"].update(type="number"),
        "$.distance_m: may be number",
    ),
    "alternative": (
        "violations",
        lambda s: s["properties"]["place"]["additionalProperties"]["anyOf"].append(
            {"type": "boolean"}
        ),
        "$.place[]: may be boolean",
    ),
    "list opened": (
        "rejected",
        lambda s: s["properties"]["reason"].pop("enum"),
        "$.reason: its values are no longer listed",
    ),
    "const": (
        "violation-headers",
        lambda s: s["properties"]["ce_specversion"].update(const="2.0"),
        "$.ce_specversion: is no longer always '1.0'",
    ),
    "pattern": (
        "violation-headers",
        lambda s: s["properties"]["ce_id"].pop("pattern"),
        "$.ce_id: pattern was",
    ),
    "format": (
        "violations",
        lambda s: s["properties"]["violation_id"].pop("format"),
        "$.violation_id: format was uuid",
    ),
    "bound": (
        "violations",
        lambda s: s["properties"]["track"].update(maxItems=64),
        "$.track: maxItems was 33, is 64",
    ),
    "tuple": (
        "violations",
        lambda s: s["properties"]["track"]["items"]["prefixItems"].append({"type": "number"}),
        "$.track[]: has 5 parts, had 4",
    ),
    "in a tuple": (
        "violations",
        lambda s: s["properties"]["track"]["items"]["prefixItems"][1].update(type="string"),
        "$.track[][1]: may be string",
    ),
    "more fields where none were to be": (
        "evidence-manifest",
        lambda s: s["properties"].update(more={"type": "string"}),
        "$: has more fields",
    ),
    "within": (
        "case-event",
        lambda s: s["$defs"]["CaseTold"]["properties"].pop("number"),
        "$.data.case.number: is gone",
    ),
    "word unknown": (
        "trips",
        lambda s: s.update(unevaluatedProperties=False),
        "unevaluatedProperties is not known",
    ),
}
INPUT_BREAKS: dict[str, tuple[str, Change, str]] = {
    "field required": (
        "positions",
        lambda s: position(s)["required"].append("speed_kmh"),
        ".speed_kmh: is required",
    ),
    "field unread": (
        "positions",
        lambda s: position(s)["properties"].pop("lifted"),
        "does not read any more: lifted",
    ),
    "unknown fields refused": (
        "positions",
        lambda s: position(s).update(additionalProperties=False),
        "takes no unknown fields any more",
    ),
    "null refused": (
        "positions",
        lambda s: position(s)["properties"].update(speed_kmh={"type": "number"}),
        ".speed_kmh: is no longer taken as null",
    ),
    "type": (
        "positions",
        lambda s: position(s)["properties"]["lon"].update(type="integer"),
        ".lon: is no longer taken as number",
    ),
    "bound": (
        "positions",
        lambda s: position(s)["properties"]["truck_id"].update(maxLength=32),
        ".truck_id: maxLength was 64, is 32",
    ),
    "new bound": (
        "positions",
        lambda s: position(s)["properties"]["lon"].update(minimum=-180),
        ".lon: minimum was None, is -180",
    ),
    "array": (
        "positions",
        lambda s: s["anyOf"][1].update(maxItems=500),
        "maxItems was 1000, is 500",
    ),
    "values listed": (
        "positions",
        lambda s: position(s)["properties"]["source"]["anyOf"][0].update(enum=["jt808"]),
        "values no longer taken: any",
    ),
    "pattern": (
        "positions",
        lambda s: position(s)["properties"]["truck_id"].update(pattern="^浙"),
        ".truck_id: pattern was None",
    ),
    "kind gone": ("positions", lambda s: s["anyOf"].pop(1), "is no longer taken as array"),
}


@pytest.mark.parametrize("what", OUTPUT_BREAKS)
def test_breaks_of_who_reads_are_found(what: str) -> None:
    name, change, told = OUTPUT_BREAKS[what]
    found = breaks_of_output(*changed(name, change))
    assert any(told in one for one in found), found


@pytest.mark.parametrize("what", INPUT_BREAKS)
def test_breaks_of_who_writes_are_found(what: str) -> None:
    name, change, told = INPUT_BREAKS[what]
    found = breaks_of_input(*changed(name, change))
    assert any(told in one for one in found), found


HARMLESS_OUTPUT: dict[str, tuple[str, Change]] = {
    "a field more": ("violations", lambda s: s["properties"].update(more={"type": "string"})),
    "a value more": ("violations", lambda s: s["properties"]["rule"]["enum"].append("parking")),
    "always there now": ("rejected", lambda s: s["required"].append("topic")),
    "never null now": ("trips", lambda s: s["properties"].update(dump_site={"type": "string"})),
    "other words": ("trips", lambda s: s.update(description="x", title="y")),
}
HARMLESS_INPUT: dict[str, tuple[str, Change]] = {
    "a field more": ("positions", lambda s: position(s)["properties"].update(x={"type": "null"})),
    "a bound wider": ("positions", lambda s: s["anyOf"][1].update(maxItems=2_000)),
    "null too": (
        "positions",
        lambda s: position(s)["properties"]["lon"].update(type=["number", "null"]),
    ),
    "optional now": ("positions", lambda s: position(s)["required"].remove("lat")),
}


@pytest.mark.parametrize("what", HARMLESS_OUTPUT)
def test_what_breaks_no_reader_is_let_be(what: str) -> None:
    assert breaks_of_output(*changed(*HARMLESS_OUTPUT[what])) == []


@pytest.mark.parametrize("what", HARMLESS_INPUT)
def test_what_breaks_no_writer_is_let_be(what: str) -> None:
    assert breaks_of_input(*changed(*HARMLESS_INPUT[what])) == []


CASE = "/api/v1/cases/{case_id}"
LOGIN = "/api/v1/session"


def operation(api: Any, path: str, method: str) -> Any:
    return api["paths"][path][method]


API_BREAKS: dict[str, tuple[Change, str]] = {
    "path gone": (lambda api: api["paths"].pop(CASE), f"GET {CASE}: is gone"),
    "method gone": (lambda api: api["paths"][LOGIN].pop("delete"), f"DELETE {LOGIN}: is gone"),
    "answer gone": (
        lambda api: operation(api, CASE, "get")["responses"].pop("200"),
        f"GET {CASE} 200: is gone",
    ),
    "parameter required": (
        lambda api: operation(api, CASE, "get")["parameters"].append(
            {"in": "query", "name": "why", "required": True, "schema": {"type": "string"}}
        ),
        f"GET {CASE} why: is required",
    ),
    "parameter gone": (
        lambda api: operation(api, CASE, "get")["parameters"].clear(),
        f"GET {CASE} case_id: is not taken any more",
    ),
    "field required": (
        lambda api: api["components"]["schemas"]["LoginTaken"]["required"].append("code"),
        f"POST {LOGIN}.code: is required",
    ),
    "field gone": (
        lambda api: api["components"]["schemas"]["Me"]["properties"].pop("role"),
        ".role: is gone",
    ),
}


@pytest.mark.parametrize("what", API_BREAKS)
def test_breaks_of_the_api_are_found(what: str) -> None:
    change, told = API_BREAKS[what]
    old = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    now = copy.deepcopy(old)
    change(now)
    found = breaks_of_api(old, now)
    assert any(told in one for one in found), found


def test_more_of_an_api_breaks_nothing() -> None:
    old = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    now = copy.deepcopy(old)
    now["paths"]["/api/v1/more"] = {"get": {"responses": {}}}
    now["components"]["schemas"]["Me"]["properties"]["more"] = {"type": "string"}
    assert breaks_of_api(old, now) == []
