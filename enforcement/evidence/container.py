"""The zip of an evidence package: the same files give the same bytes, and one changed byte shows.

`pack` writes what any program can unpack. `unpack` reads nothing but what `pack` writes: names in
order, one way to write each header, nothing between, before or behind. So there is no place in the
file that no hash covers, and what hostile archives play with (names that lead elsewhere, twins,
links, encryption, sizes that lie, bombs) is no package. Knows nothing of what is in the files.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SEAL: Final = "manifest.sha256"
MOST_FILES: Final = 10_000
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of all files together, unpacked."""
MOST_PACKED_BYTES: Final = 512 * 1024 * 1024
LONGEST_NAME: Final = 200
_PART: Final = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_NAME: Final = re.compile(rf"{_PART}(?:/{_PART})*")

STORED, DEFLATED = 0, 8
_NEEDS: Final = 20
"""Version 2.0 of the format, as for every deflated file."""
_MADE_BY: Final = 3 << 8 | _NEEDS
"""Unix, so that the file modes count."""
_MODE: Final = 0o100644 << 16
_TIME, _DATE = 0, 1 << 5 | 1
"""1980-01-01, the first day that the format knows."""
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")


class PackageError(Exception):
    """The file is no package, or not as it was written; one line."""


class NoPackageError(PackageError):
    """The file is something else altogether."""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the manifest."""

    sha256: str
    size: int
    packed_sha256: str
    """Of its bytes as they lie in the zip."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files but itself and its seal."""

    files: dict[str, Listed]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a package holds."""

    files: dict[str, bytes]
    """Without the manifest and its seal."""
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    method: int
    packed: bytes
    crc: int
    size: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """What both of its headers say."""
        return (
            *(_NEEDS, 0, self.method, _TIME, _DATE, self.crc, len(self.packed), self.size),
            *(len(self.name), 0),
        )

    def local(self) -> bytes:
        return _LOCAL.pack(b"PK\3\4", *self.numbers) + self.name.encode("ascii")

    def central(self, offset: int) -> bytes:
        head = _CENTRAL.pack(b"PK\1\2", _MADE_BY, *self.numbers, 0, 0, 0, _MODE, offset)
        return head + self.name.encode("ascii")


def pack(files: Mapping[str, bytes]) -> tuple[bytes, str]:
    """The zip, and the SHA-256 of its manifest. Raises `PackageError` where it would be too
    large."""
    if len(files) + 2 > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise PackageError(
            f"a package holds at most {MOST_FILES:,} files of {MOST_BYTES // 1024**2} MB together"
        )
    members = [_deflated(name, files[name]) for name in sorted(files)]
    manifest = _manifest_of(members, files)
    seal, sha256 = _seal(manifest)
    members += [_stored(MANIFEST, manifest), _stored(SEAL, seal)]
    return b"".join(_written(members)), sha256


def unpack(data: bytes) -> Unpacked:
    """The files of a package in which every byte is as it was written, as far as that can be said
    without knowing the manifest's hash from elsewhere. Raises `PackageError`."""
    if len(data) > MOST_PACKED_BYTES:
        raise NoPackageError(f"{len(data):,} bytes; a package has at most {MOST_PACKED_BYTES:,}")
    members, unpacked = _read(data)
    names = [member.name for member in members]
    if names[-2:] != [MANIFEST, SEAL]:
        raise PackageError(f"does not end with {MANIFEST} and {SEAL}")
    if names[:-2] != sorted(set(names[:-2])):
        raise PackageError("its files are not each there once, in the order of their names")
    manifest, seal = unpacked.pop(MANIFEST), unpacked.pop(SEAL)
    expected, sha256 = _seal(manifest)
    if seal != expected:
        raise PackageError(f"{MANIFEST} is not what {SEAL} says it is")
    _check(_decoded(manifest), members[:-2], unpacked)
    if manifest != _manifest_of(members[:-2], unpacked):
        raise PackageError(f"{MANIFEST} is not written as this program writes it")
    return Unpacked(unpacked, sha256)


def _deflated(name: str, content: bytes) -> _Member:
    _check_name(name)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressor.compress(content) + compressor.flush()
    if len(packed) >= len(content):
        return _stored(name, content)
    return _Member(name, DEFLATED, packed, zlib.crc32(content), len(content))


def _stored(name: str, content: bytes) -> _Member:
    return _Member(name, STORED, content, zlib.crc32(content), len(content))


def _manifest_of(members: list[_Member], files: Mapping[str, bytes]) -> bytes:
    listed = {
        member.name: Listed(
            hashlib.sha256(files[member.name]).hexdigest(),
            member.size,
            hashlib.sha256(member.packed).hexdigest(),
        )
        for member in members
    }
    return msgspec.json.format(msgspec.json.encode(Manifest(listed), order="sorted"), indent=1)


def _seal(manifest: bytes) -> tuple[bytes, str]:
    """As `sha256sum` reads it."""
    sha256 = hashlib.sha256(manifest).hexdigest()
    return f"{sha256}  {MANIFEST}\n".encode(), sha256


def _written(members: list[_Member]) -> Iterator[bytes]:
    offset, directory = 0, b""
    for member in members:
        directory += member.central(offset)
        head = member.local()
        yield head
        yield member.packed
        offset += len(head) + len(member.packed)
    yield directory
    count = len(members)
    yield _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), offset, 0)


def _read(data: bytes) -> tuple[list[_Member], dict[str, bytes]]:
    """The members one after another; the directory is what they make of it, to the byte."""
    members: list[_Member] = []
    unpacked: dict[str, bytes] = {}
    offset = total = 0
    directory = b""
    while data[offset : offset + 4] == b"PK\3\4":
        member = _member(data, offset)
        if len(members) == MOST_FILES:
            raise PackageError(f"more than {MOST_FILES:,} files")
        total += member.size
        if total > MOST_BYTES:
            raise PackageError(f"unpacks to more than {MOST_BYTES // 1024**2} MB")
        if member.name in unpacked:
            raise PackageError(f"{member.name} is there twice")
        unpacked[member.name] = _content(member)
        directory += member.central(offset)
        offset += _LOCAL.size + len(member.name) + len(member.packed)
        members.append(member)
    if not members:
        raise NoPackageError("is no evidence package: it does not begin as one")
    count = len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), offset, 0)
    if data[offset:] != directory + end:
        raise PackageError(f"is not as it was written, behind byte {offset:,}: its directory")
    return members, unpacked


def _member(data: bytes, offset: int) -> _Member:
    try:
        head: tuple[Any, ...] = _LOCAL.unpack_from(data, offset)
    except struct.error:
        raise PackageError(f"ends within a header, at byte {offset:,}") from None
    _, needs, flags, method, time, date, crc, packed_size, size, length, extra = head
    if (needs, flags, time, date, extra) != (_NEEDS, 0, _TIME, _DATE, 0) or method not in (
        STORED,
        DEFLATED,
    ):
        raise PackageError(f"the header at byte {offset:,} is not one that this program writes")
    start = offset + _LOCAL.size
    if length > LONGEST_NAME:
        raise PackageError(f"the name at byte {start:,} has {length:,} characters")
    name = data[start : start + length].decode("ascii", "replace")
    _check_name(name)
    packed = data[start + length : start + length + packed_size]
    if len(packed) != packed_size:
        raise PackageError(f"ends within {name}")
    return _Member(name, method, packed, crc, size)


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise PackageError(f"{name[:LONGEST_NAME]!r} is no name of a file in a package")


def _content(member: _Member) -> bytes:
    """Never more than the header said."""
    content = member.packed
    if member.method == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(member.packed, member.size + 1)
        except zlib.error:
            raise PackageError(f"{member.name} is damaged") from None
        if not inflater.eof or inflater.unused_data:
            raise PackageError(f"{member.name} is damaged")
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise PackageError(f"{member.name} is damaged")
    return content


def _decoded(manifest: bytes) -> Manifest:
    try:
        decoded = msgspec.json.decode(manifest, type=Manifest)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PackageError(f"{MANIFEST} cannot be read: {error}") from None
    if decoded.format != FORMAT:
        raise PackageError(
            f"{MANIFEST} is of format {decoded.format}, this program knows {FORMAT}; use "
            "the version of mucktrack that wrote it"
        )
    return decoded


def _check(manifest: Manifest, members: list[_Member], files: Mapping[str, bytes]) -> None:
    if missing := sorted(manifest.files.keys() - files.keys()):
        raise PackageError(f"{missing[0]} is missing")
    for member in members:
        listed = manifest.files.get(member.name)
        if listed is None:
            raise PackageError(f"{member.name} is not in {MANIFEST}")
        content = files[member.name]
        sha256, packed = hashlib.sha256(content), hashlib.sha256(member.packed)
        if (listed.sha256, listed.size) != (sha256.hexdigest(), len(content)):
            raise PackageError(f"{member.name} is not what {MANIFEST} says it is")
        if listed.packed_sha256 != packed.hexdigest():
            raise PackageError(f"{member.name} is packed otherwise than {MANIFEST} says")
