"""Whether a login (0x1001) is let in, with the result that 0x1002 tells.

Called by `producers.gateway.platform_link`. Pure.
"""

import hmac
from collections.abc import Mapping

from producers.gateway.platform_file import Platform
from producers.jt809.links import (
    NOT_REGISTERED,
    OK,
    OTHER,
    WRONG_ACCESS_CODE,
    WRONG_ADDRESS,
    WRONG_PASSWORD,
    Login,
    Login2019,
)
from producers.jt809.message import Message


def judge(
    message: Message, login: Login | Login2019, host: str, platforms: Mapping[int, Platform]
) -> tuple[int, Platform | None]:
    """The result of 0x1002 and, where the access code is known, the platform.

    `host`: the address that the login came from. The access code is that of the header, which a
    login of 2019 repeats.
    """
    platform = platforms.get(message.centre_id)
    if platform is None:
        return WRONG_ACCESS_CODE, None
    if isinstance(login, Login2019) and login.centre_id != message.centre_id:
        return WRONG_ACCESS_CODE, platform
    if not platform.may_come_from(host):
        return WRONG_ADDRESS, platform
    if login.user_id != platform.user_id:
        return NOT_REGISTERED, platform
    if not hmac.compare_digest(login.password.encode(), platform.password.encode()):
        return WRONG_PASSWORD, platform
    if platform.version not in (None, message.version):
        return OTHER, platform
    return OK, platform
