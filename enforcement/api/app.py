"""The HTTP API: `make_app` puts the routes, their guards and their errors together.

Called by `mucktrack.console`, which serves it, and by tests. Everything is under `/api/v1`; there
is no page here, and no other way to the data.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from enforcement.api import (
    admin_routes,
    attachment_routes,
    case_routes,
    event_routes,
    figure_routes,
    map_routes,
    session_routes,
    shapes,
)
from enforcement.api.armour import Armour
from enforcement.api.guard import COOKIE, CSRF_HEADER
from enforcement.api.models import ProblemGiven
from enforcement.api.parts import Parts
from enforcement.api.problems import MEDIA_TYPE, install
from enforcement.api.request_log import RequestLog
from enforcement.feed import Feed

PREFIX: Final = "/api/v1"
ROUTERS: Final = (
    session_routes.router,
    case_routes.router,
    attachment_routes.router,
    event_routes.router,
    map_routes.router,
    figure_routes.router,
    admin_routes.router,
)
PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "POST /tokens"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "POST /session"},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "with a session, for all that changes something",
    },
}


def make_app(parts: Parts, image_sources: Iterable[str] = ()) -> FastAPI:
    """`image_sources`: where map tiles come from, for the policy that browsers follow. Who stops
    serving calls `app.state.feed.end()` first: listeners to events would keep the server up."""
    app = _bare()
    app.state.parts = parts
    app.state.feed = Feed(parts.database, lambda case: shapes.case_fields(case, parts.now_ms()))
    app.state.listeners = Counter()
    app.add_middleware(Armour, image_sources=tuple(image_sources))
    app.add_middleware(RequestLog)
    return app


def document() -> dict[str, Any]:
    """OpenAPI of all that there is, as `docs/openapi.json` has it."""
    return _bare().openapi()


def _bare() -> FastAPI:
    """Everything but what it works on."""
    app = FastAPI(
        title="mucktrack",
        version="1",
        description="Violations of muck trucks, the cases they become, what is done about them.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=PROBLEM)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        said = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        template = "#/components/schemas/{model}"
        problem = ProblemGiven.model_json_schema(ref_template=template)
        said["components"]["schemas"] |= problem.pop("$defs", {})
        said["components"]["schemas"]["Problem"] = problem
        said["components"]["securitySchemes"] = SCHEMES
        said["security"] = [{"token": []}, {"session": [], "csrf": []}]
        said["paths"][f"{PREFIX}/session"]["post"]["security"] = []
        app.openapi_schema = said
    return app.openapi_schema
