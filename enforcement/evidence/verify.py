"""Whether an evidence package holds: every byte as written, the same verdict of the same engine.

Called by `mucktrack evidence verify`, and by the export before it hands a package out. It needs the
zip alone. What the package cannot prove by itself, that it is the one that was exported, is proved
by the hash of its manifest, which the audit trail holds.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import shapely

from enforcement.audit import hash_of
from enforcement.evidence.container import unpack
from enforcement.evidence.contents import CASE, REPORT, Audit, Contents
from enforcement.evidence.report import report
from enforcement.evidence.retrial import Bench, CityFaultError, prepared, succession_of, wanted_of
from enforcement.intake import ce_id_said
from enforcement.tables import AuditRow
from geofences.loader import city_version
from streams.position import Position


@dataclass(frozen=True, slots=True)
class Line:
    """What was checked, and whether it holds."""

    holds: bool
    text: str
    was_checked: bool = True
    """False = it says what could not be checked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it."""

    manifest_sha256: str
    lines: list[Line] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(line.holds for line in self.lines)


def check(data: bytes, program: str) -> Checked:
    """`program`: the version that checks. Raises `PackageError` where the file is not as it was
    written."""
    unpacked = unpack(data)
    contents = Contents.of(unpacked.files)
    lines = [
        Line(True, f"{len(unpacked.files)} files, each as the manifest says"),
        *_audit(contents),
        *_case(contents),
        *_attachments(contents),
        *_cities(contents),
        *_queue(contents),
        *_arrivals(contents),
        *_verdict(contents, program),
    ]
    lines += _report(contents, unpacked.files[REPORT], program)
    return Checked(unpacked.manifest_sha256, lines)


def _audit(contents: Contents) -> Iterator[Line]:
    """Each entry, and those that follow on one another; between them are entries of other cases."""
    faults = 0
    for entry in contents.audit:
        if entry.hash != _hash(entry):
            faults += 1
            yield Line(False, f"audit entry {entry.seq} is not what it was when it was written")
        if entry.case_id != contents.about.case_id:
            faults += 1
            yield Line(False, f"audit entry {entry.seq} is of another case")
    for before, after in pairwise(contents.audit):
        if after.seq <= before.seq:
            faults += 1
            yield Line(False, f"audit entry {after.seq} stands behind entry {before.seq}")
        elif after.seq == before.seq + 1 and after.before != before.hash:
            faults += 1
            yield Line(False, f"audit entry {after.seq} does not follow from the one before it")
    if not faults:
        yield Line(True, f"{len(contents.audit)} entries of the audit trail, each with its hash")


def _case(contents: Contents) -> Iterator[Line]:
    """That the case is the one that the package is about, in the state in which the trail left
    it."""
    case = contents.case
    if (case.get("case_id"), case.get("truck_id")) != (
        contents.about.case_id,
        contents.about.truck_id,
    ):
        yield Line(False, f"{CASE} is another case than the package names")
    states = [one.to_state for one in contents.audit if one.to_state is not None]
    if not states or case.get("state") != states[-1]:
        yield Line(False, f"{CASE} is in another state than its entries in the audit trail say")


def _hash(entry: Audit) -> str:
    names = Audit.__struct_fields__
    return hash_of(AuditRow(**{name: getattr(entry, name) for name in names}))


def _attachments(contents: Contents) -> Iterator[Line]:
    for one in contents.attachments:
        content = contents.attached.get(one.file)
        if content is None or hashlib.sha256(content).hexdigest() != one.sha256:
            yield Line(False, f"{one.file} is not what was added to the case")
    if contents.attachments:
        yield Line(True, f"{len(contents.attachments)} attachments")


def _cities(contents: Contents) -> Iterator[Line]:
    for version, files in contents.cities.items():
        same = city_version(files) == version
        yield Line(same, f"city {version}" if same else f"city {version} holds another")
    listed = {one.city_version for one in contents.about.cities}
    if listed != contents.cities.keys():
        yield Line(False, "the cities are not those that the package names")


def _queue(contents: Contents) -> Iterator[Line]:
    """That the records are of the violations, and say so themselves."""
    about = contents.about
    said = {event.violation().violation_id for event in contents.events}
    if said != set(about.violation_ids):
        yield Line(False, "the records of the queue are not of the violations that it names")
    for event in contents.events:
        violation = event.violation()
        if event.ce_id != ce_id_said(violation) or violation.truck_id != about.truck_id:
            yield Line(False, f"record {event.offset} of the queue is not {event.ce_id}")


def _arrivals(contents: Contents) -> Iterator[Line]:
    places = [(one.offset, one.index) for one in contents.arrivals]
    if places != sorted(set(places)):
        yield Line(False, "the positions are not each there once, in the order of arrival")
    for arrival in contents.arrivals:
        element = arrival.element()
        if isinstance(element, Position) and element.truck_id != contents.about.truck_id:
            yield Line(False, f"offset {arrival.offset} is a position of another truck")
            return


def _verdict(contents: Contents, program: str) -> Iterator[Line]:
    about = contents.about
    made_by = about.provenance.program
    if program != made_by:
        yield Line(
            True,
            f"made by mucktrack {made_by}, judged again by {program}: the rules may differ",
            was_checked=False,
        )
    try:
        cities = {version: prepared(files) for version, files in contents.cities.items()}
        succession = succession_of(about.cities, cities)
    except CityFaultError as error:
        yield Line(False, str(error))
        return
    if not 0 <= about.partition < about.partitions:
        yield Line(False, f"there is no partition {about.partition} of {about.partitions}")
        return
    wanted = wanted_of(contents.events)
    bench = Bench(succession, about.partition, about.partitions)
    found = bench.verdicts(contents.arrivals, wanted)
    for violation_id, phases in wanted.items():
        again = found.get(violation_id, [])
        name = f"violation {violation_id}"
        if again[: len(phases)] == phases:
            many = "1 phase" if len(phases) == 1 else f"{len(phases)} phases"
            yield Line(True, f"{name}: {many}, the same verdict byte for byte")
        elif not again:
            yield Line(False, f"{name}: does not come of these positions")
        else:
            yield Line(False, f"{name}: another verdict comes of these positions")
    if not wanted:
        yield Line(False, "there is no verdict in it")


def _report(contents: Contents, written: bytes, program: str) -> Iterator[Line]:
    """The report says what the data say: it is made of them once more. How the map's lines are
    rounded is up to what draws them."""
    made = contents.about.provenance
    if (program, shapely.__version__) != (made.program, made.dependencies.get("shapely")):
        yield Line(
            True,
            f"{REPORT} is not compared, and may say anything: another version wrote it",
            was_checked=False,
        )
        return
    try:
        same = report(contents) == written
    except CityFaultError as error:
        yield Line(False, f"{REPORT} cannot be made again: {error}")
        return
    yield Line(same, f"{REPORT} says {'what' if same else 'something else than'} the data say")
