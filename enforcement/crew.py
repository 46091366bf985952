"""The threads beside the API: each does one thing until it is told to stop.

Made by `mucktrack.console`. A thread that ends by an exception has met a bug: it is logged, and the
whole process is told to end, since half an office would look like a whole one.
"""

from collections.abc import Callable
from threading import Event, Thread

from streams.health import Health
from streams.logs import get_log

log = get_log(__name__)

Work = Callable[[Event], None]
"""Returns soon after the event is set."""


class Crew:
    """Starts the threads and ends them."""

    def __init__(self, health: Health, on_failure: Callable[[], None]) -> None:
        """`on_failure` is called in the thread that failed."""
        self._health = health
        self._on_failure = on_failure
        self._stop = Event()
        self._threads: list[Thread] = []
        self.failure: Exception | None = None
        """The first one."""

    def start(self, name: str, work: Work) -> None:
        thread = Thread(target=self._run, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, within_s: float) -> bool:
        """Whether all have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join(within_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, name: str, work: Work) -> None:
        try:
            work(self._stop)
        except Exception as error:
            log.bug("thread_failed", error, thread=name)
            self.failure = self.failure or error
            self._health.beat(broken=True)
            self._on_failure()
