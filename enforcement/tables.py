"""What enforcement keeps, as SQLAlchemy tables (design section 11).

The only place where columns are named; `enforcement/migrations` brings a database to them, and a
test compares the two. Times are Unix milliseconds, since that is what violations carry. Works on
SQLite and PostgreSQL alike. Rows here do nothing: `enforcement.intake` and `enforcement.actions`
change them.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

ID = String(36)
TimeMs = BigInteger
# SQLite counts up only what it calls INTEGER.
Sequence = BigInteger().with_variant(Integer, "sqlite")
OPEN = "ended_ms IS NULL"
"""Of cases; a query that says it in these words finds the queue by an index of its own."""
LASTING = "phase IN ('opened', 'escalated')"
"""Of violations, likewise."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class CaseRow(Base):
    """A case: the violations of one trip, or one violation without a trip."""

    __tablename__ = "cases"

    case_id: Mapped[str] = mapped_column(ID, primary_key=True)
    """Made of the trip's or the violation's id, so that the same violations give the same case."""
    number: Mapped[int] = mapped_column(Sequence, unique=True)
    """Counts up; what people call it by, together with the day it was opened."""
    state: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    """The highest of its violations."""
    rank: Mapped[int] = mapped_column(Integer)
    """Of the severity, so that the database can sort by it."""
    rules: Mapped[list[str]]
    truck_id: Mapped[str] = mapped_column(String(64))
    company: Mapped[str | None] = mapped_column(String(200))
    trip_id: Mapped[str | None] = mapped_column(ID)
    district: Mapped[str | None] = mapped_column(String(32))
    """Where its gravest violation was; who is responsible."""
    opened_ms: Mapped[int] = mapped_column(TimeMs)
    """When the case was made, by the wall clock."""
    started_ms: Mapped[int] = mapped_column(TimeMs)
    """When its first violation began."""
    updated_ms: Mapped[int] = mapped_column(TimeMs)
    handler: Mapped[str | None] = mapped_column(String(64))
    """Who accepted it and answers for it."""
    officer: Mapped[str | None] = mapped_column(String(64))
    """Who handled it."""
    squad: Mapped[str | None] = mapped_column(String(100))
    dispatched_ms: Mapped[int | None] = mapped_column(TimeMs)
    due_ms: Mapped[int | None] = mapped_column(TimeMs)
    """By when it is to be ended; counted from dispatch."""
    deferred: Mapped[bool] = mapped_column(Boolean, default=False)
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether a re-run of history has withdrawn all of its violations; a person decides."""
    supervised_ms: Mapped[int | None] = mapped_column(TimeMs)
    """Since when it is under supervision (督办)."""
    ended_ms: Mapped[int | None] = mapped_column(TimeMs)
    version: Mapped[int] = mapped_column(Integer)
    """Counts changes; who changes an older one than there is, is told."""

    districts: Mapped[list["CaseDistrictRow"]] = relationship(cascade="all, delete-orphan")

    __table_args__ = (
        Index("ix_cases_queue", "state", "rank", "number"),
        Index("ix_cases_truck_id", "truck_id", "number"),
        Index("ix_cases_company", "company", "started_ms"),
        Index("ix_cases_due_ms", "due_ms"),
        Index("ix_cases_opened_ms", "opened_ms"),
    )


Index(
    "ix_cases_open",
    CaseRow.rank.desc(),
    CaseRow.number,
    sqlite_where=text(OPEN),
    postgresql_where=text(OPEN),
)


class CaseDistrictRow(Base):
    """A district that a violation of the case lies in: its people see the case."""

    __tablename__ = "case_districts"

    case_id: Mapped[str] = mapped_column(ForeignKey(CaseRow.case_id), primary_key=True)
    district: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)


class ViolationRow(Base):
    """A violation in its latest phase."""

    __tablename__ = "violations"

    violation_id: Mapped[str] = mapped_column(ID, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey(CaseRow.case_id), index=True)
    phase: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    truck_id: Mapped[str] = mapped_column(String(64))
    district: Mapped[str | None] = mapped_column(String(32))
    started_ms: Mapped[int] = mapped_column(TimeMs)
    detected_ms: Mapped[int] = mapped_column(TimeMs)
    ended_ms: Mapped[int | None] = mapped_column(TimeMs)
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    arrived: Mapped[int] = mapped_column(Sequence, unique=True)
    """Counts up over all violations, in the order in which they were first seen."""
    received_ms: Mapped[int] = mapped_column(TimeMs)
    value: Mapped[str] = mapped_column(Text)
    """The JSON as it came."""

    case: Mapped[CaseRow] = relationship()

    __table_args__ = (
        Index("ix_violations_truck_id", "truck_id", "started_ms"),
        Index("ix_violations_rule", "rule", "started_ms"),
        Index(
            "ix_violations_lasting",
            "truck_id",
            sqlite_where=text(LASTING),
            postgresql_where=text(LASTING),
        ),
    )


class EventRow(Base):
    """One record of the violations' topic; `ce_id` tells those that came twice."""

    __tablename__ = "events"

    ce_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    violation_id: Mapped[str] = mapped_column(ForeignKey(ViolationRow.violation_id), index=True)
    topic_partition: Mapped[int] = mapped_column(Integer)
    topic_offset: Mapped[int] = mapped_column(BigInteger)
    received_ms: Mapped[int] = mapped_column(TimeMs)
    value: Mapped[str] = mapped_column(Text)

    violation: Mapped[ViolationRow] = relationship()


class ConsumedRow(Base):
    """How far a partition has been read; written together with what was made of it."""

    __tablename__ = "consumed"

    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)


class AuditRow(Base):
    """One entry of the audit trail, chained to the one before by its hash."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    case_id: Mapped[str | None] = mapped_column(ID, index=True)
    at_ms: Mapped[int] = mapped_column(TimeMs)
    who: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str | None] = mapped_column(String(16))
    why: Mapped[str | None] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Text)
    """Canonical JSON, as it was hashed."""
    before: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HeadRow(Base):
    """The one row that every change takes first: the end of the audit trail, and what counts up."""

    __tablename__ = "head"

    one: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    cases: Mapped[int] = mapped_column(BigInteger)
    violations: Mapped[int] = mapped_column(BigInteger)


class AttachmentRow(Base):
    """A file that somebody added to a case: a photo of the load, a signed sheet."""

    __tablename__ = "attachments"

    attachment_id: Mapped[str] = mapped_column(ID, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey(CaseRow.case_id), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    added_ms: Mapped[int] = mapped_column(TimeMs)
    added_by: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class WebhookRow(Base):
    """How far a receiver of webhooks has been told what stands in the audit trail."""

    __tablename__ = "webhooks"

    receiver: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_seq: Mapped[int] = mapped_column(BigInteger)
    """The entry of the trail that it is told next."""
    tries: Mapped[int] = mapped_column(Integer)
    """Of that entry."""
    failures: Mapped[int] = mapped_column(Integer)
    """Since it last took something."""
    retry_ms: Mapped[int | None] = mapped_column(TimeMs)
    error: Mapped[str | None] = mapped_column(Text)
    holder: Mapped[str | None] = mapped_column(ID)
    """Which sender tells it at present, if several processes work on one database."""
    held_until_ms: Mapped[int | None] = mapped_column(TimeMs)


class DeadLetterRow(Base):
    """What a receiver has not taken, however often it was tried."""

    __tablename__ = "dead_letters"

    receiver: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The entry of the audit trail."""
    tries: Mapped[int] = mapped_column(Integer)
    at_ms: Mapped[int] = mapped_column(TimeMs)
    """Of the last try."""
    error: Mapped[str] = mapped_column(Text)
    again: Mapped[bool] = mapped_column(Boolean)
    """Somebody wants it to be sent once more."""


class UserRow(Base):
    """A person who may log in. Never removed, since the audit trail names him; but disabled."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    password: Mapped[str] = mapped_column(String(200))
    """As argon2 writes it, with its parameters and salt."""
    role: Mapped[str] = mapped_column(String(16))
    districts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """None = all."""
    disabled: Mapped[bool] = mapped_column(Boolean)
    must_change: Mapped[bool] = mapped_column(Boolean)
    """He has to choose a password of his own before anything else."""
    created_ms: Mapped[int] = mapped_column(TimeMs)
    version: Mapped[int] = mapped_column(Integer)


class SessionRow(Base):
    """Somebody who has logged in. The secret itself is only in his browser."""

    __tablename__ = "sessions"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey(UserRow.name), index=True)
    created_ms: Mapped[int] = mapped_column(TimeMs)
    seen_ms: Mapped[int] = mapped_column(TimeMs)
    """The last request, to the minute."""


class TokenRow(Base):
    """A machine that may ask. The token itself is shown once."""

    __tablename__ = "tokens"

    token_id: Mapped[str] = mapped_column(ID, primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(50))
    role: Mapped[str] = mapped_column(String(16))
    districts: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[str] = mapped_column(String(64))
    created_ms: Mapped[int] = mapped_column(TimeMs)
    expires_ms: Mapped[int] = mapped_column(TimeMs)
    revoked_ms: Mapped[int | None] = mapped_column(TimeMs)


class ReplyRow(Base):
    """What was answered to a request with an Idempotency-Key, for when it comes again."""

    __tablename__ = "replies"

    key_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of who asked and the key."""
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(32))
    at_ms: Mapped[int] = mapped_column(TimeMs, index=True)
