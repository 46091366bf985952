"""Looking at processes from outside, for tests that end them."""

import subprocess
import time
from collections.abc import Callable

WAIT_S = 15.0


def command_lines() -> dict[int, str]:
    """Those that run, by process id; zombies are none."""
    listed = subprocess.run(
        ["ps", "-axww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for line in listed.splitlines():
        pid, state, arguments = line.split(None, 2)
        if not state.startswith("Z"):
            found[int(pid)] = arguments
    return found


def running(part: str) -> list[str]:
    """The command lines that hold `part`."""
    return [line for line in command_lines().values() if part in line]


def wait_until(condition: Callable[[], object], limit_s: float = WAIT_S) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
