"""What a gateway asks of its process: open files for its connections, and a garbage collector that
does not make terminals wait.

Called once by `producers.gateway.app`.
"""

import gc
import resource
from typing import Final

from streams.logs import get_log

log = get_log(__name__)

SPARE_FILES: Final = 100
"""For Kafka, Redis, metrics, logs."""
COLLECT_AT: Final = (20_000, 20, 50)
"""Each message makes a few dozen objects that are gone when it has been answered, none of them in
a cycle; with Python's own thresholds a quarter of the time went into looking at those that wait."""


def allow_files(connections: int) -> None:
    """As many open files as the system lets a process have; said where that is too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < connections + SPARE_FILES:
        log.warning("too_few_open_files", allowed=hard, connections=connections)


def spare_the_collector() -> None:
    """What has been made until now stays for good and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AT)
