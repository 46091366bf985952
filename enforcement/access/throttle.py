"""How often somebody may try to log in: a window of failures for each name and each address.

Used by `enforcement.access.sessions`. An attempt counts before it is looked at, so that many at the
same moment are counted too, and is taken back where it was right. Names that do not exist count
like others. In memory, and bounded; a restart forgets.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

WINDOW_MS: Final = 900_000
OF_A_NAME: Final = 10
OF_AN_ADDRESS: Final = 50
"""Offices share an address."""
MOST_KEYS: Final = 20_000


def network_of(address: str) -> str:
    """Whoever has an IPv6 address has 2^64 of them: they count as one."""
    try:
        said = ip_address(address)
    except ValueError:
        return address
    if not isinstance(said, IPv6Address):
        return address
    return str(said.ipv4_mapped or ip_network((int(said), 64), strict=False))


class Throttle:
    """Counts attempts. Safe for use by several threads."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._attempts: OrderedDict[tuple[str, str], list[int]] = OrderedDict()
        """Of each key, when; the key used last comes last."""

    def try_again_s(self, name: str, address: str) -> int:
        """0 = this attempt may be made, and counts; else in how many seconds the next one may."""
        now_ms = self._now_ms()
        with self._lock:
            keys = ((("name", name), OF_A_NAME), (("address", network_of(address)), OF_AN_ADDRESS))
            waits_ms = [self._wait_ms(key, most, now_ms) for key, most in keys]
            if any(waits_ms):
                return max(1, -(-max(waits_ms) // 1_000))
            for key, _ in keys:
                self._attempts.setdefault(key, []).append(now_ms)
                self._attempts.move_to_end(key)
            while len(self._attempts) > MOST_KEYS:
                self._attempts.popitem(last=False)
        return 0

    def succeeded(self, name: str, address: str) -> None:
        """The name's failures are forgotten; of the address only this attempt is taken back, or
        who has an account could go on guessing those of others."""
        with self._lock:
            self._attempts.pop(("name", name), None)
            of_address = self._attempts.get(("address", network_of(address)))
            if of_address:
                of_address.pop()

    def not_made(self, name: str, address: str) -> None:
        """The attempt was not looked at, and is taken back."""
        with self._lock:
            for key in (("name", name), ("address", network_of(address))):
                if of_key := self._attempts.get(key):
                    of_key.pop()

    def _wait_ms(self, key: tuple[str, str], most: int, now_ms: int) -> int:
        recent = [at for at in self._attempts.get(key, ()) if now_ms - at < WINDOW_MS]
        if key in self._attempts:
            self._attempts[key] = recent
        return 0 if len(recent) < most else recent[-most] + WINDOW_MS - now_ms
