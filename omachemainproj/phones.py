"""Kenyan mobile numbers: parsed as people write them, stored in one form, masked in logs.

There is no list of operators' prefixes: new ranges appear every year (Communications Authority of
Kenya), and only M-Pesa knows who has an account. Knows nothing of Django.
"""

import re
from typing import NamedTuple

_TYPED = re.compile(r"(?:(?:\+|00)?2540?|0)?([17][0-9]{8})")
#: Separators between digits, also the invisible marks in what is copied from a phone's contacts.
_BETWEEN = re.compile("[ \u00a0\u202f.()/\u2010-\u2015\u200e\u200f\u202a-\u202e\u2060\ufeff-]")
_LONGEST = 40
_MASKED = re.compile(r"([0-9]*)\*+([0-9]*)")
_MASKABLE = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%2B)|(?<=%20))"
    r"(\+?254|0)([ -]?)([17][0-9]{2})[ -]?[0-9]{3}[ -]?([0-9]{3})(?![0-9A-Za-z])"
)


def normalise_phone(typed: str | int) -> str:
    """Return ``2547XXXXXXXX`` or ``2541XXXXXXXX`` for a number as a person writes it.

    Spaces, dashes, dots and brackets are ignored; ``07…``, ``7…``, ``254…``, ``+254…``,
    ``00254…`` and ``+254 (0)7…`` are read alike. Raises ValueError for anything else.
    """
    text = "" if isinstance(typed, bool) or str(typed).startswith("-") else str(typed)
    match = _TYPED.fullmatch(_BETWEEN.sub("", text)) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError("not a Kenyan mobile number")
    return f"254{match[1]}"


class MaskedPhone(NamedTuple):
    """What a provider shows of a number: its first and its last digits, as they stand."""

    start: str
    end: str

    def fits(self, number: str) -> bool:
        """Whether every digit that is shown agrees with a number of 12 digits."""
        start = re.sub(r"^0", "254", self.start)
        return number.startswith(start) and number.endswith(self.end)


def read_masked_phone(shown: str) -> MaskedPhone | None:
    """Read a number whose middle is hidden, such as “2547 ***** 678”; None for anything else."""
    masked = _MASKED.fullmatch(re.sub(r"[^0-9*]", "", shown))
    return MaskedPhone(masked[1], masked[2]) if masked else None


def mask_phones(text: str) -> str:
    """Return the text with the middle digits of every phone number replaced by ``***``."""
    return _MASKABLE.sub(r"\1\2\3***\4", text)
