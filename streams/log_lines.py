"""What a line of a log looks like, as JSON and for people, and what is kept out of it.

Used by `streams.logs`. A line stays one line whatever a field quotes (`streams.shown`); of a
traceback the lines are indented, so that none can pass for an event. Secrets are kept out three
times: fields with the names of secrets are not written, passwords within addresses are not, and
what has been given to `hide` is not wherever it stands.
"""

import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from streams.shown import shown

LONGEST: Final = 2_000
"""Characters of one field; of a line of a traceback too."""
LONGEST_TRACEBACK: Final = 16_000
MASK: Final = "***"
SHORTEST: Final = 4
"""Characters of a secret that is looked for: a shorter one would be found in ordinary words."""
SECRET: Final = re.compile(
    r"password|passwd|secret|token|cookie|authorization|credential|verify_code|auth_code|api_?key"
)
"""In names of fields."""
_IN_ADDRESSES: Final = re.compile(r"(?<=://)([^/\s:@]*):[^/\s]*@")
_IN_QUERIES: Final = re.compile(
    r"(?i)\b((?:password|secret|token|access_token|key|sign|code)=)[^\s&\"']+"
)
_NAMED: Final = re.compile(
    r"(?i)((?:password|passwd|secret|token)(?:=[\"']?|[\"']\s*:\s*[\"']))[^\s&\"']+"
)
"""In what libraries quote: arguments, dictionaries, JSON."""
_IN_HEADERS: Final = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"']+")
LIBRARY: Final = "library_message"
"""The event of lines whose author knows no events."""
COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}

_hidden: list[str] = []
_lock = threading.Lock()


def hide(*secrets: str | bytes | None) -> None:
    """Never write these. Called by whoever reads a secret from a setting or file."""
    with _lock:
        for secret in secrets:
            text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
            if text is not None and len(text) >= SHORTEST and text not in _hidden:
                _hidden.append(text)
                # One secret may be the beginning of another.
                _hidden.sort(key=len, reverse=True)


def hide_in_address(address: str) -> None:
    """The password in a URL, written as it is and as URLs have it."""
    parts = urlsplit(address)
    named = [value for name, value in parse_qsl(parts.query) if SECRET.search(name)]
    for secret in (parts.password and unquote(parts.password), *named):
        if secret:
            hide(secret, quote(secret, safe=""), quote_plus(secret))


def without_secrets(text: str) -> str:
    """`text` with what looks like a secret, or is known to be one, masked."""
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, MASK)
    if "://" in text:
        text = _IN_ADDRESSES.sub(rf"\1:{MASK}@", text)
    if "=" in text:
        text = _IN_QUERIES.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    return _IN_HEADERS.sub(rf"\1 {MASK}", text)


@dataclass(frozen=True, slots=True)
class Event:
    """The message of a record; its words are made when a line is."""

    name: str
    fields: Mapping[str, object]

    def told(self) -> dict[str, Any]:
        """The fields, fit to be written; without those that are None."""
        return _told({name: one for name, one in self.fields.items() if one is not None})

    def __str__(self) -> str:
        return _words(self.name, self.told())


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says: its event and fields."""
    if isinstance(record.msg, Event):
        return {"event": record.msg.name, **record.msg.told(), **_left_out(record)}
    return {"event": LIBRARY, "message": _clean(record.getMessage()), **_left_out(record)}


def _words(name: str, fields: Mapping[str, Any]) -> str:
    told = "  ".join(f"{field}={_quoted(value)}" for field, value in fields.items())
    return f"{name}  {told}" if told else name


def _left_out(record: logging.LogRecord) -> dict[str, int]:
    count: int = getattr(record, "left_out", 0)
    return {"left_out": count} if count else {}


def _told(fields: Mapping[Any, object]) -> dict[str, Any]:
    names = {str(name): value for name, value in fields.items()}
    return {
        name: MASK if SECRET.search(name.lower()) else _value(value)
        for name, value in names.items()
    }


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        # Some have no words of their own.
        return _clean(str(value) or type(value).__name__)
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return _told(value)
    return _clean(str(value))


def _clean(text: str) -> str:
    return shown(without_secrets(text), LONGEST)


class JsonLines(logging.Formatter):
    """For machines."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            **fields_of(record),
        }
        if record.exc_info:
            text = without_secrets(self.formatException(record.exc_info))
            text = "\n".join(shown(one, LONGEST) for one in text.splitlines())
            # Its end says what happened.
            line["traceback"] = text[-LONGEST_TRACEBACK:]
        return json.dumps(line, ensure_ascii=False)


class Readable(logging.Formatter):
    """For people at a terminal."""

    def __init__(self, has_colours: bool) -> None:
        super().__init__()
        self._has_colours = has_colours

    def format(self, record: logging.LogRecord) -> str:
        fields = fields_of(record)
        event, level = fields.pop("event"), record.levelname.lower()
        words = _words(fields.pop("message") if event == LIBRARY else event, fields)
        moment = datetime.fromtimestamp(record.created).astimezone()
        line = f"{moment:%H:%M:%S} {self._coloured(level)} {record.name}: {words}"
        if record.exc_info:
            text = without_secrets(self.formatException(record.exc_info))
            line += "".join(f"\n  {shown(one, LONGEST)}" for one in text.splitlines())
        return line

    def _coloured(self, level: str) -> str:
        if not self._has_colours:
            return f"{level:7}"
        return f"\x1b[{COLOURS.get(level, '0')}m{level:7}\x1b[0m"


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    is_plain = bool(text) and not any(one in text for one in ' "=')
    return text if is_plain else json.dumps(text, ensure_ascii=False)
