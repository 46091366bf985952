"""What stands in the files of an evidence package, and how it is written and read.

    package.json       what it is about, and what it was made with
    violations.jsonl   the violations in all their phases, as they stood on the queue
    positions.jsonl    what arrived of the truck, and what moved the watermark between
    frames.jsonl       frames of its terminal as received, where there are any
    case.json          the case as it was at export; audit.jsonl its entries in the audit trail
    attachments.json   what was added to the case, with attachments/… itself
    city/<version>/…   the reference data that the positions were judged by
    rules.md           the catalogue of rules of the program that made it
    report.html        all of it for people

`Contents.of` reads any bytes and says in one line what is wrong with them. Knows no database, no
engine and no archive.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import msgspec

from enforcement.evidence.container import PackageError
from enforcement.queued import QueuedViolation
from geofences.loader import KNOWN_FILES
from streams.position import (
    Element,
    Position,
    Tick,
    TimeMs,
    decode_position,
    decode_record,
)

FORMAT: Final = 1
PACKAGE, VIOLATIONS, POSITIONS = "package.json", "violations.jsonl", "positions.jsonl"
FRAMES, CASE, AUDIT, ATTACHMENTS = "frames.jsonl", "case.json", "audit.jsonl", "attachments.json"
RULES, REPORT, CITY = "rules.md", "report.html", "city/"
REQUIRED: Final = (*(PACKAGE, VIOLATIONS, POSITIONS, CASE, AUDIT, ATTACHMENTS, RULES), REPORT)

Language = Literal["zh", "en"]
Count = msgspec.Meta(ge=0, le=2**63 - 1)
_One = TypeVar("_One")


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of a file; unknown fields are none of ours."""


class Arrival(_Line, frozen=True):
    """An element of the positions' topic: the truck's as received, or what moved the watermark."""

    offset: int
    index: int
    """Of the element in its record."""
    record_ms: int | None = None
    """The record's timestamp."""
    text: str | None = None
    """The truck's element, to the byte."""
    base64: str | None = None
    """The same where it is no UTF-8."""
    alone: bool = False
    """The record was no array."""
    clock_ms: TimeMs | None = None
    """Time of a tick, or of another truck's fix, of which nothing else is in the package."""
    of: Literal["tick", "fix"] = "tick"

    @classmethod
    def received(
        cls, offset: int, index: int, record_ms: int | None, element: bytes, *, alone: bool
    ) -> "Arrival":
        try:
            text, encoded = element.decode(), None
        except UnicodeDecodeError:
            text, encoded = None, base64.b64encode(element).decode()
        return cls(offset, index, record_ms, text, encoded, alone)

    def element(self) -> Element:
        """As the worker decoded it. Raises `PackageError` where it cannot have been one."""
        if self.clock_ms is not None:
            return Tick(self.clock_ms)
        if self.text is not None:
            value = self.text.encode(errors="surrogatepass")
        else:
            try:
                value = base64.b64decode(self.base64 or "", validate=True)
            except binascii.Error:
                raise PackageError(f"{POSITIONS}: offset {self.offset}: no base64") from None
        if not self.alone:
            return decode_position(value)
        elements = decode_record(value)
        if len(elements) != 1:
            raise PackageError(f"{POSITIONS}: offset {self.offset}: an array is not alone")
        return elements[0]


class Event(_Line, frozen=True):
    """A record of the violations' topic."""

    ce_id: str
    topic: str
    partition: int
    offset: int
    received_ms: int
    """When the office had it."""
    value: str
    """The JSON, to the byte."""

    def violation(self) -> QueuedViolation:
        try:
            return _violation.decode(self.value)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            raise PackageError(f"{VIOLATIONS}: {self.ce_id}: no violation: {error}") from None


class Audit(_Line, frozen=True):
    """An entry of the audit trail."""

    seq: int
    case_id: str | None
    at_ms: int
    who: str
    action: str
    from_state: str | None
    to_state: str | None
    why: str | None
    details: str
    before: str
    hash: str


class Attachment(_Line, frozen=True):
    """What was added to the case."""

    attachment_id: str
    file: str
    """Its name in the package."""
    name: str
    media_type: str
    sha256: str
    added_ms: int
    added_by: str


class Frame(_Line, frozen=True):
    """A record of the topic of frames."""

    topic: str
    partition: int
    offset: int
    received_ms: int
    connection: str
    protocol: str
    frame_hex: str


class Provenance(_Line, frozen=True):
    """With what it was made."""

    program: str
    """Version."""
    python: str
    dependencies: dict[str, str]


class CityInForce(_Line, frozen=True):
    """A version of the reference data."""

    city_version: str
    from_ms: int | None = None
    """None = from before the first position."""


class About(_Line, frozen=True, omit_defaults=False):
    """`package.json`."""

    case_id: str
    violation_ids: list[str]
    truck_id: str
    topic: str
    partition: int
    partitions: int
    cities: list[CityInForce]
    provenance: Provenance
    language: Language = "zh"
    format: int = FORMAT


_violation = msgspec.json.Decoder(QueuedViolation)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a package but the report, which is made of it."""

    about: About
    events: list[Event]
    arrivals: list[Arrival]
    frames: list[Frame]
    case: dict[str, Any]
    audit: list[Audit]
    attachments: list[Attachment]
    attached: dict[str, bytes]
    """By their names in the package."""
    cities: dict[str, dict[str, bytes]]
    """Files of each version, by name."""
    rules: bytes

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> "Contents":
        """Raises `PackageError`."""
        if missing := [name for name in REQUIRED if name not in files]:
            raise PackageError(f"{missing[0]} is missing")
        about = _read(files, PACKAGE, About)
        if about.format != FORMAT:
            raise PackageError(f"{PACKAGE} is of format {about.format}, not {FORMAT}")
        attachments = _read(files, ATTACHMENTS, list[Attachment])
        contents = cls(
            about,
            _read_lines(files, VIOLATIONS, Event),
            _read_lines(files, POSITIONS, Arrival),
            _read_lines(files, FRAMES, Frame),
            _read(files, CASE, dict[str, Any]),
            _read_lines(files, AUDIT, Audit),
            attachments,
            {one.file: files[one.file] for one in attachments if one.file in files},
            _cities(files),
            files[RULES],
        )
        if contents.files().keys() | {REPORT} != files.keys():
            odd = sorted(files.keys() ^ (contents.files().keys() | {REPORT}))
            raise PackageError(f"{odd[0]} is missing, or belongs to nothing")
        return contents

    def files(self) -> dict[str, bytes]:
        """As `of` reads them, without the report."""
        files = {
            PACKAGE: _pretty(self.about),
            VIOLATIONS: _lines(self.events),
            POSITIONS: _lines(self.arrivals),
            CASE: _pretty(self.case),
            AUDIT: _lines(self.audit),
            ATTACHMENTS: _pretty(self.attachments),
            RULES: self.rules,
            **self.attached,
        }
        if self.frames:
            files[FRAMES] = _lines(self.frames)
        for version, city in self.cities.items():
            files |= {f"{CITY}{version}/{name}": content for name, content in city.items()}
        return files

    def positions(self) -> list[tuple[Arrival, Position]]:
        """Those of the truck that can be read."""
        elements = ((one, one.element()) for one in self.arrivals)
        return [(one, element) for one, element in elements if isinstance(element, Position)]


def _cities(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    cities: dict[str, dict[str, bytes]] = {}
    for name, content in files.items():
        if name.startswith(CITY):
            version, _, file = name.removeprefix(CITY).partition("/")
            if file not in KNOWN_FILES:
                raise PackageError(f"{name} is no file of a city")
            cities.setdefault(version, {})[file] = content
    return cities


def _pretty(value: object) -> bytes:
    return msgspec.json.format(_encoder.encode(value), indent=1) + b"\n"


def _lines(values: Sequence[object]) -> bytes:
    return b"".join(_encoder.encode(value) + b"\n" for value in values)


def _read(files: Mapping[str, bytes], name: str, kind: type[_One]) -> _One:
    return _decoded(name, files[name], msgspec.json.Decoder(kind))


def _read_lines(files: Mapping[str, bytes], name: str, kind: type[_One]) -> list[_One]:
    decoder = msgspec.json.Decoder(kind)
    return [_decoded(name, line, decoder) for line in files.get(name, b"").splitlines()]


def _decoded(name: str, value: bytes, decoder: "msgspec.json.Decoder[_One]") -> _One:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PackageError(f"{name} cannot be read: {error}") from None
