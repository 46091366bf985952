"""Frames of `frames_of_tables.jsonl`: bodies typed by hand from the tables, with what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from jt808_cases import is_in, wire

from producers.jt808.connection import Connection, Received
from producers.jt808.dump import Decoder, Encoder

LINES = Path(__file__).with_name("frames_of_tables.jsonl").read_text("utf-8").splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


def decoded(case: dict[str, Any]) -> dict[str, Any]:
    (line,) = Decoder(case.get("version", "2013")).lines(wire(case))
    plain: dict[str, Any] = json.loads(json.dumps(line))
    return plain


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_says_what_was_typed(case: dict[str, Any]) -> None:
    assert is_in(case["expected"], decoded(case)), decoded(case)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_goes_back_to_the_same_bytes(case: dict[str, Any]) -> None:
    """By its fields alone, but where zeros stand before a text: then the line has the frame."""
    line = decoded(case)
    assert ("frame" in line) is case.get("bytes_differ", False)
    assert Encoder().frames(line) == wire(case)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_comes_byte_by_byte(case: dict[str, Any]) -> None:
    def version_of(_: str) -> Any:
        return case.get("version", "2013")

    connection = Connection(version_of=version_of)
    events = [event for byte in wire(case) for event in connection.receive(bytes((byte,)), 0.0)]
    assert events == Connection(version_of=version_of).receive(wire(case) + b"\x7e\x00", 0.0)
    assert [type(event) for event in events] == [Received]
