"""Supervision (督办): looks for cases that have become overdue, again and again.

Run in a thread of the enforcement process; what it means is in `Office.supervise`.
"""

from threading import Event
from typing import Final

from enforcement.actions import Office
from enforcement.database import DatabaseAwayError
from streams.health import Health
from streams.logs import get_log

log = get_log(__name__)

EVERY_S: Final = 15.0


def supervise(office: Office, health: Health, stop: Event, every_s: float = EVERY_S) -> None:
    """Until `stop` is set."""
    waits = health.waits()
    while not stop.is_set():
        try:
            overdue = office.supervise()
        except DatabaseAwayError as error:
            waits.begin("database", "to supervise", after_s=0.0)
            log.warning("database_away", purpose="to supervise", error=error)
        else:
            waits.end()
            if overdue:
                log.info("cases_overdue", cases=len(overdue))
        stop.wait(every_s)
    waits.end()
