"""Plates as platforms send them, filled up and spoilt."""

import pytest

from producers.gateway.platform_intake import plate_of


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("浙B12345", "浙B12345"),
        ("  浙B 12345\u3000", "浙B12345"),
        ("\0\0浙B12345", "浙B12345"),
        ("浙B12345\0\x07\0old", "浙B12345"),
        ("浙BD12345", "浙BD12345"),
        ("B" * 21, "B" * 21),
        ("", None),
        (" \0 ", None),
        ("\u3000", None),
        ("浙B\x07", None),
        ("浙B\u200b1", None),
        ("浙B\ue000", None),
    ],
)
def test_plates(text: str, plate: str | None) -> None:
    assert plate_of(text) == plate
