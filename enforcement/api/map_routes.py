"""/city, /trucks, /rules, /steps: what the map and the words of the console are made of.

City, rules and steps are the same for everybody who is logged in; trucks are limited to districts.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from enforcement.api.guard import Caller, PartsOf
from enforcement.api.models import RuleGiven, Rules, StateGiven, StepGiven, Steps
from enforcement.api.problems import Problem
from enforcement.steps import ENDED, STEPS, TITLES
from streams.catalogue import CATALOGUE

router: Final = APIRouter(tags=["map"])

GEOJSON: Final = "application/geo+json"
_SHAPE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {"type": "array", "items": {"type": "object"}},
    },
}
_GIVES_GEOJSON: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "GeoJSON, WGS-84", "content": {GEOJSON: {"schema": _SHAPE}}},
}
_NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "As it was"}}

Version = Annotated[
    str | None, Query(pattern="^[0-9a-f]{64}$", description="city_version; left out: in force now")
]


@router.get("/city", response_class=Response, responses=_GIVES_GEOJSON | _NOT_MODIFIED)
def get_city(_: Caller, request: Request, parts: PartsOf, version: Version = None) -> Response:
    """Districts, sites, routes and zones (`properties.layer`) of the version in force, or of the
    one that a violation names in `city_version`."""
    found = parts.maps.in_force() if version is None else parts.maps.version(version)
    if found is None:
        raise Problem(404, f"no city {version} is known here")
    return _unless_known(
        request, found.city.version, lambda: _geojson(request, found.plain, found.packed)
    )


@router.get("/trucks/live", response_class=Response, responses=_GIVES_GEOJSON)
def live_trucks(caller: Caller, request: Request, parts: PartsOf) -> Response:
    """The last fix of each truck in the caller's districts, with the gravest violation that
    lasts."""
    made = parts.live.map_for(caller.actor)
    return _geojson(request, made.plain, made.packed)


@router.get("/rules", response_model=Rules, responses=_NOT_MODIFIED)
def list_rules(_: Caller, request: Request) -> Response:
    """The rules and their titles."""
    return _unless_known(request, _RULES_ETAG, lambda: _json(_RULES))


@router.get("/steps", response_model=Steps, responses=_NOT_MODIFIED)
def list_steps(_: Caller, request: Request) -> Response:
    """The states of a case, and which action leads from where to where."""
    return _unless_known(request, _STEPS_ETAG, lambda: _json(_STEPS))


def _unless_known(request: Request, digest: str, make: Callable[[], Response]) -> Response:
    etag = f'"{digest}"'
    known = [
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    ]
    answer = Response(status_code=304) if etag in known else make()
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _geojson(request: Request, plain: bytes, packed: bytes) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=GEOJSON)
    return Response(plain, headers=headers, media_type=GEOJSON)


def _json(body: str) -> Response:
    return Response(body, media_type="application/json")


_RULES: Final = Rules(
    items=[RuleGiven.model_validate(rule) for rule in CATALOGUE]
).model_dump_json()
_STEPS: Final = Steps(
    states=[
        StateGiven(state=state, title=title, title_en=title_en, ended=state in ENDED)
        for state, (title, title_en) in TITLES.items()
    ],
    steps=[
        StepGiven(
            action=step.action,
            title=step.title,
            title_en=step.title_en,
            sources=sorted(step.sources),
            target=step.target,
            roles=sorted(step.roles),
            needs=list(step.needs),
            not_by_handler=step.not_by_handler,
        )
        for step in STEPS
    ],
).model_dump_json()
_RULES_ETAG: Final = hashlib.sha256(_RULES.encode()).hexdigest()[:16]
_STEPS_ETAG: Final = hashlib.sha256(_STEPS.encode()).hexdigest()[:16]
