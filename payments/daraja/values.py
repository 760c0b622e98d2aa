"""Values in Daraja's messages: parses what it sends, and checks what we pass.

Parsing is strict about values that decide about money (ids, codes, amounts, receipts) and lenient
about those that are only displayed. A caller's mistake is a ValueError, before anything is sent.

Source: Daraja portal, the parameter tables of each API.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from omachemainproj.dates import NAIROBI
from omachemainproj.strict_json import NotStrictJson, read_json, read_json_leniently

Read = TypeVar("Read")

#: The longest callback that is parsed.
MAX_CALLBACK_BYTES = 64 * 1024
#: Far above M-Pesa's own limit of KES 250,000 per payment: an odd amount that arrived is still a
#: fact.
MAX_KES = 999_999_999
#: M-Pesa began in 2007. A year outside this range is a garbled date.
YEARS = range(2007, 3000)

_ID = re.compile(r"[!-~]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RECEIPT = re.compile(r"[A-Z0-9]{6,20}")
_AMOUNT_AS_TEXT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_COMPACT_TIME = re.compile(r"[0-9]{14}")
_PHONE = re.compile(r"254[17][0-9]{8}")


class UnreadableCallback(ValueError):
    """The body is not a valid callback. Its text can be shown to staff."""


def read_callback(body: bytes | memoryview, read: Callable[[Any], Read]) -> Read:
    """Parse the JSON of a callback with ``read``, up to 64 kB.

    A callback is sent only once. So if it is not strict JSON, because of a name or a date, what is
    sound of it is parsed all the same; if ``read`` needs more than that, the error is about the
    JSON. ``read`` raises UnreadableCallback, and nothing else.

    Raises UnreadableCallback.
    """
    try:
        document = read_json(body, at_most=MAX_CALLBACK_BYTES)
    except NotStrictJson as fault:
        try:
            return read(read_json_leniently(body, at_most=MAX_CALLBACK_BYTES))
        except (NotStrictJson, UnreadableCallback):
            raise UnreadableCallback(str(fault)) from fault
    return read(document)


def as_object(document: Any) -> dict[str, Any]:
    """A callback that is one object without an envelope. Raises UnreadableCallback."""
    if not isinstance(document, dict):
        raise UnreadableCallback("The body is not a JSON object.")
    return document


def inner(document: Any, name: str) -> dict[str, Any]:
    """The object with this name inside another. Raises UnreadableCallback."""
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise UnreadableCallback(f"There is no {name} object where a callback has one.")
    return found


def whole_kes(value: Any, name: str) -> int:
    """An amount of whole shillings, 1 or more; fractions are not rounded.

    Raises UnreadableCallback.
    """
    if isinstance(value, str) and _AMOUNT_AS_TEXT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableCallback(f"{name} is missing or is not a number.")
    if not 1 <= value <= MAX_KES or value != int(value):
        raise UnreadableCallback(f"{name} is not a possible number of whole shillings.")
    return int(value)


def receipt_in(value: Any, name: str) -> str:
    """A receipt number in capitals. Raises UnreadableCallback."""
    receipt = receipt_text(value)
    if not receipt:
        raise UnreadableCallback(f"{name} is missing or is not a receipt number.")
    return receipt


def receipt_text(value: Any) -> str:
    """A receipt number in capitals; "" if it is not one."""
    # Only ASCII keeps its letters in upper case: "ß" would become two.
    receipt = value.upper() if isinstance(value, str) and value.isascii() else ""
    return receipt if _RECEIPT.fullmatch(receipt) else ""


def moment(value: Any) -> datetime | None:
    """Parse fourteen digits of Nairobi's time, or an ISO date; in Nairobi's time, or None."""
    text = str(value) if isinstance(value, int | str) else ""
    if _COMPACT_TIME.fullmatch(text):
        text = f"{text[:8]}T{text[8:]}"
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if parsed.year not in YEARS:
        return None
    return parsed.astimezone(NAIROBI) if parsed.tzinfo else parsed.replace(tzinfo=NAIROBI)


def shown(value: Any, *, at_most: int = 32) -> str:
    """A text or a whole number for display; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return printable(str(value), at_most=at_most)


def says_reversal(transaction_type: str) -> bool:
    """Whether a transaction type is that of a reversal, not of a payment."""
    return "revers" in transaction_type.lower()


def code_text(value: Any) -> str:
    """A code as text, from a number or text (0, "0", "SFC_IC0003"); "" if it is not a code."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and _CODE.fullmatch(text) else ""


def request_id(value: Any) -> str:
    """An id of the gateway's: 1 to 64 visible ASCII characters; "" for anything else."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def printable(value: Any, *, at_most: int = 200) -> str:
    """One line that is safe for logs, terminals and the database; "" if it is not text."""
    if not isinstance(value, str):
        return ""
    cut = value[:at_most]
    if cut.isprintable():
        return cut.strip()
    return "".join(letter if letter.isprintable() else " " for letter in cut).strip()


def check_phone(phone: str) -> None:
    """Raises ValueError for anything but a Kenyan mobile number of 12 digits."""
    words = "phone must be 12 digits beginning with 2547 or 2541, as text"
    check_text(_PHONE, phone, words)


def check_amount(amount: int, *, least: int, most: int) -> None:
    """Raises ValueError for anything but a whole number (KES) within these limits."""
    if type(amount) is not int or not least <= amount <= most:
        raise ValueError(f"amount must be a whole number from {least} to {most}")


def check_text(pattern: re.Pattern[str], text: object, otherwise: str) -> None:
    """Raises ValueError with the text ``otherwise`` for anything but a text of this pattern."""
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError(otherwise)
