"""What a caller may pass. A mistake is a ValueError, before anything is sent."""

import re

_PHONE = re.compile(r"254[17][0-9]{8}")


def check_phone(phone: str) -> None:
    words = "phone must be 12 digits beginning with 2547 or 2541, as text"
    check_text(_PHONE, phone, words)


def check_amount(amount: int, *, least: int, most: int) -> None:
    if type(amount) is not int or not least <= amount <= most:
        raise ValueError(f"amount must be a whole number from {least} to {most}")


def check_text(pattern: re.Pattern[str], text: object, otherwise: str) -> None:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError(otherwise)
