"""Requests that come twice, by their Idempotency-Key: done once, answered alike.

Called by routes within the change that does what is asked, so that both are kept or neither. What
failed changed nothing, is not kept, and may be tried again.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enforcement.access.identity import Identity
from enforcement.api.problems import Problem
from enforcement.tables import ReplyRow

KEPT_MS: Final = 86_400_000


def find(
    session: Session, identity: Identity, key: str | None, request: Sequence[str | bytes]
) -> ReplyRow | None:
    """What was answered. Raises a problem where the key came with another request."""
    if key is None:
        return None
    row = session.get(ReplyRow, _key(identity, key))
    if row is not None and row.request_sha256 != _digest(request):
        raise Problem(422, "Idempotency-Key: came with another request already; take a new one")
    return row


def keep(
    session: Session,
    identity: Identity,
    key: str | None,
    request: Sequence[str | bytes],
    *,
    status: int,
    body: str,
    etag: str,
    now_ms: int,
) -> None:
    """For when it comes again within a day."""
    if key is None:
        return
    session.execute(delete(ReplyRow).where(ReplyRow.at_ms < now_ms - KEPT_MS))
    row = ReplyRow(
        key_sha256=_key(identity, key),
        request_sha256=_digest(request),
        status=status,
        body=body,
        etag=etag,
        at_ms=now_ms,
    )
    session.add(row)


def _key(identity: Identity, key: str) -> str:
    return _digest([identity.name, key])


def _digest(parts: Sequence[str | bytes]) -> str:
    """Of each part's length and bytes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(b"%d\n" % len(data))
        digest.update(data)
    return digest.hexdigest()
