"""Live and stored video: JT/T 1078-2016, 0x1003 to 0x1206 and 0x9003 to 0x9306."""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, U64, Text, Time
from producers.jt808.layout import Field, Layout, Listed, Record

_1078: Final = "JT/T 1078"
_SERVER: Final = (Field("server", Text(prefix=U8)), Field("tcp_port", U16), Field("udp_port", U16))
_CHANNEL: Final = Field("channel", U8)
_MEDIA: Final = (Field("media", U8), Field("stream", U8))
_SPAN: Final = (Field("start", Time()), Field("end", Time()))
_RECORDING: Final = (
    _CHANNEL,
    *_SPAN,
    Field("alarm_bits", U64),
    *_MEDIA,
    Field("storage", U8),
)


def _turned(name: str, what: str) -> Layout:
    return Layout(name, _1078, Record(_CHANNEL, Field(what, U8)))


MESSAGES: Final = {
    0x9003: Layout("query_media_attributes", _1078, Record()),
    0x1003: Layout(
        "media_attributes",
        _1078,
        Record(
            Field("audio_encoding", U8),
            Field("audio_channels", U8),
            Field("audio_sampling", U8),
            Field("audio_bits", U8),
            Field("audio_frame_bytes", U16),
            Field("audio_output", U8),
            Field("video_encoding", U8),
            Field("most_audio_channels", U8),
            Field("most_video_channels", U8),
        ),
    ),
    0x1005: Layout(
        "passengers", _1078, Record(*_SPAN, Field("got_on", U16), Field("got_off", U16))
    ),
    0x9101: Layout("start_live_video", _1078, Record(*_SERVER, _CHANNEL, *_MEDIA)),
    0x9102: Layout(
        "control_live_video",
        _1078,
        Record(_CHANNEL, Field("control", U8), Field("close", U8), Field("stream", U8)),
    ),
    0x9105: _turned("live_video_state", "loss_percent"),
    0x9201: Layout(
        "start_playback",
        _1078,
        Record(
            *_SERVER,
            _CHANNEL,
            *_MEDIA,
            Field("storage", U8),
            Field("mode", U8),
            Field("pace", U8),
            *_SPAN,
        ),
    ),
    0x9202: Layout(
        "control_playback",
        _1078,
        Record(_CHANNEL, Field("control", U8), Field("pace", U8), Field("position", Time())),
    ),
    0x9205: Layout("query_recordings", _1078, Record(*_RECORDING)),
    0x1205: Layout(
        "recordings",
        _1078,
        Record(
            Field("answers_serial", U16),
            Field("recordings", Listed(U32, Record(*_RECORDING, Field("size_bytes", U32)))),
        ),
    ),
    0x9206: Layout(
        "upload_recording",
        _1078,
        Record(
            Field("server", Text(prefix=U8)),
            Field("port", U16),
            Field("user", Text(prefix=U8)),
            Field("password", Text(prefix=U8)),
            Field("path", Text(prefix=U8)),
            *_RECORDING,
            Field("condition_bits", U8),
        ),
    ),
    0x1206: Layout(
        "recording_uploaded", _1078, Record(Field("answers_serial", U16), Field("result", U8))
    ),
    0x9207: Layout(
        "control_upload", _1078, Record(Field("upload_serial", U16), Field("control", U8))
    ),
    0x9301: Layout(
        "turn_camera", _1078, Record(_CHANNEL, Field("direction", U8), Field("speed", U8))
    ),
    0x9302: _turned("focus_camera", "direction"),
    0x9303: _turned("camera_aperture", "direction"),
    0x9304: _turned("camera_wiper", "on"),
    0x9305: _turned("camera_infrared", "on"),
    0x9306: _turned("zoom_camera", "direction"),
}
