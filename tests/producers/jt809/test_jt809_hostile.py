"""Rounds of hostile bytes, and that a round notices what it is to notice."""

from collections import Counter

import pytest
from fuzz.demands import BrokenError
from fuzz.platform_frames import PlatformFrameRound
from tally import tally

from producers.jt809.message import Message

ROUNDS = 25


def test_rounds_of_hostile_bytes() -> None:
    counts = sum((PlatformFrameRound(seed).run() for seed in range(ROUNDS)), Counter[str]())
    for what in ("Received", "Refused", "good"):
        assert counts[f"platform frames {what}"] > 0, what
    tally("hostile frames of platforms", **{k.replace(" ", "_"): n for k, n in counts.items()})


class Deaf(PlatformFrameRound):
    """Its link loses a frame."""

    def _stream(self, stream: bytes, good: list[tuple[Message, bytes]]) -> None:
        super()._stream(stream.replace(good[7][1], b"", 1), good)


def test_a_link_that_loses_frames_is_noticed() -> None:
    with pytest.raises(BrokenError, match="a good frame is lost"):
        Deaf(1).run()
