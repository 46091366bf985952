"""/cases and /violations: the queue, one case, the steps that are taken with it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from enforcement import cursors, queries
from enforcement.actions import Said
from enforcement.api import replies, shapes
from enforcement.api.asked import (
    After,
    IdempotencyKey,
    IfMatch,
    Limit,
    etag_of,
    filters,
    version_of,
    violation_filters,
)
from enforcement.api.guard import Caller, PartsOf
from enforcement.api.models import (
    LINE,
    ActionDone,
    ActionTaken,
    CaseCounts,
    CaseDetail,
    CasePage,
    ViolationGiven,
    ViolationPage,
)
from enforcement.api.problems import Problem
from enforcement.queries import Sort, Wanted
from enforcement.tables import CaseRow

router: Final = APIRouter(tags=["cases"])

Id = Annotated[str, Path(max_length=64, pattern=LINE)]
JSON: Final = "application/json"


@router.get("/cases")
def list_cases(
    caller: Caller,
    parts: PartsOf,
    wanted: Annotated[Wanted, Depends(filters)],
    sort: Sort = "queue",
    after: After = None,
    limit: Limit = 50,
) -> CasePage:
    """Cases. `queue`: the gravest first, of these the oldest, and without `state` those that are
    not ended. `newest`: the latest first."""
    question = [sort, *_plain(wanted)]
    place = None if after is None else cursors.read(after, question, 2)
    now_ms = parts.now_ms()
    with parts.database.read() as session:
        rows = queries.cases(session, caller.actor, wanted, sort, place, limit + 1, now_ms)
        items = [shapes.case(row, now_ms) for row in rows[:limit]]
        more = len(rows) > limit
        return CasePage(
            items=items,
            next=cursors.write(question, queries.place(rows[limit - 1])) if more else None,
        )


@router.get("/cases/counts")
def count_cases(caller: Caller, parts: PartsOf) -> CaseCounts:
    """How many cases are in each state that is not the end, to the second."""
    return CaseCounts(**parts.counts.of(caller.actor))


@router.get("/cases/{case_id}")
def get_case(case_id: Id, caller: Caller, parts: PartsOf, response: Response) -> CaseDetail:
    """One case: its violations, its audit trail, what the caller may do with it. Its ETag is what
    If-Match of an action wants."""
    with parts.database.read() as session:
        row = queries.case(session, caller.actor, case_id)
        if row is None:
            raise Problem(404, f"no case {case_id}")
        response.headers["ETag"] = etag_of(row.version)
        return CaseDetail(
            **shapes.case_fields(row, parts.now_ms()),
            violations=[shapes.violation(one) for one in queries.violations_of(session, case_id)],
            trail=[shapes.entry(one) for one in queries.trail_of(session, case_id)],
            attachments=shapes.attachments(queries.attachments_of(session, case_id)),
            actions=shapes.actions(row, caller),
        )


@router.post("/cases/{case_id}/actions/{action}", response_model=ActionDone)
def act(
    case_id: Id,
    action: Annotated[str, Path(max_length=32, pattern=LINE)],
    taken: ActionTaken,
    caller: Caller,
    parts: PartsOf,
    request: Request,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a step (GET /steps). 409: it is in another state, and the detail says who has it; 412:
    it has changed since the version in If-Match."""
    said = Said(**taken.model_dump(), version=version_of(if_match))
    asked = [request.url.path, taken.model_dump_json(), if_match or ""]
    with parts.database.change() as (session, head):
        kept = replies.find(session, caller, idempotency_key, asked)
        if kept is not None:
            return _answer(kept.body, kept.etag)
        version = parts.office.act_within(session, head, case_id, action, caller.actor, said)
        row = session.get_one(CaseRow, case_id)
        done = ActionDone(case_id=case_id, state=row.state, version=version)  # type: ignore[arg-type]
        body, etag = done.model_dump_json(), etag_of(version)
        replies.keep(
            *(session, caller, idempotency_key, asked),
            status=200,
            body=body,
            etag=etag,
            now_ms=parts.now_ms(),
        )
    return _answer(body, etag)


def _answer(body: str, etag: str) -> Response:
    return Response(body, headers={"ETag": etag}, media_type=JSON)


@router.get("/violations")
def list_violations(
    caller: Caller,
    parts: PartsOf,
    wanted: Annotated[Wanted, Depends(violation_filters)],
    after: After = None,
    limit: Limit = 50,
) -> ViolationPage:
    """Violations, the latest to arrive first."""
    question = ["violations", *_plain(wanted)]
    place = None if after is None else cursors.read(after, question, 1)
    with parts.database.read() as session:
        rows = queries.violations(session, caller.actor, wanted, place, limit + 1)
        more = len(rows) > limit
        return ViolationPage(
            items=[shapes.violation(row) for row in rows[:limit]],
            next=cursors.write(question, (rows[limit - 1].arrived,)) if more else None,
        )


@router.get("/violations/{violation_id}")
def get_violation(violation_id: Id, caller: Caller, parts: PartsOf) -> ViolationGiven:
    """One violation in its latest phase."""
    with parts.database.read() as session:
        row = queries.violation(session, caller.actor, violation_id)
        if row is None:
            raise Problem(404, f"no violation {violation_id}")
        return shapes.violation(row)


def _plain(wanted: Wanted) -> list[object]:
    return [getattr(wanted, name) for name in Wanted.__slots__]
