"""What ends a process without being a bug. Raised by the parts of a worker; `streams.logs` says it
without a traceback. It imports nothing, since every command has a log."""


class CannotGoOnError(Exception):
    """Something outside is not as it must be. The message says what, and what to do; the process
    ends with exit code 1 and says no more."""
