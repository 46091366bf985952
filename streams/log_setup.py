"""Where the lines of a process go: to stderr, in one form.

Called by the commands that serve or work for long, before they begin. What is said, and how it
looks, is not known here.
"""

import logging
import sys
from typing import Any, Final

from streams.log_filters import ErrorOnce, NotAgain, NotTooOften
from streams.log_lines import JsonLines, Readable
from streams.logs import Form, Level, Log

OURS: Final = ("streams", "producers", "enforcement", "mucktrack", "geofences")
SPEAK_FOR_THEMSELVES: Final = ("aiokafka.producer", "kafka")
"""Libraries that say each of their tries, where a module of ours says what it waits for."""


def log_to_stderr(process: str, form: Form = "auto", level: Level = "info") -> None:
    """Once for the process, which its lines then name; leaves alone what is set up already.

    `auto` is text on a terminal, else JSON. `level` is that of our own packages; libraries are
    heard from warnings on.
    """
    if logging.root.handlers:
        return
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Readable(sys.stderr.isatty()) if is_text else JsonLines(process))
    for each in (NotAgain("aiokafka"), ErrorOnce(), NotTooOften()):
        handler.addFilter(each)
    logging.root.addHandler(handler)
    # `warnings.warn` would put lines of its own between ours.
    logging.captureWarnings(True)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    for name in SPEAK_FOR_THEMSELVES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def say_last(command: str, text: str) -> bool:
    """Why the process ends, as an event; False = lines are not JSON, and it is to be said in words.

    For `mucktrack.cli`, whose last line would otherwise be the only one that is no JSON.
    """
    handlers: list[Any] = logging.root.handlers
    if not any(isinstance(one.formatter, JsonLines) for one in handlers):
        return False
    Log("mucktrack.cli").error("process_failed", command=command, error=text)
    return True
