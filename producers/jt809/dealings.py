"""Bodies of what offices and platforms have to do with each other: posts, alarms, supervision.

JT/T 809, sub messages of 0x1300 to 0x1600 and of 0x9300 to 0x9600. Called by
`producers.jt809.table`.
"""

from typing import Annotated

from producers.jt809.fields import (
    U8,
    U16,
    U32,
    U64,
    Bcd,
    Layout,
    LongBytes,
    LongText,
    Record,
    Rest,
    RestText,
    Text,
)
from producers.jt809.numeral import Numeral
from producers.jt809.vehicles import Position2011, Position2019


class PostAnswer(Layout):
    """0x1301 of 2011: whether somebody is at the post."""

    object_type: U8
    object_id: Annotated[str, Text(12)]
    info_id: U32
    content: LongText


class PostAnswer2019(Layout):
    """0x1301 of 2019."""

    object_type: U8
    responder: Annotated[str, Text(16)]
    responder_tel: Annotated[str, Text(20)]
    object_id: Annotated[str, Text(20)]
    request_sub_id: U16
    request_serial: U32
    content: LongText


class InfoAnswer(Layout):
    """0x1302 of 2011: a message between platforms has been received."""

    info_id: U32


class InfoAnswer2019(Layout):
    """0x1302 of 2019."""

    request_sub_id: U16
    request_serial: U32


class PostQuery(Layout):
    """0x9301 and 0x9302 of 2011: is somebody at the post; a message between platforms."""

    object_type: U8
    object_id: Annotated[str, Text(12)]
    info_id: U32
    content: LongText


class PostQuery2019(Layout):
    """0x9301 of 2019: with the seconds there are for an answer."""

    object_type: U8
    object_id: Annotated[str, Text(20)]
    answer_within_s: U8
    info_id: U32
    content: LongText


class SendAgain2019(Layout):
    """0x1303 and 0x9303 of 2019: messages that were missed are to be sent again."""

    wanted_sub_id: U16
    count: U8
    first_serial: U32
    last_serial: U32
    since_s: U64


class Alarm(Layout):
    """0x1402 of 2011: a vehicle's alarm. Times are Unix epoch seconds UTC."""

    source: U8
    kind: U16
    time_s: U64
    info_id: U32
    content: LongText


class Alarm2019(Layout):
    """0x1402 of 2019."""

    source_platform: Annotated[str, Text(11)]
    kind: U16
    time_s: U64
    start_s: U64
    end_s: U64
    plate: Annotated[str, Text(21)]
    colour: U8
    target_platform: Annotated[str, Text(11)]
    route_id: U32
    content: LongText


class AlarmTip2019(Layout):
    """0x1403, 0x9402 and 0x9403 of 2019: like 0x1402, but with platforms' ids as numbers."""

    source_platform: Annotated[str, Numeral(11)]
    kind: U16
    time_s: U64
    start_s: U64
    end_s: U64
    plate: Annotated[str, Text(21)]
    colour: U8
    target_platform: Annotated[str, Numeral(11)]
    route_id: U32
    content: LongText


class AlarmSettled(Layout):
    """0x1401 and 0x1403 of 2011: what came of an alarm."""

    info_id: U32
    result: U8


class Supervision(Layout):
    """0x9401 of 2011: an office wants an alarm dealt with."""

    source: U8
    kind: U16
    time_s: U64
    supervision_id: U32
    end_s: U64
    level: U8
    supervisor: Annotated[str, Text(16)]
    supervisor_tel: Annotated[str, Text(20)]
    supervisor_email: Annotated[str, Text(32)]


class Supervised2019(Layout):
    """0x1413 of 2019: the lower platform has had an alarm seen to."""

    source_platform: Annotated[str, Numeral(11)]
    time_s: U64
    request_sub_id: U16
    request_serial: U32
    end_s: U64
    level: U8
    supervisor: Annotated[str, Text(16)]
    supervisor_tel: Annotated[str, Text(20)]
    supervisor_email: Annotated[str, Text(32)]


class AlarmNotice(Layout):
    """0x9402 and 0x9403 of 2011: an alarm told by the upper platform."""

    source: U8
    kind: U16
    time_s: U64
    content: LongText


class Photo(Layout):
    """0x1502 of 2011: a picture and where it was taken."""

    answer: U8
    position: Annotated[Position2011, Record(Position2011)]
    camera: U8
    photo_length: U32
    size: U8
    format: U8
    photo: Annotated[bytes, Rest()]


class Photo2019(Layout):
    """0x1502 of 2019."""

    request_sub_id: U16
    request_serial: U32
    answer: U8
    position: Annotated[Position2019, Record(Position2019)]
    camera: U8
    photo_length: U32
    size: U8
    format: U8
    photo: Annotated[bytes, Rest()]


class TextAnswer(Layout):
    """0x1503 of 2011: whether a text reached the vehicle."""

    message_serial: U32
    result: U8


class Journey(Layout):
    """0x1504 of 2011: a driving recorder's data."""

    command: U8
    data: LongBytes


class BareJourney(Layout):
    """0x1504 of 2011 as other platforms send it: the command stands in the data alone."""

    data: LongBytes


class Journey2019(Layout):
    """0x1504 of 2019."""

    request_sub_id: U16
    request_serial: U32
    command: U8
    data: LongBytes


class VehicleInfo(Layout):
    """0x1601 of 2011: what is known of a vehicle."""

    info: Annotated[str, RestText()]


class VehicleInfo2019(Layout):
    """0x1601 of 2019."""

    request_sub_id: U16
    request_serial: U32
    info: Annotated[str, RestText()]


class Listen(Layout):
    """0x9501: call this number, so that the cab can be heard."""

    telephone: Annotated[str, Text(20)]


class TakePhoto(Layout):
    """0x9502."""

    camera: U8
    size: U8


class TextToVehicle(Layout):
    """0x9503."""

    message_serial: U32
    priority: U8
    content: LongText


class JourneyRequest(Layout):
    """0x9504 of 2011: the driving recorder's data are wanted."""

    command: U8


class JourneyRequest2019(Layout):
    """0x9504 of 2019."""

    start_s: U64
    end_s: U64
    command: U8


class EmergencyAccess(Layout):
    """0x9505: a vehicle is to report to this server for some time."""

    authentication_code: Annotated[str, Bcd(10)]
    access_point: Annotated[str, Text(20)]
    user: Annotated[str, Text(49)]
    password: Annotated[str, Text(22)]
    server_ip: Annotated[str, Text(32)]
    tcp_port: U16
    udp_port: U16
    end_s: U64
