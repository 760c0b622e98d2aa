"""STK push (M-Pesa Express): prompts a phone for a payment, and queries the outcome.

Source: Daraja portal, M-Pesa Express and M-Pesa Express Query.
"""

import base64
import re
from dataclasses import dataclass
from enum import StrEnum

from omachemainproj.dates import NAIROBI
from omachemainproj.mpesa_limits import MAX_PAYMENT, MIN_PAYMENT

from .connection import Connection
from .errors import RETRYABLE, DarajaError, DarajaRefusal
from .reply import ACCEPTED, Reply
from .result_codes import is_success, stk_failure
from .values import (
    check_amount,
    check_phone,
    check_text,
    request_id,
)

PUSH_PATH = "/mpesa/stkpush/v1/processrequest"
QUERY_PATH = "/mpesa/stkpushquery/v1/query"

_REFERENCE = re.compile(r"[A-Za-z0-9]{1,12}")
_DESCRIPTION = re.compile(r"(?=.*[!-~])[ -~]{1,13}")


@dataclass(frozen=True, slots=True)
class PushAccepted:
    """The gateway accepted the request and will prompt the phone. It says nothing about money.

    The checkout request id contains the payer's number: personal data, but not a secret.
    """

    merchant_request_id: str
    checkout_request_id: str
    customer_message: str


class StkOutcome(StrEnum):
    PAID = "paid"
    FAILED = "failed"
    #: The answer is not final. Query again later.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StkStatus:
    """The answer to a status query. `result_code` is "" if there was none.

    If it was not `answered`, the query probably did not reach M-Pesa, or the answer was lost: query
    again, however often it was tried.
    """

    outcome: StkOutcome
    result_code: str
    description: str
    answered: bool = True


class StkCalls(Connection):
    """The part of a client for STK pushes."""

    def stk_push(
        self, *, phone: str, amount: int, reference: str, description: str, callback_url: str
    ) -> PushAccepted:
        """Prompt a phone for an amount of whole KES. Not safe to repeat: each call is a prompt.

        `phone` is 12 digits (2547… or 2541…), `amount` 1 to 250,000, `reference` at most 12 letters
        and digits (shown to the payer), `description` 1 to 13 characters. The URL is sent as it is:
        see `check_callback_url`.

        Raises ValueError for arguments that break these rules, DarajaRefused if the phone will
        certainly not be prompted, and DarajaUnknown if it may be.
        """
        _check_push(phone=phone, amount=amount, reference=reference, description=description)
        account = self._account
        prompt = {
            "TransactionType": account.transaction_type,
            "Amount": amount,
            "PartyA": phone,
            "PartyB": account.receiving_shortcode,
            "PhoneNumber": phone,
            "CallBackURL": callback_url,
            "AccountReference": reference,
            "TransactionDesc": description,
        }
        return _read_push(self._post(PUSH_PATH, {**self._credentials(), **prompt}))

    def stk_query(self, *, checkout_request_id: str) -> StkStatus:
        """Query the outcome of an STK push. Safe to repeat. Never raises.

        Only a final outcome is PAID or FAILED; everything else, including errors, is UNKNOWN with
        the reason in `description`. The sandbox answers five queries a minute.
        """
        if not request_id(checkout_request_id):
            return _unsettled("there is no request id to query", answered=True)
        try:
            question = {**self._credentials(), "CheckoutRequestID": checkout_request_id}
            reply = self._post(QUERY_PATH, question)
        except (DarajaError, ValueError) as error:
            return _unsettled(str(error), answered=False)
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


def _check_push(*, phone: str, amount: int, reference: str, description: str) -> None:
    check_phone(phone)
    check_amount(amount, least=MIN_PAYMENT, most=MAX_PAYMENT)
    check_text(_REFERENCE, reference, "reference must be 1 to 12 ASCII letters and digits")
    words = "description must be 1 to 13 ASCII characters, and not blank"
    check_text(_DESCRIPTION, description, words)


def _read_push(reply: Reply) -> PushAccepted:
    code = reply.code("ResponseCode")
    if reply.status == 200 and not reply.error:
        merchant_id, checkout_id = reply.id("MerchantRequestID"), reply.id("CheckoutRequestID")
        if code == ACCEPTED and merchant_id and checkout_id:
            return PushAccepted(merchant_id, checkout_id, reply.text("CustomerMessage"))
        if code not in ("", ACCEPTED):
            raise reply.refused(DarajaRefusal.OTHER, code=code)
    if reply.refusal:
        raise reply.refused(reply.refusal)
    raise reply.unclear("push")


def _read_status(reply: Reply, checkout_request_id: str) -> StkStatus:
    # Finished payments have been answered with an error at random: errors prove nothing.
    if reply.status != 200 or reply.error or reply.code("ResponseCode") != ACCEPTED:
        answered = reply.fields is not None and reply.refusal not in RETRYABLE
        return _unsettled(str(reply.refused(DarajaRefusal.OTHER)), answered=answered)
    if reply.id("CheckoutRequestID") != checkout_request_id:
        return _unsettled("the answer is about another request", answered=True)
    result_code = reply.code("ResultCode")
    outcome = StkOutcome.UNKNOWN
    if is_success(result_code):
        outcome = StkOutcome.PAID
    elif stk_failure(result_code):
        outcome = StkOutcome.FAILED
    return StkStatus(outcome, result_code, reply.text("ResultDesc"))


def _unsettled(description: str, *, answered: bool) -> StkStatus:
    return StkStatus(StkOutcome.UNKNOWN, "", description, answered=answered)
