"""How a round says that something does not hold."""


class BrokenError(AssertionError):
    """Something that must hold whatever comes in does not."""


def demand(holds: object, what: str, value: object = None) -> None:
    if not holds:
        raise BrokenError(f"{what}: {value!r:.2000}")
