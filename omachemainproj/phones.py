"""Kenyan mobile numbers: parsed as people write them, stored in one form, masked in logs.

There is no list of operators' prefixes: new ranges appear every year (Communications Authority of
Kenya), and only M-Pesa knows who has an account. Knows nothing of Django.
"""

import re
from typing import NamedTuple

from .text import fold_identifier

_TYPED = re.compile(r"(?:(?:\+|00)?2540?|0)?([17][0-9]{8})")
#: A link to dial (RFC 3966), or the word before a number on a card.
_LINK = re.compile(r"\Atel[:.]?\s*", re.IGNORECASE)
#: Separators between digits, once the text is folded; a keycap surrounds the digit before it.
_BETWEEN = re.compile("[\\s.()/\u20e3-]")
#: Of what was typed, and of what is left without the invisible signs.
_LONGEST_TYPED, _LONGEST = 200, 40
_MASKED = re.compile(r"([0-9]*)\*+([0-9]*)")
_GAP = r"[\s\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufe0f\ufeff.()-]{0,3}"
_MASKABLE = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%2B)|(?<=%20))"
    rf"(\+?254|0)({_GAP})([17][0-9]{{2}}){_GAP}[0-9]{{3}}{_GAP}([0-9]{{3}})(?![0-9A-Za-z])"
)


def normalise_phone(typed: str | int) -> str:
    """Return ``2547XXXXXXXX`` or ``2541XXXXXXXX`` for a number as a person writes it.

    Spaces, dashes, dots, brackets and invisible signs are ignored, digits are read in any script
    and width; ``07…``, ``7…``, ``254…``, ``+254…``, ``00254…``, ``+254 (0)7…`` and ``tel:…`` are
    read alike. Raises ValueError for anything else.
    """
    text = "" if isinstance(typed, bool) or len(str(typed)) > _LONGEST_TYPED else str(typed)
    text = _LINK.sub("", fold_identifier(text)) if text else ""
    is_one = len(text) <= _LONGEST and not text.startswith("-")
    match = _TYPED.fullmatch(_BETWEEN.sub("", text)) if is_one else None
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
    masked = _MASKED.fullmatch(re.sub(r"[^0-9*]", "", fold_identifier(shown)))
    return MaskedPhone(masked[1], masked[2]) if masked else None


def mask_phones(text: str) -> str:
    """Return the text with the middle digits of every phone number replaced by ``***``.

    Digits of any script and width are written as ASCII's.
    """
    return _MASKABLE.sub(r"\1\2\3***\4", text if text.isascii() else _with_plain_digits(text))


def _with_plain_digits(text: str) -> str:
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)
