"""Names in the tests of SmallChi/JT808, for `test_shared_vectors`: paths as in `vector_names`.

Their expressions are brought to names first (`vector_claims`): without the variable, indices and
calls; an item of a location, a parameter and a control parameter with its id or kind before it."""

from typing import Final

from vector_names import Names

_PLACE: Final[Names] = {
    "AlarmFlag": "alarm_bits",
    "StatusFlag": "status_bits",
    "Lat": "lat*1000000",
    "Lng": "lon*1000000",
    "Altitude": "altitude_m",
    "Speed": "speed_kmh*10",
    "Direction": "heading_deg",
    "GPSTime": "time_ms",
}
ITEMS: Final[Names] = {
    "0x01.Mileage": "items.1",
    "0x02.Oil": "items.2",
    "0x14.VideoRelateAlarm": "items.20",
    "0x15.VideoSignalLoseAlarmStatus": "items.21",
    "0x16.VideoSignalOcclusionAlarmStatus": "items.22",
    "0x17.StorageFaultAlarmStatus": "items.23",
    "0x18.AbnormalDrivingBehaviorAlarmType": "items.24.0:2",
    "0x18.FatigueLevel": "items.24.2:3",
}


def _place(prefix: str) -> Names:
    """A location below `prefix`; encode tests have the values of items among its own."""
    dot = f"{prefix}." if prefix else ""
    return {
        **{name: f"{dot}{path}" for name, path in _PLACE.items()},
        **{name: f"{dot}{path}" for name, path in ITEMS.items()},
        "Mileage": f"{dot}items.1",
        "Oil": f"{dot}items.2",
    }


_ALARM: Final[Names] = {
    "AlarmId": "alarm_id",
    "FlagState": "state|state",
    "AlarmOrEventType": "kind",
    "AlarmLevel": "level",
    "VehicleSpeed": "speed_ahead_kmh",
    "CarOrPedestrianDistanceAhead": "distance_ahead_100ms",
    "DeviateType": "deviation",
    "RoadSignIdentificationType": "road_sign",
    "RoadSignIdentificationData": "road_sign_value",
    "Fatigue": "fatigue",
    "Speed": "speed_kmh",
    "Altitude": "altitude_m",
    "Latitude": "lat*1000000",
    "Longitude": "lon*1000000",
    "AlarmTime": "time_ms",
    "VehicleState": "vehicle_status_bits",
    "AlarmIdentification.TerminalID": "terminal_id",
    "AlarmIdentification.TerminalId": "terminal_id",
    "AlarmIdentification.Time": "identified_ms",
    "AlarmIdentification.SN": "number",
    "AlarmIdentification.AttachCount": "files",
    "AlarmOrEventCount": "tyres.#",
    "AlarmOrEvents.TirePressureAlarmPosition": "tyres.[].position",
    "AlarmOrEvents.AlarmOrEventType": "tyres.[].alarm_bits",
    "AlarmOrEvents.TirePressure": "tyres.[].pressure_kpa",
    "AlarmOrEvents.TireTemperature": "tyres.[].temperature_c",
    "AlarmOrEvents.BatteryLevel": "tyres.[].battery_percent",
}
_ALARMS: Final[Names] = {
    f"0x{item:02x}.{name}": path
    for item in (0x64, 0x65, 0x66)
    for name, path in {
        **{name: f"meanings.{item}.{path}" for name, path in _ALARM.items()},
        "AttachInfoId": f"ids.{item}",
        "AttachInfoLength": f"items.{item}.#",
        "Retain": f"items.{item}.8:12",
        "AlarmIdentification.Retain1": f"items.{item}.-2:-1",
        "AlarmIdentification.Retain2": f"items.{item}.-1:",
    }.items()
}
_LOCATION: Final[Names] = {
    **_place(""),
    **_ALARMS,
    "Speed": ("speed_kmh*10", "items.3"),
    "EventId": "items.4",
    "AreaId": ("items.17.1:5", "items.18.1:5"),
    "DrivenRouteId": "items.19.0:4",
    "Time": "items.19.4:6",
    "CarSignalStatus": "items.37",
    "IOStatus": "items.42",
    "WiFiSignalStrength": "items.48",
    "GNSSCount": "items.49",
    "0x07.AttachInfoLength": "items.7.#",
    "0x07.BeiDou.Count": "meanings.7.beidou.#",
    "0x07.GPS.Count": "meanings.7.gps.#",
    "0x07.GLONASS.Count": "meanings.7.glonass.#",
    "0x51.Temperatures": "meanings.81.[]",
    "0x52.Direction": "meanings.82",
    "0x54.WifiInfos.SingnalStrength": "meanings.84.networks.[].signal",
    "0x54.WifiInfos.WifiMac": "meanings.84.networks.[].mac|upper",
    "0x58.Humiditys": "meanings.88",
    "0x61.Volage": "meanings.97*100",
    "0xe1.AttachInfoId": "ids.225",
    "0xe1.AttachInfoLength": "items.225.#",
    "0xe1.MCC": "meanings.225.mcc",
    "0xe1.MNC": "meanings.225.mnc",
    "0xe1.BaseStations.LAC": "meanings.225.cells.[].lac",
    "0xe1.BaseStations.CI": "meanings.225.cells.[].cell_id",
    "0xe1.BaseStations.Signal": "meanings.225.cells.[].signal|or 0",
    "0xe2.Version": "meanings.226",
    "0xf1.ICCID": "meanings.241",
    "0xf6.IMEI": "meanings.246",
    "0xfa.Alarm": "meanings.250",
    "0xfb.Power": "meanings.251.voltage_0p01v",
    "0xfb.PowerPercent": "meanings.251.percent",
    "0xfb.Status": "meanings.251.state",
    "0xdf.AttachInfoId": "ids.223",
    "0xdf.AttachInfoLength": "items.223.#",
    "0xdf.TestValue": "items.223",
    "0x62.AttachInfoId": "ids.98",
}
_HEADER: Final[Names] = {
    "Header.MsgId": "header.message_id",
    "Header.MsgNum": "header.serial",
    "Header.TerminalPhoneNo": "header.bare_phone",
    "Header.ProtocolVersion": "header.protocol_version",
    "Header.MessageBodyProperty.DataLength": "header.length",
    "Header.MessageBodyProperty.IsPackage": "header.part|bool",
    "Header.MessageBodyProperty.VersionFlag": "header.version|is 2019",
    "Header.MessageBodyProperty.Encrypt": "header.encryption",
    "Header.PackageIndex": "header.part|or 0",
    "Header.PackgeCount": "header.part|or 0",
    "Version": "header.version|is 2019",
    "ManualMsgNum": "header.serial",
    "TerminalPhoneNo": "header.bare_phone",
}
_REGISTER: Final[Names] = {
    "AreaID": "province",
    "CityOrCountyId": "city",
    "MakerId": "maker",
    "TerminalModel": "model",
    "TerminalId": "terminal_id",
    "PlateColor": "plate_colour",
    "PlateNo": "plate",
}
_RECORDING: Final[Names] = {
    "AlarmFlag": "alarm_bits",
    "AVResourceType": "media",
    "MediaType": "media",
    "BeginTime": "start",
    "EndTime": "end",
    "FileSize": "size_bytes",
    "LogicChannelNo": "channel",
    "ChannelNo": "channel",
    "MemoryType": "storage",
    "MemoryPositon": "storage",
    "StreamType": "stream",
}
_SERVER: Final[Names] = {
    "ServerIp": "server",
    "ServerIpLength": "server.#",
    "TcpPort": "tcp_port",
    "UdpPort": "udp_port",
}
_MARK: Final[Names] = {
    "AlarmIdentification.TerminalID": "mark.terminal_id",
    "AlarmIdentification.TerminalId": "mark.terminal_id",
    "AlarmIdentification.Time": "mark.time",
    "AlarmIdentification.SN": "mark.number",
    "AlarmIdentification.AttachCount": "mark.attachments",
    "AlarmIdentification.Retain1": "mark.reserved.0:1",
    "AlarmIdentification.Retain2": "mark.reserved.1:2",
}
_FILE: Final[Names] = {
    "FileName": "name",
    "FileNameLength": "name.#",
    "FileSize": "size_bytes",
    "FileType": "kind",
}
_PERIPHERALS: Final[Names] = {
    "PassthroughType": "kind",
    "USBMessageCount": "data.peripherals.#",
    "USBMessages.USBID": "data.peripherals.[].id",
    "USBMessages.MessageLength": "lengths.[]",
    "USBMessages.WorkingCondition": "data.peripherals.[].state.working",
    "USBMessages.AlarmStatus": "data.peripherals.[].state.alarm_bits",
}
_CAMERA_AT_DRIVER: Final[Names] = {
    "AlarmJudgeSpeedThreshold": "speed_threshold_kmh",
    "WarningVolume": "volume",
    "ActivePhotographyStrategy": "photo_strategy",
    "ActivelyTimePhotoInterval": "photo_interval_s",
    "ActiveDistancePhotographyDistanceInterval": "photo_distance_0p1km",
    "SingleInitiativePhotos": "photos",
    "SingleInitiativePhotosInterval": "photo_spacing_0p1s",
    "PhotoResolution": "photo_resolution",
    "VideoRecordingResolution": "video_resolution",
    "AlarmEnable": "alarms_enabled",
    "EventEnable": "events_enabled",
    "TimeIntervalSmokingAlarmJudgment": "smoking_interval_s",
    "CallAlarmDetermineTimeInterval": "phone_interval_s",
    "Reserve": "reserved",
    "GradedSpeedThresholdFatigueDrivingAlarm": "fatigue_speed_kmh",
    "VideoRecordingTimeBeforeAndAfterFatigueDrivingAlarm": "fatigue_video_s",
    "FatigueDrivingAlarmPhotograph": "fatigue_photos",
    "FatigueDrivingAlarmPhotographInterval": "fatigue_photo_spacing_0p1s",
    "ClassifiedSpeedThresholdCallAlarm": "phone_speed_kmh",
    "VideoRecordingTimeBeforeAndAfterCallAlarm": "phone_video_s",
    "CallAlarmTakePicturesDriverFacialFeatures": "phone_photos",
    "CallAlarmTakePicturesDriverFacialFeaturesInterval": "phone_photo_spacing_0p1s",
    "ClassifiedSpeedThresholdSmokingAlarm": "smoking_speed_kmh",
    "VideoRecordingTimeBeforeAndAfterSmokingAlarm": "smoking_video_s",
    "SmokingAlarmPhotographsDriverFaceCharacteristics": "smoking_photos",
    "SmokingAlarmPhotographsDriverFaceCharacteristicsInterval": "smoking_photo_spacing_0p1s",
    "ClassifiedSpeedThresholdDistractedDrivingAlarm": "distraction_speed_kmh",
    "DistractedDrivingAlarmPhotography": "distraction_photos",
    "DistractedDrivingAlarmPhotographyInterval": "distraction_photo_spacing_0p1s",
    "VideoRecordingTimeAbnormalDrivingBehavior": "misconduct_video_s",
    "PhotographsAbnormalDrivingBehavior": "misconduct_photos",
    "PictureIntervalAbnormalDrivingBehavior": "misconduct_photo_spacing_0p1s",
    "DriverIdentificationTrigger": "driver_check",
    "Retain": "reserved_end",
}
_PARAMETERS: Final[Names] = {
    "ParamId": ("by_id.[].id"),
    "ParamLength": ("by_id.[].length"),
    "ParamValue": ("by_id.[].value"),
    **{
        f"{parameter}.{name}": f"by_id.{number}.{path}"
        for parameter, number in (("0x0001", 1), ("0x0013", 19), ("0xF365", 0xF365))
        for name, path in (("ParamId", "id"), ("ParamLength", "length"), ("ParamValue", "value"))
    },
    **{
        f"0xF365.{name}": f"by_id.{0xF365}.value.{path}" for name, path in _CAMERA_AT_DRIVER.items()
    },
    "0xF367.RearApproachAlarmTimeThreshold": f"by_id.{0xF367}.value.behind_s",
    "0xF367.LateralRearApproachAlarmTimeThreshold": f"by_id.{0xF367}.value.beside_s",
}
_AREA: Final[Names] = {
    "SettingAreaProperty": "action",
    "AreaCount": "areas.#",
    "AreaId": "areas.[].id",
    "AreaProperty": "areas.[].attributes",
    "HighestSpeed": "areas.[].top_speed_kmh",
    "OverspeedDuration": "areas.[].overspeed_s",
    "NightMaximumSpeed": "areas.[].night_top_speed_kmh",
    "AreaName": "areas.[].name",
}
_IDS: Final[Names] = {"AreaCount": "ids.#", "AreaIds": "ids.[]"}


def _route(prefix: str) -> Names:
    turn = f"{prefix}points.[]"
    return {
        "RouteId": f"{prefix}id",
        "RouteProperty": f"{prefix}attributes",
        "StartTime": f"{prefix}start",
        "EndTime": f"{prefix}end",
        "RouteName": f"{prefix}name",
        "InflectionPointItems.Count": f"{prefix}points.#",
        "InflectionPointItems.InflectionPointId": f"{turn}.id",
        "InflectionPointItems.InflectionPointLat": f"{turn}.lat_abs*1000000",
        "InflectionPointItems.InflectionPointLng": f"{turn}.lon_abs*1000000",
        "InflectionPointItems.SectionId": f"{turn}.section_id",
        "InflectionPointItems.SectionWidth": f"{turn}.width_m",
        "InflectionPointItems.SectionProperty": f"{turn}.attributes",
        "InflectionPointItems.SectionLongDrivingThreshold": f"{turn}.longest_s",
        "InflectionPointItems.SectionDrivingUnderThreshold": f"{turn}.shortest_s",
        "InflectionPointItems.SectionHighestSpeed": f"{turn}.top_speed_kmh",
        "InflectionPointItems.SectionOverspeedDuration": f"{turn}.overspeed_s",
        "InflectionPointItems.NightMaximumSpeed": f"{turn}.night_top_speed_kmh",
    }


_RECORDED: Final[dict[str, Names]] = {
    "SpeedPerMinutes": {
        "StartTime": "start",
        "SpeedPerSeconds.AvgSpeedAfterStartTime": "seconds.[].speed_kmh",
        "SpeedPerSeconds.StatusSignalAfterStartTime": "seconds.[].signal_bits",
    },
    "PositionPerHours": {
        "StartTime": "start",
        "PositionPerMinutes.AvgSpeedAfterStartTime": "minutes.[].speed_kmh",
        "PositionPerMinutes.GpsLat": "minutes.[].lat_0p0001min",
        "PositionPerMinutes.GpsLng": "minutes.[].lon_0p0001min",
        "PositionPerMinutes.Height": "minutes.[].altitude_m",
    },
}
_CONTROL: Final = (
    "ConnectionControl",
    "DialPointName",
    "DialUserName",
    "DialPwd",
    "ServerUrl",
    "TcpPort",
    "UdpPort",
    "MakerId",
    "MonitorPlatformAuthCode",
    "HardwareVersion",
    "FirmwareVersion",
    "Url",
    "ConnectTimeLimit",
)
"""As they stand one behind the other, with semicolons between them."""

SMALLCHI: Final[dict[str, Names]] = {
    "": _HEADER,
    "header": {
        name.removeprefix("Header."): path
        for name, path in _HEADER.items()
        if name.startswith("Header.")
    },
    "0x0001": {
        "ReplyMsgNum": "serial",
        "ReplyMsgId": "message_id",
        "TerminalResult": "result",
    },
    "0x0002": {},
    "0x0003": {},
    "0x0100": _REGISTER,
    "0x0102": {"Code": "code"},
    "0x0104": {
        **_PARAMETERS,
        "MsgNum": "serial",
        "AnswerParamsCount": "parameters.#",
    },
    "0x0107": {
        "TerminalType": "terminal_kind_bits",
        "MakerId": "maker_id",
        "TerminalModel": "model",
        "TerminalId": "terminal_id",
        "Terminal_SIM_ICCID": "iccid",
        "Terminal_Hardware_Version_Num": "hardware_version",
        "Terminal_Firmware_Version_Num": "firmware_version",
        "GNSSModule": "gnss_bits",
        "CommunicationModule": "network_bits",
    },
    "0x0200": _LOCATION,
    "0x0201": {
        "0x54.WifiInfos.SingnalStrength": "location.meanings.84.networks.[].signal",
        "0x54.WifiInfos.WifiMac": "location.meanings.84.networks.[].mac|upper",
        **_place("location"),
        **{f"Position.{name}": path for name, path in _place("location").items()},
        "ReplyMsgNum": "serial",
    },
    "0x0304": {
        "MsgId": "header.message_id",
        "ReplyMsgNum": "answers_serial",
        "MessageType": "kind",
        "Message": "text",
    },
    "0x0500": {
        **_place("location"),
        **{f"JT808_0x0200.{name}": path for name, path in _place("location").items()},
        "MsgNum": "answers_serial",
    },
    "0x0608": {"QueryType": "kind", "Count": "areas.#", **_route("areas.0.")},
    "0x0700": {
        "ReplyMsgNum": "answers_serial",
        "RealTime": "frame.data.time",
        "FirstInstallTime": "frame.data.installed",
        "FirstMileage": "frame.data.initial_0p1km|int",
        "TotalMilage": "frame.data.odometer_0p1km|int",
        "PulseCoefficient": "frame.data.pulses_a_km",
        "ProductionDate": "frame.data.made_yymmdd|date",
        "CertifiedProductModels": "frame.data.model",
        "ProductionPlantCCCCertificationCode": "frame.data.ccc_code",
        "ProductProductionFlowNumber": "frame.data.made_number",
        "Reversed": "frame.data.reserved",
        **{
            f"{theirs}.{name}": f"frame.data.[].{path}"
            for theirs, names in _RECORDED.items()
            for name, path in names.items()
        },
        "DriveLogins.LoginTime": "frame.data.[].time",
        "DriveLogins.LoginType": "frame.data.[].event",
        "DriveLogins.DriverLicenseNo": "frame.data.[].licence",
        "ExternalPowerSupplys.EventTime": "frame.data.[].time",
        "ExternalPowerSupplys.EventType": "frame.data.[].event",
        "ParameterModifys.EventTime": "frame.data.[].time",
        "ParameterModifys.EventType": "frame.data.[].event",
    },
    "0x0701": {
        "ElectronicWaybillLength": "waybill.#",
        "Id": "waybill.0:4",
        "UserNameLength": "waybill.5:6",
        "UserName": "waybill.6:",
    },
    "0x0702": {
        "IC_Card_Status": "card",
        "IC_Card_PlugDateTime": "card_time",
        "IC_Card_ReadResult": "card_read",
        "DriverUserName": "name",
        "QualificationCode": "licence",
        "LicenseIssuing": "authority",
        "CertificateExpiresDate": "valid_until",
        "DriverIdentityCard": "identity_card",
    },
    "0x0705": {
        "CanItemCount": "count",
        "FirstCanReceiveTime": "received_hhmmssms|milliseconds",
        "CanItems.CanId": "frames.[].can_id",
        "CanItems.CanData": "frames.[].data",
    },
    "0x0801": {
        "ChannelId": "channel",
        "EventItemCoding": "event",
        "MultimediaCodingFormat": "format",
        "MultimediaId": "id",
        "MultimediaType": "kind",
        "MultimediaDataPackage": "data",
    },
    "0x0802": {
        "MsgNum": "answers_serial",
        "MultimediaItemCount": "found.#",
        "MultimediaSearchItems.ChannelId": "found.[].channel",
        "MultimediaSearchItems.EventItemCoding": "found.[].event",
        "MultimediaSearchItems.MultimediaType": "found.[].kind",
        "MultimediaSearchItems.MultimediaId": "found.[].id",
        **{
            f"MultimediaSearchItems.Position.{name}": path
            for name, path in _place("found.[].location").items()
        },
    },
    "0x0805": {
        "ReplyMsgNum": "answers_serial",
        "Result": "result",
        "MultimediaIdCount": "ids.#",
        "MultimediaIds": "ids",
    },
    "0x0900": _PERIPHERALS,
    "0x0901": {"UnCompressMessageLength": "unzipped.#"},
    "0x1003": {
        "AudioFrameLength": "audio_frame_bytes",
        "EnterAudioChannelsNumber": "audio_channels",
        "EnterAudioEncoding": "audio_encoding",
        "EnterAudioSampleDigits": "audio_bits",
        "EnterAudioSampleRate": "audio_sampling",
        "IsSupportedAudioOutput": "audio_output",
        "VideoEncoding": "video_encoding",
        "TerminalSupportedMaxNumberOfAudioPhysicalChannels": "most_audio_channels",
        "TerminalSupportedMaxNumberOfVideoPhysicalChannels": "most_video_channels",
    },
    "0x1005": {
        "BeginTime": "start",
        "EndTime": "end",
        "GettingOnNumber": "got_on",
        "GettingOffNumber": "got_off",
    },
    "0x1205": {
        "MsgNum": "answers_serial",
        "AVResouceTotal": "recordings.#",
        **{f"AVResouces.{name}": f"recordings.[].{path}" for name, path in _RECORDING.items()},
    },
    "0x1210": {
        **_MARK,
        "AlarmId": "platform_alarm_id",
        "AttachCount": "attachments.#",
        "AttachInfos.FileName": "attachments.[].name",
        "AttachInfos.FileNameLength": "attachments.[].name.#",
        "AttachInfos.FileSize": "attachments.[].size_bytes",
        "TerminalId": "terminal_id",
        "InfoType": "kind",
    },
    "0x1211": _FILE,
    "0x1212": _FILE,
    "0x1fc4": {
        "ErrorCode": "error",
        "MsgNum": "answers_serial",
        "UpgradeStatus": "state",
        "UpgradeType": "kind",
        "UploadProgress": "progress_percent",
    },
    "0x8004": {"Time": "time"},
    "0x8100": {"AckMsgNum": "serial", "JT808TerminalRegisterResult": "result", "Code": "code"},
    "0x8103": _PARAMETERS,
    "0x8104": {},
    "0x8105": {
        "CommandWord": "command",
        "Value": "split.[]",
        **{f"{name}.Value": f"split.{number}" for number, name in enumerate(_CONTROL)},
    },
    "0x8106": {"ParameterCount": "ids.#", "Parameters": "ids"},
    "0x8108": {
        "UpgradeType": "kind",
        "MakerId": "maker_id",
        "VersionNum": "firmware_version",
        "UpgradePackage": "package",
    },
    "0x8300": {"TextType": "kind", "TextInfo": "text", "TextFlag": "flags"},
    "0x8304": {
        "InformationType": "kind",
        "InformationContent": "text",
        "InformationLength": "text.#",
    },
    "0x8401": {
        "SettingTelephoneBook": "action",
        "ContactCount": "contacts.#",
        "JT808ContactProperties.PhoneNumber": "contacts.[].phone",
        "JT808ContactProperties.TelephoneBookContactType": "contacts.[].flag",
        "JT808ContactProperties.Contact": "contacts.[].name",
    },
    "0x8500": {
        "ControlTypeCount": "controls.#",
        "0x0001.ControlTypeId": "controls.0.id",
        "0x0001.ControlTypeParameter": "controls.0.value",
        "0xF001.ControlTypeId": "controls.1.id",
        "0xF001.ControlTypeParameter": "controls.1.value",
    },
    "0x8600": {
        **_AREA,
        "CenterPointLat": "areas.[].lat_abs*1000000",
        "CenterPointLng": "areas.[].lon_abs*1000000",
        "Radius": "areas.[].radius_m",
    },
    "0x8601": _IDS,
    "0x8602": {
        **_AREA,
        "UpLeftPointLat": "areas.[].north_west.lat_abs*1000000",
        "UpLeftPointLng": "areas.[].north_west.lon_abs*1000000",
        "LowRightPointLat": "areas.[].south_east.lat_abs*1000000",
        "LowRightPointLng": "areas.[].south_east.lon_abs*1000000",
    },
    "0x8604": {
        "AreaId": "id",
        "AreaProperty": "attributes",
        "StartTime": "start",
        "EndTime": "end",
        "PeakItems.Count": "points.#",
        "PeakItems.Lat": "points.[].lat_abs*1000000",
        "PeakItems.Lng": "points.[].lon_abs*1000000",
    },
    "0x8606": _route(""),
    "0x8607": _IDS,
    "0x8608": {"QueryType": "kind", "Count": "ids.#", "Ids": "ids.[]"},
    "0x8700": {"CommandId": ("command", "frame.command")},
    "0x8701": {"CommandId": ("command", "frame.command"), "RealTime": "frame.data.time"},
    "0x8800": {"MultimediaId": "id", "RetransmitPackageCount": "missing_parts.#|or 0"},
    "0x8803": {
        "ChannelId": "channel",
        "EventItemCoding": "event",
        "MultimediaDeleted": "deleted",
        "MultimediaType": "kind",
        "StartTime": "start",
        "EndTime": "end",
    },
    "0x8804": {
        "RecordCmd": "command",
        "RecordTime": "duration_s",
        "RecordSave": "stored",
        "AudioSampleRate": "sampling",
    },
    "0x8805": {"MultimediaDeleted": "deleted", "MultimediaId": "id"},
    "0x8900": {"PassthroughType": "kind", "Id": "data.0:4", "Sex": "data.4:5"},
    "0x9101": {**_SERVER, "ChannelNo": "channel", "DataType": "media", "StreamType": "stream"},
    "0x9201": {
        **_SERVER,
        **_RECORDING,
        "PlaySpeed": "pace",
        "PlaybackWay": "mode",
    },
    "0x9205": _RECORDING,
    "0x9206": {
        **_SERVER,
        **_RECORDING,
        "Port": "port",
        "UserName": "user",
        "UserNameLength": "user.#",
        "Password": "password",
        "PasswordLength": "password.#",
        "FileUploadPath": "path",
        "FileUploadPathLength": "path.#",
        "TaskExcuteCondition": "condition_bits",
    },
    "0x9212": {
        "FileName": "name",
        "FileType": "kind",
        "UploadResult": "result",
        "DataPackageCount": "missing.#",
        "DataPackages.Offset": "missing.[].offset",
        "DataPackages.Length": "missing.[].length",
    },
}

VALUES: Final[dict[str, int]] = {
    "firmware_download": 1,
    "beidou_module": 52,
    "Success": 0,
    "success": 0,
    "None": 0,
    "ic_card_pull_out": 2,
    "ic_card_into": 1,
    "ic_card_reading_succeeded": 0,
    "regular_action": 1,
    "platform_delivery_order": 0,
    "JPEG": 0,
    "image": 0,
    "video": 2,
    "terminal_not_database": 4,
    "append_phone_book": 2,
    "callin": 1,
    "call_in_out": 3,
    "append_region": 1,
    "delete": 1,
    "reserve": 0,
    "stop": 0,
    "realtime_upload": 0,
    "JTT2019": 1,
    '"FileName".Length': 8,
    "(byte)(4 + (4 * 4 + 4 * 3 + 4 * 2 + 4))": 44,
}
"""What their enumerations' names stand for, by the standard's tables of codes, and two sums."""
