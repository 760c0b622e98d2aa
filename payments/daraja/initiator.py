"""Calls in the name of an API operator: B2C payment, reversal, transaction status, account balance.

The answer means that the request was accepted; the result is posted later (see results.py).

Source: Daraja portal, Business to Customer, Reversal, Transaction Status and Account Balance.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C

from . import result_codes
from .connection import Connection
from .credential import security_credential
from .errors import DarajaDuplicate, DarajaRefusal, DarajaRefused
from .reply import Reply
from .values import (
    MAX_KES,
    check_amount,
    check_phone,
    check_text,
    request_id,
)

B2C_PATH = "/mpesa/b2c/v3/paymentrequest"
REVERSAL_PATH = "/mpesa/reversal/v1/request"
STATUS_PATH = "/mpesa/transactionstatus/v1/query"
BALANCE_PATH = "/mpesa/accountbalance/v1/query"

PAYOUT_COMMANDS = ("BusinessPayment", "SalaryPayment", "PromotionPayment")

#: Identifier types: 4 is a short code; a reversal needs 11 for every receiver.
SHORT_CODE, REVERSAL_RECEIVER = "4", "11"

_REMARKS = re.compile(r"[!-~][ -~]{0,98}[!-~]")
_RECEIPT = re.compile(r"[A-Z0-9]{6,20}")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The gateway accepted a request and will post its result. It says nothing about money.

    The result contains both ids; it has been seen with a different originator id than the answer's,
    so match on either.
    """

    conversation_id: str
    originator_conversation_id: str


class InitiatorCalls(Connection):
    """The part of a client that acts in the operator's name.

    Every call raises ValueError for arguments that break its rules, DarajaRefused if the gateway
    certainly did not accept the request (CONFIGURATION, before anything is sent, if the operator or
    the certificate is missing or invalid), and DarajaUnknown if it may have.
    """

    def b2c_payment(
        self,
        *,
        phone: str,
        amount: int,
        originator_conversation_id: str,
        remarks: str,
        result_url: str,
        queue_timeout_url: str,
        command: str = "BusinessPayment",
    ) -> Conversation:
        """Pay an amount of whole KES, 10 to 250,000, to a phone.

        `originator_conversation_id` is ours, 1 to 64 visible characters, and identifies one payout
        for ever: the gateway accepts it once, so repeating the call with the same id pays once.
        `remarks` are 2 to 100 characters.

        Raises DarajaDuplicate if the id was used before, and otherwise like every call here.
        """
        check_phone(phone)
        check_amount(amount, least=MIN_B2C, most=MAX_B2C)
        _check_originator(originator_conversation_id)
        if command not in PAYOUT_COMMANDS:
            raise ValueError(f"command must be one of {', '.join(PAYOUT_COMMANDS)}")
        fields = self._request("InitiatorName", command, remarks, result_url, queue_timeout_url)
        fields |= {
            "OriginatorConversationID": originator_conversation_id,
            "Amount": amount,
            "PartyA": _configured(self._account.b2c_shortcode, "the number that pays out"),
            "PartyB": phone,
        }
        reply = self._post(B2C_PATH, fields)
        if reply.says_duplicate:
            raise DarajaDuplicate("this payout was requested before", answer=reply.start)
        return _money_moves(
            reply,
            "payout",
            failure=result_codes.b2c_failure,
            ours=originator_conversation_id,
        )

    def reversal(
        self,
        *,
        receipt: str,
        amount: int,
        remarks: str,
        result_url: str,
        queue_timeout_url: str,
        shortcode: str = "",
    ) -> Conversation:
        """Reverse a payment to us: the whole amount, in whole KES.

        `shortcode` is the number of ours that was paid; left out, the one that prompts are about.
        A payment is reversed once, however often it is requested: the second request ends with
        R000001.
        """
        _check_receipt(receipt)
        check_amount(amount, least=1, most=MAX_KES)
        fields = self._request(
            "Initiator", "TransactionReversal", remarks, result_url, queue_timeout_url
        )
        fields |= {
            "TransactionID": receipt,
            "Amount": str(amount),
            "ReceiverParty": shortcode or self._account.receiving_shortcode,
            "RecieverIdentifierType": REVERSAL_RECEIVER,
        }
        reply = self._post(REVERSAL_PATH, fields)
        return _money_moves(reply, "reversal", failure=result_codes.reversal_failure)

    def transaction_status(
        self,
        *,
        receipt: str = "",
        originator_conversation_id: str = "",
        result_url: str,
        queue_timeout_url: str,
        shortcode: str = "",
    ) -> Conversation:
        """Query a transaction by its receipt or by the id of its request. Safe to repeat.

        `shortcode` is our short code that took part in it. The default is the pay bill for a
        receipt and the one that pays out for an id: pass it for the receipt of a payout, and for
        the id of a reversal.
        """
        if bool(receipt) == bool(originator_conversation_id):
            raise ValueError("either receipt or originator_conversation_id must be given")
        if receipt:
            _check_receipt(receipt)
            about, party = {"TransactionID": receipt}, self._account.shortcode
        else:
            _check_originator(originator_conversation_id)
            about = {"OriginalConversationID": originator_conversation_id}
            party = self._account.b2c_shortcode
        fields = self._request(
            "Initiator", "TransactionStatusQuery", "Status", result_url, queue_timeout_url
        )
        fields |= about
        fields |= {
            "PartyA": _configured(shortcode or party, "the number to query"),
            "IdentifierType": SHORT_CODE,
            "Occasion": "Status",
        }
        return _question(self._post(STATUS_PATH, fields), "status query")

    def account_balance(
        self, *, result_url: str, queue_timeout_url: str, shortcode: str = ""
    ) -> Conversation:
        """Query the balance of one of our short codes; by default the one that pays out. Safe to
        repeat."""
        party = shortcode or self._account.b2c_shortcode
        fields = self._request(
            "Initiator", "AccountBalance", "Balance", result_url, queue_timeout_url
        )
        fields |= {
            "PartyA": _configured(party, "the number to query"),
            "IdentifierType": SHORT_CODE,
        }
        return _question(self._post(BALANCE_PATH, fields), "balance query")

    def _request(
        self, initiator: str, command: str, remarks: str, result_url: str, queue_timeout_url: str
    ) -> dict[str, str | int]:
        words = "remarks must be 2 to 100 ASCII characters without a space at either end"
        check_text(_REMARKS, remarks, words)
        return {
            initiator: _configured(self._account.initiator_name, "the initiator's name"),
            "SecurityCredential": self._credential,
            "CommandID": command,
            "Remarks": remarks,
            "ResultURL": result_url,
            "QueueTimeOutURL": queue_timeout_url,
        }

    @cached_property
    def _credential(self) -> str:
        account = self._account
        return security_credential(
            password=_configured(account.initiator_password, "the initiator's password"),
            certificate=_configured(account.certificate, "Safaricom's certificate"),
        )


def _money_moves(
    reply: Reply,
    request: str,
    *,
    failure: Callable[[str], result_codes.TransferFailure | None],
    ours: str = "",
) -> Conversation:
    """The conversation. Raises DarajaRefused only if the money certainly stays."""
    if conversation := _opened(reply, ours):
        return conversation
    if kind := reply.sure_refusal:
        raise reply.refused(kind)
    if failure(reply.turned_down_in_200):
        raise reply.refused(DarajaRefusal.OTHER, code=reply.turned_down_in_200)
    raise reply.unclear(request)


def _question(reply: Reply, request: str) -> Conversation:
    if conversation := _opened(reply):
        return conversation
    raise reply.no(request)


def _opened(reply: Reply, ours: str = "") -> Conversation | None:
    conversation_id = reply.id("ConversationID")
    originator_id = reply.id("OriginatorConversationID") or ours
    if reply.is_accepted and conversation_id and originator_id:
        return Conversation(conversation_id, originator_id)
    return None


def _check_originator(value: str) -> None:
    if not request_id(value):
        raise ValueError("originator_conversation_id must be 1 to 64 visible ASCII characters")


def _check_receipt(receipt: str) -> None:
    check_text(_RECEIPT, receipt, "receipt must be 6 to 20 capital letters and digits")


def _configured(value: str, name: str) -> str:
    if not value:
        raise DarajaRefused(f"{name} is not configured", kind=DarajaRefusal.CONFIGURATION)
    return value
