"""Ids of platforms that stand as a number where other messages have text.

Called by `producers.jt809.dealings`.
"""

from producers.jt809.fields import Kind, Text, UInt


class Numeral(Kind):
    """Decimal digits written as one number of `size` bytes.

    Read also where a sender wrote text there: a number of eleven digits leaves the first byte zero,
    digits as text do not. Empty text stands for 0.
    """

    def __init__(self, size: int) -> None:
        self.size: int = size
        self.text = Text(size)
        self.number = UInt(size)

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        number, end = self.number.read(data, at)
        if data[at]:
            return self.text.read(data, at)
        return str(number) if number else "", end

    def write(self, value: str) -> bytes:
        if value and not (value.isascii() and value.isdigit()):
            return self.text.write(value)
        if value.startswith("0") or len(value) > 2 * self.size:
            return self.text.write(value)
        return self.number.write(int(value or "0"))
