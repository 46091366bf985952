"""`mucktrack city new`: a checked city directory out of an office's spreadsheets and maps, and
`city picture`: the city drawn, to be looked at.

The directory is there whole or not at all: it is written beside its place and then moved there.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import click

from enforcement.evidence.picture import city_picture
from geofences.check import check_city
from geofences.city import City
from geofences.datum import DATUMS, Datum
from geofences.findings import Finding
from mucktrack import city_check
from mucktrack.city_check import count, describe
from mucktrack.failures import BadInputError, WorkFailedError
from producers.city_import.build import Plan, make
from producers.city_import.example import COMMAND, example
from producers.city_import.headings import Subject
from producers.city_import.sources import Source
from streams.thresholds import resolve

PICTURE = "city.svg"
SUBJECTS: Sequence[Subject] = get_args(Subject)


def sources_of(
    texts: Mapping[Subject, Sequence[str]], datum: Datum | None
) -> dict[Subject, list[Source]]:
    """Of `FILE`, `FILE#SHEET`, `FILE@DATUM`. Raises `BadInputError`."""
    return {
        subject: [_source(text, datum) for text in texts.get(subject, ())] for subject in SUBJECTS
    }


def _source(text: str, datum: Datum | None) -> Source:
    path, at, own = text.rpartition("@")
    if at and not Path(text).exists():
        if own not in DATUMS:
            raise BadInputError(f"{text}: {own!r} is no datum; allowed are {', '.join(DATUMS)}")
        datum = next(one for one in DATUMS if one == own)
    else:
        path = text
    bare, hash_sign, sheet = path.rpartition("#")
    if hash_sign and not Path(path).exists():
        path = bare
    else:
        sheet = ""
    return Source(Path(path), sheet or None, datum)


def new(folder: Path, plan: Plan) -> None:
    """Write the city that the plan's files make into the new `folder`.

    Raises `BadInputError` where they make none: every fault is then told, and nothing is written.
    """
    _refuse_what_is_there(folder)
    made = make(plan)
    for note in made.notes:
        click.echo(note)
    findings = made.findings
    if made.city is not None:
        findings = [*findings, *resolve(made.city)[1], *check_city(made.city)]
    _tell(findings)
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    if made.city is None or errors:
        raise BadInputError(
            f"{folder}: {count(errors, 'error')}, {count(warnings, 'warning')}; nothing is written"
        )
    _write(folder, {**made.files, PICTURE: city_picture(made.city).encode()})
    click.echo(f"{folder}: {describe(made.city)}; {count(warnings, 'warning')}")
    click.echo(f"look at it: {folder / PICTURE} (in a browser)")


def write_example(folder: Path) -> None:
    """Write the example's files into the new `folder`. Raises `BadInputError`."""
    _refuse_what_is_there(folder)
    files = example()
    _write(folder, files)
    click.echo(f"{folder}: {', '.join(files)}")
    click.echo(f"to make a city of it: cd {folder} && {COMMAND}")


def picture(folder: Path, target: Path | None) -> None:
    """Draw the city in `folder`. Raises `BadInputError`, `WorkFailedError`."""
    city: City = city_check.load(folder)
    target = target or folder / PICTURE
    try:
        target.write_text(city_picture(city), encoding="utf-8")
    except OSError as error:
        raise WorkFailedError(f"{target}: cannot be written: {error.strerror}") from None
    click.echo(target)


def _refuse_what_is_there(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInputError(f"{folder} is there already; name a new folder")


def _tell(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.render()}")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    place = folder.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as draft:
            whole = Path(draft) / place.name
            whole.mkdir()
            for name, content in files.items():
                (whole / name).write_bytes(content)
            if folder.exists():
                folder.rmdir()
            shutil.move(whole, place)
    except OSError as error:
        raise WorkFailedError(f"{folder}: cannot be written: {error.strerror}") from None
