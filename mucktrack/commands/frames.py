"""`mucktrack jt808` and `jt809`: frames of terminals and platforms out of hex dumps, and into
them."""

from typing import Literal

import click

_CONSTANT = click.IntRange(0, 0xFFFF_FFFF)


@click.group("jt808")
def jt808_group() -> None:
    """Read and write frames of JT/T 808 terminals."""


@jt808_group.command("decode")
@click.argument("texts", metavar="[HEX…]", nargs=-1)
@click.option(
    "--version",
    type=click.Choice(["2011", "2013"]),
    default="2013",
    show_default=True,
    help="Edition of frames whose header does not tell; 2019 does.",
)
def decode_jt808(texts: tuple[str, ...], version: str) -> None:
    """Print the messages in frames given in hex.

    A JSON object a line. Without HEX a frame a line of standard input. Blanks and upper case are
    fine, and so are frames without their flags 7e, or with their escapes undone. Parts of a message
    are told one by one, and once more together when all are there. What is no message is a line
    with `error`; the exit code is then 1.
    """
    from mucktrack.frames import decode
    from producers.jt808.dump import Decoder

    decode(texts, Decoder("2011" if version == "2011" else "2013").lines)


@jt808_group.command("encode")
def encode_jt808() -> None:
    """Print frames in hex for messages given as JSON.

    A message a line of standard input, as `decode` prints them; `message_id`, `version`, `phone`,
    `serial` and `body` are enough. Names, readings and the like are not looked at.
    """
    from mucktrack.frames import encode
    from producers.jt808.dump import Encoder

    encode(Encoder().frames)


@click.group("jt809")
def jt809_group() -> None:
    """Read frames of JT/T 809 platforms."""


@jt809_group.command("decode")
@click.argument("texts", metavar="[HEX…]", nargs=-1)
@click.option(
    "--version",
    type=click.Choice(["2011", "2019"]),
    help="Edition of the frames; by default each frame tells.",
)
@click.option("--m1", type=_CONSTANT, metavar="M1", help="Of encrypted frames: the constant M1,")
@click.option("--ia1", type=_CONSTANT, metavar="IA1", help="IA1")
@click.option("--ic1", type=_CONSTANT, metavar="IC1", help="and IC1.")
def decode_jt809(
    texts: tuple[str, ...],
    version: Literal["2011", "2019"] | None,
    m1: int | None,
    ia1: int | None,
    ic1: int | None,
) -> None:
    """Print the messages in frames given in hex.

    A JSON object a line. Without HEX a frame a line of standard input. Blanks and upper case are
    fine, and so are frames without their marks 5b and 5d, or with their escapes undone. What is no
    message is a line with `error`; the exit code is then 1.
    """
    from mucktrack.frames import decode
    from producers.jt809.cipher import Cipher
    from producers.jt809.dump import Decoder

    cipher = None
    if m1 is not None and ia1 is not None and ic1 is not None:
        cipher = Cipher(m1, ia1, ic1)
    elif (m1, ia1, ic1) != (None, None, None):
        raise click.UsageError("--m1, --ia1 and --ic1 go together")
    decode(texts, Decoder(version, cipher).lines)
