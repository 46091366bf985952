"""The bodies of `mucktrack jt808` and its like: hex in, JSON lines out, and the other way round.

Reads arguments or standard input, a frame a line. What is wrong with one is told in its place and
does not end the others; the exit code says so. Which protocol it is, the codec knows.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click
import msgspec

from streams.shown import shown

_NO_DIGITS = re.compile(r"[\s:,\ufeff-]+|(?<![0-9A-Fa-f])0[xX]")
"""What people and programs put before and between bytes."""
SHOWN = 200
"""Characters of a line that is no hex."""

DecodeLine = Callable[[bytes], list[dict[str, Any]]]
EncodeLine = Callable[[Any], bytes]


def decode(texts: Sequence[str], lines_of: DecodeLine) -> None:
    """Print what `lines_of` makes of each of `texts`, or of each line of standard input.

    Ends with exit code 1 where a line has an `error`.
    """
    output = click.get_binary_stream("stdout")
    failed = False
    for text in _frames(texts) if texts else _input_lines():
        try:
            lines = lines_of(_bytes(text))
        except ValueError as error:
            lines = [{"error": str(error), "text": shown(text.strip(), SHOWN)}]
        for line in lines:
            failed = failed or "error" in line
            output.write(msgspec.json.encode(line) + b"\n")
        # At once, for who types frames in, or follows a log that grows.
        output.flush()
    _end(failed)


def encode(frames_of: EncodeLine) -> None:
    """Print the frames, in hex, that `frames_of` makes of each JSON line of standard input.

    A line that is no message is told on standard error with its number; the exit code is then 1.
    """
    output = click.get_binary_stream("stdout")
    failed = False
    for number, text in enumerate(click.get_text_stream("stdin"), 1):
        if not text.strip():
            continue
        try:
            frames = frames_of(msgspec.json.decode(text))
        except (ValueError, RecursionError) as error:
            failed = True
            output.flush()
            sys.stderr.write(f"line {number}: {shown(str(error), SHOWN)}\n")
            continue
        if frames:
            output.write(frames.hex().encode() + b"\n")
            output.flush()
    _end(failed)


def _frames(texts: Iterable[str]) -> list[str]:
    """Arguments of one byte each are one frame: hex with blanks, not quoted."""
    texts = list(texts)
    return ["".join(texts)] if all(len(text) <= 2 for text in texts) else texts


def _input_lines() -> Iterator[str]:
    return (line for line in click.get_text_stream("stdin", errors="replace") if line.strip())


def _bytes(text: str) -> bytes:
    """Raises `ValueError`."""
    digits = _NO_DIGITS.sub("", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        odd = len(digits) % 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits)
        what = f"{len(digits)} hex digits, an odd number" if odd else "no hex"
        raise ValueError(f"{what}; expected bytes in hex, two digits each") from None


def _end(failed: bool) -> None:
    if failed:
        sys.exit(1)
