"""Supervision (督办): looks for cases that have become overdue, again and again.

Run in a thread of the enforcement process; what it means is in `Office.supervise`.
"""

import logging
from threading import Event
from typing import Final

from enforcement.actions import Office
from enforcement.database import DatabaseAwayError
from streams.health import Health

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0


def supervise(office: Office, health: Health, stop: Event, every_s: float = EVERY_S) -> None:
    """Until `stop` is set."""
    waits = health.waits()
    while not stop.is_set():
        try:
            overdue = office.supervise()
        except DatabaseAwayError as error:
            waits.begin("database", "to supervise", after_s=0.0)
            log.warning("waiting for the database: %s", error)
        else:
            waits.end()
            if overdue:
                log.info("%d cases are overdue and under supervision", len(overdue))
        stop.wait(every_s)
    waits.end()
