"""How an archive of positions lies in its folder: names, days, what follows on what.

    FOLDER/_archive.json                            topic, count of partitions, format
    FOLDER/2026-11-22/0003-<first>-<next>.parquet   records first … next - 1 of partition 3

The folder itself is the truth about what has been archived (docs/decisions/0005-archive.md): the
files of a partition follow on one another without gap or overlap, and their days never go back.
Used by the writer (`streams.archive.writer`) and by who reads an archive. Knows nothing of Kafka or
of what is in the files. What begins with a dot or an underscore is no data to other programs that
read folders of Parquet files.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec

FORMAT = 1
MARKER = "_archive.json"
UNFINISHED = ".tmp"
"""Ends the name of a file that is being written, which begins with a dot."""
METADATA_KEY = b"mucktrack.archive"
"""In the metadata of a file's schema: says that it is part of an archive."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"(\d{4})-(\d{19})-(\d{19})\.parquet")


class ArchiveError(Exception):
    """The folder is no archive, or not in order, or does not fit the topic; one line that says what
    to do."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole archive is of."""

    topic: str
    partitions: int
    """Of the topic."""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Segment:
    """One file."""

    day: date
    partition: int
    first: int
    """Offset of its first record."""
    next: int
    """Offset after its last."""

    def path(self, folder: Path) -> Path:
        name = f"{self.partition:04d}-{self.first:019d}-{self.next:019d}.parquet"
        return folder / self.day.isoformat() / name


def is_archive(path: Path) -> bool:
    return (path / MARKER).is_file()


def read_about(folder: Path) -> About:
    """Raises `ArchiveError` where the folder is no archive, or one of another program version."""
    path = folder / MARKER
    try:
        about = msgspec.json.decode(path.read_bytes(), type=About)
    except FileNotFoundError:
        raise ArchiveError(f"{folder}: is no archive, there is no {MARKER} in it") from None
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ArchiveError(f"{path}: tells of no archive: {error}") from None
    if about.format != FORMAT:
        raise ArchiveError(
            f"{path}: the archive is of format {about.format}, this program knows {FORMAT}; "
            "use the version of mucktrack that wrote it"
        )
    return about


def day_folders(folder: Path) -> list[Path]:
    """Oldest first."""
    try:
        return sorted(one for one in folder.iterdir() if _DAY.fullmatch(one.name))
    except OSError as error:
        raise ArchiveError(f"{folder}: cannot be read: {error.strerror}") from None


def read_segments(folder: Path, partitions: int) -> list[list[Segment]]:
    """The files of each partition, in the order of their offsets.

    Raises `ArchiveError` where something is missing between two of them, or there twice, or where
    there is a file that can be none of the archive's.
    """
    found: list[list[Segment]] = [[] for _ in range(partitions)]
    for day_folder in day_folders(folder):
        for path in sorted(day_folder.iterdir()):
            if not path.name.startswith("."):
                segment = _segment(path, partitions)
                found[segment.partition].append(segment)
    for segments in found:
        _check_order(folder, segments)
    return found


def _segment(path: Path, partitions: int) -> Segment:
    matched = _NAME.fullmatch(path.name)
    if matched is not None:
        partition, first, following = map(int, matched.groups())
        if partition < partitions and first < following:
            try:
                day = date.fromisoformat(path.parent.name)
            except ValueError:
                raise ArchiveError(f"{path.parent}: there is no such day; move it away") from None
            return Segment(day, partition, first, following)
    raise ArchiveError(f"{path}: is no file of this archive; move it out of the folder")


def _check_order(folder: Path, segments: list[Segment]) -> None:
    segments.sort(key=lambda segment: (segment.day, segment.first))
    for before, after in pairwise(segments):
        if after.first > before.next:
            raise ArchiveError(
                f"{folder}: records {before.next} to {after.first - 1} of partition "
                f"{after.partition} are missing, between {before.path(folder).name} and "
                f"{after.path(folder).name}; put the file back, or begin another archive in an "
                "empty folder"
            )
        if after.first < before.next:
            raise ArchiveError(
                f"{after.path(folder)}: overlaps {before.path(folder)}; one of the two is not of "
                "this archive: move it away"
            )
