"""Parameters of a terminal: 0x8103 sets them, 0x8104 and 0x8106 ask for them, 0x0104 answers.

JT/T 808-2019 and -2013 8103/0104 with their table of parameter ids; video parameters 0x0075 to
0x007C of JT/T 1078-2016; 0xF364 to 0xF367 of T/JSATL 12 (active safety, Jiangsu).
"""

from typing import Any, Final

from producers.jt808.kinds import U8, U16, U32, Bcd, Kind, Named, Raw, Source, Text
from producers.jt808.layout import By, Field, Layout, Listed, OneOf, Record, Sized

_STREAM: Final = (
    ("encoding_mode", U8),
    ("resolution", U8),
    ("key_frame_interval", U16),
    ("frame_rate", U8),
    ("bit_rate_kbps", U32),
)
_STREAMS: Final = tuple(
    Field(f"{stream}_{name}", kind) for stream in ("live", "stored") for name, kind in _STREAM
)
_WAKING: Final = tuple(
    Field(f"{what}_{number}", Bcd(2)) for number in range(1, 5) for what in ("wake", "sleep")
)

_CAMERA_HEAD: Final = (
    Field("speed_threshold_kmh", U8),
    Field("volume", U8),
    Field("photo_strategy", U8),
    Field("photo_interval_s", U16),
    Field("photo_distance_0p1km", U16),
    Field("photos", U8),
    Field("photo_spacing_0p1s", U8),
    Field("photo_resolution", U8),
    Field("video_resolution", U8),
    Field("alarms_enabled", U32),
    Field("events_enabled", U32),
)
"""The same for cameras ahead (0xF364) and at the driver (0xF365)."""

_DRIVER_CAMERA: Final = (
    Field("smoking_interval_s", U16),
    Field("phone_interval_s", U16),
    Field("reserved", Raw(3)),
    Field("fatigue_speed_kmh", U8),
    Field("fatigue_video_s", U8),
    Field("fatigue_photos", U8),
    Field("fatigue_photo_spacing_0p1s", U8),
    Field("phone_speed_kmh", U8),
    Field("phone_video_s", U8),
    Field("phone_photos", U8),
    Field("phone_photo_spacing_0p1s", U8),
    Field("smoking_speed_kmh", U8),
    Field("smoking_video_s", U8),
    Field("smoking_photos", U8),
    Field("smoking_photo_spacing_0p1s", U8),
    Field("distraction_speed_kmh", U8),
    Field("distraction_photos", U8),
    Field("distraction_photo_spacing_0p1s", U8),
    Field("misconduct_video_s", U8),
    Field("misconduct_photos", U8),
    Field("misconduct_photo_spacing_0p1s", U8),
    Field("driver_check", U8),
    Field("reserved_end", Raw(2)),
)

_TYRES: Final = (
    Field("tyre", Text(12)),
    *(
        Field(name, U16)
        for name in (
            "pressure_unit",
            "pressure",
            "imbalance_percent",
            "leak_percent",
            "low_pressure",
            "high_pressure",
            "high_temperature_c",
            "voltage_percent",
            "interval_s",
        )
    ),
    Field("reserved", Raw(6)),
)

PARAMETERS: Final[dict[int, tuple[str, Kind]]] = {
    0x0001: ("heartbeat_interval_s", U32),
    0x0002: ("tcp_answer_timeout_s", U32),
    0x0003: ("tcp_retransmissions", U32),
    0x0004: ("udp_answer_timeout_s", U32),
    0x0005: ("udp_retransmissions", U32),
    0x0006: ("sms_answer_timeout_s", U32),
    0x0007: ("sms_retransmissions", U32),
    0x0010: ("apn", Text()),
    0x0011: ("dial_user", Text()),
    0x0012: ("dial_password", Text()),
    0x0013: ("server", Text()),
    0x0014: ("backup_apn", Text()),
    0x0015: ("backup_dial_user", Text()),
    0x0016: ("backup_dial_password", Text()),
    0x0017: ("backup_server", Text()),
    0x0018: ("tcp_port", U32),
    0x0019: ("udp_port", U32),
    0x001A: ("ic_card_server", Text()),
    0x001B: ("ic_card_tcp_port", U32),
    0x001C: ("ic_card_udp_port", U32),
    0x001D: ("ic_card_backup_server", Text()),
    0x0020: ("report_strategy", U32),
    0x0021: ("report_scheme", U32),
    0x0022: ("report_interval_no_driver_s", U32),
    0x0023: ("second_server_apn", Text()),
    0x0024: ("second_server_user", Text()),
    0x0025: ("second_server_password", Text()),
    0x0026: ("second_server", Text()),
    0x0027: ("report_interval_asleep_s", U32),
    0x0028: ("report_interval_emergency_s", U32),
    0x0029: ("report_interval_s", U32),
    0x002C: ("report_distance_m", U32),
    0x002D: ("report_distance_no_driver_m", U32),
    0x002E: ("report_distance_asleep_m", U32),
    0x002F: ("report_distance_emergency_m", U32),
    0x0030: ("report_turn_deg", U32),
    0x0031: ("fence_radius_m", U16),
    0x0032: ("forbidden_hours", Bcd(4)),
    0x0040: ("platform_phone", Text()),
    0x0041: ("reset_phone", Text()),
    0x0042: ("factory_reset_phone", Text()),
    0x0043: ("sms_phone", Text()),
    0x0044: ("sms_alarm_phone", Text()),
    0x0045: ("answer_strategy", U32),
    0x0046: ("longest_call_s", U32),
    0x0047: ("longest_calls_a_month_s", U32),
    0x0048: ("listening_phone", Text()),
    0x0049: ("privileged_sms_phone", Text()),
    0x0050: ("alarm_mask", U32),
    0x0051: ("alarm_sms", U32),
    0x0052: ("alarm_photo", U32),
    0x0053: ("alarm_photo_stored", U32),
    0x0054: ("alarm_key", U32),
    0x0055: ("top_speed_kmh", U32),
    0x0056: ("overspeed_s", U32),
    0x0057: ("longest_drive_s", U32),
    0x0058: ("longest_drives_a_day_s", U32),
    0x0059: ("least_rest_s", U32),
    0x005A: ("longest_stop_s", U32),
    0x005B: ("overspeed_warning_0p1kmh", U16),
    0x005C: ("fatigue_warning_s", U16),
    0x005D: ("collision", U16),
    0x005E: ("rollover_deg", U16),
    0x0064: ("timed_photo", U32),
    0x0065: ("distance_photo", U32),
    0x0070: ("picture_quality", U32),
    0x0071: ("brightness", U32),
    0x0072: ("contrast", U32),
    0x0073: ("saturation", U32),
    0x0074: ("chroma", U32),
    0x0075: (
        "video",
        Record(*_STREAMS, Field("osd", U16), Field("audio_on", U8)),
    ),
    0x0076: (
        "channels",
        Record(
            Field("both", U8),
            Field("audio", U8),
            Field("video", U8),
            Field(
                "channels",
                Listed(
                    None,
                    Record(
                        Field("physical_channel", U8),
                        Field("channel", U8),
                        Field("kind", U8),
                        Field("pan_tilt", U8),
                    ),
                ),
            ),
        ),
    ),
    0x0077: (
        "video_of_channels",
        Listed(U8, Record(Field("channel", U8), *_STREAMS, Field("osd", U16))),
    ),
    0x0079: (
        "alarm_recording",
        Record(Field("storage_percent", U8), Field("duration_min", U8), Field("before_min", U8)),
    ),
    0x007A: ("video_alarm_mask", U32),
    0x007B: (
        "picture_analysis",
        Record(Field("passengers", U8), Field("fatigue_threshold", U8)),
    ),
    0x007C: (
        "waking",
        Record(
            Field("mode", U8),
            Field("condition", U8),
            Field("weekdays", U8),
            Field("times_used", U8),
            *_WAKING,
        ),
    ),
    0x0080: ("odometer_0p1km", U32),
    0x0081: ("province", U16),
    0x0082: ("city", U16),
    0x0083: ("plate", Text()),
    0x0084: ("plate_color", U8),
    0x0090: ("satellite_systems", U8),
    0x0091: ("gnss_baud_rate", U8),
    0x0092: ("gnss_output_rate", U8),
    0x0093: ("gnss_sampling_s", U32),
    0x0094: ("gnss_upload", U8),
    0x0095: ("gnss_upload_setting", U32),
    0x0100: ("can1_sampling_ms", U32),
    0x0101: ("can1_upload_s", U16),
    0x0102: ("can2_sampling_ms", U32),
    0x0103: ("can2_upload_s", U16),
    0x0110: ("can_id", Raw(8)),
    0xF364: ("camera_ahead", Record(*_CAMERA_HEAD, Field("thresholds", Raw()))),
    0xF365: (
        "camera_at_driver",
        OneOf(
            Record(*_CAMERA_HEAD, *_DRIVER_CAMERA),
            Record(*_CAMERA_HEAD, Field("thresholds", Raw())),
        ),
    ),
    0xF366: ("tyre_pressures", Record(*_TYRES)),
    0xF367: (
        "blind_spots",
        Record(Field("behind_s", U8), Field("beside_s", U8)),
    ),
}
"""Id -> what it is, and how its value stands. 0x0023 to 0x0026 and 0x0032 came in 2019."""

_KINDS: Final = {id_: kind for id_, (_, kind) in PARAMETERS.items()}
VALUE: Final = OneOf(By("id", _KINDS))
"""The value of a parameter, its `id` beside it."""
_NAMES: Final = {id_: name for id_, (name, _) in PARAMETERS.items()}
_PARAMETER: Final = Record(
    Field("id", U32), Field("name", Named("id", _NAMES)), Field("value", Sized(U8, VALUE))
)

MESSAGES: Final = {
    0x8103: Layout(
        "set_parameters", "JT/T 808", Record(Field("parameters", Listed(U8, _PARAMETER)))
    ),
    0x8106: Layout("query_some_parameters", "JT/T 808", Record(Field("ids", Listed(U8, U32)))),
}


def name_of(parameter_id: int) -> str | None:
    """What the parameter is called; None where no standard here has it."""
    return _NAMES.get(parameter_id)


def meaning(parameter_id: int, value: bytes) -> Any:
    """What the bytes of a parameter say; the bytes themselves where that is not known."""
    return VALUE.read(Source(value, "2019"), {"id": parameter_id})
