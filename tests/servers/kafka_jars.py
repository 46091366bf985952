"""Apache Kafka's jars, fetched once from Maven Central into the user's cache folder.

`pom.xml` beside this file says which. `python -m servers.kafka_jars` fetches them and tells the
folder; exit code 3 says that Maven reaches no repository.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from servers.programs import MissingProgramError, find

POM = Path(__file__).with_name("pom.xml")
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
WITHIN_S = 600
NO_REPOSITORY = 3
UNREACHED = "Could not transfer"
"""What Maven says then; of what a repository does not have it says "Could not find"."""


class JarsNotFetchedError(Exception):
    """Maven did not fetch the jars; the message ends with what it said."""


class NoRepositoryError(JarsNotFetchedError):
    """Maven reaches no repository."""


def kafka_jars() -> Path:
    """The folder with the jars. Raises `MissingProgramError` and `JarsNotFetchedError`."""
    folder = _cache() / f"kafka-{version()}-{hashlib.sha256(POM.read_bytes()).hexdigest()[:8]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".kafka-") as unfinished:
            _fetch(Path(unfinished) / "jars")
            _move(Path(unfinished) / "jars", folder)
    return folder


def version() -> str:
    found = re.search(r"<kafka\.version>(.+)</kafka\.version>", POM.read_text())
    assert found, f"{POM} pins no kafka.version"
    return found[1]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mucktrack"


def _fetch(folder: Path) -> None:
    command = [
        *(find("mvn", "fetching Apache Kafka"), "--batch-mode", "--quiet", "--strict-checksums"),
        *("--file", str(POM), PLUGIN, "-DincludeScope=runtime"),
        f"-DoutputDirectory={folder}",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=WITHIN_S
        )
    except subprocess.TimeoutExpired:
        raise NoRepositoryError(f"Maven did not fetch Kafka within {WITHIN_S} s") from None
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[:20])
        error = NoRepositoryError if UNREACHED in said else JarsNotFetchedError
        raise error(f"Maven did not fetch Apache Kafka {version()}:\n{said}")


def _move(jars: Path, folder: Path) -> None:
    """Someone else may have fetched them meanwhile."""
    try:
        jars.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(jars)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{kafka_jars()}\n")
    except NoRepositoryError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(NO_REPOSITORY)
    except (MissingProgramError, JarsNotFetchedError) as error:
        sys.exit(str(error))
