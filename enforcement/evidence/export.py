"""An evidence package made: of database, archive, Kafka and reference data, checked before it is
handed out.

`Exporter` is what `mucktrack evidence export` and the API call; both give it the same sources. What
cannot be shown again is not exported: a package whose positions alone do not reach the verdict of
its violations would be worth nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from enforcement.audit import Entry, append
from enforcement.database import Database
from enforcement.evidence.arrivals import Partition, Records, SourceError, archived
from enforcement.evidence.container import PackageError, pack
from enforcement.evidence.contents import (
    REPORT,
    About,
    Arrival,
    CityInForce,
    Contents,
    Frame,
    Language,
    Provenance,
)
from enforcement.evidence.dossier import EXPORTED, Dossier, case_id_of, read_dossier
from enforcement.evidence.frames import senders, tells_of
from enforcement.evidence.kafka_source import Log, frames_of
from enforcement.evidence.report import report
from enforcement.evidence.retrial import CityFaultError, prepared, wanted_of
from enforcement.evidence.search import DAY_MS, Asked, pruned, search
from enforcement.evidence.verify import check
from enforcement.tables import CaseRow
from geofences.loader import city_version
from streams.access import KafkaAccess
from streams.checkpoint import StoreAwayError
from streams.partition import partition_of
from streams.rules_page import page
from streams.succession import PreparedCity, Succession
from streams.topics import POSITIONS, RAW


class EvidenceError(Exception):
    """There is no package to be had; one line that says why."""


class UnknownError(EvidenceError):
    """No such violation or case."""


class NotReproducedError(EvidenceError):
    """The positions that there are do not give the verdict."""


@dataclass(frozen=True, slots=True)
class KnownCity:
    """A version of the reference data."""

    files: Mapping[str, bytes]
    from_ms: int | None = None
    """From when it is in force; None = from the beginning."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where evidence comes from."""

    cities: Callable[[], Sequence[KnownCity]]
    """All versions that may have judged, one of them from the beginning."""
    provenance: Provenance
    archive: Path | None = None
    kafka: KafkaAccess | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A zip, ready to be kept or sent."""

    name: str
    content: bytes
    manifest_sha256: str
    case_id: str
    positions: int
    frames: int


MOST_AT_ONCE: Final = 2
"""Each reads archives and judges, beside people who wait for pages."""
WAIT_S: Final = 10.0


class Exporter:
    """Makes packages. Safe for use by several threads."""

    def __init__(self, database: Database, sources: Sources, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._sources = sources
        self._now_ms = now_ms
        self._room = BoundedSemaphore(MOST_AT_ONCE)

    def export(self, wanted: str, who: str, language: Language = "zh") -> Package:
        """Of a violation (its id) or of a case (its id or number), and note in the audit trail that
        `who` has it. Raises `EvidenceError`."""
        with self._database.read() as session:
            found = case_id_of(session, wanted)
            if found is None:
                raise UnknownError(f"no violation and no case {wanted}")
            dossier = read_dossier(session, *found)
        if not self._room.acquire(timeout=WAIT_S):
            raise EvidenceError("other packages are being made at present; try again")
        try:
            package = self._make(dossier, found[1], language)
        except (SourceError, CityFaultError, PackageError) as error:
            raise EvidenceError(str(error)) from None
        except StoreAwayError as error:
            raise EvidenceError(f"Redis does not answer: {error}") from None
        finally:
            self._room.release()
        self._note(dossier, package.manifest_sha256, who)
        return package

    def _make(self, dossier: Dossier, violation_id: str | None, language: Language) -> Package:
        contents = self._gather(dossier, language)
        content, sha256 = pack({**contents.files(), REPORT: report(contents)})
        checked = check(content, self._sources.provenance.program)
        if not checked.holds:
            faults = "; ".join(line.text for line in checked.lines if not line.holds)
            raise NotReproducedError(f"the package does not hold: {faults}")
        one = f"-{violation_id}" if violation_id else ""
        return Package(
            name=f"evidence-{dossier.case['number']}{one}.zip",
            content=content,
            manifest_sha256=sha256,
            case_id=dossier.case["case_id"],
            positions=len(contents.positions()),
            frames=len(contents.frames),
        )

    def _gather(self, dossier: Dossier, language: Language) -> Contents:
        asked = _asked(dossier)
        partition = self._partition(asked)
        cities, succession = self._cities(asked, dossier)
        alone = [Succession(cities[one]) for one in _versions_of(dossier) if one in cities]
        found = search(partition, asked, [succession, *alone[:1]])
        if found is None:
            raise NotReproducedError(_not_reached(partition, asked))
        arrivals, succession = found
        in_force = _in_force(succession, arrivals)
        files = {city_version(one.files): dict(one.files) for one in self._sources.cities()}
        about = About(
            case_id=dossier.case["case_id"],
            violation_ids=dossier.violation_ids,
            truck_id=asked.truck_id,
            topic=partition.topic,
            partition=partition.number,
            partitions=partition.count,
            cities=in_force,
            provenance=self._sources.provenance,
            language=language,
        )
        return Contents(
            *(about, dossier.events, arrivals, self._frames(asked.truck_id, arrivals)),
            *(dossier.case, dossier.audit, dossier.attachments, dossier.attached),
            {one.city_version: files[one.city_version] for one in in_force},
            page().encode(),
        )

    def _partition(self, asked: Asked) -> Partition:
        """Archive first, and behind it what Kafka has that is not archived yet."""
        archive, kafka = self._sources.archive, self._sources.kafka
        if archive is not None:
            found, following = archived(archive, asked.truck_id)
            return found if kafka is None else _continued(found, following, kafka, asked)
        if kafka is None:
            raise SourceError("no source of positions: neither an archive nor Kafka is given")
        with Log(kafka, POSITIONS, partial(partition_of, asked.truck_id)) as log:
            records = log.records(None, asked.started_ms - DAY_MS)
            return Partition(POSITIONS, log.number, log.count, [Records(records, asked.truck_id)])

    def _cities(self, asked: Asked, dossier: Dossier) -> tuple[dict[str, PreparedCity], Succession]:
        known = [
            one
            for one in self._sources.cities()
            if one.from_ms is None or one.from_ms <= asked.detected_ms + DAY_MS
        ]
        versions = {city_version(one.files): one for one in known}
        for version in _versions_of(dossier):
            if version not in versions:
                raise CityFaultError(
                    f"the city {version} that judged is not known; give its directory with --city"
                )
        cities = {version: prepared(one.files) for version, one in versions.items()}
        first = [one for one in known if one.from_ms is None]
        later = [
            (one.from_ms, cities[city_version(one.files)])
            for one in known
            if one.from_ms is not None
        ]
        if len(first) != 1:
            raise CityFaultError("exactly one city is in force from the beginning")
        return cities, Succession(cities[city_version(first[0].files)], later)

    def _frames(self, truck_id: str, arrivals: Sequence[Arrival]) -> list[Frame]:
        kafka = self._sources.kafka
        elements = (one.element() for one in arrivals)
        found: list[Frame] = []
        if kafka is None:
            return found
        for sender, received_ms in sorted(senders(elements).items()):
            with Log(kafka, RAW, partial(partition_of, sender)) as log:
                found += frames_of(log, sender, received_ms, partial(tells_of, truck_id))
        return found

    def _note(self, dossier: Dossier, sha256: str, who: str) -> None:
        with self._database.change() as (session, head):
            # People may have gone on with it while the package was being made.
            case = session.get_one(CaseRow, dossier.case["case_id"])
            append(
                session,
                head,
                Entry(
                    *(self._now_ms(), who, EXPORTED, case.case_id, case.state),
                    case.state,
                    details={"manifest_sha256": sha256, "violation_ids": dossier.violation_ids},
                ),
            )


def _continued(found: Partition, following: int, kafka: KafkaAccess, asked: Asked) -> Partition:
    """With the records behind the archive's last."""
    with Log(kafka, found.topic, lambda _: found.number) as log:
        records = log.records(following, asked.started_ms)
    if records and records[0].offset > following > 0:
        raise SourceError(
            f"records {following} to {records[0].offset - 1} of {found.topic}, partition "
            f"{found.number}, are neither archived nor in Kafka any more"
        )
    pieces = [*found.pieces, Records(records, asked.truck_id)]
    return Partition(found.topic, found.number, found.count, pieces)


def _asked(dossier: Dossier) -> Asked:
    violations = [event.violation() for event in dossier.events]
    wanted = wanted_of(dossier.events)
    if not wanted:
        raise NotReproducedError("no worker's verdict is known of it")
    said = [one for one in violations if one.revision == 0]
    return Asked(
        *(said[0].truck_id, wanted, min(one.started_ms for one in said)),
        max(one.detected_ms for one in said),
    )


def _versions_of(dossier: Dossier) -> list[str]:
    """The cities that the workers judged by."""
    said = (event.violation() for event in dossier.events)
    return list(dict.fromkeys(one.city_version for one in said if one.revision == 0))


def _in_force(succession: Succession, arrivals: Sequence[Arrival]) -> list[CityInForce]:
    numbers = pruned(succession, arrivals)
    return [
        CityInForce(
            succession.cities[number].version,
            None if number == numbers[0] else succession.from_ms[number],
        )
        for number in numbers
    ]


def _not_reached(partition: Partition, asked: Asked) -> str:
    said = sum(map(len, asked.wanted.values()))
    return (
        f"the {said} verdicts on {asked.truck_id} do not come of the positions that there are in "
        f"partition {partition.number} of {partition.topic}: some are not archived, or another "
        "city or version of the program judged them"
    )
