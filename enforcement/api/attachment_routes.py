"""/cases/…/attachments and /cases/…/evidence: files to and from a case.

A file is the request's body, with its Content-Type, its name beside it. Files are given to be
saved, never to be shown: a browser is told to run nothing of them.
"""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select

from enforcement import queries
from enforcement.access.identity import Identity
from enforcement.api import replies, shapes
from enforcement.api.asked import IdempotencyKey, IfMatch, etag_of, version_of
from enforcement.api.case_routes import JSON, Id
from enforcement.api.guard import Caller, PartsOf, only
from enforcement.api.models import LINE, AttachmentDone, AttachmentGiven, Given
from enforcement.api.problems import Problem
from enforcement.attachments import MAGIC, ROLES, attach
from enforcement.evidence.contents import Language
from enforcement.tables import AttachmentRow

router: Final = APIRouter(tags=["cases"])

POLICY: Final = "default-src 'none'; sandbox"
_TAKES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MAGIC},
    }
}
_GIVES_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file as it was added",
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MAGIC},
    }
}
_GIVES_ZIP: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The evidence package",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Attachments(Given):
    items: list[AttachmentGiven]


async def body_of(request: Request) -> bytes:
    """Limited by `enforcement.api.armour`."""
    return await request.body()


@router.post(
    "/cases/{case_id}/attachments",
    status_code=201,
    response_model=AttachmentDone,
    openapi_extra=_TAKES,
)
def add_attachment(
    case_id: Id,
    name: Annotated[str, Query(min_length=1, max_length=200, pattern=LINE)],
    caller: Annotated[Identity, only(*ROLES)],
    parts: PartsOf,
    request: Request,
    content: Annotated[bytes, Depends(body_of)],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a photo, a scan, a film: the body is the file."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    version = None if if_match is None else version_of(if_match)
    asked: list[str | bytes] = [request.url.path, name, media_type, content]
    with parts.database.change() as (session, head):
        kept = replies.find(session, caller, idempotency_key, asked)
        if kept is not None:
            return _answer(kept.body, kept.etag)
        now_ms = parts.now_ms()
        row, case = attach(
            session, head, case_id, caller.actor, name, media_type, content, version, now_ms
        )
        fields = AttachmentGiven.model_validate(row).model_dump()
        done = AttachmentDone(**fields, case_id=case_id, version=case.version)
        body, etag = done.model_dump_json(), etag_of(case.version)
        replies.keep(
            *(session, caller, idempotency_key, asked),
            status=201,
            body=body,
            etag=etag,
            now_ms=now_ms,
        )
    return _answer(body, etag)


def _answer(body: str, etag: str) -> Response:
    return Response(body, 201, {"ETag": etag}, JSON)


@router.get("/cases/{case_id}/attachments")
def list_attachments(case_id: Id, caller: Caller, parts: PartsOf) -> Attachments:
    """The files of a case."""
    with parts.database.read() as session:
        _need_case(queries.case(session, caller.actor, case_id), case_id)
        return Attachments(items=shapes.attachments(queries.attachments_of(session, case_id)))


@router.get(
    "/cases/{case_id}/attachments/{attachment_id}", response_class=Response, responses=_GIVES_FILE
)
def get_attachment(case_id: Id, attachment_id: Id, caller: Caller, parts: PartsOf) -> Response:
    """One file, to be saved."""
    with parts.database.read() as session:
        _need_case(queries.case(session, caller.actor, case_id), case_id)
        row = session.scalars(
            select(AttachmentRow).where(
                AttachmentRow.case_id == case_id, AttachmentRow.attachment_id == attachment_id
            )
        ).first()
        if row is None:
            raise Problem(404, f"no attachment {attachment_id}")
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
            "Content-Security-Policy": POLICY,
            "ETag": f'"{row.sha256}"',
        }
        return Response(row.content, headers=headers, media_type=row.media_type)


@router.post("/cases/{case_id}/evidence", response_class=Response, responses=_GIVES_ZIP)
def make_evidence(
    case_id: Id,
    caller: Annotated[Identity, only(*ROLES)],
    parts: PartsOf,
    language: Annotated[Language, Query(description="Of the report.")] = "zh",
) -> Response:
    """The evidence package of a case, made now and checked; that it was made, and the hash of its
    manifest, stand in the audit trail."""
    with parts.database.read() as session:
        _need_case(queries.case(session, caller.actor, case_id), case_id)
    if parts.evidence is None:
        raise Problem(404, "no evidence packages are made here; `mucktrack evidence export` does")
    package = parts.evidence.export(case_id, caller.name, language)
    headers = {
        "Content-Disposition": f'attachment; filename="{package.name}"',
        "Content-Security-Policy": POLICY,
        "ETag": f'"{package.manifest_sha256}"',
    }
    return Response(package.content, headers=headers, media_type="application/zip")


def _need_case(row: Any, case_id: str) -> Any:
    if row is None:
        raise Problem(404, f"no case {case_id}")
    return row
