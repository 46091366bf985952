"""Plates that are written in different ways, compared.

Used by the gateway for what terminals state, and for hints about files. Knows no register.
"""


def plate_key(plate: str) -> str:
    """A plate as it is compared: without what terminals pad it with, or write between its parts."""
    return "".join(sign for sign in plate.upper() if sign.isalnum())
