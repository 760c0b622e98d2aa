"""Pull Transactions: all payments to our short code in the last 48 hours.

Source: Daraja portal, Pull Transactions.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from omachemainproj.dates import NAIROBI
from omachemainproj.strict_json import read_json_leniently

from .connection import Connection
from .reply import Reply
from .transaction_types import Direction, direction_of
from .values import (
    UnreadableCallback,
    check_text,
    moment,
    printable,
    receipt_in,
    receipt_text,
    says_reversal,
    shown,
    whole_kes,
)

REGISTER_PATH = "/pulltransactions/v1/register"
QUERY_PATH = "/pulltransactions/v1/query"

#: Registered, or rows follow.
DONE = "1000"
#: Registered before, or there are no rows.
NOTHING_NEW = "1001"

#: Fields of a reversal's row that may name the payment: no sample of Safaricom's shows one.
NAMES_OF_ORIGINAL = (
    "originalTransactionId",
    "OriginalTransactionID",
    "linkedTransactionId",
    "billreference",
)

#: A page is longer than any other answer, and its length is up to the gateway.
LONGEST_PAGE_BYTES = 1024 * 1024

_NOMINATED = re.compile(r"(254|0)[17][0-9]{8}")


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement at our short code: `direction` tells whether it is an incoming payment,
    `is_reversal` whether it was reversed. `phone` is the payer's as M-Pesa shows it.

    For a reversal, `amount` is the amount reversed, and `reverses` the receipt of the payment, ""
    if the row does not name it.
    """

    receipt: str
    amount: int
    paid_at: datetime | None
    phone: str
    reference: str
    transaction_type: str
    is_reversal: bool = False
    reverses: str = ""

    @property
    def direction(self) -> Direction:
        """The direction of the money, as far as the row tells."""
        return direction_of(self.transaction_type)


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some rows of a statement. `unreadable` are the rows that are not payments to us, as one line
    of JSON each, with the payer's number in it. Only an empty page is certainly the last."""

    rows: tuple[StatementRow, ...]
    unreadable: tuple[str, ...]

    @property
    def size(self) -> int:
        """How far to move the offset for the next page."""
        return len(self.rows) + len(self.unreadable)

    @property
    def is_last(self) -> bool:
        return self.size == 0


class StatementCalls(Connection):
    """The part of a client that pulls statements."""

    def register_pull(self, *, nominated_number: str, callback_url: str) -> None:
        """Register our short code, once before the first pull. Safe to repeat.

        `nominated_number` is the phone in the short code's registration papers.

        Raises ValueError, DarajaRefused and DarajaUnknown.
        """
        check_text(_NOMINATED, nominated_number, "nominated_number must be a Kenyan mobile number")
        wanted = {
            "ShortCode": self._account.receiving_shortcode,
            "RequestType": "Pull",
            "NominatedNumber": nominated_number,
            "CallBackURL": callback_url,
        }
        reply = self._post(REGISTER_PATH, wanted)
        if not _is_fine(reply, reply.code("ResponseStatus")):
            raise reply.no("registration for statements")

    def pull_transactions(
        self, *, start: datetime, end: datetime, offset: int = 0, shortcode: str = ""
    ) -> StatementPage:
        """The payments from `start` to `end`, both aware, from row `offset` on. Safe to repeat.

        They are those to `shortcode`, by default to the number that prompts are paid to.

        Raises ValueError, and DarajaRefused or DarajaUnknown if there is no statement to read.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("start and end must be times with their zone")
        if start > end:
            raise ValueError("start must not be after end")
        if type(offset) is not int or offset < 0:
            raise ValueError("offset must be a whole number, 0 or more")
        question = {
            "ShortCode": shortcode or self._account.receiving_shortcode,
            "StartDate": _second(start),
            "EndDate": _second(end + timedelta(microseconds=999_999)),
            "OffSetValue": str(offset),
        }
        return _page(
            self._post(QUERY_PATH, question, at_most=LONGEST_PAGE_BYTES, read=read_json_leniently)
        )


def _is_fine(reply: Reply, code: str) -> bool:
    return reply.status == 200 and not reply.error and code in (DONE, NOTHING_NEW)


def _second(when: datetime) -> str:
    return when.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S")


def _page(reply: Reply) -> StatementPage:
    code = reply.code("ResponseCode")
    if not _is_fine(reply, code):
        raise reply.no("statement query")
    rows, unreadable = [], []
    for raw in _raw_rows(reply, is_empty=code == NOTHING_NEW):
        try:
            rows.append(_row(raw))
        except UnreadableCallback:
            line = json.dumps(raw, default=str, ensure_ascii=False)
            unreadable.append(printable(line, at_most=500))
    return StatementPage(tuple(rows), tuple(unreadable))


def _raw_rows(reply: Reply, *, is_empty: bool) -> Iterator[Any]:
    """The rows, which come as a list in a list. No list means no rows only if the answer says so.

    Raises DarajaUnknown.
    """
    found = (reply.fields or {}).get("Response")
    if not isinstance(found, list):
        if found or not is_empty:
            raise reply.unclear("statement query")
        return
    for part in found:
        yield from part if isinstance(part, list) else [part]


def _row(raw: Any) -> StatementRow:
    if not isinstance(raw, dict):
        raise UnreadableCallback("A row is not a JSON object.")
    transaction_type = shown(raw.get("transactiontype"), at_most=64)
    is_reversal, amount = says_reversal(transaction_type), raw.get("amount")
    if is_reversal and isinstance(amount, str | int | Decimal):
        # A reversal may be shown as a negative amount.
        amount = str(amount).removeprefix("-")
    receipt = receipt_in(raw.get("transactionId"), "transactionId")
    return StatementRow(
        receipt=receipt,
        amount=whole_kes(amount, "amount"),
        is_reversal=is_reversal,
        reverses=_reversed_by(raw, receipt) if is_reversal else "",
        paid_at=moment(raw.get("trxDate")),
        phone=shown(raw.get("msisdn"), at_most=64),
        reference=shown(raw.get("billreference"), at_most=64),
        transaction_type=transaction_type,
    )


def _reversed_by(raw: dict[str, Any], receipt: str) -> str:
    """The payment a row reverses. If the row names none, its own receipt may be the payment's: the
    caller finds out."""
    named = (receipt_text(raw.get(name)) for name in NAMES_OF_ORIGINAL)
    return next((each for each in named if each and each != receipt), "")
