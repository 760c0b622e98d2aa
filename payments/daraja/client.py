"""Asks M-Pesa to ring a phone, and asks what became of it.

Source: Daraja portal, Authorization, M-Pesa Express and M-Pesa Express Query.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from . import codes
from .account import DarajaAccount
from .addresses import check_callback_url
from .errors import DarajaError, DarajaRefused, DarajaUnknown, Refusal
from .messages import NAIROBI, Reply, request_id
from .tokens import MemoryTokenStore, SharedToken, TokenStore
from .transport import Bearer, Transport

__all__ = [
    "DarajaAccount",
    "DarajaClient",
    "MemoryTokenStore",
    "PushAccepted",
    "StkOutcome",
    "StkStatus",
    "TokenStore",
    "check_callback_url",
]

OAUTH_PATH = "/oauth/v1/generate"
PUSH_PATH = "/mpesa/stkpush/v1/processrequest"
QUERY_PATH = "/mpesa/stkpushquery/v1/query"

#: "Accepted for processing" in a push's answer, "the question was understood" in a query's.
ACCEPTED = "0"

LEAST_KES, MOST_KES = 1, 250_000

#: A token is renewed this long before its end, so that none ends on the way.
RENEW_EARLY_SECONDS = 60
#: The portal's own figure. A longer promise is not believed.
LONGEST_TOKEN_SECONDS = 3600
#: Between the two tries at a token.
BACKOFF_SECONDS = 0.5

_PHONE = re.compile(r"254[17][0-9]{8}")
_REFERENCE = re.compile(r"[A-Za-z0-9]{1,12}")
_DESCRIPTION = re.compile(r"(?=.*[!-~])[ -~]{1,13}")
_TOKEN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class PushAccepted:
    """The gateway took the request and will ring the phone. It says nothing about money.

    The checkout request id holds the payer's number: personal data, and no secret.
    """

    merchant_request_id: str
    checkout_request_id: str
    customer_message: str


class StkOutcome(StrEnum):
    PAID = "paid"
    FAILED = "failed"
    #: The answer settles nothing. Ask again later.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StkStatus:
    """What the status query said. `result_code` is "" when it gave none."""

    outcome: StkOutcome
    result_code: str
    description: str


class DarajaClient:
    """Talks to Daraja for one account. Safe to share between threads.

    `now` returns the time with its zone; `timeout` is (to connect, to answer) in seconds.
    """

    def __init__(
        self,
        account: DarajaAccount,
        *,
        tokens: TokenStore,
        session: requests.Session | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(NAIROBI),
        timeout: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        self._account = account
        self._now = now
        self._transport = Transport(account.base_url, timeout=timeout, session=session)
        self._token = SharedToken(tokens, self._fetch_token)

    def push(
        self, *, phone: str, amount: int, reference: str, description: str, callback_url: str
    ) -> PushAccepted:
        """Ring a phone for an amount of whole KES. Not safe to repeat: each call is a prompt.

        `phone` is 12 digits (2547… or 2541…), `amount` 1 to 250,000, `reference` at most 12 letters
        and digits (the payer reads it), `description` 1 to 13 characters. The address is sent as
        it is: see `check_callback_url`.

        Raises ValueError for arguments that break these rules, DarajaRefused when the phone will
        certainly not ring, and DarajaUnknown when it may.
        """
        _check_push(phone=phone, amount=amount, reference=reference, description=description)
        account = self._account
        prompt = {
            "TransactionType": account.transaction_type,
            "Amount": amount,
            "PartyA": phone,
            "PartyB": account.party_b or account.shortcode,
            "PhoneNumber": phone,
            "CallBackURL": callback_url,
            "AccountReference": reference,
            "TransactionDesc": description,
        }
        return _read_push(self._post(PUSH_PATH, {**self._credentials(), **prompt}))

    def query(self, *, checkout_request_id: str) -> StkStatus:
        """Ask what became of a prompt. Safe to repeat. Never raises.

        Only a known end is PAID or FAILED; everything else, errors included, is UNKNOWN with the
        reason in `description`. The sandbox answers five queries a minute.
        """
        if not request_id(checkout_request_id):
            return _unsettled("there is no request id to ask about")
        try:
            question = {**self._credentials(), "CheckoutRequestID": checkout_request_id}
            reply = self._post(QUERY_PATH, question)
        except (DarajaError, ValueError) as error:
            return _unsettled(str(error))
        return _read_status(reply, checkout_request_id)

    def _credentials(self) -> dict[str, str]:
        now = self._now()
        if now.tzinfo is None:
            raise ValueError("now() must return a time with its zone")
        account, stamp = self._account, now.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")
        password = f"{account.shortcode}{account.passkey}{stamp}".encode()
        return {
            "BusinessShortCode": account.shortcode,
            "Password": base64.b64encode(password).decode(),
            "Timestamp": stamp,
        }

    def _post(self, path: str, fields: Mapping[str, Any]) -> Reply:
        """Post once, and once more if the token was turned down before anything was processed."""
        for _ in range(2):
            token = self._token.get()
            answer = self._transport.post(path, fields, auth=Bearer(token))
            reply = Reply.of(status=answer.status, body=answer.body)
            if not reply.is_token_error:
                return reply
            self._token.turned_down(token)
        raise reply.refused(Refusal.CONFIGURATION)

    def _fetch_token(self) -> tuple[str, int]:
        """A new token and the seconds to keep it. Whatever goes wrong here, no money was asked for.

        Raises DarajaRefused.
        """
        try:
            return self._ask_for_token()
        except DarajaRefused as refusal:
            if refusal.kind not in (Refusal.UNREACHABLE, Refusal.BUSY_GATEWAY):
                raise
        except DarajaUnknown as error:  # a second wait of that length would help nobody
            raise _no_token(error) from error
        time.sleep(BACKOFF_SECONDS)
        try:
            return self._ask_for_token()
        except DarajaUnknown as error:
            raise _no_token(error) from error

    def _ask_for_token(self) -> tuple[str, int]:
        account = self._account
        # As bytes: `requests` would encode text as Latin-1, and fail on the rest.
        basic = HTTPBasicAuth(account.consumer_key.encode(), account.consumer_secret.encode())
        answer = self._transport.get(
            OAUTH_PATH, params={"grant_type": "client_credentials"}, auth=basic
        )
        reply = Reply.of(status=answer.status, body=answer.body)
        token = (reply.fields or {}).get("access_token")
        if answer.status == 200 and isinstance(token, str) and _TOKEN.fullmatch(token):
            lifetime = _seconds((reply.fields or {}).get("expires_in"))
            return token, min(lifetime, LONGEST_TOKEN_SECONDS) - RENEW_EARLY_SECONDS
        if reply.refusal == Refusal.BUSY_GATEWAY or answer.status >= 500:
            raise reply.refused(Refusal.BUSY_GATEWAY)
        # Wrong keys have been answered with a bare 400; a redirect means a wrong address.
        raise reply.refused(Refusal.OTHER if answer.status == 200 else Refusal.CONFIGURATION)


def _check_push(*, phone: str, amount: int, reference: str, description: str) -> None:
    if not _is(_PHONE, phone):
        raise ValueError("phone must be 12 digits beginning with 2547 or 2541, as text")
    if type(amount) is not int or not LEAST_KES <= amount <= MOST_KES:
        raise ValueError(f"amount must be a whole number from {LEAST_KES} to {MOST_KES}")
    if not _is(_REFERENCE, reference):
        raise ValueError("reference must be 1 to 12 ASCII letters and digits")
    if not _is(_DESCRIPTION, description):
        raise ValueError("description must be 1 to 13 ASCII characters, and not blank")


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _read_push(reply: Reply) -> PushAccepted:
    code = reply.code("ResponseCode")
    if reply.status == 200 and not reply.trouble:
        merchant_id, checkout_id = reply.id("MerchantRequestID"), reply.id("CheckoutRequestID")
        if code == ACCEPTED and merchant_id and checkout_id:
            return PushAccepted(merchant_id, checkout_id, reply.text("CustomerMessage"))
        if code not in ("", ACCEPTED):
            raise reply.refused(Refusal.OTHER, code=code)
    if reply.refusal:
        raise reply.refused(reply.refusal)
    raise DarajaUnknown(f"no clear answer to the push (HTTP {reply.status})", answer=reply.start)


def _read_status(reply: Reply, checkout_request_id: str) -> StkStatus:
    # Finished payments have been answered with an error at random: errors say nothing at all.
    if reply.status != 200 or reply.trouble or reply.code("ResponseCode") != ACCEPTED:
        return _unsettled(str(reply.refused(Refusal.OTHER)))
    if reply.id("CheckoutRequestID") != checkout_request_id:
        return _unsettled("the answer is about another request")
    result_code = reply.code("ResultCode")
    outcome = StkOutcome.UNKNOWN
    if codes.is_success(result_code):
        outcome = StkOutcome.PAID
    elif codes.is_terminal_failure(result_code):
        outcome = StkOutcome.FAILED
    return StkStatus(outcome, result_code, reply.text("ResultDesc"))


def _unsettled(description: str) -> StkStatus:
    return StkStatus(StkOutcome.UNKNOWN, "", description)


def _no_token(error: DarajaUnknown) -> DarajaRefused:
    return DarajaRefused(error.message, kind=Refusal.UNREACHABLE)


def _seconds(expires_in: Any) -> int:
    """A lifetime, which comes as a number or as text; 0 when it cannot be read."""
    try:
        return int(float(str(expires_in)))
    except (ValueError, OverflowError):
        return 0
