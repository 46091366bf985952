"""Tracks out of GPX files: `trk/trkseg/trkpt`, of GPX 1.0 and 1.1.

Speed and course are where 1.0 has them or in the extensions of 1.1 (Garmin's TrackPointExtension,
in m/s and degrees). The file is parsed as it is read, so that memory stays bounded. A document type
is refused, since it is what entities come from that unfold without end. Used by `producers.files`.
"""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec

from geofences.datum import Datum
from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports.cells import CellError, Unit, number_reader, whole_reader
from producers.exports.rows import to_wgs84
from producers.exports.times import time_reader
from streams.position import Malformed, Position, convert

_BLOCK_BYTES = 256 * 1024
_LONGEST_TEXT = 1000
"""Characters of one element that are looked at; a time or a number has 30."""
_DEEPEST = 50
_SEPARATOR = " "
_METRES_A_SECOND = Unit(36, 10)
_NO_FIX = "none"

_NUMBERS = {
    "lat": ("lat", number_reader("", Unit(1))),
    "lon": ("lon", number_reader("", Unit(1))),
    "ele": ("altitude_m", number_reader("", Unit(1))),
    "speed": ("speed_kmh", number_reader("", _METRES_A_SECOND)),
    "course": ("heading_deg", number_reader("", Unit(1))),
    "sat": ("satellites", whole_reader),
}
_TEXTS = frozenset(("ele", "time", "speed", "course", "sat", "fix"))


class _NoGpxError(Exception):
    """What was read is XML, and no GPX."""


_BROKEN = (expat.ExpatError, _NoGpxError, OSError, ValueError, LookupError)
"""The last two where it names an encoding that is none, or of several bytes."""


def check(path: Path) -> None:
    """Raise `InputFileError` where the file does not begin as GPX."""
    parser = _Parser(None, UTC)
    try:
        with path.open("rb") as file:
            while not parser.begun and (block := file.read(_BLOCK_BYTES)):
                parser.feed(block)
            if not parser.begun:
                parser.feed(b"", final=True)
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def read(
    path: Path, truck_id: str | None, datum: Datum = "wgs84", zone: tzinfo = UTC
) -> Iterator[Chunk]:
    """The chunks of the file. `truck_id` None: each track's name, else the file's, is the truck;
    `zone` is that of times without an offset. Raises `InputFileError`."""
    parser = _Parser(truck_id, zone, path.stem)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                parser.feed(block)
                while len(parser.points) >= CHUNK_ELEMENTS:
                    yield parser.chunk(file.tell(), datum)
            parser.feed(b"", final=True)
            yield parser.chunk(file.tell(), datum)
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputFileError:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return InputFileError(f"{path}: not a readable GPX file: {words}")


class _Parser:
    """Points of tracks out of blocks of a file."""

    def __init__(self, truck_id: str | None, zone: tzinfo, stem: str = "") -> None:
        self.points: list[tuple[int, dict[str, str]]] = []
        """Line and texts of each point that has been read whole."""
        self.begun = False
        self._truck_id = truck_id
        self._stem = stem
        self._time = time_reader(zone, None, None)
        self._names: list[str] = []
        """The elements that are open, without their namespaces."""
        self._track_name = ""
        self._point: dict[str, str] | None = None
        self._line = 0
        self._text: list[str] | None = None
        self._length = 0
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def feed(self, block: bytes, *, final: bool = False) -> None:
        self._parser.Parse(block, final)

    def chunk(self, bytes_read: int, datum: Datum) -> Chunk:
        """The first of the points, which are then forgotten."""
        points, self.points = self.points[:CHUNK_ELEMENTS], self.points[CHUNK_ELEMENTS:]
        elements = [self._position(point) for _, point in points]
        to_wgs84(elements, datum)
        return Chunk(elements, [line for line, _ in points], bytes_read, partial(_raw, points))

    def _position(self, point: dict[str, str]) -> Position | Malformed:
        values: dict[str, Any] = {"truck_id": point["truck_id"], "source": "file"}
        if point.get("fix", "").lower() == _NO_FIX:
            values["located"] = False
        fault = None
        for name, (field, read) in (_NUMBERS | {"time": ("time_ms", self._time)}).items():
            try:
                value = read(point.get(name))
            except CellError as error:
                fault = fault or f"{name}: {error}"
                continue
            if value is not None:
                values[field] = value
        if fault is None:
            return convert(values)
        return Malformed(fault, values["truck_id"], values.get("time_ms"))

    def _refuse_doctype(self, *_: object) -> None:
        line = self._parser.CurrentLineNumber
        raise _NoGpxError(f"line {line} declares a document type, which GPX has none of")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(_SEPARATOR)[2]
        if not self.begun:
            if local != "gpx":
                raise _NoGpxError(f"its first element is {local[:40]!r}; expected is 'gpx'")
            self.begun = True
        if len(self._names) >= _DEEPEST:
            line = self._parser.CurrentLineNumber
            raise _NoGpxError(f"line {line}: more than {_DEEPEST} elements in each other")
        parent = self._names[-1] if self._names else ""
        self._names.append(local)
        if local == "trk":
            self._track_name = ""
        elif local == "trkpt":
            self._point = {key: attributes[key] for key in ("lat", "lon") if key in attributes}
            self._line = self._parser.CurrentLineNumber
        elif (self._point is not None and local in _TEXTS) or (local == "name" and parent == "trk"):
            self._text, self._length = [], 0

    def _characters(self, text: str) -> None:
        if self._text is not None and self._length < _LONGEST_TEXT:
            self._text.append(text[:_LONGEST_TEXT])
            self._length += len(text)

    def _end(self, name: str) -> None:
        local = self._names.pop()
        text = None if self._text is None else "".join(self._text)[:_LONGEST_TEXT].strip()
        self._text = None
        if local == "trkpt":
            self._end_point()
        elif text is None:
            return
        elif self._point is None:
            self._track_name = text
        elif text:
            self._point.setdefault(local, text)

    def _end_point(self) -> None:
        if self._point is not None:
            truck_id = self._truck_id or self._track_name or self._stem
            self.points.append((self._line, {"truck_id": truck_id, **self._point}))
        self._point = None


def _raw(points: list[tuple[int, dict[str, str]]], index: int) -> bytes:
    return msgspec.json.encode(points[index][1])
