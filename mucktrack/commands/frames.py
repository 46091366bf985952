"""`mucktrack jt808`: frames of terminals out of hex dumps, and into them."""

import click


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
