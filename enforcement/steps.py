"""The steps of a case (design section 11): which action leads from where to where, who may take it
and what has to be said with it. One table, a row an action.

Asked by `enforcement.actions`, and by console and API for what they may offer. Pure: it knows no
database, no clock and no user beyond a role.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

State = Literal[
    "new",
    "accepted",
    "dispatched",
    "handled",
    "verified",
    "closed",
    "void",
    "waived",
    "transferred",
]
Role = Literal["viewer", "dispatcher", "officer", "reviewer", "admin"]
Need = Literal["squad", "findings", "reason", "receiver", "until_ms"]

STATES: Final[tuple[State, ...]] = get_args(State)
ROLES: Final[tuple[Role, ...]] = get_args(Role)
ENDED: Final[frozenset[State]] = frozenset({"closed", "void", "waived", "transferred"})
WORKED_ON: Final[tuple[State, ...]] = ("accepted", "dispatched", "handled", "verified")
TITLES: Final[dict[State, tuple[str, str]]] = {
    "new": ("待受理", "new"),
    "accepted": ("已受理", "accepted"),
    "dispatched": ("已派遣", "dispatched"),
    "handled": ("已处理", "handled"),
    "verified": ("已核查", "verified"),
    "closed": ("已结案", "closed"),
    "void": ("作废", "void"),
    "waived": ("首违不罚", "waived"),
    "transferred": ("已移送", "transferred"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One action on a case."""

    action: str
    title: str
    title_en: str
    sources: frozenset[State]
    target: State | None
    """None = the case stays where it is."""
    roles: frozenset[Role]
    """Beside the administrator, who may take every step."""
    needs: tuple[Need, ...] = ()
    not_by_handler: bool = False
    """Whoever handled the case does not judge it as well (法制审核)."""


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


def _by(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


STEPS: Final[tuple[Step, ...]] = (
    Step("accept", "受理", "Accept", _from("new"), "accepted", _by("dispatcher")),
    Step("release", "退回待受理", "Release", _from("accepted"), "new", _by("dispatcher")),
    Step(
        *("dispatch", "派遣", "Dispatch"),
        _from("accepted"),
        "dispatched",
        _by("dispatcher"),
        needs=("squad",),
    ),
    Step(
        *("handle", "处理", "Handle"),
        _from("dispatched"),
        "handled",
        _by("officer"),
        needs=("findings",),
    ),
    Step(
        *("verify", "核查", "Verify"),
        _from("handled"),
        "verified",
        _by("reviewer"),
        not_by_handler=True,
    ),
    Step(
        *("return", "退回重办", "Return"),
        _from("handled", "verified"),
        "dispatched",
        _by("reviewer"),
        needs=("reason",),
    ),
    Step(
        *("close", "结案", "Close"),
        _from("verified"),
        "closed",
        _by("reviewer"),
        not_by_handler=True,
    ),
    Step(
        *("void", "作废", "Void"),
        _from("new", *WORKED_ON),
        "void",
        _by("dispatcher", "reviewer"),
        needs=("reason",),
    ),
    Step(
        *("waive", "首违不罚", "Waive"),
        _from(*WORKED_ON),
        "waived",
        _by("reviewer"),
        needs=("reason",),
        not_by_handler=True,
    ),
    Step(
        *("transfer", "移送", "Transfer"),
        _from(*WORKED_ON),
        "transferred",
        _by("dispatcher", "reviewer"),
        needs=("receiver", "reason"),
    ),
    Step(
        *("defer", "延期", "Defer"),
        _from("dispatched"),
        None,
        _by("reviewer"),
        needs=("until_ms", "reason"),
    ),
    Step(
        *("note", "备注", "Note"),
        frozenset(STATES),
        None,
        _by("dispatcher", "officer", "reviewer"),
        needs=("reason",),
    ),
)
BY_ACTION: Final = {step.action: step for step in STEPS}


def allowed(state: State, role: Role) -> list[Step]:
    """What somebody with this role may do with a case in this state, in the order of the table."""
    return [step for step in STEPS if state in step.sources and may_take(step, role)]


def may_take(step: Step, role: Role) -> bool:
    return role == "admin" or role in step.roles
