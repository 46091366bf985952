"""The readable report of a package: one page of HTML that needs nothing else, fit to be printed.

Made of the package's other files alone, so that `evidence verify` can make it again and compare.
Everything in it may have been written by others (names, reasons, texts of a hostile package): all
of it is escaped.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from enforcement.audit import SYSTEM
from enforcement.evidence.contents import Arrival, Contents, Event
from enforcement.evidence.picture import Dot, Scene, close_picture, picture
from enforcement.evidence.retrial import CityFaultError, prepared
from enforcement.evidence.style import STYLE
from enforcement.evidence.wording import (
    ACTIONS,
    AGAINST,
    HEADS,
    LEAD,
    PHASES,
    PLACES,
    REVIEWED,
    SEVERITIES,
    VALUES,
    Moments,
)
from enforcement.steps import BY_ACTION, TITLES
from streams import words
from streams.output import Violation
from streams.position import Position
from streams.shown import shown
from streams.succession import PreparedCity

NEIGHBOURS: Final = 30
"""Positions that the report shows, before and after the last detection."""
TOLD: Final = ("numba", "numpy", "pyarrow", "pyproj", "shapely", "msgspec")
"""Dependencies that a verdict rests on."""
BEFORE_MS: Final = 900_000
"""So much of the way before a violation is on the map."""
LONGEST: Final = 2_000
LONGEST_WORD: Final = 26
REVIEWS: Final = ("verify", "close", "void", "waive", "transfer")

Row = Sequence[object]


def report(contents: Contents) -> bytes:
    """The page. Raises `PackageError` and `CityFaultError` for contents that cannot be told."""
    return _Report(contents).page().encode(errors="replace")


class _Report:
    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._english = contents.about.language == "en"
        self._cities: dict[str, PreparedCity] = {
            version: prepared(files) for version, files in contents.cities.items()
        }
        cities = contents.about.cities
        if not cities or cities[0].city_version not in self._cities:
            raise CityFaultError("no city is in force from the beginning")
        first = self._cities[cities[0].city_version]
        self._moments = Moments(ZoneInfo(first.compiled.city.timezone))
        self._positions = contents.positions()

    def page(self) -> str:
        title = self._head("title")
        parts = [
            f"<h1>{title}</h1>",
            f'<p class="lead">{escape(self._one_of(LEAD))}</p>',
            *self._review(),
            *self._case(),
            *(part for said in self._violations() for part in self._violation(said)),
            *self._positions_near(),
            *self._history(),
            *self._attachments(),
            *self._source(),
            *self._sums(),
            f"<h2>{self._head('check')}</h2><p>{self._head('check_text')}</p>",
        ]
        language = "en" if self._english else "zh-CN"
        return (
            f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
            f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
            + "\n".join(parts)
            + "\n</body></html>\n"
        )

    def _violations(self) -> list[list[Event]]:
        """The records of each violation, in the order of the queue."""
        of: dict[str, list[Event]] = {one: [] for one in self._contents.about.violation_ids}
        for event in self._contents.events:
            of.setdefault(event.violation().violation_id, []).append(event)
        return [events for events in of.values() if events]

    def _review(self) -> Iterator[str]:
        """What people have decided, as the case stands."""
        for entry in reversed(self._contents.audit):
            if entry.action in REVIEWS:
                said = self._one_of(REVIEWED).format(
                    who=entry.who, at=self._moments.full(entry.at_ms), action=self._action(entry)
                )
                yield f"<p>{escape(shown(said, LONGEST))}</p>"
                return

    def _case(self) -> Iterator[str]:
        case = self._contents.case
        state = TITLES.get(str(case.get("state")))  # type: ignore[call-overload]
        yield self._pairs(
            ("case", f"{case.get('number')} · {case.get('case_id')}"),
            ("truck", self._contents.about.truck_id),
            ("company", case.get("company")),
            ("state", self._one_of(state) if state else case.get("state")),
            ("severity", self._named(SEVERITIES, case.get("severity"))),
            ("district", self._districts(case.get("districts"))),
        )

    def _violation(self, events: Sequence[Event]) -> Iterator[str]:
        said = events[-1].violation()
        title = said.title_en if self._english else said.title
        severity = self._named(SEVERITIES, said.severity)
        yield f"<h2>{escape(shown(title))} <small>{escape(said.rule)} · {severity}</small></h2>"
        for event in events:
            one = event.violation()
            message = one.message_en if self._english else one.message
            phase = self._named(PHASES, one.phase)
            yield f"<p><b>{phase}</b> {escape(shown(message, LONGEST))}</p>"
        yield self._pairs(
            ("started", self._moments.full(said.started_ms)),
            ("detected", self._moments.full(said.detected_ms)),
            ("ended", None if said.ended_ms is None else self._moments.full(said.ended_ms)),
            ("position", f"{said.lon:.7f}, {said.lat:.7f}"),
            ("district", self._districts([said.district])),
            ("origin", self._districts([said.origin_district])),
            ("place", self._values(PLACES, said.place)),
            ("permits", ", ".join(said.permit_ids)),
            ("trip", said.trip_id),
        )
        for violation in _told_apart(events):
            yield self._measurements(violation)
        yield f"<h3>{self._head('map')}</h3><figure>{self._map(said)}"
        yield f"<figcaption>{self._head('map_note')}</figcaption></figure>"
        yield f"<h3>{self._head('queue')}</h3>"
        yield self._table(
            ("phase", "detected", "where", "received"),
            [
                (
                    f"{self._named(PHASES, one.violation().phase)} {one.ce_id}",
                    self._moments.full(one.violation().detected_ms),
                    f"{one.topic} / {one.partition} / {one.offset}",
                    self._moments.full(one.received_ms),
                )
                for one in events
            ],
        )

    def _measurements(self, said: Violation) -> str:
        """Each measured value beside the thresholds that it is held against."""
        rows: list[Row] = []
        left = dict(said.threshold)
        for name, value in said.measured.items():
            against = {one: left.pop(one) for one in AGAINST.get(name, ()) if one in left}
            rows.append((self._named(VALUES, name), value, self._values(VALUES, against)))
        rows += [("", "", self._values(VALUES, {name: value})) for name, value in left.items()]
        phase = self._named(PHASES, said.phase)
        return f"<h3>{phase}</h3>" + self._table(("item", "measured", "threshold"), rows)

    def _map(self, said: Violation) -> str:
        city = self._cities.get(said.city_version)
        if city is None:
            raise CityFaultError(f"city {said.city_version} is missing")
        ends_ms = said.ended_ms or said.detected_ms
        first_ms = min([said.started_ms - BEFORE_MS, *(point[0] for point in said.track)])
        dots = [
            Dot(one.time_ms, one.lon, one.lat, said.started_ms <= one.time_ms <= ends_ms)
            for _, one in self._positions
            if first_ms <= one.time_ms <= ends_ms and _is_on_earth(one)
        ]
        dots.sort(key=lambda dot: dot.time_ms)
        if not (abs(said.lon) <= 180 and abs(said.lat) <= 90):
            return ""
        margin_m = city.thresholds.state["site_margin_m"]
        routes = frozenset(
            route_id
            for permit in city.compiled.city.permits
            if permit.permit_id in said.permit_ids
            for route_id in permit.route_ids
        )
        scene = Scene(
            *(city.compiled.city, margin_m, dots, said.lon, said.lat, self._moments),
            *(self._english, routes),
        )
        distance_m = said.place.get("distance_m")
        reach_m = 1.5 * distance_m if isinstance(distance_m, int | float) else 0.0
        return picture(scene) + close_picture(scene, reach_m)

    def _positions_near(self) -> Iterator[str]:
        """Those round the last detection."""
        detected = max((one.violation().detected_ms for one in self._contents.events), default=0)
        before = [pair for pair in self._positions if pair[1].time_ms <= detected]
        after = [pair for pair in self._positions if pair[1].time_ms > detected]
        near = before[-NEIGHBOURS:] + after[: NEIGHBOURS // 3]
        note = HEADS["positions_note"][self._english].format(
            all=len(self._positions), shown=len(near)
        )
        yield f"<h2>{self._head('positions')}</h2><p>{note}</p>"
        heads = ("time", "position", "speed", "loaded", "lifted", "covered", "offset")
        yield self._table(heads, [self._position_row(*pair) for pair in near])

    def _position_row(self, arrival: Arrival, position: Position) -> Row:
        return (
            self._moments.full(position.time_ms),
            f"{position.lon:.6f}, {position.lat:.6f}",
            position.speed_kmh,
            *(self._truth(one) for one in (position.loaded, position.lifted, position.covered)),
            f"{arrival.offset} / {arrival.index}",
        )

    def _history(self) -> Iterator[str]:
        yield f"<h2>{self._head('history')}</h2>"
        rows = [
            (
                entry.seq,
                self._moments.full(entry.at_ms),
                self._who(entry.who),
                self._action(entry),
                " ".join(one for one in (entry.why, _details(entry.details)) if one),
                entry.hash,
            )
            for entry in self._contents.audit
        ]
        yield self._table(("item", "time", "who", "action", "why", "hash"), rows)

    def _attachments(self) -> Iterator[str]:
        if self._contents.attachments:
            yield f"<h2>{self._head('files')}</h2>"
            rows = [
                (one.name, one.file, one.added_by, self._moments.full(one.added_ms), one.sha256)
                for one in self._contents.attachments
            ]
            yield self._table(("name", "source", "who", "time", "hash"), rows)

    def _source(self) -> Iterator[str]:
        about, arrivals = self._contents.about, self._contents.arrivals
        clocks = [one for one in arrivals if one.clock_ms is not None]
        others = sum(one.of == "fix" for one in clocks)
        records = HEADS["records_text"][self._english].format(
            topic=about.topic,
            partition=about.partition,
            partitions=about.partitions,
            first=arrivals[0].offset if arrivals else "",
            last=arrivals[-1].offset if arrivals else "",
            own=len(arrivals) - len(clocks),
            ticks=len(clocks) - others,
            others=others,
        )
        made = about.provenance
        libraries = ", ".join(
            f"{name} {made.dependencies[name]}" for name in TOLD if name in made.dependencies
        )
        cities = [
            one.city_version
            if one.from_ms is None
            else f"{one.city_version} {self._head('from')} {self._moments.full(one.from_ms)}"
            for one in about.cities
        ]
        yield f"<h2>{self._head('source')}</h2>" + self._pairs(
            ("records", records),
            ("frames", len(self._contents.frames)),
            *(("city", city) for city in cities),
            ("program", f"mucktrack {made.program}, Python {made.python}; {libraries}"),
            ("rules", hashlib.sha256(self._contents.rules).hexdigest()),
        )

    def _sums(self) -> Iterator[str]:
        yield f"<h2>{self._head('sums')}</h2>"
        files = self._contents.files()
        rows = [(name, hashlib.sha256(files[name]).hexdigest()) for name in sorted(files)]
        yield self._table(("name", "hash"), rows)

    def _head(self, name: str) -> str:
        return escape(HEADS[name][self._english])

    def _one_of(self, said: tuple[str, str]) -> str:
        return said[self._english]

    def _named(self, names: dict[str, tuple[str, str]], name: object) -> str:
        found = names.get(str(name))
        return escape(shown(name)) if found is None else found[self._english]

    def _values(self, names: dict[str, tuple[str, str]], values: dict[str, Any]) -> str:
        said = (f"{self._named(names, name)} {_plain(value)}" for name, value in values.items())
        return ("; " if self._english else "；").join(said)

    def _who(self, name: str) -> str:
        return "系统" if name == SYSTEM and not self._english else name

    def _action(self, entry: Any) -> str:
        step = BY_ACTION.get(entry.action)
        if step is not None:
            return step.title_en if self._english else step.title
        return self._named(ACTIONS | PHASES, entry.action)

    def _truth(self, value: bool | None) -> str:
        return "" if value is None else HEADS["yes" if value else "no"][self._english]

    def _districts(self, codes: object) -> str:
        city = self._cities[self._contents.about.cities[0].city_version].compiled.city
        names = {district.code: district.name for district in city.districts}
        listed = codes if isinstance(codes, list) else []
        return ", ".join(f"{one} {names.get(one, '')}".strip() for one in listed if one)

    def _pairs(self, *pairs: tuple[str, object]) -> str:
        rows = (
            f"<tr><th>{self._head(name)}</th><td>{escape(shown(value, LONGEST))}</td></tr>"
            for name, value in pairs
            if value not in (None, "")
        )
        return f'<table class="pairs">{"".join(rows)}</table>'

    def _table(self, heads: Sequence[str], rows: Sequence[Row]) -> str:
        head = "".join(f"<th>{self._head(one)}</th>" for one in heads)
        body = "".join("<tr>" + "".join(map(_cell_of_table, row)) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell_of_table(value: object) -> str:
    """Hashes and ids break anywhere, so that names and words need not."""
    text = _cell(value)
    breaks = any(len(word) > LONGEST_WORD for word in text.split())
    return f'<td class="long">{text}</td>' if breaks else f"<td>{text}</td>"


def _cell(value: object) -> str:
    return "" if value is None else escape(shown(_plain(value), LONGEST))


def _plain(value: object) -> object:
    """Numbers as sentences have them."""
    return words.plain(value) if isinstance(value, float) and math.isfinite(value) else value


def _details(text: str) -> str:
    """As it stands in the trail; empty where nothing was said."""
    return "" if text == "{}" else text


def _told_apart(events: Sequence[Event]) -> list[Violation]:
    """The phases that measured something of their own."""
    said = [event.violation() for event in events]
    return [
        one for number, one in enumerate(said) if number == 0 or one.measured != said[0].measured
    ]


def _is_on_earth(position: Position) -> bool:
    return abs(position.lon) <= 180 and abs(position.lat) <= 90
