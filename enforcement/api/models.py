"""What the API takes and gives, as pydantic models; OpenAPI is made from them.

Plain data. What comes in has no fields but these; what goes out is made of rows by
`enforcement.api.shapes`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from enforcement.access.passwords import LONGEST as LONGEST_PASSWORD
from enforcement.actions import LONGEST
from enforcement.steps import Role, State
from streams.catalogue import Severity

LAST_MS: Final = 4_102_444_800_000
"""2100-01-01, as positions have it."""
LINE: Final = r"^[^\u0000-\u001f\u007f]*$"
"""Databases hold no NUL, and nobody should see a name that ends the line."""
LINES: Final = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"

TimeMs = Annotated[int, Field(ge=0, le=LAST_MS, description="Unix milliseconds")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=LINE)]
Line = Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=LINES)]
Password = Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD, pattern=LINE)]
District = Annotated[str, Field(min_length=1, max_length=32, pattern=LINE)]
Districts = Annotated[list[District], Field(min_length=1, max_length=500)]


class Taken(BaseModel):
    """What comes in."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Given(BaseModel):
    """What goes out."""

    model_config = ConfigDict(from_attributes=True)


class LoginTaken(Taken):
    name: Name
    password: Password


class PasswordTaken(Taken):
    old: Password
    new: Password


class Me(Given):
    """Who is logged in."""

    name: str
    role: Role
    districts: list[str] | None = Field(description="null = all")
    must_change: bool = Field(description="PUT /session/password has to come first")
    csrf: str | None = Field(description="for the header X-CSRF-Token; null with a token")


class CaseGiven(Given):
    case_id: str
    number: int
    state: State
    severity: Severity
    rules: list[str]
    truck_id: str
    company: str | None
    trip_id: str | None
    district: str | None = Field(description="who is responsible")
    districts: list[str] = Field(description="where violations of it lie")
    opened_ms: int
    started_ms: int
    updated_ms: int
    handler: str | None
    officer: str | None
    squad: str | None
    dispatched_ms: int | None
    due_ms: int | None
    deferred: bool
    withdrawn: bool = Field(description="a re-run of history found that none of it happened")
    supervised_ms: int | None
    ended_ms: int | None
    overdue: bool
    version: int


class ViolationGiven(Given):
    violation_id: str
    case_id: str
    phase: str
    revision: int
    rule: str
    severity: Severity
    truck_id: str
    district: str | None
    started_ms: int
    detected_ms: int
    ended_ms: int | None
    received_ms: int
    lon: float
    lat: float
    value: dict[str, Any] = Field(description="as it came on the queue: RULES.md, design section 7")


class EntryGiven(Given):
    """One entry of the audit trail."""

    seq: int
    case_id: str | None
    at_ms: int
    who: str
    action: str
    from_state: str | None
    to_state: str | None
    why: str | None
    details: dict[str, Any]
    hash: str


class AttachmentGiven(Given):
    attachment_id: str
    name: str
    media_type: str
    sha256: str
    added_ms: int
    added_by: str


class CaseDetail(CaseGiven):
    violations: list[ViolationGiven]
    trail: list[EntryGiven]
    attachments: list[AttachmentGiven]
    actions: list[str] = Field(description="what the caller may do with it now: GET /steps")


class CasePage(Given):
    items: list[CaseGiven]
    next: str | None = Field(description="`after` of the next page; null = this is the last")


class ViolationPage(Given):
    items: list[ViolationGiven]
    next: str | None


class EntryPage(Given):
    items: list[EntryGiven]
    next: str | None


class CaseCounts(Given):
    """Cases that are not ended."""

    new: int = 0
    accepted: int = 0
    dispatched: int = 0
    handled: int = 0
    verified: int = 0
    overdue: int
    supervised: int


class ActionTaken(Taken):
    """What is said with an action; which of it is needed stands in GET /steps."""

    squad: Line | None = None
    findings: Words | None = None
    reason: Words | None = None
    receiver: Line | None = None
    until_ms: TimeMs | None = None


class ActionDone(Given):
    case_id: str
    state: State
    version: int


class AttachmentDone(AttachmentGiven):
    case_id: str
    version: int = Field(description="the case's, with it")


class StepGiven(Given):
    action: str
    title: str
    title_en: str
    sources: list[State]
    target: State | None = Field(description="null = the case stays where it is")
    roles: list[Role] = Field(description="beside admin")
    needs: list[str]
    not_by_handler: bool


class StateGiven(Given):
    state: State
    title: str
    title_en: str
    ended: bool


class Steps(Given):
    states: list[StateGiven]
    steps: list[StepGiven]


class RuleGiven(Given):
    id: str
    title: str
    title_en: str
    severity: Severity
    severe: Severity | None
    shape: Literal["condition", "event"]
    condition: str


class Rules(Given):
    items: list[RuleGiven]


class UserGiven(Given):
    name: str
    role: Role
    districts: list[str] | None = Field(description="null = all")
    disabled: bool
    must_change: bool
    created_ms: int
    version: int


class Users(Given):
    items: list[UserGiven]


class UserTaken(Taken):
    name: Name
    role: Role
    districts: Districts | None = Field(description="null = all")
    password: Password


class UserChangeTaken(Taken):
    """What is left out stays as it is."""

    role: Role | None = None
    districts: Districts | None = None
    all_districts: Literal[True] | None = None
    disabled: bool | None = None
    password: Password | None = None


class TokenGiven(Given):
    token_id: str
    name: str
    role: Role
    districts: list[str] | None
    created_by: str
    created_ms: int
    expires_ms: int
    revoked_ms: int | None


class Tokens(Given):
    items: list[TokenGiven]


class TokenTaken(Taken):
    name: Name
    role: Role
    districts: Districts | None = Field(description="null = all")
    expires_ms: TimeMs


class TokenDone(TokenGiven):
    token: str = Field(description="shown this once; Authorization: Bearer …")


class Fault(Given):
    field: str
    message: str


class ProblemGiven(Given):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None
