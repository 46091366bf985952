"""The commands in the documents. Those in fenced blocks are run, in order, in a clean folder, or
listed here with the reason why they are not, and what checks them instead. Whatever else calls the
program, in indented blocks and in the text, must be understood by its command line."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from conftest import ROOT
from docs_blocks import Block, blocks, command_lines, documents

from mucktrack.cli import cli
from mucktrack.embedded import free_port, tansu, valkey

PATIENCE_S = 60.0
SLOW_S = 120.0

NOT_RUN: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "make up": "sets .venv up from an index; test_up.py runs `mucktrack up`",
        "make test": "is what runs this",
    },
    "docs/guide/en/install.md": {
        "git clone": "fetches the repository",
        "sudo apt-get": "changes the machine",
        "make install": "sets .venv up from an index; CI begins with it",
        "sudo systemctl": "needs systemd; the command lines of the units are checked",
    },
    "docs/guide/en/backup.md": {
        "pg_dump": "needs a PostgreSQL of the reader's; test_restore_live.py restores SQLite",
        "pg_restore": "the same",
        "sudo systemctl": "needs systemd; test_restore_live.py stops and starts the parts",
    },
    "docs/guide/en/upgrade.md": {
        "git fetch": "fetches from the reader's remote",
        "sudo systemctl": "needs systemd",
        "make install": "sets .venv up from an index; CI begins with it",
    },
}
"""By document: beginnings of blocks' first commands, and why those blocks are not run. `*` = none
of the document's."""

PORTS: Mapping[str, str] = {
    "7611": "MUCKTRACK_GATEWAY_PORT",
    "7809": "MUCKTRACK_GATEWAY809_PORT",
    "8080": "MUCKTRACK_CONSOLE_PORT",
    "9464": "MUCKTRACK_METRICS_PORT",
    "9465": "MUCKTRACK_ARCHIVE_METRICS_PORT",
    "9466": "MUCKTRACK_GATEWAY_METRICS_PORT",
    "9467": "MUCKTRACK_GATEWAY809_METRICS_PORT",
    "9468": "MUCKTRACK_CONSOLE_METRICS_PORT",
}
"""What documents call by its default is on a free port here."""
LINKED = ("producers", "enforcement", "docs")
"""Folders of the checkout that commands may read."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


DOCUMENTS = [_name(path) for path in documents(ROOT)]
RUN = [
    name
    for name in DOCUMENTS
    if "/zh/" not in name
    and name != "README.zh.md"
    and any(not block.stop for block in blocks((ROOT / name).read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("name", RUN)
def test_commands_do_what_the_document_says(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    with _site(text, tmp_path) as site:
        for block in blocks(text):
            if not _reason(name, block):
                site.run(name, block)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_command_line_understands_them(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    faults = [
        f"{name}:{line}: {fault}"
        for line, code in command_lines(text)
        for words in _calls(code)
        if (fault := _fault(words))
    ]
    assert not faults


@pytest.mark.parametrize(
    "name", [name for name in DOCUMENTS if "/zh/" in name or name.endswith(".zh.md")]
)
def test_the_chinese_guide_has_the_commands_of_the_english_one(name: str) -> None:
    """So that running these proves those."""
    english = ROOT / name.replace("/zh/", "/en/").replace(".zh.md", ".md")
    theirs = {line for block in _blocks_of(english) for line in _bare(block)}
    ours = [line for block in _blocks_of(ROOT / name) for line in _bare(block)]
    assert [line for line in ours if line not in theirs] == []
    assert ours or not theirs


def test_what_is_not_run_is_there() -> None:
    for name, reasons in NOT_RUN.items():
        firsts = [block.first for block in _blocks_of(ROOT / name)]
        for beginning in reasons:
            assert any(first.startswith(beginning) for first in firsts), (name, beginning)


def test_links_lead_somewhere() -> None:
    broken = [
        f"{_name(path)}: {target}"
        for path in documents(ROOT)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def _blocks_of(path: Path) -> list[Block]:
    return list(blocks(path.read_text(encoding="utf-8")))


def _bare(block: Block) -> list[str]:
    lines = (re.sub(r"\s+#.*$", "", line).strip() for line in block.commands.splitlines())
    return [line for line in lines if line]


def _reason(name: str, block: Block) -> str | None:
    """Why a block is not run."""
    for beginning, reason in NOT_RUN.get(name, {}).items():
        if block.first.startswith(beginning) and not block.stop:
            return reason
    return None


def _calls(code: str) -> Iterator[list[str]]:
    """The calls of the program in a line of shell."""
    code = code.removeprefix("$ ")
    if "mucktrack" not in code or any(mark in code for mark in ("…", "[", "<")):
        return
    lexer = shlex.shlex(code, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        pieces = [*lexer, ";"]
    except ValueError:
        return
    for piece in pieces:
        if set(piece) <= set("();<>|&"):
            while words and "=" in words[0]:
                words.pop(0)
            if words and words[0].rpartition("/")[2] == "mucktrack":
                yield words[1:]
            words = []
        else:
            words.append(piece)


def _fault(words: list[str]) -> str | None:
    """What the command line does not understand; arguments may be missing."""
    command: click.Command = cli
    context = click.Context(cli, info_name="mucktrack", **cli.context_settings)
    while isinstance(command, click.Group) and words:
        if words[0].startswith("-"):
            return None
        found = command.commands.get(words[0])
        if found is None:
            return f"no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, context, info_name=command.name)
    if isinstance(command, click.Group):
        return None
    try:
        command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        said = error.format_message()
        return None if "requires an argument" in said or "Missing" in said else said
    return None


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    log: Path
    block: Block


@dataclass
class _Site:
    """A clean folder with the program on its path, and servers where they are asked for."""

    folder: Path
    environment: dict[str, str]
    replaced: Mapping[str, str]
    running: list[_Running] = field(default_factory=list)

    def run(self, name: str, block: Block) -> None:
        if block.stop:
            self.stop()
            return
        where = f"{name}:{block.line}"
        if block.until is not None:
            self._start(where, block)
            return
        done = subprocess.run(
            ["bash", "-c", self._script(block)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            timeout=SLOW_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said = done.stdout
        assert done.returncode == block.exit_code, f"{where}: {done.returncode}: {said}"
        self._compare(where, block, said)

    def stop(self) -> None:
        """As SIGTERM does: in order, with exit code 0."""
        for one in reversed(self.running):
            os.killpg(one.process.pid, signal.SIGTERM)
            code = one.process.wait(PATIENCE_S)
            assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM), (one.block, _said(one.log))
        self.running.clear()

    def end(self) -> None:
        for one in self.running:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait(PATIENCE_S)

    def _start(self, where: str, block: Block) -> None:
        log = self.folder.parent / f"background-{len(list(self.folder.parent.iterdir()))}.log"
        with log.open("wb") as target:
            process = subprocess.Popen(
                ["bash", "-c", self._script(block)],
                stdout=target,
                stderr=target,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                start_new_session=True,
            )
        self.running.append(_Running(process, log, block))
        deadline = time.monotonic() + PATIENCE_S
        while self._here(block.until or "") not in _said(log):
            assert process.poll() is None, f"{where}: it ended: {_said(log)}"
            assert time.monotonic() < deadline, f"{where}: not ready: {_said(log)}"
            time.sleep(0.05)

    def _script(self, block: Block) -> str:
        """What one block exports, and where it goes, holds for the next one."""
        kept = shlex.quote(str(self.folder.parent / "shell"))
        return "\n".join(
            (
                "set -e -o pipefail",
                f"cd {shlex.quote(str(self.folder))}",
                f"if [ -f {kept} ]; then . {kept}; fi",
                f"keep() {{ (export -p; printf 'cd %q\\n' \"$PWD\") > {kept}; }}",
                "trap keep EXIT",
                self._here(block.commands),
            )
        )

    def _here(self, text: str) -> str:
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return text

    def _compare(self, where: str, block: Block, said: str) -> None:
        rest = said
        for line in block.expected:
            pattern = ".*".join(re.escape(part) for part in self._here(line.strip()).split("…"))
            match = re.search(pattern, rest)
            assert match is not None, f"{where}: not said: {line!r}; said: {rest}"
            rest = rest[match.end() :]


@contextmanager
def _site(text: str, tmp_path: Path) -> Iterator[_Site]:
    folder = tmp_path / "clean"
    (folder / ".venv" / "bin").mkdir(parents=True)
    program = folder / ".venv" / "bin" / "mucktrack"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mucktrack "$@"\n')
    program.chmod(0o755)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    environment = {
        **{name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ},
        "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
        "MUCKTRACK_CHECKPOINT_S": "1",
        "MUCKTRACK_ARCHIVE_ROLL_S": "1",
    }
    replaced: dict[str, str] = {}
    for port, variable in PORTS.items():
        if port in text or "console" in text or "worker" in text:
            environment[variable] = str(free_port())
            replaced[f"127.0.0.1:{port}"] = f"127.0.0.1:{environment[variable]}"
    with ExitStack() as stack:
        if "127.0.0.1:9092" in text:
            broker = stack.enter_context(tansu(tmp_path / "kafka"))
            store = stack.enter_context(valkey(tmp_path / "redis"))
            replaced["127.0.0.1:9092"] = broker.address
            replaced["redis://127.0.0.1:6379/0"] = store.address
        site = _Site(folder, environment, replaced)
        stack.callback(site.end)
        yield site
        site.stop()


def _said(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
