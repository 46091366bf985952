"""The leash: a command ends when its parent is gone."""

import os
import signal
import subprocess
import sys
import time

import pytest
from processes import running, wait_until

from mucktrack import leash
from mucktrack.children import Child

STUBBORN = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('ready', flush=True); time.sleep(600)"
)


def start_leash(*command: str, grace_s: float = 5) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", leash.__file__, "--grace", str(grace_s), "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_commands(code):
    with start_leash(*python(f"raise SystemExit({code})")) as process:
        assert process.wait(10) == code


def test_a_signal_that_ends_the_command_shows_in_the_exit_code():
    with start_leash(*python("import os; os.kill(os.getpid(), 9)")) as process:
        assert process.wait(10) == 128 + 9


def test_a_command_that_is_not_there_is_named(capfd):
    with start_leash("no-such-program") as process:
        assert process.wait(10) == leash.CANNOT_START
    assert capfd.readouterr().err == "cannot start no-such-program: No such file or directory\n"


def test_closing_the_pipe_ends_the_command():
    with start_leash(*python("import time; time.sleep(600)")) as process:
        process.stdin.close()
        assert process.wait(10) == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_leash_ends_the_command(number):
    with start_leash(
        *python("print('ready', flush=True); import time; time.sleep(600)")
    ) as process:
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace_time():
    with start_leash(*python(STUBBORN), grace_s=0.5) as process:
        process.stdout.readline()
        started = time.monotonic()
        process.stdin.close()
        assert process.wait(10) == 128 + signal.SIGKILL
        assert time.monotonic() - started >= 0.5


def test_what_the_command_started_ends_with_it():
    label = f"grandchild-of-{os.getpid()}"
    grandchild = f"import time; time.sleep(600) # {label}"
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {grandchild!r}]); "
        "time.sleep(600)"
    )
    with start_leash(*python(code)) as process:
        assert wait_until(lambda: len(running(label)) >= 3)
        process.stdin.close()
        process.wait(10)
    assert wait_until(lambda: not running(label))


def test_it_starts_quickly_because_it_imports_the_standard_library_alone():
    code = (
        f"import runpy, sys; runpy.run_path({leash.__file__!r}); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert "subprocess" in imported
    assert imported <= {*sys.stdlib_module_names, "__main__"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_leash_that_is_killed_takes_its_command_with_it():
    label = f"command-of-killed-leash-{os.getpid()}"
    with start_leash(
        *python(f"print('ready', flush=True); import time; time.sleep(600) # {label}")
    ) as process:
        process.stdout.readline()
        assert len(running(label)) == 2, "the leash and the command"
        process.kill()
        process.wait(10)
        assert wait_until(lambda: not running(label)), running(label)


def test_what_a_command_leaves_behind_ends_with_it():
    label = f"left-behind-{os.getpid()}"
    grandchild = f"import time; time.sleep(600) # {label}"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}])"
    with start_leash(*python(code)) as process:
        assert process.wait(10) == 0
        assert wait_until(lambda: not running(label)), running(label)


@pytest.mark.parametrize("arguments", [[], ["--"], ["sleep", "1"], ["--grace", "--", "true"]])
def test_wrong_usage_is_told(arguments):
    command = [sys.executable, leash.__file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: leash.py")


def test_a_child_that_has_ended_by_itself_is_told_by_its_exit_code(tmp_path):
    child = Child("failing", python("print('why'); raise SystemExit(7)"), tmp_path / "log")
    assert child.wait(10) == 7
    assert not child.stop()
    assert child.tail() == "  why"


def test_a_child_that_is_stopped_has_ended_as_it_should(tmp_path):
    child = Child("sleeping", python("import time; time.sleep(600)"), tmp_path / "log")
    assert child.exit_code() is None
    assert child.stop()
    assert child.stop(), "stopping twice changes nothing"


def test_a_child_that_had_to_be_killed_has_not_ended_as_it_should(tmp_path):
    log = tmp_path / "log"
    child = Child("stubborn", python(STUBBORN), log, grace_s=0.3)
    assert wait_until(lambda: log.read_text() == "ready\n")
    assert not child.stop()
