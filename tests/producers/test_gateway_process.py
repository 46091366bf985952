"""What a gateway asks of its process, in processes of the test's own."""

import subprocess
import sys

PREPARE = """
import gc, logging, resource
logging.basicConfig(format="%(message)s")
from producers.gateway.process import allow_files, spare_the_collector
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
allow_files({connections})
spare_the_collector()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), gc.get_freeze_count() > 1_000, gc.isenabled())
"""


def prepare(soft: int, hard: int, connections: int) -> tuple[str, str]:
    """What it prints and what it logs."""
    code = PREPARE.format(soft=soft, hard=hard, connections=connections)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr.strip()


def test_as_many_files_as_the_system_allows() -> None:
    assert prepare(200, 900, 700) == ("900 900 True True", "")


def test_too_few_files_are_said() -> None:
    printed, logged = prepare(900, 900, 20_000)
    assert printed == "900 900 True True"
    assert logged == "too_few_open_files  allowed=900  connections=20000"
