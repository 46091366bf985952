"""Which body belongs to which message: one table, by message id, sub id and version.

JT/T 809-2011 and 2019; JT/T 1078 for video. Called by `producers.jt809.message`. What is not in
here is kept raw.
"""

from typing import Final, Literal

from producers.jt809 import dealings, links, vehicles, video
from producers.jt809.fields import Layout
from producers.jt809.header import Version

Wrapping = Literal["vehicle", "platform"]
"""What stands before a sub message: a plate and its colour, or the sub id alone."""

_VEHICLE: Final = frozenset(
    link | kind
    for link in (0x1000, 0x9000)
    for kind in (0x200, 0x500, 0x600, 0x700, 0x800, 0x900, 0xA00, 0xB00)
)
_PLATFORM: Final = frozenset((0x1300, 0x9300))
_MANAGEMENT_2019: Final = frozenset((0x1102, 0x1103, 0x9102, 0x9103))
_ALARMS: Final = frozenset((0x1400, 0x9400))
"""About a vehicle in 2011, about anything in 2019."""

Layouts = tuple[type[Layout], ...]
"""One, or several of which the first that fits to the last byte is taken."""

_WITHOUT_VERSION: Final[dict[int, type[Layout]]] = {
    0x1002: links.LoginAnswer,
    0x1003: links.Logout,
    0x1004: links.Empty,
    0x1005: links.Empty,
    0x1006: links.Empty,
    0x1007: links.Disconnected,
    0x1008: links.Closing,
    0x9001: links.SubLinkLogin,
    0x9002: links.SubLinkLoginAnswer,
    0x9003: links.SubLinkLogout,
    0x9004: links.Empty,
    0x9005: links.Empty,
    0x9006: links.Empty,
    0x9007: links.Disconnected,
    0x9008: links.Closing,
}
MESSAGES: Final[dict[Version, dict[int, type[Layout]]]] = {
    "2011": _WITHOUT_VERSION | {0x1001: links.Login, 0x9101: links.Tally},
    "2019": _WITHOUT_VERSION | {0x1001: links.Login2019},
}
"""Messages without a sub message."""

_SAME: Final[dict[int, Layouts]] = {
    0x1207: (vehicles.Interval,),
    0x1208: (vehicles.Nothing,),
    0x1209: (vehicles.Interval,),
    0x120D: (vehicles.Waybill,),
    0x120E: (vehicles.Route,),
    0x9501: (dealings.Listen,),
    0x9502: (dealings.TakePhoto,),
    0x9503: (dealings.TextToVehicle,),
    0x9505: (dealings.EmergencyAccess,),
    0x1701: (video.Authorisation,),
    0x1702: (vehicles.Nothing,),
    0x9702: (vehicles.Nothing,),
    0x1801: (video.LiveAnswer,),
    0x1802: (video.LiveStopped,),
    0x9801: (video.Live,),
    0x1901: (video.Recordings,),
    0x1B02: (video.DownloadReady,),
    0x9B01: (video.Download,),
    0x9B03: (video.DownloadControl,),
}
_OF_2011: Final[dict[int, Layouts]] = {
    0x1201: (vehicles.ShortRegistration, vehicles.Registration),
    0x1202: (vehicles.Position2011,),
    0x1203: (vehicles.Backfill2011,),
    0x1205: (vehicles.Nothing,),
    0x1206: (vehicles.Nothing,),
    0x120A: (vehicles.Driver,),
    0x120B: (vehicles.Waybill,),
    0x120C: (vehicles.Driver,),
    0x9202: (vehicles.Position2011,),
    0x9203: (vehicles.Backfill2011,),
    0x9205: (vehicles.Result,),
    0x9206: (vehicles.Result,),
    0x9207: (vehicles.Result,),
    0x9208: (vehicles.Result,),
    0x9209: (vehicles.Result,),
    0x1301: (dealings.PostAnswer,),
    0x1302: (dealings.InfoAnswer,),
    0x9301: (dealings.PostQuery,),
    0x9302: (dealings.PostQuery,),
    0x1401: (dealings.AlarmSettled,),
    0x1402: (dealings.Alarm,),
    0x1403: (dealings.AlarmSettled,),
    0x9401: (dealings.Supervision,),
    0x9402: (dealings.AlarmNotice,),
    0x9403: (dealings.AlarmNotice,),
    0x1501: (vehicles.Result,),
    0x1502: (dealings.Photo,),
    0x1503: (dealings.TextAnswer,),
    0x1504: (dealings.Journey, dealings.BareJourney),
    0x1505: (vehicles.Result,),
    0x9504: (dealings.JourneyRequest,),
    0x1601: (dealings.VehicleInfo,),
}
_OF_2019: Final[dict[int, Layouts]] = {
    0x1201: (vehicles.Registration2019,),
    0x1202: (vehicles.Position2019,),
    0x1203: (vehicles.Backfill2019,),
    0x1205: (vehicles.Exchange2019,),
    0x1206: (vehicles.Exchange2019,),
    0x120A: (vehicles.DriverAnswer2019,),
    0x120B: (vehicles.WaybillAnswer2019,),
    0x120C: (vehicles.Driver2019,),
    0x9202: (vehicles.Position2019,),
    0x9203: (vehicles.Backfill2019,),
    0x9201: (vehicles.Result2019,),
    0x9205: (vehicles.Result,),
    0x9206: (vehicles.Result,),
    0x9207: (vehicles.Result2019,),
    0x9208: (vehicles.Result2019,),
    0x9209: (vehicles.Result2019,),
    0x920D: (vehicles.RouteResult2019,),
    0x1301: (dealings.PostAnswer2019,),
    0x1302: (dealings.InfoAnswer2019,),
    0x1303: (dealings.SendAgain2019,),
    0x9301: (dealings.PostQuery2019,),
    0x9302: (dealings.PostQuery,),
    0x9303: (dealings.SendAgain2019,),
    0x1401: (dealings.AlarmSettled,),
    0x1402: (dealings.Alarm2019,),
    0x1403: (dealings.AlarmTip2019,),
    0x1412: (vehicles.Result2019,),
    0x1413: (dealings.Supervised2019,),
    0x9401: (dealings.Supervision,),
    0x9402: (dealings.AlarmTip2019,),
    0x9403: (dealings.AlarmTip2019,),
    0x1501: (vehicles.Result2019, vehicles.Result),
    0x1502: (dealings.Photo2019,),
    0x1503: (vehicles.Result2019,),
    0x1504: (dealings.Journey2019,),
    0x1505: (vehicles.Result2019,),
    0x9504: (dealings.JourneyRequest2019,),
    0x1601: (dealings.VehicleInfo2019,),
    0x1602: (vehicles.Route,),
}
SUB_MESSAGES: Final[dict[Version, dict[int, Layouts]]] = {
    "2011": _SAME | _OF_2011,
    "2019": _SAME | _OF_2019,
}
"""Sub messages; the ids of two messages' sub messages never meet."""

_MANAGEMENT: Final[dict[int, Layouts]] = {
    0x1102: (links.LinkReport,),
    0x1103: (links.Serials,),
    0x9102: (links.Period,),
    0x9103: (links.Serials,),
}


def wrapping_of(message_id: int, version: Version) -> Wrapping | None:
    """What stands before the sub message; None: there is none."""
    if message_id in _VEHICLE or (message_id in _ALARMS and version == "2011"):
        return "vehicle"
    if message_id in _PLATFORM or message_id in _ALARMS:
        return "platform"
    if message_id in _MANAGEMENT_2019 and (version == "2019" or message_id in _MANAGEMENT):
        return "platform"
    return None


def names_request_first(message_id: int, sub_id: int, version: Version) -> bool:
    """Whether the sub message of a vehicle begins where others have their length."""
    return version == "2019" and message_id == 0x1200 and sub_id in (0x1205, 0x1206)


def layouts_of(message_id: int, sub_id: int | None, version: Version) -> Layouts:
    """How a body may be laid out; none where that is not known."""
    if sub_id is None:
        layout = MESSAGES[version].get(message_id)
        return () if layout is None else (layout,)
    return _MANAGEMENT.get(message_id) or SUB_MESSAGES[version].get(sub_id) or ()
