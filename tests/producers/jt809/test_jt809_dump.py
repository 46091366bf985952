"""Frames made by hand from the tables of the standard (`frames.jsonl`: the hex, why, and what is
told of it), and what `mucktrack jt809 decode` does with dumps."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.jt809.cipher import Cipher
from producers.jt809.dump import Decoder
from producers.jt809.fields import fields_of
from producers.jt809.table import SUB_MESSAGES

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "frames.jsonl").read_text("utf-8").splitlines()
]
BY_NAME = {case["name"]: bytes.fromhex(case["hex"]) for case in CASES}


def check(told: Any, expected: Any, where: str) -> None:
    """Everything in `expected` is in `told`, to the last digit of degrees."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in told, f"{where}.{key}"
            check(told[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(told) == len(expected), where
        for number, value in enumerate(expected):
            check(told[number], value, f"{where}[{number}]")
    else:
        assert told == expected, where


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_frames_by_hand(case: dict[str, Any]) -> None:
    cipher = Cipher(*case["cipher"]) if "cipher" in case else None
    (line,) = Decoder(cipher=cipher).lines(bytes.fromhex(case["hex"]))
    check(line, case["expected"], case["name"])
    assert ("error" in line) == ("error" in case["expected"])


def test_several_frames_in_one_dump() -> None:
    first, second = BY_NAME["position-2011"], BY_NAME["login-2019"]
    lines = Decoder().lines(first + second + b"\r\n" + second[:-4])
    assert [line.get("message") for line in lines[:2]] == ["position", "login"]
    assert lines[2]["error"] == "the frame does not end; expected 5d"
    lines = Decoder().lines(b"junk" + first + second[:20] + second)
    assert [line.get("error", line.get("message")) for line in lines] == [
        "bytes outside of a frame",
        "position",
        "a frame begins before this one has ended",
        "login",
    ]


def test_the_edition_can_be_told() -> None:
    data = BY_NAME["keep-alive-2019"]
    assert "error" not in Decoder("2019").lines(data)[0]
    (line,) = Decoder("2011").lines(data)
    assert line["version"] == "2011"
    assert line["body"] == {"extra": "000000006a4cdb80"}


@given(st.binary(max_size=120))
def test_any_bytes_give_lines(data: bytes) -> None:
    for line in Decoder(cipher=Cipher(1, 2, 3)).lines(data):
        assert "error" in line or "message_id" in line
        json.dumps(line)


@given(st.sampled_from(sorted(BY_NAME)), st.data())
def test_spoilt_frames_give_lines(name: str, data: st.DataObject) -> None:
    spoilt = bytearray(BY_NAME[name])
    for _ in range(data.draw(st.integers(1, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    for line in Decoder().lines(bytes(spoilt)):
        json.dumps(line)


def mucktrack(*arguments: str, text: str = "") -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", "jt809", "decode", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).resolve().parents[3],
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_the_command() -> None:
    position, secret = BY_NAME["position-2011"].hex(), BY_NAME["encrypted"].hex()
    code, (line,), _ = mucktrack(position.upper())
    assert code == 0
    assert line["body"]["plate"] == "浙B12345"
    constants = ("--m1", "56107078", "--ia1", "37382110", "--ic1", "50361430")
    code, lines, _ = mucktrack(*constants, text=f"{position}\n\n{secret}\nzz\n")
    assert code == 1
    assert [line.get("message") for line in lines] == ["position", "position", None]
    assert "no hex" in lines[2]["error"]
    code, _, said = mucktrack("--m1", "1", position)
    assert code == 2
    assert "--m1, --ia1 and --ic1 go together" in said
    code, _, said = mucktrack("--m1", "4294967296", position)
    assert code == 2


def test_no_field_hides_one_of_what_is_around_it() -> None:
    around = {"plate", "colour", "sub_id", "surplus"}
    for version, subs in SUB_MESSAGES.items():
        for layouts in subs.values():
            for layout in layouts:
                names = {name for name, _ in fields_of(layout)}
                hidden = names & around
                # Alarms of 2019 are of no vehicle: their plate stands in them alone.
                assert not hidden or (version == "2019" and hidden == {"plate", "colour"}), layout
