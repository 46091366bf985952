"""What a platform asks of a terminal, and the answers: parameters, location, parts sent again."""

from struct import Struct as Layout

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version

_RESEND = Layout(">HB")
_PARAMETERS = Layout(">HB")
_PARAMETER = Layout(">IB")


class Resend(msgspec.Struct, gc=False):
    """Parts of a message are to be sent again (0x8003; 0x0005 from the terminal, 2019)."""

    serial: int
    """Of the message's first part."""
    parts: list[int]
    """Their numbers, from 1 on."""
    wide: bool = False
    """Whether their count is a word, as 2019 has it, and no byte."""


class QueryParameters(msgspec.Struct, gc=False):
    """0x8104: all of them."""


class QueryLocation(msgspec.Struct, gc=False):
    """0x8201."""


class Parameter(msgspec.Struct, gc=False):
    parameter_id: int
    value: bytes


class Parameters(msgspec.Struct, gc=False):
    """A terminal's parameters (0x0104)."""

    serial: int
    """Of the query."""
    parameters: list[Parameter]
    count: int | None = None
    """As told, where that is not how many there are."""


def read_resend(data: bytes, version: Version) -> Resend:
    """The count is a byte, in 2019 a word, and peers mix that up: bytes of an even number are those
    with a word."""
    if len(data) < _RESEND.size:
        raise ProtocolError(f"{len(data)} bytes are too short for a request to send parts again")
    wide = len(data) % 2 == 0
    start = 4 if wide else 3
    count = int.from_bytes(data[2:start], "big")
    if len(data) != start + 2 * count:
        raise ProtocolError(f"{count} numbers of parts have {len(data) - start} bytes, not 2 each")
    numbers = [int.from_bytes(data[at : at + 2], "big") for at in range(start, len(data), 2)]
    return Resend(int.from_bytes(data[:2], "big"), numbers, wide)


def write_resend(resend: Resend, version: Version) -> bytes:
    most = 0xFFFF if resend.wide else 0xFF
    if len(resend.parts) > most:
        raise ProtocolError(f"{len(resend.parts)} parts; at most {most} are allowed")
    if not all(0 <= number <= 0xFFFF for number in (resend.serial, *resend.parts)):
        raise ProtocolError("a serial or a part's number; allowed are 0 to 65535")
    count = len(resend.parts).to_bytes(2 if resend.wide else 1, "big")
    numbers = b"".join(number.to_bytes(2, "big") for number in resend.parts)
    return resend.serial.to_bytes(2, "big") + count + numbers


def read_parameters(data: bytes, version: Version) -> Parameters:
    if len(data) < _PARAMETERS.size:
        raise ProtocolError(f"{len(data)} bytes are too short for parameters; 3 and more are")
    serial, told = _PARAMETERS.unpack_from(data)
    parameters = read_parameter_list(data[3:])
    return Parameters(serial, parameters, None if told == len(parameters) else told)


def read_parameter_list(data: bytes) -> list[Parameter]:
    """Id 4, length 1, value, to the end. Raises `ProtocolError`."""
    parameters, at = [], 0
    while at < len(data):
        if at + _PARAMETER.size > len(data):
            raise ProtocolError(
                f"a parameter is cut after {len(data) - at} bytes of its 5 and more"
            )
        parameter_id, length = _PARAMETER.unpack_from(data, at)
        at += _PARAMETER.size
        if at + length > len(data):
            raise ProtocolError(
                f"parameter {parameter_id:#x} of {length} bytes has {len(data) - at}"
            )
        parameters.append(Parameter(parameter_id, data[at : at + length]))
        at += length
    return parameters


def write_parameters(body: Parameters, version: Version) -> bytes:
    told = len(body.parameters) if body.count is None else body.count
    if not 0 <= told <= 0xFF or not 0 <= body.serial <= 0xFFFF:
        raise ProtocolError(f"{told} parameters, serial {body.serial}; allowed are 255, 65535")
    return _PARAMETERS.pack(body.serial, told) + write_parameter_list(body.parameters)


def write_parameter_list(parameters: list[Parameter]) -> bytes:
    written = bytearray()
    for one in parameters:
        if not 0 <= one.parameter_id <= 0xFFFFFFFF or len(one.value) > 0xFF:
            raise ProtocolError(
                f"parameter {one.parameter_id:#x} of {len(one.value)} bytes; "
                "allowed are ids of 4 bytes, values of 255"
            )
        written += _PARAMETER.pack(one.parameter_id, len(one.value)) + one.value
    return bytes(written)
