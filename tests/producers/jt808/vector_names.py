"""What other projects' tests call a field, and where it stands in what is decoded here.

Data for `test_shared_vectors`: per source and message, their name -> path of ours. In a path, `[]`
is the index that they gave, or any where they gave none; `#` the length; `a:b` a slice of bytes;
`*n` a factor; `**` any depth. Several paths: any of them. Their indices are left out of the names.
"""

from typing import Final

Paths = str | tuple[str, ...]
Names = dict[str, Paths]

LOCATION: Final[Names] = {
    "alarm_bits": ("alarm_bits", "**.alarm_bits"),
    "status_bits": ("status_bits", "**.status_bits"),
    "lat": ("lat", "**.lat"),
    "lon": ("lon", "**.lon"),
    "lat_raw": ("lat*1000000", "**.lat*1000000"),
    "lon_raw": ("lon*1000000", "**.lon*1000000"),
    "altitude_m": ("altitude_m", "**.altitude_m"),
    "speed_kmh": ("speed_kmh", "**.speed_kmh"),
    "speed_raw_0p1kmh": ("speed_kmh*10", "**.speed_kmh*10"),
    "course": ("heading_deg", "**.heading_deg"),
    "time_gmt8": ("time_ms", "**.time_ms"),
}
EXPECTED: Final[Names] = {
    **LOCATION,
    "serial": ("header.serial", "**.serial", "**.answers_serial"),
    "terminal_phone": "header.bare_phone",
    "msg_id": "header.message_id",
    "protocol_version": "header.protocol_version",
}
"""`expected`, the same for all sources."""

# --- yezhihao/jt808-server: decoded_json --------------------------------------------------------

_YEZHIHAO_PLACE: Final[Names] = {
    "warnBit": "alarm_bits",
    "statusBit": "status_bits",
    "latitude": "lat*1000000",
    "longitude": "lon*1000000",
    "altitude": "altitude_m",
    "speed": "speed_kmh*10",
    "direction": "heading_deg",
    "deviceTime": "time_ms",
}
_YEZHIHAO_MARK: Final[Names] = {
    "deviceId": "{0}.terminal_id",
    "dateTime": "{0}.time",
    "sequenceNo": "{0}.number",
    "fileTotal": "{0}.attachments",
    "reserved": "{0}.reserved",
}
_YEZHIHAO_ALARM: Final[Names] = {
    "id": "alarm_id",
    "state": "state|state",
    "type": "kind",
    "level": "level",
    "frontSpeed": "speed_ahead_kmh",
    "frontDistance": "distance_ahead_100ms",
    "deviateType": "deviation",
    "roadSign": "road_sign",
    "roadSignValue": "road_sign_value",
    "fatigueDegree": "fatigue",
    "speed": "speed_kmh",
    "altitude": "altitude_m",
    "latitude": "lat*1000000",
    "longitude": "lon*1000000",
    "alarmTime": "time_ms",
    "statusBit": "vehicle_status_bits",
    "deviceId": "terminal_id",
    "dateTime": "identified_ms",
    "sequenceNo": "number",
    "fileTotal": "files",
}


def _below(prefix: str, names: Names, theirs: str = "") -> Names:
    """The names inside something of theirs, which is below `prefix` here."""
    return {f"{theirs}{name}": f"{prefix}.{path}" for name, path in names.items()}


def _formed(names: Names, prefix: str) -> Names:
    return {name: str(path).format(prefix) for name, path in names.items()}


_EVERY: Final[Names] = {
    "messageId": "header.message_id",
    "properties": "header.attributes",
    "protocolVersion": "header.protocol_version",
    "clientId": "header.bare_phone",
    "serialNo": "header.serial",
    "verified": "header.checksum_ok",
    "responseSerialNo": ("answers_serial", "serial"),
}
_SPAN: Final[Names] = {"startTime": "start", "endTime": "end"}
_SERVER: Final[Names] = {"ip": "server", "tcpPort": "tcp_port", "udpPort": "udp_port"}
_MEDIA: Final[Names] = {
    "channelNo": "channel",
    "mediaType": "media",
    "streamType": "stream",
    "storageType": "storage",
}
_AREA: Final[Names] = {
    "id": "id",
    "attribute": "attributes",
    **_SPAN,
    "maxSpeed": "top_speed_kmh",
    "duration": "overspeed_s",
    "nightMaxSpeed": "night_top_speed_kmh",
    "name": "name",
}
_POINT: Final[Names] = {"latitude": "lat_abs*1000000", "longitude": "lon_abs*1000000"}
_STREAM: Final[Names] = {
    f"{theirs}{name}": f"{ours}_{path}"
    for theirs, ours in (("realtime", "live"), ("storage", "stored"))
    for name, path in {
        "Encode": "encoding_mode",
        "Resolution": "resolution",
        "FrameInterval": "key_frame_interval",
        "FrameRate": "frame_rate",
        "BitRate": "bit_rate_kbps",
    }.items()
}
_CAMERA: Final[Names] = {
    "p00": "speed_threshold_kmh",
    "p01": "volume",
    "p02": "photo_strategy",
    "p03": "photo_interval_s",
    "p05": "photo_distance_0p1km",
    "p07": "photos",
    "p08": "photo_spacing_0p1s",
    "p09": "photo_resolution",
    "p10": "video_resolution",
    "p11": "alarms_enabled",
    "p15": "events_enabled",
    "p19": "thresholds.0:1",
}
"""They name the fields by their offsets; those from 19 on are bytes here."""
_AHEAD: Final[Names] = {
    **_CAMERA,
    **{f"p{at}": f"thresholds.{at - 19}:{at - 18}" for at in range(20, 57)},
}
_DRIVER: Final[Names] = {
    **_CAMERA,
    "p19": "thresholds.0:2",
    "p21": "thresholds.2:4",
    "p23": "thresholds.4:7",
    **{f"p{at}": f"thresholds.{at - 19}:{at - 18}" for at in range(26, 65)},
}

YEZHIHAO: Final[dict[str, Names]] = {
    "": _EVERY,
    "0x0100": {
        "provinceId": "province",
        "cityId": "city",
        "makerId": "maker",
        "deviceModel": "model",
        "deviceId": "terminal_id",
        "plateColor": "plate_colour",
        "plateNo": "plate",
    },
    "0x0107": {
        "deviceType": "terminal_kind_bits",
        "makerId": "maker_id",
        "deviceModel": "model",
        "deviceId": "terminal_id",
        "iccid": "iccid",
        "hardwareVersion": "hardware_version",
        "firmwareVersion": "firmware_version",
        "gnssAttribute": "gnss_bits",
        "networkAttribute": "network_bits",
    },
    "0x0200": {
        **_YEZHIHAO_PLACE,
        **{f"attributes.{item}": f"items.{item}" for item in (1, 2, 3, 4, 6, 37, 42, 43, 48, 49)},
        "attributes.5.value": "items.5",
        "attributes.17.areaType": "items.17.0:1",
        "attributes.17.areaId": "items.17.1:5",
        "attributes.18.areaType": "items.18.0:1",
        "attributes.18.areaId": "items.18.1:5",
        "attributes.18.direction": "items.18.5:6",
        "attributes.19.areaId": "items.19.0:4",
        "attributes.19.driveTime": "items.19.4:6",
        "attributes.19.result": "items.19.6:7",
        **{
            name: path
            for item in (100, 101, 102, 103)
            for name, path in _below(
                f"meanings.{item}", _YEZHIHAO_ALARM, f"attributes.{item}."
            ).items()
        },
        "attributes.101.reserves": "items.101.8:12",
        **{f"attributes.{item}.reserved": f"items.{item}.-2:" for item in (100, 101, 103)},
        "attributes.102.reserved": "items.102.-3:-1",
    },
    "0x0303": {"type": "kind", "action": "ordered"},
    "0x0702": {
        "status": "card",
        "dateTime": "card_time",
        "cardStatus": "card_read",
        "name": "name",
        "licenseNo": "licence",
        "institution": "authority",
        "licenseValidPeriod": "valid_until",
        "idCard": "identity_card",
    },
    "0x0705": {
        "total": "count",
        "dateTime": "received_hhmmssms|seconds",
        "items.id": "frames.[].can_id",
        "items.data": "frames.[].data",
    },
    "0x0801": {
        "id": "id",
        "type": "kind",
        "format": "format",
        "event": "event",
        "channelId": "channel",
        "packet": "data",
        **_below("location", _YEZHIHAO_PLACE, "location."),
    },
    "0x0802": {
        "items.id": "found.[].id",
        "items.type": "found.[].kind",
        "items.channelId": "found.[].channel",
        "items.event": "found.[].event",
        **_below("found.[].location", _YEZHIHAO_PLACE, "items.location."),
    },
    "0x0901": {"body": "gzip"},
    "0x1003": {
        "audioFormat": "audio_encoding",
        "audioChannels": "audio_channels",
        "audioSamplingRate": "audio_sampling",
        "audioBitDepth": "audio_bits",
        "audioFrameLength": "audio_frame_bytes",
        "audioSupport": "audio_output",
        "videoFormat": "video_encoding",
        "maxAudioChannels": "most_audio_channels",
        "maxVideoChannels": "most_video_channels",
    },
    "0x1005": {**_SPAN, "getOnCount": "got_on", "getOffCount": "got_off"},
    "0x1205": _below(
        "recordings.[]",
        {**_MEDIA, **_SPAN, "warnBit": "alarm_bits", "size": "size_bytes"},
        "items.",
    ),
    "0x1206": {"result": "result"},
    "0x1210": {
        **_formed(_YEZHIHAO_MARK, "mark"),
        "deviceId": "terminal_id",
        "deviceId_": "mark.terminal_id",
        "platformAlarmId": "platform_alarm_id",
        "type": "kind",
        "items": "attachments",
    },
    "0x1211": {"name": "name", "type": "kind", "size": "size_bytes"},
    "0x8003": {"id": "parts"},
    "0x8100": {"resultCode": "result", "token": "code"},
    "0x8103": {
        **_below(
            "by_id.117.value",
            {**_STREAM, "odsConfig": "osd", "audioEnabled": "audio_on"},
            "parameters.117.",
        ),
        **_below(
            "by_id.121.value",
            {
                "storageThreshold": "storage_percent",
                "duration": "duration_min",
                "startTime": "before_min",
            },
            "parameters.121.",
        ),
        **_below(
            "by_id.123.value",
            {"overloadThreshold": "passengers", "fatigueThreshold": "fatigue_threshold"},
            "parameters.123.",
        ),
        **_below(
            "by_id.124.value",
            {
                "mode": "mode",
                "conditionType": "condition",
                "dayOfWeek": "weekdays",
                "timeFlag": "times_used",
                **{f"wakeTime{n}": f"wake_{n}|clock" for n in range(1, 5)},
                **{f"sleepTime{n}": f"sleep_{n}|clock" for n in range(1, 5)},
            },
            "parameters.124.",
        ),
        **_below("by_id.62308.value", _AHEAD, "parameters.62308."),
        **_below("by_id.62309.value", _DRIVER, "parameters.62309."),
        **_below(
            "by_id.62311.value",
            {
                "rearApproachAlarmTimeThreshold": "behind_s",
                "rearSideApproachAlarmTimeThreshold": "beside_s",
            },
            "parameters.62311.",
        ),
    },
    "0x8105": {"command": "command", "parameter": "parameters"},
    "0x8106": {"id": "ids"},
    "0x8202": {"interval": "interval_s", "validityPeriod": "duration_s"},
    "0x8203": {"responseSerialNo": "alarm_serial", "type": "alarm_bits"},
    "0x8300": {"sign": "flags", "type": "kind|or 0", "content": "text"},
    "0x8301": {"type": "action", "events.id": "events.[].id", "events.content": "events.[].text"},
    "0x8302": {
        "sign": "flags",
        "content": "text",
        "options.id": "answers.[].id",
        "options.content": "answers.[].text",
    },
    "0x8303": {
        "type": "action",
        "infos.type": "services.[].kind",
        "infos.name": "services.[].name",
    },
    "0x8304": {"type": "kind", "content": "text"},
    "0x8400": {"type": "flag", "phoneNumber": "phone"},
    "0x8401": {
        "type": "action",
        "contacts.sign": "contacts.[].flag",
        "contacts.phone": "contacts.[].phone",
        "contacts.name": "contacts.[].name",
    },
    "0x8600": {
        "action": "action",
        **_below("areas.[]", {**_AREA, **_POINT, "radius": "radius_m"}, "items."),
    },
    "0x8601": {"id": "ids"},
    "0x8602": {
        "action": "action",
        **_below(
            "areas.[]",
            {
                **_AREA,
                "latitudeUL": "north_west.lat_abs*1000000",
                "longitudeUL": "north_west.lon_abs*1000000",
                "latitudeLR": "south_east.lat_abs*1000000",
                "longitudeLR": "south_east.lon_abs*1000000",
            },
            "items.",
        ),
    },
    "0x8604": {**_AREA, **_below("points.[]", _POINT, "points.")},
    "0x8606": {
        **_AREA,
        **_below(
            "points.[]",
            {
                **_AREA,
                **_POINT,
                "routeId": "section_id",
                "width": "width_m",
                "upperLimit": "longest_s",
                "lowerLimit": "shortest_s",
            },
            "items.",
        ),
    },
    "0x8608": {"type": "kind", "id": "ids"},
    "0x8800": {"mediaId": "id", "id": "missing_parts"},
    "0x8801": {
        "channelId": "channel",
        "command": "command",
        "time": "interval_s",
        "save": "stored",
        **{
            name: name
            for name in (
                "resolution",
                "quality",
                "brightness",
                "contrast",
                "saturation",
                "chroma",
            )
        },
    },
    "0x8802": {"type": "kind", "channelId": "channel", "event": "event", **_SPAN},
    "0x8803": {
        "type": "kind",
        "channelId": "channel",
        "event": "event",
        **_SPAN,
        "delete": "deleted",
    },
    "0x8804": {
        "command": "command",
        "time": "duration_s",
        "save": "stored",
        "audioSamplingRate": "sampling",
    },
    "0x9101": {**_SERVER, **_MEDIA},
    "0x9102": {**_MEDIA, "command": "control", "closeType": "close"},
    "0x9105": {"channelNo": "channel", "packetLossRate": "loss_percent"},
    "0x9205": {
        **_MEDIA,
        **_SPAN,
        "warnBit1": "alarm_bits|high word",
        "warnBit2": "alarm_bits|low word",
    },
    "0x9207": {"responseSerialNo": "upload_serial", "command": "control"},
    "0x9208": {
        **_SERVER,
        **_formed(_YEZHIHAO_MARK, "mark"),
        "platformAlarmId": "platform_alarm_id",
        "reserves": "reserved",
    },
    "0x9212": {
        "name": "name",
        "type": "kind",
        "result": "result",
        "total": "missing.#",
        "items": "missing|flat",
    },
    "0x9301": {"channelNo": "channel", "param1": "direction", "param2": "speed"},
    "0x8a00": {"e": "exponent", "n": "modulus"},
}

# --- cuteLittleDevil/go-jt808: fields -----------------------------------------------------------

_GO_SERVER: Final[Names] = {
    "ServerIPLen": "server.#",
    "ServerIPAddr": "server",
    "ServerAddr": "server",
    "TcpPort": "tcp_port",
    "UdpPort": "udp_port",
}
GO: Final[dict[str, Names]] = {
    "0x0001": {"SerialNumber": "serial", "ID": "message_id", "Result": "result"},
    "0x8001": {"RespondSerialNumber": "serial", "RespondID": "message_id", "Result": "result"},
    "0x0100": {
        "ProvinceID": "province",
        "CityID": "city",
        "ManufacturerID": "maker",
        "TerminalModel": "model",
        "TerminalID": "terminal_id",
        "PlateColor": "plate_colour",
        "LicensePlateNumber": "plate",
    },
    "0x1003": {
        "EnterAudioEncoding": "audio_encoding",
        "EnterAudioChannelsNumber": "audio_channels",
        "EnterAudioSampleRate": "audio_sampling",
        "EnterAudioSampleDigits": "audio_bits",
        "AudioFrameLength": "audio_frame_bytes",
        "HasSupportedAudioOutput": "audio_output",
        "VideoEncoding": "video_encoding",
        "TerminalSupportedMaxNumberOfAudioPhysicalChannels": "most_audio_channels",
        "TerminalSupportedMaxNumberOfVideoPhysicalChannels": "most_video_channels",
    },
    "0x9101": {
        **_GO_SERVER,
        "ChannelNo": "channel",
        "DataType": "media",
        "StreamType": "stream",
    },
    "0x9105": {"ChannelNo": "channel", "PackageLossRate": "loss_percent"},
    "0x0805": {
        "RespondSerialNumber": "answers_serial",
        "Result": "result",
        "MultimediaIDNumber": "ids.#",
    },
    "0x9208": {**_GO_SERVER, "AlarmID": "platform_alarm_id"},
    "0x1210": {
        "TerminalID": "terminal_id",
        "AlarmID": "platform_alarm_id",
        "InfoType": "kind",
        "AttachCount": "attachments.#",
    },
    "0x8300": {"Flag": "flags", "Text": "text"},
}

# --- traccar: attributes ------------------------------------------------------------------------

_BLOCKS = "235.[].value"
"""Item 0xEB: blocks by ids of their own."""
TRACCAR: Names = {
    "sat": "locations.[].items.49",
    "cardCode": "licence",
    "timezone": "locations.[].meanings.235",
    "result": ("waybill", "raw.1:"),
    "iccid": (f"meanings.{_BLOCKS}|digits", "meanings.248.iccid"),
    "batteryLevel": (
        "meanings.228.percent",
        "meanings.212",
        "meanings.86.tenths*10",
        "percent",
    ),
    "battery": "meanings.105",
    "power": (f"locations.[].meanings.{_BLOCKS}", "meanings.241"),
    "fuel2": f"meanings.{_BLOCKS}|number",
    "charge": "meanings.247.state|charging",
    "imei": "meanings.246|int",
    "alarmLabel": "items.100.-16:",
    "steps": "meanings.248",
    "alarm": "alarm names",
    "temp1": "meanings.81.0|signed tenths",
    "rpm": "meanings.230|third number",
    "dtcs": "meanings.160|spaced",
}
"""Where what traccar makes of a frame stands here."""
