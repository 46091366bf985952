"""`mucktrack evidence export` and `verify`: the sources of evidence by the settings, and what is
said of a package."""

import getpass
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from enforcement.evidence.container import MOST_PACKED_BYTES, NoPackageError, PackageError
from enforcement.evidence.contents import Language
from enforcement.evidence.export import (
    EvidenceError,
    Exporter,
    KnownCity,
    Package,
    Sources,
    UnknownError,
)
from enforcement.evidence.verify import Line, check
from geofences.loader import parse_city, read_files
from mucktrack import city_check
from mucktrack.access import kafka_access, redis_url
from mucktrack.database import opened
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.moments import moment_ms
from mucktrack.provenance import provenance
from mucktrack.settings import Settings
from streams.cities import BrokenVersionError, RedisCities
from streams.shown import shown
from streams.version import version

LONGEST_LINE = 2_000


def sources(settings: Settings, cities: Sequence[Path] = ()) -> Sources:
    """Of the settings; `cities` (`DIR` and `DIR@TIME`) instead of the city directory that is set.

    What is published in Redis counts too, and is looked for at each export. Raises `BadInputError`.
    """
    given = _given(list(cities) or ([settings.city] if settings.city else []))
    redis = redis_url(settings)

    def known() -> list[KnownCity]:
        return given + ([] if redis is None else _published(redis))

    kafka = None if settings.kafka is None else kafka_access(settings)
    return Sources(known, provenance(), settings.archive, kafka)


def export(
    settings: Settings,
    address: str,
    wanted: str,
    target: Path | None,
    cities: Sequence[Path],
    language: Language,
) -> None:
    """Write the package of `wanted` to `target` (None: under its own name, here), and say what it
    is.

    Raises `BadInputError` for what there is not, `WorkFailedError` where no package can be made.
    """
    where = sources(settings, cities)
    with opened(address) as database:
        try:
            package = Exporter(database, where, _now_ms).export(wanted, _who(), language)
        except UnknownError as error:
            raise BadInputError(shown(error)) from None
        except EvidenceError as error:
            raise WorkFailedError(str(error)) from None
    _write(package, target or Path(package.name))


def verify(file: Path, manifest_sha256: str | None) -> None:
    """Print what was checked of a package, a line each.

    Raises `BadInputError` for a file that is none, `WorkFailedError` where something does not hold.
    """
    try:
        if file.stat().st_size > MOST_PACKED_BYTES:
            raise BadInputError(f"{file}: is larger than any package")
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror}") from None
    try:
        checked = check(data, version())
    except NoPackageError as error:
        raise BadInputError(f"{file}: {error}") from None
    except PackageError as error:
        raise WorkFailedError(f"{file}: {error}") from None
    for line in checked.lines:
        click.echo(f"{_mark(line)} {shown(line.text, LONGEST_LINE)}")
    click.echo(f"manifest {checked.manifest_sha256}")
    if not checked.holds:
        raise WorkFailedError(f"{file} does not hold")
    if manifest_sha256 not in (None, checked.manifest_sha256):
        raise WorkFailedError(f"{file} is another package than the one with {manifest_sha256}")


def _mark(line: Line) -> str:
    if not line.holds:
        return "BAD"
    return "ok " if line.was_checked else "?? "


def _write(package: Package, target: Path) -> None:
    """Whole or not at all."""
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        temporary.write_bytes(package.content)
        temporary.replace(target)
    except OSError as error:
        raise WorkFailedError(f"{target}: {error.strerror}") from None
    click.echo(
        f"{target}: {len(package.content):,} bytes, {package.positions:,} positions, "
        f"{package.frames:,} frames; checked"
    )
    click.echo(f"manifest {package.manifest_sha256} (in the audit trail)")


def _given(cities: Sequence[Path]) -> list[KnownCity]:
    found = []
    for path in cities:
        folder, at, time_text = str(path).rpartition("@")
        if not at or path.is_dir():
            city_check.load(path)
            found.append(KnownCity(read_files(path)))
        else:
            city = city_check.load(Path(folder))
            from_ms = moment_ms(time_text, city.timezone, f"--city {path}")
            found.append(KnownCity(read_files(Path(folder)), from_ms))
    return found


def _published(redis: str) -> list[KnownCity]:
    """What is published; what cannot be read is left out, as the workers do."""
    store, found = RedisCities(redis), []
    for one in store.versions():
        try:
            files = store.files(one.version)
        except BrokenVersionError:
            continue
        if parse_city(files)[0] is not None:
            found.append(KnownCity(files, one.from_ms))
    return found


def _who() -> str:
    """Who typed the command, for the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
