"""What another project's unit tests say of JT/T 809: which of our values each assertion is about.

The file lies beside the checkout (`shared/vectors/jt809_frames.json`) and is no part of it.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from producers.jt809.cipher import Cipher

CIPHERS = {
    20180920: Cipher(30_000_000, 20_000_000, 20_000_000),
    86896940: Cipher(56_107_078, 37_382_110, 50_361_430),
}
"""As the file tells them (`encrypt_options`), by the access codes of the frames."""

NAMES = {
    "AVItemType": "media",
    "AVitemType": "media",
    "AccessPointName": "access_point",
    "Alarm": "alarm_bits",
    "Alarm1": "alarm_1",
    "Alarm2": "alarm_2",
    "Alarm3": "alarm_3",
    "AlarmType": "alarm_bits",
    "Altitude": "altitude_m",
    "AuthenticationCode": "authentication_code",
    "AuthorizeCode": "code",
    "AuthorizeCode1": "code_1",
    "AuthorizeCode2": "code_2",
    "BusinessType": "message_id",
    "CarInfo": "info",
    "ChannelId": "channel",
    "Command": "command",
    "CommandType": "command",
    "DRVLineId": "route_id",
    "DataLength": "length",
    "Day": "day",
    "DestinationPlatformId": "target_platform",
    "Direction": "heading_deg",
    "DownLinkIP": "down_link_ip",
    "DownLinkPort": "down_link_port",
    "DriverID": "identity",
    "DriverName": "name",
    "Encrypt": "encrypted",
    "EncryptFlag": "encrypted",
    "EncryptKey": "key",
    "EndTime": "end_s",
    "FilePath": "path",
    "FileSize": "size_bytes",
    "GnssData": "position",
    "Hour": "hour",
    "IMIEId": "imei",
    "InfoContent": "content",
    "InfoID": "info_id",
    "Lat": "lat",
    "LensID": "camera",
    "Licence": "licence",
    "Lon": "lon",
    "MemType": "storage",
    "Minute": "minute",
    "MonitorTel": "telephone",
    "Month": "month",
    "MsgContent": "content",
    "MsgGNSSCENTERID": "centre_id",
    "MsgLength": "length",
    "MsgPriority": "priority",
    "MsgSN": "serial",
    "MsgSequence": "message_serial",
    "ObjectID": "object_id",
    "ObjectType": "object_type",
    "OrgName": "issuer",
    "Password": "password",
    "PhotoRspFlag": "answer",
    "PlateFormId": "platform_id",
    "PlateformId": "platform_id",
    "PlatformId1": "platform_1",
    "PlatformId2": "platform_2",
    "PlatformId3": "platform_3",
    "ProducerId": "producer_id",
    "Result": "result",
    "Second": "second",
    "ServerIP": "server_ip",
    "ServerIp": "server_ip",
    "ServerPort": "server_port",
    "SessionId": "session",
    "SizeType": "size",
    "SourceDataType": "request_sub_id",
    "SourceMsgSN": "request_serial",
    "SourceMsgSn": "request_serial",
    "SourcePlatformId": "source_platform",
    "StartTime": "start_s",
    "State": "status_bits",
    "StreamType": "stream",
    "SubBusinessType": "sub_id",
    "SupervisionEndTime": "end_s",
    "SupervisionID": "supervision_id",
    "SupervisionLevel": "level",
    "Supervisor": "supervisor",
    "SupervisorEmail": "supervisor_email",
    "SupervisorTel": "supervisor_tel",
    "TcpPort": "tcp_port",
    "TerminalId": "terminal_id",
    "TerminalModelType": "terminal_model",
    "TerminalSimCode": "sim",
    "Time": "time_s",
    "Type": ("format", "command"),
    "UdpPort": "udp_port",
    "UserId": "user_id",
    "UserName": "user",
    "ValidDate": "valid_until_s",
    "Vec1": "speed_kmh",
    "Vec2": "recorder_speed_kmh",
    "Vec3": "mileage_km",
    "VehicleColor": "colour",
    "VehicleNo": "plate",
    "VerifyCode": "verify_code",
    "Version": "protocol",
    "WarnContent": "content",
    "WarnSrc": "source",
    "WarnTime": "time_s",
    "WarnType": "kind",
    "Year": "year",
}
"""Their names and ours."""

ENUMS = {
    "主链路车辆动态信息交换业务": 0x1200,
    "主链路时效口令业务类": 0x1700,
    "Common": True,
    "JT809Header_Encrypt.None": False,
    "黄色": 2,
    "蓝色": 1,
    "白色": 4,
    "未加密": 0,
    "已加密": 1,
    "时效口令上报消息": 0x1701,
    "时效口令请求消息": 0x1702,
    "时效口令请求应答消息": 0x9702,
    "实时音视频请求应答消息": 0x1801,
    "主动请求停止实时音视频传输应答消息": 0x1802,
    "主动上传音视频资源目录信息消息": 0x1901,
    "远程录像下载通知消息": 0x1B02,
    "实时音视频请求消息": 0x9801,
    "远程录像下载请求消息": 0x9B01,
    "远程录像下载控制消息": 0x9B03,
    "从链路静态信息交换消息": 0x9600,
    "主链路登录请求消息": 0x1001,
    "成功": 0,
    "失败": 1,
    "继续": 1,
    "上传车辆注册信息": 0x1201,
    "车载终端": 1,
    "偏离路线报警": 0x0B,
    "疲劳驾驶报警": 2,
    "完成拍照": 1,
    "_320x240": 1,
    "jpg": 1,
    "记录仪唯一性编号": 7,
    "采集记录仪事故疑点记录": 0x10,
    "无该车辆": 1,
    "其它": 2,
    "下级平台所属单一业户": 2,
    "一般": 1,
}
"""Numbers of the words their assertions use, by the standard's tables; by the end of the word."""

CODES = "0123456789" * 6 + "0123"
VARIABLES = {
    "PlateFormIds": "01234567890",
    "AuthorizeCodes": CODES,
    "AuthorizeCode1s": CODES,
    "AuthorizeCode2s": CODES,
    "GnssDatas": bytes(range(36)),
    "new JT809Header_Version(1, 0, 0).ToString()": (1, 0, 0),
    "new JT809Header_Version().ToString()": (1, 0, 0),
}
"""What the names of variables in their assertions stand for."""

_VARIABLE_OF = {
    "PlateFormIds": "PlateFormId",
    "AuthorizeCodes": "AuthorizeCode",
    "AuthorizeCode1s": "AuthorizeCode1",
    "AuthorizeCode2s": "AuthorizeCode2",
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
_INDEX = re.compile(r"\[(\d+)\]|vehiclePosition(\d+)\.")


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((path / "vectors" / "jt809_frames.json").read_bytes())
    return loaded


def name_of(case: dict[str, Any]) -> str:
    return f"{Path(case['source']['path']).stem}-{case['source']['test']}"


def leaves(value: object) -> Iterator[tuple[str, int | None, Any]]:
    """Every value of a message: its name, its number where it is in a list, itself."""
    for name in value.__struct_fields__ if isinstance(value, msgspec.Struct) else ():
        one = getattr(value, name)
        yield name, None, one
        if isinstance(one, list):
            for number, record in enumerate(one):
                for inner, _, leaf in leaves(record):
                    yield inner, number, leaf
        else:
            yield from leaves(one)


def attribute(expression: str) -> str:
    """What an assertion is about: the last name of `(byte)a.b[0].Name.ToByteValue()`."""
    last = re.sub(r"\.To\w+\(\)?$", "", expression).rsplit(".", 1)[-1].removesuffix(")")
    return _VARIABLE_OF.get(last, last)


def found(value: object, expression: str, *, exact: bool = False) -> list[Any]:
    """Our values that an assertion about `expression` is about.

    `exact`: without a number in it, it is about nothing in a list.
    """
    last = attribute(expression)
    index = None
    if (match := _INDEX.search(expression)) is not None:
        index = int(match[1]) if match[1] else int(match[2]) - 1
    ours = NAMES[last] if isinstance(NAMES[last], tuple) else (NAMES[last],)
    return [
        leaf
        for name, number, leaf in leaves(value)
        if name in ours and (number == index or (index is None and not exact))
    ]


def same(ours: Any, theirs: Any) -> bool:
    """Their value may be a word, a local time, hexadecimal digits or text of a number."""
    if isinstance(theirs, dict):
        theirs = _meant(theirs["enum_or_expr"])
    if isinstance(theirs, bytes) and isinstance(ours, str):
        return ours.encode("gbk") == theirs.strip(b"\0")
    if isinstance(theirs, str):
        if isinstance(ours, tuple):
            return ".".join(map(str, ours)) == theirs
        if isinstance(ours, int) and _DATE.fullmatch(theirs):
            return ours == _seconds(theirs)
        if isinstance(ours, int):
            return f"{ours:08X}" == theirs
    return bool(ours == theirs)


def _meant(word: str) -> Any:
    if word in VARIABLES:
        return VARIABLES[word]
    if (match := re.fullmatch(r'Convert\.ToDateTime\("(.*)"\)', word)) is not None:
        return match[1]
    if (match := re.fullmatch(r"new byte\[\d+\] ?\{(.*)\}", word)) is not None:
        return bytes(int(byte, 16) for byte in match[1].split(","))
    if word == "new byte[64]":
        return bytes(64)
    word = word.removesuffix(".ToUInt16Value()")
    return ENUMS[word] if word in ENUMS else ENUMS[word.rsplit(".", 1)[-1]]


def _seconds(local: str) -> int:
    """Their tests run in China."""
    if len(local) == 10:
        local += " 00:00:00"
    at = datetime.strptime(local, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp()) - 8 * 3600


def cipher_of(centre_id: int) -> Cipher | None:
    return CIPHERS.get(centre_id)
