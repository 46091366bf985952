"""What is wrong with bytes or values that are no JT/T 808. Raised all over `producers.jt808`."""


class ProtocolError(ValueError):
    """Bytes that cannot be read, or values that cannot be written.

    One line: what, the value found, and what is allowed.
    """
