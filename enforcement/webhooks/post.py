"""One message to one receiver, and what came of it.

Called by `enforcement.webhooks.sender`. It follows no redirect, waits for nobody longer than a few
seconds, and reads no more of an answer than it needs. It knows no database.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from enforcement.webhooks.receivers import Receiver
from streams.shown import shown

WAIT_S: Final = 5.0
"""For a connection, and for each piece of an answer."""
ANSWER_S: Final = 10.0
"""For the whole answer."""
LONGEST_ANSWER: Final = 16_384
"""Bytes. Robots say in a few whether they have taken it."""
AGENT: Final = "mucktrack"


class NotTakenError(Exception):
    """The receiver has not taken it, or has not said so; the message says why, without secrets."""


class Post:
    """Connections to one receiver."""

    def __init__(self, receiver: Receiver, now_s: Callable[[], float] = time.time) -> None:
        self._receiver = receiver
        self._now_s = now_s
        self._client = httpx.Client(
            timeout=WAIT_S,
            follow_redirects=False,
            headers={"User-Agent": AGENT, "Accept": "application/json"},
        )

    def send(self, message_id: str, body: bytes) -> None:
        """Raises `NotTakenError`."""
        status, answer = self._exchange(message_id, body)
        if 300 <= status < 400:
            raise NotTakenError(f"HTTP {status}: it points elsewhere, which is not followed")
        if not 200 <= status < 300:
            raise NotTakenError(f"HTTP {status}: {shown(answer.decode(errors='replace'))}")
        if self._receiver.format in ("wecom", "dingtalk"):
            _check_robot(answer)

    def close(self) -> None:
        self._client.close()

    def _exchange(self, message_id: str, body: bytes) -> tuple[int, bytes]:
        until_s = time.monotonic() + ANSWER_S
        address, headers = self._signed(message_id, body)
        try:
            with self._client.stream("POST", address, content=body, headers=headers) as response:
                answer = b""
                for piece in response.iter_raw():
                    answer += piece
                    if len(answer) > LONGEST_ANSWER:
                        break
                    if time.monotonic() > until_s:
                        raise NotTakenError(f"no whole answer within {ANSWER_S:g} s")
                return response.status_code, answer[:LONGEST_ANSWER]
        except httpx.TimeoutException:
            raise NotTakenError(f"no answer within {WAIT_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The error may quote the address.
            raise NotTakenError(f"{type(error).__name__} at {self._receiver.host}") from None

    def _signed(self, message_id: str, body: bytes) -> tuple[str, dict[str, str]]:
        receiver = self._receiver
        if receiver.format == "cloudevents":
            headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
            moment = str(int(self._now_s()))
            headers |= {"Webhook-Id": message_id, "Webhook-Timestamp": moment}
            if receiver.secret is not None:
                headers["Webhook-Signature"] = signature(receiver.secret, message_id, moment, body)
            return receiver.address, headers
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if receiver.format == "dingtalk" and receiver.secret is not None:
            return _with_robot_sign(receiver.address, receiver.secret, self._now_s()), headers
        return receiver.address, headers


def signature(secret: bytes, message_id: str, moment: str, body: bytes) -> str:
    """As Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time stamp (Unix seconds) and body."""
    signed = b".".join((message_id.encode(), moment.encode(), body))
    return f"v1,{_hmac_base64(secret, signed)}"


def _with_robot_sign(address: str, secret: bytes, now_s: float) -> str:
    """As DingTalk's robots want it, in the query."""
    moment = str(round(now_s * 1000))
    sign = _hmac_base64(secret, moment.encode() + b"\n" + secret)
    parts = urlsplit(address)
    added = urlencode({"timestamp": moment, "sign": sign})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def _hmac_base64(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def _check_robot(answer: bytes) -> None:
    """Robots answer 200 whatever happens."""
    try:
        said: Any = json.loads(answer)
        code, words = said["errcode"], said.get("errmsg", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotTakenError("the robot's answer has no errcode") from None
    if code != 0:
        raise NotTakenError(f"the robot says {shown(code)}: {shown(words)}")
