"""How fast bytes of terminals become locations, on one core.

`python -m benchmarks.jt808` prints messages a second from a stream of 0x0200 to `Location` structs,
by the size of the pieces that it comes in, for 2013 and 2019; and nanoseconds of the steps of one
message. Bodies have the fixed 28 bytes and two to four usual items; about one frame in ten has
something escaped.
"""

import argparse
import statistics
import time
import timeit
from collections.abc import Callable
from random import Random

from producers.jt808.connection import Connection, Received
from producers.jt808.framing import checked, unescape
from producers.jt808.header import Version, read_header
from producers.jt808.items import write_items
from producers.jt808.location import Location, read_location
from producers.jt808.message import Message, encode

TERMINALS = 1_000
START_MS = 1_795_266_000_000
PIECES = (65_536, 4_096, 0)
"""Bytes that come at a time; 0 = a frame at a time."""


def frames(count: int, version: Version, seed: int = 1) -> list[bytes]:
    """Locations of a fleet, one terminal after the other."""
    rng = Random(seed)
    return [encode(_message(rng, number, version)) for number in range(count)]


def _message(rng: Random, number: int, version: Version) -> Message:
    items = {0x01: rng.randrange(10**7).to_bytes(4, "big"), 0x31: bytes((rng.randrange(30),))}
    if number % 3:
        items[0x30] = bytes((rng.randrange(32),))
    if number % 3 == 2:
        items[0x25] = rng.randrange(1 << 15).to_bytes(4, "big")
    location = Location(
        0,
        3,
        29.6 + rng.randrange(600_000) / 1e6,
        121.2 + rng.randrange(600_000) / 1e6,
        rng.randrange(200),
        rng.randrange(800) / 10,
        rng.randrange(360),
        START_MS + 10_000 * (number // TERMINALS),
        write_items(items),
    )
    phone = f"{13_900_000_000 + number % TERMINALS:0{20 if version == '2019' else 12}d}"
    return Message(0x0200, phone, number & 0xFFFF, version, location)


def seconds(pieces: list[bytes], count: int) -> float:
    """Processor time of taking all pieces on one connection."""
    connection, found = Connection(), 0
    started = time.process_time()
    for piece in pieces:
        for event in connection.receive(piece, 0.0):
            found += type(event) is Received and type(event.message.body) is Location
    spent = time.process_time() - started
    assert found == count, f"{found} of {count} locations"
    return spent


def measure(version: Version, count: int, rounds: int) -> None:
    """Print a line for each size of pieces."""
    stream = frames(count, version)
    whole = b"".join(stream)
    print(f"{version}: {count:,} frames of {len(whole) / count:.1f} bytes")
    for size in PIECES:
        cut = [whole[at : at + size] for at in range(0, len(whole), size)] if size else stream
        times = [seconds(cut, count) for _ in range(rounds)]
        median, best = statistics.median(times), min(times)
        what = f"pieces of {size:>6,} bytes" if size else "a frame at a time     "
        print(
            f"  {what}: {median / count * 1e9:6.0f} ns a message, "
            f"{count / median:>9,.0f} messages/s (best {count / best:,.0f})"
        )


def steps() -> None:
    """Print what the steps of one message take, each alone."""
    (frame,) = frames(1, "2013")
    piece = frame[1:-1]
    payload = checked(unescape(piece))
    header, start = read_header(payload)
    location = read_location(payload[start:])
    message = Message(header.message_id, header.phone, header.serial, header.version, location)
    parts: dict[str, Callable[[], object]] = {
        "escapes and checksum": lambda: checked(unescape(piece)),
        "header": lambda: read_header(payload),
        "location": lambda: read_location(payload[start:]),
        "items, when asked for": lambda: location.items,
        "encode": lambda: encode(message),
    }
    for name, part in parts.items():
        took = min(timeit.repeat(part, number=50_000, repeat=5)) / 50_000
        print(f"  {name:24} {took * 1e9:6.0f} ns")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jt808")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measure("2013", options.messages, options.rounds)
    measure("2019", options.messages, options.rounds)
    print("steps of a message of 2013")
    steps()


if __name__ == "__main__":
    main()
