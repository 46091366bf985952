"""Runs one command and ends it when whoever asked for it is gone.

`mucktrack.children` starts this file as a process of its own, with a pipe as standard input whose
other end only the parent holds. When the parent ends, however it ends (`kill -9` included), the
kernel closes the pipe, and the command gets SIGTERM and, should it not heed that, SIGKILL. This
works alike on Linux and macOS. Closing the pipe is also how a living parent stops the command. What
the command has started in its process group ends with it. Should the leash itself be killed, Linux
kills the command (not what it started); elsewhere the command then lives on.

    python -I -S leash.py [--grace SECONDS] -- COMMAND [ARGUMENT…]

It ends with the command's exit code (128 + signal number where a signal ended it, as shells do).
It must not import anything but the standard library: it runs isolated, to start in milliseconds.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

READ_SIZE = 512
CANNOT_START = 127
PR_SET_PDEATHSIG = 1
"""Of <linux/prctl.h>."""


def main(arguments: list[str]) -> int:
    grace_s, command = _parse(arguments)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _note)
    stop_signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    for number in stop_signals:
        signal.signal(number, _note)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_die_with_parent(),
        )
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        return CANNOT_START
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin.fileno(), wake_read], [], [])
        signalled = wake_read in ready and stop_signals & set(os.read(wake_read, READ_SIZE))
        parent_gone = sys.stdin.fileno() in ready and not os.read(0, READ_SIZE)
        if signalled or parent_gone:
            _stop(child, grace_s)
    _signal_group(child, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _parse(arguments: list[str]) -> tuple[float, list[str]]:
    own, separator, command = [], "", []
    if "--" in arguments:
        at = arguments.index("--")
        own, separator, command = arguments[:at], "--", arguments[at + 1 :]
    if not separator or not command or len(own) not in (0, 2) or own[:1] not in ([], ["--grace"]):
        raise SystemExit("usage: leash.py [--grace SECONDS] -- COMMAND [ARGUMENT…]")
    return (float(own[1]) if own else 10.0), command


def _die_with_parent() -> Callable[[], None] | None:
    """What the command's process has to do before it becomes the command, so that it is killed
    when the leash is; None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    leash = os.getpid()

    def act() -> None:
        prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), *[ctypes.c_ulong(0)] * 3)
        if os.getppid() != leash:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def _note(_number: int, _frame: object) -> None:
    """The signal's number reaches the wake-up pipe; nothing else is to be done here."""


def _stop(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """End the child and whatever it started in its process group."""
    _signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(grace_s)
    _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
