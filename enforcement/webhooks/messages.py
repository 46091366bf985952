"""What a receiver is told, in its format: a CloudEvent, or a message for a chat robot.

Called by `enforcement.webhooks.sender`. Pure: rows in, JSON out. Of the case it says what holds
now, which may be later than the event; the event itself says what was changed.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import msgspec

from enforcement.steps import BY_ACTION, TITLES, State
from enforcement.tables import AuditRow, CaseRow, ViolationRow
from enforcement.webhooks.events import OPEN, REOPEN, SUPERVISE, VIOLATIONS
from enforcement.webhooks.receivers import Receiver
from enforcement.webhooks.shapes import CaseEvent, CaseEventData, CaseTold
from streams.catalogue import Severity
from streams.output import SOURCE
from streams.shown import shown

LONGEST: Final = 500
"""Characters of a text in a message; robots take some 4,000 bytes."""
TITLES_OF_EVENTS: Final = {
    OPEN: ("新案件", "New case"),
    REOPEN: ("案件重新待办", "Case is back"),
    SUPERVISE: ("超期督办", "Overdue"),
    VIOLATIONS["opened"]: ("违规开始", "Violation opened"),
    VIOLATIONS["escalated"]: ("违规升级", "Violation escalated"),
    VIOLATIONS["closed"]: ("违规结束", "Violation closed"),
    VIOLATIONS["occurred"]: ("违规发生", "Violation occurred"),
    VIOLATIONS["withdrawn"]: ("违规撤回", "Violation withdrawn"),
    **{step.action: (step.title, step.title_en) for step in BY_ACTION.values()},
}
SEVERITIES: Final = {
    "critical": ("特别严重", "critical"),
    "major": ("严重", "major"),
    "minor": ("一般", "minor"),
    "lead": ("线索", "lead"),
}
MARKS: Final = str.maketrans("[]<>`*#|\\", "［］＜＞｀＊＃｜＼")
"""What Markdown would take for its own, and robots for links."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event with what it is about."""

    event: str
    entry: AuditRow
    case: CaseRow
    violation: ViolationRow | None
    """The one that the entry is about, else the case's gravest."""

    @property
    def id(self) -> str:
        """The same each time it is sent, so that a receiver knows what comes twice."""
        return f"{self.case.case_id}/{self.entry.seq}"


def body_of(told: Told, receiver: Receiver) -> bytes:
    """UTF-8 JSON."""
    match receiver.format:
        case "cloudevents":
            return msgspec.json.encode(_cloud_event(told, receiver))
        case "wecom":
            text = _markdown(told, receiver)
            value = {"msgtype": "markdown", "markdown": {"content": text}}
        case "dingtalk":
            title = _heading(told, receiver)
            text = _markdown(told, receiver)
            value = {"msgtype": "markdown", "markdown": {"title": title, "text": text}}
    return json.dumps(value, ensure_ascii=False).encode()


def _cloud_event(told: Told, receiver: Receiver) -> CaseEvent:
    entry, case = told.entry, told.case
    moment = datetime.fromtimestamp(entry.at_ms / 1000, UTC)
    value = "null" if told.violation is None else told.violation.value
    return CaseEvent(
        specversion="1.0",
        id=told.id,
        source=SOURCE,
        type=f"mucktrack.case.{told.event}",
        subject=case.case_id,
        time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        datacontenttype="application/json",
        data=CaseEventData(
            event=told.event,
            seq=entry.seq,
            who=entry.who,
            from_state=_state(entry.from_state),
            to_state=_state(entry.to_state),
            why=entry.why,
            details=json.loads(entry.details),
            case=_case(told, receiver),
            violation=msgspec.Raw(value.encode()),
        ),
    )


def _case(told: Told, receiver: Receiver) -> CaseTold:
    case = told.case
    return CaseTold(
        case_id=case.case_id,
        number=case.number,
        version=case.version,
        state=cast("State", case.state),
        severity=cast("Severity", case.severity),
        rules=case.rules,
        truck_id=case.truck_id,
        company=case.company,
        trip_id=case.trip_id,
        district=case.district,
        opened_ms=case.opened_ms,
        started_ms=case.started_ms,
        due_ms=case.due_ms,
        supervised_ms=case.supervised_ms,
        withdrawn=case.withdrawn,
        handler=case.handler,
        squad=case.squad,
        link=_link(told, receiver),
    )


def _state(state: str | None) -> State | None:
    return cast("State | None", state)


def _heading(told: Told, receiver: Receiver) -> str:
    titles = TITLES_OF_EVENTS[told.event]
    number = f"案件 {told.case.number}" if receiver.language == "zh" else f"case {told.case.number}"
    return f"{titles[receiver.language == 'en']} · {number}"


def _markdown(told: Told, receiver: Receiver) -> str:
    case, english = told.case, receiver.language == "en"
    state = TITLES[case.state][english]  # type: ignore[index]
    lines = [
        f"### {_heading(told, receiver)}",
        _line("车辆", "Truck", case.truck_id, english),
        _line("企业", "Company", case.company, english),
        _line("等级", "Severity", SEVERITIES[case.severity][english], english),
        _line("状态", "State", state, english),
        _line("辖区", "District", case.district, english),
        _line("说明", "What", _message(told.violation, english), english),
        _line("经办", "By", told.entry.who, english),
        _line("事由", "Why", told.entry.why, english),
    ]
    if link := _link(told, receiver):
        lines.append(f"[{'Open the case' if english else '查看案件'}]({link})")
    return "\n\n".join(line for line in lines if line)


def _line(title: str, title_en: str, value: str | None, english: bool) -> str:
    if value is None:
        return ""
    plain = shown(value, LONGEST).translate(MARKS)
    return f"{title_en}: {plain}" if english else f"{title}：{plain}"


def _message(violation: ViolationRow | None, english: bool) -> str | None:
    if violation is None:
        return None
    message: str = json.loads(violation.value)["message_en" if english else "message"]
    return message


def _link(told: Told, receiver: Receiver) -> str | None:
    return receiver.link and receiver.link.replace("{case_id}", told.case.case_id)
