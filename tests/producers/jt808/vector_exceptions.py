"""What the shared frames assert and is not compared, each with the reason. For the test beside it.

By the number of the frame in the file, and the claim's name; "" stands for all of its claims.
"""

from typing import Final

_PROPRIETARY = "message 0x5501 of one vendor, whose header has a wrong length"
_CONTENT = "a vendor's own content of 0x0900, kept as bytes"
_BY_MODEL = "traccar reads this item by the terminal's model: a profile's matter"
_NO_SPEED_OF_THE_LOCATION = "the vectors took an alarm's speed, in km/h, for the location's"
_REPAIRED = "the item says 32 bytes and has 47, which is repaired before the rest is compared"
_NO_VERSION = "a header of 2013 has no protocol version"
_OWN_FIELD = "their example of a field of one's own behind the standard ones"
_WIDE_ITEM = "their example of an item of one's own with a length of four bytes"
_WEST = "status bit 3 says west, which their test does not look at"

EXCEPTIONS: Final[dict[tuple[int, str], str]] = {
    (9, "driverUniqueId"): _CONTENT,
    (11, "temp1"): _BY_MODEL,
    (14, "unlockResult"): _PROPRIETARY,
    (16, "dtcs"): _CONTENT,
    (18, "temp3"): _BY_MODEL,
    (19, "alarm"): _BY_MODEL,
    (20, "lock1Locked"): _BY_MODEL,
    (24, "charge"): _PROPRIETARY,
    (25, "result"): "another protocol: text in parentheses",
    (31, "door"): _BY_MODEL,
    (32, "alarm"): _BY_MODEL,
    (36, "tag1Mac"): _CONTENT,
    (131, "Flag"): "the frame has 0xFF, which their test of the text does not look at",
    (133, "lon"): _WEST,
    (133, "lon_raw"): _WEST,
    **{
        (frame, name): _NO_SPEED_OF_THE_LOCATION
        for frame in (156, 157, 158, 166, 167)
        for name in ("speed_kmh", "speed_raw_0p1kmh")
    },
    (156, "0x64.AttachInfoLength"): _REPAIRED,
    (157, "0x65.AttachInfoLength"): _REPAIRED,
    (187, "Header.ProtocolVersion"): _NO_VERSION,
    (275, "Header.ProtocolVersion"): _NO_VERSION,
    (226, "UnCompressMessage"): "the text stands in their test only; its length is compared",
    (228, "Code"): "not on the wire, since the result is not 0",
    (272, "0x62.Data"): _WIDE_ITEM,
    (272, "0x62.AttachInfoLength"): _WIDE_ITEM,
    (273, "Test"): _OWN_FIELD,
    (274, "Test"): _OWN_FIELD,
    **{
        (frame, f"{below}.{name}"): "no bytes: their location inside a message is a message object"
        for frame, below in ((48, "location"), (49, "items.location"))
        for name in ("messageId", "properties", "protocolVersion", "serialNo", "verified")
    },
}

UNREADABLE: Final[dict[int, str]] = {
    119: "a registration answer without a body; nothing is asserted of it",
    267: "no message but bytes for their writer of escapes; nothing is asserted of it",
    268: "no message but bytes for their writer; nothing is asserted of it",
    25: "another protocol: text in parentheses",
}
"""Frames that are no message."""

NOT_THE_SAME_BYTES: Final[dict[int, str]] = {
    220: "zeros before a text are written behind it",
    273: _OWN_FIELD,
    274: _OWN_FIELD,
}
"""Frames which are not what comes out when their message is written again."""

NO_FRAMES: Final[dict[int, str]] = {
    9: "another protocol: text in parentheses",
    75: "attributes that tell another length; the checksum is wrong too",
    76: "attributes that tell another length; the checksum is wrong too",
    94: "two times one after the other between flags",
}
"""Of those that must not crash: what is told as an error."""
