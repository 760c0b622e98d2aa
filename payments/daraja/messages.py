"""What Daraja sends, read once into our words.

Source: Daraja portal, M-Pesa Express and M-Pesa Express Query; recorded callbacks and answers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Self

from . import codes
from .errors import DarajaRefused, Refusal
from .strictjson import NotStrictJson, read_json

#: Every time Daraja tells or is told is Nairobi's: UTC+3, the whole year.
NAIROBI = timezone(timedelta(hours=3), "EAT")

#: Far above M-Pesa's own ceiling of KES 250,000 a payment: what came is a fact, even if odd.
MOST_KES = 999_999_999
#: M-Pesa began in 2007. A year outside these is a garbled date, not a payment's.
YEARS = range(2007, 3000)

_ID = re.compile(r"[!-~]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RECEIPT = re.compile(r"[A-Z0-9]{6,20}")
_AMOUNT_AS_TEXT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_COMPACT_TIME = re.compile(r"[0-9]{14}")


class UnreadableCallback(ValueError):
    """The body is not a callback that can be believed. Its text is a plain sentence."""


@dataclass(frozen=True, slots=True)
class StkCallback:
    """How a prompt ended, as the callback tells it.

    A success always has `amount` (whole KES, 1 or more) and `receipt`; a failure has neither.
    `paid_at` is aware, in Nairobi's time. `phone` is what M-Pesa shows of the payer's number,
    nowadays often masked or missing: nothing to match on. `description` is for people to read.
    """

    merchant_request_id: str
    checkout_request_id: str
    result_code: str
    description: str
    amount: int | None = None
    receipt: str = ""
    paid_at: datetime | None = None
    phone: str = ""

    @property
    def succeeded(self) -> bool:
        return codes.is_success(self.result_code)


def read_stk_callback(body: bytes | memoryview) -> StkCallback:
    """Read the body of an M-Pesa Express callback, up to 64 kB.

    Lenient about what is only shown (date, phone, description), strict about what money hangs on
    (ids, code, amount, receipt). It proves nothing about who sent it.

    Raises UnreadableCallback, and nothing else, for any bytes.
    """
    try:
        document = read_json(body)
    except NotStrictJson as error:
        raise UnreadableCallback(str(error)) from error
    callback = _inner(_inner(document, "Body"), "stkCallback")
    result_code = code_text(callback.get("ResultCode"))
    if not result_code:
        raise UnreadableCallback("ResultCode is missing or is not a code.")
    succeeded = codes.is_success(result_code)
    facts = _facts(callback) if succeeded else {}
    return StkCallback(
        merchant_request_id=_id(callback, "MerchantRequestID"),
        checkout_request_id=_id(callback, "CheckoutRequestID"),
        result_code=result_code,
        description=printable(callback.get("ResultDesc")),
        amount=_amount(facts.get("Amount")) if succeeded else None,
        receipt=_receipt(facts.get("MpesaReceiptNumber")) if succeeded else "",
        paid_at=_paid_at(facts.get("TransactionDate")),
        phone=_phone(facts.get("PhoneNumber")),
    )


def _inner(document: Any, name: str) -> dict[str, Any]:
    inner = document.get(name) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        raise UnreadableCallback(f"There is no {name} object where a callback has one.")
    return inner


def _facts(callback: dict[str, Any]) -> dict[str, Any]:
    """The items by name: their order and number vary, and Balance may come without a value."""
    items = _inner(callback, "CallbackMetadata").get("Item")
    if not isinstance(items, list):
        raise UnreadableCallback("CallbackMetadata has no list of items.")
    facts: dict[str, Any] = {}
    for item in items:
        name = item.get("Name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        if name in facts:
            raise UnreadableCallback("The same item is given twice.")
        facts[name] = item.get("Value")
    return facts


def _id(callback: dict[str, Any], name: str) -> str:
    value = request_id(callback.get(name))
    if not value:
        raise UnreadableCallback(f"{name} is missing or is not 1 to 64 visible characters.")
    return value


def _amount(value: Any) -> int:
    if isinstance(value, str) and _AMOUNT_AS_TEXT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableCallback("Amount is missing or is not a number.")
    if not 1 <= value <= MOST_KES or value != int(value):
        raise UnreadableCallback("Amount is not a possible number of whole shillings.")
    return int(value)


def _receipt(value: Any) -> str:
    # Only ASCII has an upper case that keeps its letters: "ß" would become two.
    receipt = value.upper() if isinstance(value, str) and value.isascii() else ""
    if not _RECEIPT.fullmatch(receipt):
        raise UnreadableCallback("MpesaReceiptNumber is missing or is not a receipt number.")
    return receipt


def _paid_at(value: Any) -> datetime | None:
    """Fourteen digits of Nairobi's time, or an ISO date as one third party reports; else None."""
    text = str(value) if isinstance(value, int | str) else ""
    if _COMPACT_TIME.fullmatch(text):
        text = f"{text[:8]}T{text[8:]}"
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    if told.year not in YEARS:
        return None
    return told.astimezone(NAIROBI) if told.tzinfo else told.replace(tzinfo=NAIROBI)


def _phone(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return printable(str(value), at_most=32)


@dataclass(frozen=True, slots=True)
class Trouble:
    """The error in an answer: its code and one printable line, "" where it has none."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request of ours: its HTTP status, its fields and the error it carries.

    `fields` is None when the body is not a JSON object; then `start` shows how it begins.
    """

    status: int
    fields: Mapping[str, Any] | None
    start: str
    trouble: Trouble | None

    @classmethod
    def of(cls, *, status: int, body: bytes) -> Self:
        """Read an answer. Never raises."""
        try:
            fields = read_json(body)
        except NotStrictJson:
            fields = None
        if not isinstance(fields, dict):
            fields = None
        start = printable(body[:800].decode(errors="replace"))
        return cls(status, fields, start, _trouble_in(fields or {}))

    def text(self, name: str) -> str:
        """A field for people to read, as one printable line."""
        return printable((self.fields or {}).get(name))

    def code(self, name: str) -> str:
        return code_text((self.fields or {}).get(name))

    def id(self, name: str) -> str:
        return request_id((self.fields or {}).get(name))

    @property
    def is_token_error(self) -> bool:
        """Whether to resend with a new token. Never true of an answer that names a prompt."""
        code = self.trouble.code if self.trouble else ""
        return codes.is_token_error(status=self.status, code=code) and not self._names_a_prompt

    @property
    def refusal(self) -> Refusal | None:
        """Why this is certainly a no, or None when it is a yes or cannot be told."""
        if self._names_a_prompt:
            return None
        trouble = self.trouble or Trouble()
        return codes.refusal_of(status=self.status, code=trouble.code, message=trouble.message)

    @property
    def _names_a_prompt(self) -> bool:
        return bool((self.fields or {}).get("CheckoutRequestID"))

    def refused(self, kind: Refusal, *, code: str = "") -> DarajaRefused:
        """This answer as the error to raise, in the gateway's own words where it has any.

        Of a JSON object only the known fields are quoted: others may hold a token or a number.
        """
        trouble = self.trouble or Trouble(code, self.text("ResponseDescription"))
        quoted = self.start if self.fields is None and self.start else "without a reason"
        message = trouble.message or f"HTTP {self.status}: {quoted}"
        return DarajaRefused(message, code=trouble.code, kind=kind)


def _trouble_in(fields: Mapping[str, Any]) -> Trouble | None:
    """Two shapes exist: Daraja's own, also seen under HTTP 200, and its API gateway's."""
    if code := fields.get("errorCode"):
        return Trouble(code=code_text(code), message=printable(fields.get("errorMessage")))
    fault = fields.get("fault")
    if not isinstance(fault, dict):
        return None
    detail = fault.get("detail")
    code = detail.get("errorcode") if isinstance(detail, dict) else None
    return Trouble(code=code_text(code), message=printable(fault.get("faultstring")))


def code_text(value: Any) -> str:
    """A code as text, however it was typed (0, "0", "SFC_IC0003"); "" when it is not a code."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and _CODE.fullmatch(text) else ""


def request_id(value: Any) -> str:
    """An id of the gateway's: 1 to 64 visible ASCII characters; "" when it is anything else."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def printable(value: Any, *, at_most: int = 200) -> str:
    """One line that a log, a terminal and a database can all take; "" when it is not a text."""
    if not isinstance(value, str):
        return ""
    cut = value[:at_most]
    return "".join(letter if letter.isprintable() else " " for letter in cut).strip()
