"""`mucktrack jt808 decode` and `encode` from outside: arguments, pipes, exit codes."""

import json
import subprocess
import sys
from typing import Any

from conftest import ROOT


def run(*arguments: str, given: str | bytes | None = None) -> tuple[int, list[str], str]:
    """Exit code, lines of standard output, standard error."""
    text = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", "jt808", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        input=b"" if text is None else text,
        timeout=60,
    )
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


def decoded(*arguments: str, given: str | bytes | None = None) -> tuple[int, list[dict[str, Any]]]:
    code, lines, errors = run("decode", *arguments, given=given)
    assert errors == ""
    return code, [json.loads(line) for line in lines]


def framed(payload: str) -> str:
    check = 0
    for byte in bytes.fromhex(payload):
        check ^= byte
    inner = payload + f"{check:02x}"
    escaped = {"7e": "7d02", "7d": "7d01"}
    pairs = [inner[at : at + 2] for at in range(0, len(inner), 2)]
    return "7e" + "".join(escaped.get(pair, pair) for pair in pairs) + "7e"


BEAT = framed("000200000138123456780001")
PLACE = framed(
    "02000022" + "013812345678" + "0002" + "0000000000000003" + "01c7d7f2073ed4d1"
    "001001c2010e" + "260301221559" + "010400012345"
)


def test_a_location_is_told_in_its_units() -> None:
    code, (line,) = decoded(PLACE)
    assert code == 0
    head = {
        name: line[name] for name in ("message_id", "version", "phone", "serial", "checksum_ok")
    }
    assert head == {
        "message_id": "0x0200",
        "version": "2013",
        "phone": "013812345678",
        "serial": 2,
        "checksum_ok": True,
    }
    body = line["body"]
    assert (body["lat"], body["lon"], body["speed_kmh"]) == (29.874162, 121.558225, 45.0)
    assert (body["heading_deg"], body["altitude_m"]) == (270, 16)
    assert (body["time_ms"], body["time"]) == (1772374559000, "2026-03-01T22:15:59+08:00")
    assert (body["alarm_bits"], body["status_bits"], body["located"]) == (0, 3, True)
    assert body["items"] == [
        {"id": "0x01", "value": "00012345", "name": "mileage", "reading": 7456.5, "unit": "km"}
    ]


def test_hex_is_taken_as_people_have_it() -> None:
    (_, (expected,)) = decoded(PLACE)
    spaced = " ".join(PLACE[at : at + 2] for at in range(0, len(PLACE), 2)).upper()
    for arguments in (
        [spaced],
        spaced.split(),
        [PLACE[2:-2]],
        [spaced.replace(" ", ":")],
        [f"0x{PLACE}"],
        [", ".join(f"0x{pair}" for pair in spaced.split())],
    ):
        assert decoded(*arguments) == (0, [expected])
    assert decoded(given=f"\n{spaced}\r\n\n{PLACE}") == (0, [expected, expected])
    assert decoded(given=f"{BEAT}{PLACE}")[1][1] == expected
    assert decoded(given=f"\ufeff{PLACE}\r\n") == (0, [expected])


def test_an_error_is_told_in_its_place_and_in_the_exit_code() -> None:
    bad_sum = BEAT[:-4] + "007e"
    given = f"{BEAT}\nnothing\n{BEAT[:20]}\n7e0\n{bad_sum}\n{PLACE}\n".encode() + b"\xff\xfe\n"
    code, lines = decoded(given=given)
    assert code == 1
    assert ["error" in line for line in lines] == [False, True, True, True, False, False, True]
    assert lines[1]["error"].startswith("no hex")
    assert lines[1]["text"] == "nothing"
    assert lines[2]["frame"] == BEAT[:20] + "7e"
    assert "odd" in lines[3]["error"]
    assert lines[4]["checksum_ok"] is False
    assert decoded(BEAT, PLACE)[0] == 0


def test_a_wrong_checksum_alone_is_no_failure() -> None:
    code, (line,) = decoded(BEAT[:-4] + "007e")
    assert code == 0
    assert line["checksum_ok"] is False
    assert line["message"] == "heartbeat"


def test_the_edition_that_no_header_tells_is_an_option() -> None:
    register = framed(
        "01000021" + "013812345678" + "0003" + "002100c9" + "3730313033" + "4d54202020202020"
        "41303030303432" + "02" + "d5e3423132333435"
    )
    assert decoded(register)[1][0]["version"] == "2013"
    code, (line,) = decoded("--version", "2011", register)
    assert (code, line["version"], line["body"]["layout"]) == (0, "2011", "2011")
    assert line["body"]["plate"] == "浙B12345"
    assert run("decode", "--version", "2019", register)[0] == 2


def parts() -> list[str]:
    body = "000101" + "001c" + "00" * 28
    pieces = [body[:30], body[30:]]
    return [
        framed(
            f"0704{len(piece) // 2 | 0x2000:04x}0138123456780{number:03x}0002000{number}" + piece
        )
        for number, piece in enumerate(pieces, 1)
    ]


def test_parts_are_told_each_and_put_together() -> None:
    code, lines = decoded(*parts())
    assert code == 0
    assert [(line.get("part"), line.get("parts")) for line in lines] == [
        (1, 2),
        (2, 2),
        (None, None),
    ]
    assert lines[2]["assembled_from"] == [1, 2]
    assert lines[2]["body"]["count"] == 1
    _, told, _ = run("decode", *parts())
    assert run("encode", given="\n".join(told)) == (0, parts(), "")


def test_what_is_decoded_is_encoded_to_the_same_bytes() -> None:
    frames = [BEAT, PLACE, *parts(), BEAT[:-4] + "007e"]
    _, told, _ = run("decode", given="\n".join(frames))
    assert run("encode", given="\n".join(told)) == (0, frames, "")


def test_a_message_written_by_hand() -> None:
    line = {
        "message_id": "0x0200",
        "version": "2013",
        "phone": "13812345678",
        "serial": 2,
        "body": {
            "lat": 29.874162,
            "lon": 121.558225,
            "speed_kmh": 45,
            "heading_deg": 270,
            "altitude_m": 16,
            "time_ms": 1772374559000,
            "status_bits": 3,
            "items": [{"id": "0x01", "value": "00012345"}],
        },
    }
    assert run("encode", given=json.dumps(line)) == (0, [PLACE], "")


def test_a_changed_field_counts_more_than_the_frame_it_came_in() -> None:
    frame = BEAT[:-4] + "007e"
    _, (told,), _ = run("decode", frame)
    line = json.loads(told)
    assert line["frame"] == frame
    line["serial"] = 1
    line["checksum_ok"] = True
    assert run("encode", given=json.dumps(line)) == (0, [BEAT], "")


def test_lines_that_are_no_message_are_told_with_their_number() -> None:
    given = '{"message_id":"0x0002"}\nnonsense\n\n[]\n{"error":"x"}\n'
    code, lines, errors = run("encode", given=given)
    assert (code, lines) == (1, [])
    assert [error.split(":")[0] for error in errors.splitlines()] == [
        "line 1", "line 2", "line 4", "line 5",
    ]  # fmt: skip
    assert "Traceback" not in errors


def encoded(message_id: str, body: dict[str, Any], version: str = "2013") -> tuple[str, str]:
    """The frame, or what is said of the message."""
    line = {
        "message_id": message_id,
        "version": version,
        "phone": "13812345678",
        "serial": 1,
        "body": body,
    }
    _, frames, errors = run("encode", given=json.dumps(line))
    return "".join(frames), errors


def test_the_edition_decides_what_is_not_said() -> None:
    """By hand nobody writes the layout."""
    said = {
        "province": 33,
        "city": 203,
        "maker": "70111",
        "model": "MT-1",
        "terminal_id": "A1",
        "plate_colour": 2,
        "plate": "浙B12345",
    }
    for version, fixed in (("2011", 25), ("2013", 37), ("2019", 76)):
        frame, _ = encoded("0x0100", said, version)
        (line,) = decoded("--version", "2011" if version == "2011" else "2013", frame)[1]
        assert line["body"] == said | {"layout": version}
        assert int(frame[6:10], 16) & 0x3FF == fixed + 8
    frame, _ = encoded("0x0102", {"code": "abc"}, "2019")
    assert decoded(frame)[1][0]["body"] == {"code": "abc", "imei": "", "software": ""}
    alone, _ = encoded("0x0102", {"code": "abc", "imei": None}, "2019")
    (line,) = decoded(alone)[1]
    assert line["body"] == {"code": "abc", "imei": None}
    assert run("encode", given=json.dumps(line))[1] == [alone]


def test_what_is_wrong_with_a_message_is_named() -> None:
    place = {"lat": 29.1, "lon": 121.1, "status_bits": 3}
    for body, said in (
        (place | {"speed_kmh": -3}, "speed_kmh -3.0; allowed are 0 to 6553.5"),
        (place | {"speedkmh": 3}, "body has no 'speedkmh'; allowed are lat, lon, speed_kmh,"),
        (place | {"lat": 3000}, "lat 3000"),
    ):
        frame, errors = encoded("0x0200", body)
        assert frame == ""
        assert said in errors
    _, errors = encoded("0x0200", place, "2014")
    assert "message.version is '2014'; expected one of 2011, 2013, 2019" in errors
    for item_id in (0x31, "0x31", "31"):
        frame, _ = encoded("0x0200", place | {"items": [{"id": item_id, "value": "0c"}]})
        assert frame[-10:-4] == "31010c"


def test_a_frame_is_told_before_the_next_one_comes() -> None:
    command = [sys.executable, "-m", "mucktrack", "jt808", "decode"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as decoder:
        assert decoder.stdin is not None
        assert decoder.stdout is not None
        decoder.stdin.write(f"{BEAT}\n".encode())
        decoder.stdin.flush()
        assert json.loads(decoder.stdout.readline())["message"] == "heartbeat"
