"""Parses the results of payouts, reversals and status queries, which M-Pesa posts later.

Source: Daraja portal, the result samples of Business to Customer, Reversal, Transaction Status and
Account Balance. A queue timeout URL receives the request itself, word for word, as an integrator
was told by Safaricom.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .result_codes import is_success
from .values import (
    UnreadableCallback,
    code_text,
    inner,
    printable,
    read_callback,
    receipt_text,
    request_id,
    whole_kes,
)

#: Parameters that decide about money, and must not occur twice.
DECISIVE = frozenset(
    {
        "Amount",
        "TransactionAmount",
        "ReceiptNo",
        "TransactionReceipt",
        "TransactionStatus",
        "OriginalTransactionID",
    }
)
_KES = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a request.

    At least one of the two ids is present, and either may match: the originator's has been seen to
    differ from ours. `transaction_id` is the receipt of a success, and a placeholder otherwise; ""
    if it is not a receipt at all. `facts` are the parameters as text, by name.
    """

    result_code: str
    description: str
    originator_conversation_id: str
    conversation_id: str
    transaction_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Whether the request succeeded. For a query: whether it was answered at all."""
        return is_success(self.result_code)

    @property
    def amount(self) -> int | None:
        """Whole KES, or None if there is no such amount."""
        reported = self.facts.get("TransactionAmount") or self.facts.get("Amount")
        try:
            return whole_kes(reported, "Amount")
        except UnreadableCallback:
            return None

    @property
    def transaction_status(self) -> str:
        """The status of the queried transaction: see `transaction_end`."""
        return self.facts.get("TransactionStatus", "")

    @property
    def receipt(self) -> str:
        """The receipt of the payout, or of the queried transaction; "" if there is none."""
        reported = self.facts.get("ReceiptNo") or self.facts.get("TransactionReceipt")
        return receipt_text(reported)

    @property
    def holdings(self) -> Mapping[str, Decimal]:
        """The balance of each account of a short code, in KES, from the answer to a balance query.

        By the account's name. Empty if the answer has another format or another currency.
        """
        held: dict[str, Decimal] = {}
        for part in self.facts.get("AccountBalance", "").split("&"):
            name, currency, current, *_ = [*part.split("|"), "", "", ""]
            if currency != "KES" or not _KES.fullmatch(current):
                return {}
            held[name] = Decimal(current)
        return held

    @property
    def original_transaction_id(self) -> str:
        """The receipt of the payment a reversal gave back; "" where there is none."""
        return receipt_text(self.facts.get("OriginalTransactionID"))


def _result(document: Any) -> Result:
    result = inner(document, "Result")
    result_code = code_text(result.get("ResultCode"))
    if not result_code:
        raise UnreadableCallback("ResultCode is missing or is not a code.")
    originator_id = request_id(result.get("OriginatorConversationID"))
    conversation_id = request_id(result.get("ConversationID"))
    if not originator_id and not conversation_id:
        raise UnreadableCallback("There is no id of a conversation.")
    return Result(
        result_code=result_code,
        description=printable(result.get("ResultDesc")),
        originator_conversation_id=originator_id,
        conversation_id=conversation_id,
        transaction_id=receipt_text(result.get("TransactionID")),
        facts=_facts(result.get("ResultParameters")),
    )


def _facts(parameters: Any) -> dict[str, str]:
    """The parameters by name. If one occurs twice, as DebitPartyName does, the first counts."""
    facts: dict[str, str] = {}
    for name, value in _named(parameters):
        if name in facts and name in DECISIVE:
            raise UnreadableCallback(f"{name} is given twice.")
        facts.setdefault(name, _as_text(value))
    return facts


def _named(parameters: Any) -> Iterator[tuple[str, Any]]:
    """All parameters, which are a list or a single one without a list."""
    found = parameters.get("ResultParameter") if isinstance(parameters, dict) else None
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict) and (name := printable(each.get("Key"), at_most=64)):
            yield name, each.get("Value")


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return ""
    return printable(str(value), at_most=2000)


@dataclass(frozen=True, slots=True)
class QueueTimeout:
    """A request of ours that waited too long in a queue. This is never a failure: query its status.

    It is our own request, so a payout has the id we gave it, a reversal or a status query by
    receipt only that receipt, and a balance query only its command. Missing fields are "".
    """

    command: str
    originator_conversation_id: str = ""
    transaction_id: str = ""
    original_conversation_id: str = ""


def read_transfer_callback(body: bytes | memoryview) -> Result | QueueTimeout:
    """Parse a body posted to a URL that was given for both results and queue timeouts, up to 64 kB.

    A result is inside an object named Result; a queue timeout is not, and its credential is
    discarded. Neither proves who sent it.

    Raises UnreadableCallback, and nothing else, for any bytes.
    """
    return read_callback(body, _transfer_callback)


def _transfer_callback(document: Any) -> Result | QueueTimeout:
    if isinstance(document, dict) and "Result" not in document:
        return _queue_timeout(document)
    return _result(document)


def is_transfer_callback(body: bytes | memoryview) -> bool:
    """Whether this is a result or a queue timeout, whoever sent it. Never raises."""
    try:
        read_transfer_callback(body)
    except UnreadableCallback:
        return False
    return True


def _queue_timeout(request: dict[str, Any]) -> QueueTimeout:
    command = code_text(request.get("CommandID"))
    if not command:
        raise UnreadableCallback("CommandID is missing or is not a command.")
    return QueueTimeout(
        command=command,
        originator_conversation_id=request_id(request.get("OriginatorConversationID")),
        transaction_id=receipt_text(request.get("TransactionID")),
        original_conversation_id=request_id(request.get("OriginalConversationID")),
    )
