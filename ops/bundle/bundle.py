"""Makes the archive that installs mucktrack where there is no network: `make bundle`.

    python -m ops.bundle.bundle [--python 3.12 --platform manylinux_2_28_aarch64] [--wheels FOLDER]

In it are the wheels of requirements-runtime.lock, by hash, and mucktrack's own, the Compose file
with what it mounts, the Dockerfile, the documentation, `install.sh`, and SHA256SUMS of all. Its
name ends with the kind of machine it is for, which --python and --platform choose. It is the same,
byte for byte, whenever it is made of the same files.
"""

import argparse
import gzip
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from ops.bundle.locks import entries

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-runtime.lock"
TAKEN = (
    "CHANGELOG.md", "Dockerfile", "LICENSE", "README.md", "README.zh.md", "RULES.md", "SECURITY.md",
    "docker-compose.yml", "docs", "ops/compose", "ops/grafana", "ops/prometheus",
)  # fmt: skip
INSTALLER = ROOT / "ops" / "bundle" / "install.sh"
GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_")
OLD_NAMES = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}
NO_TIME = 315_532_800
"""1 January 1980, the first that every archive format knows."""


@dataclass(frozen=True, slots=True)
class Target:
    """The machines that it is for."""

    python: str
    """As in 3.11."""
    platform: str | None
    """As in manylinux_2_28_aarch64; None = machines like this one."""

    @property
    def name(self) -> str:
        place = self.platform or f"{sys.platform}_{platform.machine()}"
        return f"{place}-cp{self.python.replace('.', '')}"

    def options(self) -> list[str]:
        """Of `pip download`, which takes each tag by itself."""
        if self.platform is None:
            return []
        tags = [part for one in compatible(self.platform) for part in ("--platform", one)]
        return ["--python-version", self.python, "--implementation", "cp", *tags]

    def environment(self) -> dict[str, str]:
        """What conditions of the lock ask about; pip would answer for the Python it runs on."""
        if self.platform is None:
            return {}
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.99",
            "platform_machine": self.platform.split("_", 3)[-1],
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }


def compatible(tag: str) -> list[str]:
    """The tags of wheels that run where this one's do, the newest first. Raises `ValueError`."""
    found = re.fullmatch(r"manylinux_2_(\d+)_(x86_64|aarch64)", tag)
    if not found:
        raise ValueError(f"{tag}: write e.g. manylinux_2_28_x86_64 or manylinux_2_28_aarch64")
    newest, machine = int(found[1]), found[2]
    tags = []
    for minor in range(newest, OLDEST_GLIBC[machine] - 1, -1):
        tags.append(f"manylinux_2_{minor}_{machine}")
        if old := OLD_NAMES.get((2, minor)):
            tags.append(f"{old}_{machine}")
    return [*tags, f"linux_{machine}"]


def make(target: Target, folder: Path, wheels: Path | None) -> Path:
    """The archive, in `folder`; `wheels` = the wheelhouse, where it has been fetched already."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    name = f"mucktrack-{version['project']['version']}-{target.name}"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bundle-") as unfinished:
        content = Path(unfinished) / name
        (content / "wheels").mkdir(parents=True)
        if wheels is None:
            _fetch(content / "wheels", target)
        else:
            for wheel in wheels.glob("*.whl"):
                shutil.copyfile(wheel, content / "wheels" / wheel.name)
        own = _own_wheel(content / "wheels")
        _write_lock(content / "wheels", own)
        _take(content)
        _write_requirements(content, target)
        _write_sums(content)
        packed = Path(unfinished) / f"{name}.tar.gz"
        _pack(content, packed)
        return packed.replace(folder / packed.name)


def _fetch(folder: Path, target: Target) -> None:
    """All that the lock has for such machines; it is complete, so nothing is to be found out."""
    lock = folder / "wanted.txt"
    lock.write_text(_for(target), encoding="utf-8")
    _pip(
        *("download", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--dest", str(folder), "-r", str(lock), *target.options()),
    )
    lock.unlink()


def _for(target: Target) -> str:
    """The lock's entries whose conditions hold there, without the conditions."""
    wanted = []
    for lines in entries(LOCK.read_text(encoding="utf-8")).values():
        for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", lines):
            pinned, _, condition = entry.partition("\n")[0].removesuffix("\\").partition(";")
            if entry and (not condition or Marker(condition).evaluate(target.environment())):
                wanted.append(f"{pinned.strip()} \\\n{entry.partition(chr(10))[2]}")
    return "".join(wanted)


def _own_wheel(folder: Path) -> Path:
    """mucktrack's, which runs on every machine; built where it is not there yet."""
    if not list(folder.glob("mucktrack-*.whl")):
        _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    [wheel] = folder.glob("mucktrack-*.whl")
    return wheel


def _write_lock(folder: Path, own: Path) -> None:
    """The lock once as it is, for the Dockerfile, and once with mucktrack itself in it."""
    shutil.copyfile(LOCK, folder / LOCK.name)
    version = own.name.split("-")[1]
    entry = f"mucktrack=={version} \\\n    --hash=sha256:{_digest(own)}\n"
    text = LOCK.read_text(encoding="utf-8") + entry
    (folder / "requirements.lock").write_text(text, encoding="utf-8")


def _take(folder: Path) -> None:
    for name in TAKEN:
        source, place = ROOT / name, folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "platforms.toml", "*.password")
            shutil.copytree(source, place, ignore=ignored)
        else:
            shutil.copyfile(source, place)
    city = Path("producers") / "cities" / "demo"
    shutil.copytree(ROOT / city, folder / city)
    shutil.copyfile(INSTALLER, folder / INSTALLER.name)


def _write_requirements(folder: Path, target: Target) -> None:
    """What install.sh asks of the machine, in words of the shell."""
    wheels = [wheel.name for wheel in (folder / "wheels").glob("*.whl")]
    glibc = max((_glibc(wheel) for wheel in wheels), default=(0, 0))
    machines = {"aarch64" if "aarch64" in one else "x86_64" for one in wheels if "linux" in one}
    lines = [f"PYTHON_VERSION={target.python}"]
    if len(machines) == 1:
        lines += [f"MACHINE={machines.pop()}", f"GLIBC={glibc[0]}.{glibc[1]}"]
    (folder / "requires").write_text("".join(f"{line}\n" for line in lines))


def _glibc(wheel: str) -> tuple[int, int]:
    """The oldest that will do: of several tags the lowest."""
    named = [(int(major), int(minor)) for major, minor in GLIBC.findall(wheel)]
    named += [version for version, tag in OLD_NAMES.items() if f"{tag}_" in wheel]
    return min(named, default=(0, 0))


def _write_sums(folder: Path) -> None:
    files = sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    lines = [f"{_digest(folder / file)}  {file.as_posix()}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _pack(folder: Path, file: Path) -> None:
    with (
        file.open("wb") as raw,
        # Wheels are compressed already.
        gzip.GzipFile(
            filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=NO_TIME
        ) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            archive.add(path, path.relative_to(folder.parent), recursive=False, filter=_nobodys)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = NO_TIME
    entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
    return entry


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        check=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser.add_argument("--python", default=here, help=f"as in 3.12; default {here}")
    parser.add_argument(
        "--platform", metavar="TAG", help="as in manylinux_2_28_aarch64; default: this machine's"
    )
    parser.add_argument("--wheels", type=Path, help="a folder that holds the wheels already")
    parser.add_argument("--folder", type=Path, default=ROOT / "dist")
    given = parser.parse_args(arguments)
    if given.python != here and not given.platform:
        parser.error("--python needs --platform")
    try:
        made = make(Target(given.python, given.platform), given.folder, given.wheels)
    except ValueError as error:
        parser.error(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"pip did not get the wheels (exit code {error.returncode}); see above")
    size_mb = made.stat().st_size / 1e6
    sys.stdout.write(f"{made} ({size_mb:.0f} MB)\n{_digest(made)}\n")


if __name__ == "__main__":
    main()
