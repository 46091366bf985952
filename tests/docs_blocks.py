"""The code in Markdown files: which commands the documents give, and what they say comes out.

A fenced block of `sh` holds commands. Where one of its lines begins with `$ `, those that do are
the commands and the others are what they print, in this order; `…` stands for anything. A comment
before a block says more of it:

    <!-- docs: background until TEXT -->   it goes on running; the next block waits for TEXT
    <!-- docs: exit 2 -->                  it ends with this code
    <!-- docs: setup                       commands that a reader does not see
    COMMANDS
    -->
    <!-- docs: stop -->                    what runs in the background ends here

Used by `test_docs_commands.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<fence>```+)(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL
)
_NOTE = re.compile(r"<!-- docs: (?P<note>.*?)-->", re.DOTALL)
_INDENTED = re.compile(r"(?:^    .*\n(?:^\s*$\n)?)+", re.MULTILINE)
_SPAN = re.compile(r"`(mucktrack [^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """Commands to be run together."""

    line: int
    commands: str
    expected: tuple[str, ...] = ()
    exit_code: int = 0
    until: str | None = None
    """Of one that goes on running: what it says when it is ready."""
    stop: bool = False
    """Nothing but the end of what runs in the background."""

    @property
    def first(self) -> str:
        """The first command, by which it is known."""
        return self.commands.strip().splitlines()[0] if self.commands.strip() else ""


def blocks(text: str) -> Iterator[Block]:
    """The blocks of commands, those of comments too, in their order."""
    note = ""
    for match in sorted([*_FENCE.finditer(text), *_NOTE.finditer(text)], key=re.Match.start):
        line = text.count("\n", 0, match.start()) + 1
        said = match.groupdict()
        if "note" in said:
            note = said["note"].strip()
            if note.startswith("setup"):
                yield Block(line, note.removeprefix("setup").strip())
                note = ""
            elif note == "stop":
                yield Block(line, "", stop=True)
                note = ""
            continue
        if said["kind"] == "sh":
            yield _block(line, said["body"], note)
        note = ""


def _block(line: int, body: str, note: str) -> Block:
    lines = body.splitlines()
    commands = [one.removeprefix("$ ") for one in lines if one.startswith("$ ")]
    expected = [one for one in lines if commands and not one.startswith("$ ") and one.strip("… ")]
    code = int(note.removeprefix("exit ")) if note.startswith("exit ") else 0
    until = note.removeprefix("background until ") if note.startswith("background") else None
    return Block(line, "\n".join(commands) if commands else body, tuple(expected), code, until)


def command_lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line of code that calls the program, and every such span in the text."""
    places = [
        (match.start("body"), match["body"])
        for match in _FENCE.finditer(text)
        if match["kind"] != "text"
    ]
    places += [(match.start(), match[0]) for match in _INDENTED.finditer(text)]
    for start, code in places:
        first = text.count("\n", 0, start) + 1
        for number, line in enumerate(code.replace("\\\n", " ").splitlines(), first):
            yield number, line.strip()
    for match in _SPAN.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def documents(root: Path) -> list[Path]:
    """All that is written for readers, but what is generated or tells of the past."""
    found = [root / "README.md", root / "README.zh.md", *sorted((root / "docs").rglob("*.md"))]
    return [path for path in found if path.name != "commands.md"]
