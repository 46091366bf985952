"""Placemarks out of KML and KMZ, as Google Earth and other map programs export them (OGC KML 2.2).

Called by `producers.city_import.sources`. Points, lines, polygons with holes and multi-geometries;
names, folders, `Data` and `SimpleData`. A document type is refused, since it is what entities come
from that unfold without end. What is only drawn (styles, overlays, tracks) is left out.
"""

import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from producers.chunk import InputFileError

MAX_BYTES = 256 * 1024 * 1024
"""Of a file, unpacked."""
_SEPARATOR = " "
_DEEPEST = 100
_HOLDERS = ("Folder", "Document")


@dataclass(slots=True)
class Placemark:
    folder: str | None
    """The name of the innermost folder or document that has one."""
    properties: dict[str, str]
    """`name` among them."""
    geometry: dict[str, Any] | None
    """GeoJSON; None where it has none that is known."""


def placemarks(path: Path) -> list[Placemark]:
    """Raises `InputFileError`."""
    try:
        content = _unpacked(path) if path.suffix.lower() == ".kmz" else path.read_bytes()
        if len(content) > MAX_BYTES:
            raise InputFileError(f"{path}: holds more than {MAX_BYTES} bytes; export less at once")
        return _Reader().read(content)
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (expat.ExpatError, ValueError, LookupError, zipfile.BadZipFile, zlib.error,
            EOFError, RuntimeError, NotImplementedError) as error:  # fmt: skip
        raise InputFileError(f"{path}: is no readable KML: {error}; export it again") from None


def _unpacked(path: Path) -> bytes:
    """The first KML file of a KMZ, which is the one that counts."""
    with zipfile.ZipFile(path) as packed:
        names = [name for name in packed.namelist() if name.lower().endswith(".kml")]
        if not names:
            raise ValueError("it holds no .kml")
        with packed.open(names[0]) as stream:
            return stream.read(MAX_BYTES + 1)


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list["_Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()

    def child(self, *names: str) -> "_Element | None":
        """The element that one gets to by these names."""
        found = self
        for name in names:
            following = next((one for one in found.children if one.name == name), None)
            if following is None:
                return None
            found = following
        return found

    def within(self, name: str) -> list["_Element"]:
        """All of that name, however deep."""
        found = [self] if self.name == name else []
        return found + [one for child in self.children for one in child.within(name)]


class _Reader:
    """Builds a tree of each placemark and drops all else on the way."""

    def __init__(self) -> None:
        self.placemarks: list[Placemark] = []
        self._open: list[_Element] = []
        self._begun = False
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, content: bytes) -> list[Placemark]:
        self._parser.Parse(content, True)
        return self.placemarks

    def _doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type, which is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(_SEPARATOR)[2]
        if not self._begun and local != "kml":
            raise ValueError(f"its root is {local}, not kml")
        self._begun = True
        if len(self._open) > _DEEPEST:
            raise ValueError(f"its elements are nested more than {_DEEPEST} deep")
        self._open.append(_Element(local, attributes))

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if not self._open:
            return
        if element.name == "Placemark":
            self.placemarks.append(_placemark(element, self._folder()))
        elif element.name not in _HOLDERS:
            self._open[-1].children.append(element)

    def _folder(self) -> str | None:
        for holder in reversed(self._open):
            name = holder.child("name") if holder.name in _HOLDERS else None
            if name is not None and name.text:
                return name.text
        return None


def _placemark(element: _Element, folder: str | None) -> Placemark:
    properties = {}
    if (name := element.child("name")) is not None:
        properties["name"] = name.text
    for data in element.within("Data"):
        if (value := data.child("value")) is not None:
            properties.setdefault(data.attributes.get("name", ""), value.text)
    for data in element.within("SimpleData"):
        properties.setdefault(data.attributes.get("name", ""), data.text)
    shapes = [shape for one in element.children if (shape := _geometry(one)) is not None]
    return Placemark(folder, properties, shapes[0] if shapes else None)


def _geometry(element: _Element) -> dict[str, Any] | None:
    if element.name == "MultiGeometry":
        parts = [shape for one in element.children if (shape := _geometry(one)) is not None]
        return {"type": "GeometryCollection", "geometries": parts}
    if element.name == "Polygon":
        rings = [element.child("outerBoundaryIs", "LinearRing", "coordinates")]
        rings += [
            inner.child("LinearRing", "coordinates")
            for inner in element.children
            if inner.name == "innerBoundaryIs"
        ]
        return {"type": "Polygon", "coordinates": [_positions(ring) for ring in rings]}
    if element.name in ("LineString", "LinearRing"):
        line = _positions(element.child("coordinates"))
        if element.name == "LineString":
            return {"type": "LineString", "coordinates": line}
        return {"type": "Polygon", "coordinates": [line]}
    if element.name == "Point":
        return {
            "type": "Point",
            "coordinates": (_positions(element.child("coordinates")) or [[]])[0],
        }
    return None


def _positions(element: _Element | None) -> list[list[float]]:
    if element is None:
        return []
    return [[float(part) for part in place.split(",")[:2]] for place in element.text.split()]
