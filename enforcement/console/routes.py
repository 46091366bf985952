"""The web console's files: an ES module each, as they lie here, without a build step.

`mount` is called by whoever serves the API (`mucktrack.console`, tests). The console has no data of
its own: its pages ask `/api/v1`, as anybody's program could. Files are sent with an ETag, to be
asked for again each time, so that a new version is there with the next visit.
"""

from html import escape
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).parent / "static"
PREFIX: Final = "/console"
CACHE: Final = "no-cache"
HEAD: Final = "</head>"


def mount(app: FastAPI, tiles: str | None = None) -> None:
    """`tiles`: the address of map tiles, with {z}, {x} and {y}; None = the city's own shapes
    are the map, and nothing is asked for elsewhere."""
    page = _page(tiles)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def console() -> Response:
        return HTMLResponse(page, headers={"Cache-Control": CACHE})

    app.mount(PREFIX, _Files(directory=FOLDER), name="console")


def _page(tiles: str | None) -> str:
    page = (FOLDER / "index.html").read_text()
    if tiles is None:
        return page
    return page.replace(HEAD, f'<meta name="map-tiles" content="{escape(tiles)}">\n{HEAD}')


class _Files(StaticFiles):
    """With headers that make browsers ask whether a file is still the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = CACHE
        return response
