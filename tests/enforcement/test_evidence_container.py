"""The zip of a package: the same bytes for the same files, no byte that does not count, and nothing
that a hostile archive can do."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcement.evidence.container import (
    MANIFEST,
    MOST_FILES,
    SEAL,
    NoPackageError,
    PackageError,
    pack,
    unpack,
)

FILES = {"a.txt": b"abc" * 300, "city/x-1/sites.geojson": b"\x00\xff\x10", "z.json": b""}
NAMES = st.from_regex(r"[a-z0-9_-]{1,8}(\.[a-z]{1,4})?(/[a-z0-9_-]{1,8}){0,2}", fullmatch=True)


@given(st.dictionaries(NAMES, st.binary(max_size=2_000), max_size=8))
def test_what_was_packed_is_unpacked_and_the_same_files_give_the_same_bytes(
    files: dict[str, bytes],
) -> None:
    data, sha256 = pack(files)
    unpacked = unpack(data)
    assert (unpacked.files, unpacked.manifest_sha256) == (files, sha256)
    assert pack(dict(reversed(files.items()))) == (data, sha256)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in files} == files


def test_every_bit_of_it_counts() -> None:
    data, _ = pack(FILES)
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(PackageError):
                unpack(bytes(changed))


@given(st.data())
def test_nothing_can_be_taken_out_put_in_or_moved(data: st.DataObject) -> None:
    whole, _ = pack(FILES)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    put_in = data.draw(st.binary(max_size=20))
    changed = whole[:start] + put_in + whole[end:]
    if changed != whole:
        with pytest.raises(PackageError):
            unpack(changed)


def zipped(files: list[tuple[str, bytes]], **options: object) -> bytes:
    """By a program that is not ours."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["../a", "/etc/passwd", "a/../b", "a\\b", "C:a", "a//b", "a/", "", ".a", "a\x00b", "案"]
)
def test_names_that_lead_elsewhere_are_no_names(name: str) -> None:
    with pytest.raises(PackageError):
        pack({name: b"x"})
    with pytest.raises(PackageError):
        unpack(zipped([(name, b"x"), (MANIFEST, b"{}"), (SEAL, b"")]))


def local(name: bytes, packed: bytes, size: int, *, method: int = 8, flags: int = 0) -> bytes:
    """A file in a zip with a header that may lie."""
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 33,
                       zlib.crc32(b""), len(packed), size, len(name), 0)  # fmt: skip
    return head + name + packed


def deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "does not begin as one"),
        (b"PK", "does not begin as one"),
        (b"PK\5\6" + bytes(18), "does not begin as one"),
        (b"%PDF-1.7", "does not begin as one"),
        (b"PK\3\4" + bytes(10), "ends within a header"),
        (local(b"a", b"", 0, flags=1), "not one that this program writes"),
        (local(b"a", b"", 0, method=14), "not one that this program writes"),
        (local(b"a" * 300, b"", 0), "300 characters"),
        (local(b"a", deflated(bytes(100_000_000)), 600 * 1024**2), "unpacks to more than 512 MB"),
        (local(b"a", deflated(bytes(10_000_000)), 5), "damaged"),
        (local(b"a", b"\xff\xff", 5), "damaged"),
        (local(b"a", b"", 0, method=0) * 2, "twice"),
        (local(b"a", b"", 0, method=0), "its directory"),
        (zipped([("a", b"x")]), "its directory"),
    ],
)
def test_hostile_archives_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(PackageError, match=said):
        unpack(data)


def test_a_zip_of_somebody_else_is_no_package() -> None:
    with pytest.raises(NoPackageError):
        unpack(b"GIF89a")


def test_there_is_a_limit_to_files() -> None:
    many = b"".join(local(b"%d" % n, b"", 0, method=0) for n in range(MOST_FILES + 1))
    with pytest.raises(PackageError, match="more than 10,000 files"):
        unpack(many)
    with pytest.raises(PackageError, match="at most 10,000 files"):
        pack({str(number): b"" for number in range(MOST_FILES)})
