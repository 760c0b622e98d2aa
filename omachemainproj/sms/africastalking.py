"""Sends SMS through Africa's Talking.

Source: http://docs.africastalking.com/sms/sending/python (addresses, form fields, the ``apiKey``
header, the response and the status codes of its recipients).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests

from omachemainproj.http_exchange import FAILURES, Answer, Body, HttpExchange
from omachemainproj.strict_json import read_json

from .errors import MaybeSent, NotSent

PATH = "/version1/messaging"
#: Seconds to connect, and to wait for the response.
TIMEOUT = (3.0, 10.0)

#: A recipient's status codes: processed, sent, queued.
ACCEPTED = {100, 101, 102}
#: A recipient's status codes: not sent, but may be later (no credit left, provider's errors).
RETRYABLE = {405, 500, 501}
#: HTTP statuses: refused before it was read. Any other 5xx may follow an accepted message.
BUSY = {429, 503}
#: HTTP statuses: our settings are wrong, also if redirected. Messages are retried meanwhile.
MISCONFIGURED = {401, 403, 404, 405, *range(300, 400)}


class AfricasTalking(HttpExchange):
    """A client for one account. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        *,
        username: str,
        api_key: str,
        sender: str = "",
        timeout: tuple[float, float] = TIMEOUT,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(base_url, timeout=timeout, session=session)
        self._username = username
        self._api_key = api_key
        self._sender = sender

    def send(self, *, phone: str, text: str) -> str:
        """Send one SMS to a number of 12 digits, once, and return the ``messageId``.

        Raises NotSent if it was certainly not sent, and MaybeSent if it may have been.
        """
        fields = {"username": self._username, "to": f"+{phone}", "message": text}
        if self._sender:
            fields["from"] = self._sender
        return _read(self._post(fields))

    def _post(self, fields: Mapping[str, str]) -> Answer:
        body = Body(urlencode(fields).encode())
        headers = {
            "apiKey": self._api_key,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            return self._exchange("POST", PATH, data=body, headers=headers)
        except FAILURES as error:
            if body.was_sent:
                raise MaybeSent(f"no answer ({type(error).__name__})") from error
            raise NotSent(f"not reached ({type(error).__name__})", retryable=True) from error


def _read(answer: Answer) -> str:
    """The ``messageId`` of the one recipient. Raises NotSent and MaybeSent."""
    if answer.status in BUSY | MISCONFIGURED:
        raise NotSent(f"HTTP {answer.status}", retryable=True)
    if 400 <= answer.status < 500:
        raise NotSent(f"HTTP {answer.status}: {_excerpt(answer)}", retryable=False)
    if answer.status not in {200, 201}:
        raise MaybeSent(f"HTTP {answer.status}")
    data = _object(_object(_document(answer)).get("SMSMessageData"))
    recipients = data.get("Recipients")
    if recipients == []:
        # Not sent to anybody; Message gives the reason, such as InvalidSenderId.
        raise NotSent(_one_line(data.get("Message")) or "no recipient", retryable=True)
    if not isinstance(recipients, list) or len(recipients) != 1:
        raise MaybeSent(f"HTTP {answer.status} without the recipient")
    return _read_recipient(_object(recipients[0]))


def _read_recipient(recipient: Mapping[str, Any]) -> str:
    code = recipient.get("statusCode")
    if isinstance(code, bool) or not isinstance(code, int):
        raise MaybeSent("an answer without a status code")
    if code in ACCEPTED:
        # "None" means no id, as for recipients to whom it does not send.
        named = _one_line(recipient.get("messageId"))[:64]
        return "" if named == "None" else named
    if not 400 <= code < 600:
        raise MaybeSent(f"a status code nobody knows: {code}")
    raise NotSent(
        f"{code} {_one_line(recipient.get('status'))}".strip(), retryable=code in RETRYABLE
    )


def _document(answer: Answer) -> Any:
    try:
        return read_json(answer.body)
    except ValueError as error:
        raise MaybeSent(f"HTTP {answer.status}, not JSON") from error


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MaybeSent("an answer of another shape")
    return value


def _one_line(value: Any) -> str:
    """A text as one printable line of at most 150 characters; empty for anything else."""
    text = value if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:150].strip()


def _excerpt(answer: Answer) -> str:
    return _one_line(answer.body[:150].decode(errors="replace"))
