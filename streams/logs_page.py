"""Writes `docs/logs.md`: the events, with levels and fields as the sources have them.

Run by `make logs`; a test sees that the page is current. It reads the sources themselves, so that
no event can be said that the page does not have.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.log_events import EVENTS

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("streams", "producers", "enforcement", "mucktrack")
LEVELS: Final = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "bug": "error",
    "at": "depends",
}
UNSEEN: Final = {"cannot_go_on": ("error", ("error",)), "library_message": ("any", ("message",))}
"""Those made by the log itself (`streams.log_filters`, `streams.log_lines`)."""
HEAD: Final = """# Logs

Every process writes what happens to stderr, one line an event. On a terminal they are readable:

    22:13:05 warning streams.sinks: outputs_not_taken  outputs=12  error=KafkaTimeoutError

Anywhere else they are JSON, in UTF-8, an object a line:

    {"time":"2026-03-01T14:13:05.120Z","level":"warning","process":"worker",\
"logger":"streams.sinks","event":"outputs_not_taken","outputs":12,"error":"KafkaTimeoutError"}

| setting | |
|---|---|
| `MUCKTRACK_LOG` | `auto` (as above), `json` or `text` |
| `MUCKTRACK_LOG_LEVEL` | `debug`, `info`, `warning` or `error`; libraries from `warning` on |

- `time` (UTC), `level`, `process`, `logger` and `event` are in every line; the other fields depend
  on the event, and one without a value is left out. `traceback` comes with bugs.
- `truck_id`, `violation_id`, `case_id`, `phone` (of a terminal, without zeros in front),
  `connection` (`10.0.0.7:51234`, as in `gps.raw`), `topic`, `partition`, `offset` and
  `request_id` mean the same wherever they stand, so that one search follows a thing through all
  processes. A request's id is in the answer's header `X-Request-ID`.
- Positions, rejects and violations are counted, not told one by one: nobody could read it. At
  `debug` each violation is told.
- No event floods: of one, 100 lines pass in 10 seconds; the next that passes has as `left_out` how
  many did not. A message that aiokafka repeats passes once in 30 seconds.
- Passwords, codes, tokens and keys are not written: not from fields of such names, not from within
  addresses, and those of the settings and files not even where an error quotes them.
- What stands before the log is set up (wrong flags, missing settings) is one line of plain text.

An event keeps its name and its fields as [versioning](versioning.md) says.

| event | level | fields | meaning |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One place at which an event is said."""

    event: str
    level: str
    fields: tuple[str, ...]
    where: str


def said_in(root: Path) -> Iterator[Said]:
    """All places in the packages below `root`. Raises `ValueError` where a name or a field is not
    written out."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _is_saying(node):
                    yield _said(node, f"{path.relative_to(root)}:{node.lineno}")


def _is_saying(call: ast.Call) -> bool:
    called = call.func
    if not isinstance(called, ast.Attribute) or called.attr not in LEVELS:
        return False
    of = called.value
    if isinstance(of, ast.Call):
        return isinstance(of.func, ast.Name) and of.func.id == "Log"
    return isinstance(of, ast.Name) and of.id == "log"


def _said(call: ast.Call, where: str) -> Said:
    how = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.args[1 if how == "at" else 0]
    fields = tuple(one.arg for one in call.keywords if one.arg is not None)
    if not isinstance(name, ast.Constant) or len(fields) != len(call.keywords):
        raise ValueError(f"{where}: write out the event's name and its fields")
    return Said(str(name.value), LEVELS[how], fields, where)


def page() -> str:
    places = list(said_in(ROOT))
    rows = []
    for event, meaning in EVENTS.items():
        here = [one for one in places if one.event == event]
        levels = dict.fromkeys(one.level for one in here) or [UNSEEN[event][0]]
        fields = dict.fromkeys(name for one in here for name in one.fields)
        names = ", ".join(f"`{name}`" for name in fields or UNSEEN.get(event, ("", ()))[1])
        rows.append(f"| `{event}` | {', '.join(levels)} | {names} | {meaning} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
