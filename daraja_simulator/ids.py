"""Identifiers in Safaricom's formats, and phone numbers in the format Daraja accepts."""

import re
import secrets
import string
from datetime import datetime

_RECEIPT_LETTERS = string.ascii_uppercase + string.digits
_TOKEN_LETTERS = string.ascii_letters + string.digits
_MSISDN = re.compile(r"254[17][0-9]{8}")


def access_token() -> str:
    """Make an access token of 28 letters and digits, as the real service does."""
    return "".join(secrets.choice(_TOKEN_LETTERS) for _ in range(28))


def request_id() -> str:
    """Make the ``requestId`` of an error body: hex groups of 4, 4, 4 and 8."""
    return _hex_groups(4, 4, 4, 8)


def merchant_request_id() -> str:
    """Make a ``MerchantRequestID``: hex groups of 4, 4, 4 and 16."""
    return _hex_groups(4, 4, 4, 16)


def checkout_request_id(moment: datetime, phone: str) -> str:
    """Make a ``CheckoutRequestID``: ``ws_CO_``, Nairobi time, three digits, the payer's number."""
    return f"ws_CO_{moment:%d%m%Y%H%M%S}{secrets.randbelow(1000):03d}{phone[3:]}"


def receipt(moment: datetime) -> str:
    """Make a receipt number: ten capitals and digits, the first three for year, month and day."""
    letters = _RECEIPT_LETTERS
    day = letters[(moment.year - 2007) % 26] + letters[moment.month - 1] + letters[moment.day - 1]
    return day + "".join(secrets.choice(letters) for _ in range(7))


def no_receipt(moment: datetime) -> str:
    """Make the placeholder for a receipt where no money moved: the day, and zeros."""
    return receipt(moment)[:3] + "0" * 7


def conversation_id(moment: datetime) -> str:
    """Make a ``ConversationID``: ``AG_``, the day in Nairobi, twenty hex digits."""
    return f"AG_{moment:%Y%m%d}_{secrets.token_hex(10)}"


def is_msisdn(text: str) -> bool:
    """Return whether this is a full Kenyan mobile number: ``2547…`` or ``2541…``, 12 digits."""
    return _MSISDN.fullmatch(text) is not None


def msisdn(text: str) -> str:
    """Normalise a phone number, as people write it, to 12 digits. Raises ValueError."""
    digits = re.sub(r"[\s+()-]", "", text)
    if re.fullmatch(r"0[17][0-9]{8}", digits):
        digits = "254" + digits[1:]
    elif re.fullmatch(r"[17][0-9]{8}", digits):
        digits = "254" + digits
    if not is_msisdn(digits):
        raise ValueError("A phone number looks like 254712345678 or 0712345678.")
    return digits


def _hex_groups(*sizes: int) -> str:
    return "-".join(secrets.token_hex(size // 2) for size in sizes)
