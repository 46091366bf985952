"""Produce and Fetch of Kafka's protocol, bare, for benchmarks: as little of the machine as can be.

A producer of a library takes its time for each record; here batches are ready-made and a request
is one write. Fetch is asked for one thing, the high watermark: Tansu's `ListOffsets` answers too
little (design section 10). Versions 3 and 4, the last that say all that is needed without flexible
fields. Knows nothing of what is in the batches (`benchmarks.bench.batches`).
"""

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Self

PRODUCE, PRODUCE_VERSION = 0, 3
FETCH, FETCH_VERSION = 1, 4
CLIENT = b"mucktrack-bench"
LEADER_ONLY = 1
ANSWER_S = 60.0
FETCH_WAIT_MS = 10
"""Tansu answers nothing at all to a fetch that does not want to wait."""


class KafkaRefusedError(Exception):
    """The broker answered with an error; the message has its code."""


def produce_request(topic: str, batches: Mapping[int, bytes], correlation: int = 0) -> bytes:
    """A Produce request, its length in front: a batch for each of these partitions."""
    parts = [
        _head(PRODUCE, PRODUCE_VERSION, correlation),
        struct.pack(">hhi", -1, LEADER_ONLY, int(ANSWER_S * 1000)),  # no transaction
        struct.pack(">i", 1),
        _text(topic.encode()),
        struct.pack(">i", len(batches)),
    ]
    for partition, batch in batches.items():
        parts += [struct.pack(">ii", partition, len(batch)), batch]
    body = b"".join(parts)
    return struct.pack(">i", len(body)) + body


def check_produced(answer: bytes) -> None:
    """Raises `KafkaRefusedError` unless all partitions of a Produce took their batch."""
    topic_length = struct.unpack_from(">h", answer, 8)[0]
    at = 10 + topic_length
    (partitions,) = struct.unpack_from(">i", answer, at)
    for number in range(partitions):
        partition, error = struct.unpack_from(">ih", answer, at + 4 + 22 * number)
        if error:
            raise KafkaRefusedError(f"produce to partition {partition}: error {error}")


class Connection:
    """A connection to the broker that leads all partitions, as an embedded one does."""

    def __init__(self, address: str) -> None:
        """`address`: host:port. Raises `OSError`."""
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def produce(self, topic: str, batches: Mapping[int, bytes]) -> None:
        """Write a batch to each of these partitions, and wait until the broker has them."""
        self.socket.sendall(produce_request(topic, batches))
        check_produced(self.answer())

    def high_watermarks(self, topic: str, offsets: Sequence[int]) -> list[int]:
        """The offset after the last record of each partition. `offsets`: where to read in each;
        the nearer to the end, the less comes back with the answer."""
        parts = [
            _head(FETCH, FETCH_VERSION, 0),
            struct.pack(">iiiib", -1, FETCH_WAIT_MS, 0, 1, 0),  # no replica, hardly any bytes
            struct.pack(">i", 1),
            _text(topic.encode()),
            struct.pack(">i", len(offsets)),
            *(struct.pack(">iqi", number, offset, 1) for number, offset in enumerate(offsets)),
        ]
        body = b"".join(parts)
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        return _watermarks(self.answer(), len(offsets))

    def answer(self) -> bytes:
        """The next answer, from its correlation id on."""
        (length,) = struct.unpack(">i", self._exactly(4))
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            piece = self.socket.recv(length - len(received))
            if not piece:
                raise ConnectionError("the broker has closed the connection")
            received += piece
        return bytes(received)


def _watermarks(answer: bytes, partitions: int) -> list[int]:
    at = 12  # correlation id, throttle time, one topic
    (length,) = struct.unpack_from(">h", answer, at)
    at += 2 + length
    (count,) = struct.unpack_from(">i", answer, at)
    at += 4
    if count != partitions:
        raise KafkaRefusedError(f"fetch: {count} partitions answered, of {partitions}")
    found = [0] * partitions
    for _ in range(count):
        partition, error, watermark, _, aborted = struct.unpack_from(">ihqqi", answer, at)
        if error:
            raise KafkaRefusedError(f"fetch from partition {partition}: error {error}")
        at += 26 + 16 * max(0, aborted)
        (size,) = struct.unpack_from(">i", answer, at)
        at += 4 + max(0, size)
        found[partition] = watermark
    return found


def _head(api: int, version: int, correlation: int) -> bytes:
    return struct.pack(">hhi", api, version, correlation) + _text(CLIENT)


def _text(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value
