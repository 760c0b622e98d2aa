"""Kenyan mobile numbers: parsed as people write them, stored in one form, masked in logs.

There is no list of operators' prefixes: new ranges appear every year (Communications Authority of
Kenya), and only M-Pesa knows which numbers have an account. Does not import Django.
"""

import hashlib
import re
from enum import IntEnum
from typing import NamedTuple

from .text import fold_identifier

_TYPED = re.compile(r"(?:(?:\+|00)?2540?|0)?([17][0-9]{8})")
#: The scheme of a telephone link (RFC 3966), or the “Tel.” before a number on a card.
_LINK = re.compile(r"\Atel[:.]?\s*", re.IGNORECASE)
#: Separators between digits, once the text is folded; a keycap encloses the digit before it.
_BETWEEN = re.compile("[\\s.()/\u20e3-]")
#: Characters, as typed and without the invisible ones.
_LONGEST_TYPED, _LONGEST = 200, 40
_MASKED = re.compile(r"([0-9]*)\*+([0-9]*)")
#: Characters shown in place of hidden digits.
_HIDING = str.maketrans(dict.fromkeys("xX#•●∗＊", "*"))
#: Characters of a hexadecimal SHA-256 that was cut to fit an older column.
_SHORT_HASH = 20
_HASHED = re.compile(rf"[0-9a-f]{{{_SHORT_HASH}}}|[0-9a-f]{{64}}")
_GAP = r"[\s/\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufe0f\ufeff.()-]{0,3}"
#: A number in a text, in any grouping; without a prefix, only nine consecutive digits.
_MASKABLE = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%2B)|(?<=%20))"
    rf"(?:((?:\+|00)?254(?:{_GAP}0)?|0)({_GAP})([17](?:{_GAP}[0-9]){{2}})(?:{_GAP}[0-9]){{3}}{_GAP}"
    rf"([0-9](?:{_GAP}[0-9]){{2}})|(?<![0-9A-Za-z]\.)([17][0-9]{{2}})[0-9]{{3}}([0-9]{{3}}))"
    r"(?![0-9A-Za-z])"
)
#: The fewest digits that ``_MASKABLE`` finds.
_DIGITS = 9


def normalise_phone(typed: str | int) -> str:
    """Return ``2547XXXXXXXX`` or ``2541XXXXXXXX`` for a number as a person writes it.

    Spaces, dashes, dots, brackets and invisible characters are ignored, and digits may be of any
    script and width; ``07…``, ``7…``, ``254…``, ``+254…``, ``00254…``, ``+254 (0)7…`` and ``tel:…``
    are accepted. Raises ValueError for anything else.
    """
    text = "" if isinstance(typed, bool) or len(str(typed)) > _LONGEST_TYPED else str(typed)
    text = _LINK.sub("", fold_identifier(text)) if text else ""
    is_one = len(text) <= _LONGEST and not text.startswith("-")
    match = _TYPED.fullmatch(_BETWEEN.sub("", text)) if is_one else None
    if match is None:
        raise ValueError("not a Kenyan mobile number")
    return f"254{match[1]}"


class MaskedPhone(NamedTuple):
    """The first and last digits of a number, as shown by a provider."""

    start: str
    end: str

    def fits(self, number: str) -> bool:
        """Whether all shown digits match a number of 12 digits."""
        start = re.sub(r"^0", "254", self.start)
        return number.startswith(start) and number.endswith(self.end)


def read_masked_phone(shown: str) -> MaskedPhone | None:
    """Read a number whose middle is hidden, such as “2547 ***** 678”; None for anything else."""
    masked = _MASKED.fullmatch(re.sub(r"[^0-9*]", "", fold_identifier(shown.translate(_HIDING))))
    return MaskedPhone(masked[1], masked[2]) if masked else None


def read_hashed_phone(shown: str) -> str:
    """The SHA-256 of a number as lower-case hexadecimal; "" for anything else."""
    hashed = shown.strip().lower()
    return hashed if _HASHED.fullmatch(hashed) else ""


class PhoneMatch(IntEnum):
    """Whether a number shown by a provider is a given number."""

    DIFFERS = 0
    #: Too little is shown to decide.
    UNCLEAR = 1
    AGREES = 2


def match_phone(shown: str, number: str) -> PhoneMatch:
    """Compare a number shown by a provider with one of 12 digits.

    It may be shown in full, as SHA-256 of any common spelling, or with its middle hidden. A masked
    one agrees if all its digits match and include the country code and the last three digits.
    """
    try:
        return PhoneMatch.AGREES if normalise_phone(shown) == number else PhoneMatch.DIFFERS
    except ValueError:
        pass
    if hashed := read_hashed_phone(shown):
        agrees = any(each.startswith(hashed) for each in _hashes(number))
        return PhoneMatch.AGREES if agrees else PhoneMatch.DIFFERS
    masked = read_masked_phone(shown)
    if masked is None:
        return PhoneMatch.UNCLEAR
    if not masked.fits(number):
        return PhoneMatch.DIFFERS
    is_clear = masked.start.startswith("254") and len(masked.end) >= 3
    return PhoneMatch.AGREES if is_clear else PhoneMatch.UNCLEAR


def clearer_phone(stored: str, shown: str) -> str:
    """Return the more informative of two provider's versions of one number, the first if equal.

    In descending order: a full number (returned as 12 digits), a hashed one, a masked one, any
    other text.
    """
    return max(in_full(stored), in_full(shown), key=_clarity)


def in_full(shown: str) -> str:
    """A full number as 12 digits; anything else unchanged."""
    try:
        return normalise_phone(shown)
    except ValueError:
        return shown


def _clarity(shown: str) -> tuple[int, int]:
    """How informative a shown number is: its kind, then its number of characters."""
    try:
        return 4, len(normalise_phone(shown))
    except ValueError:
        pass
    if hashed := read_hashed_phone(shown):
        return 3, len(hashed)
    if masked := read_masked_phone(shown):
        return 2, len(masked.start + masked.end)
    return (1, 0) if shown else (0, 0)


def shown_as(number: str) -> list[str]:
    """The texts in which a provider may show a number of 12 digits: in full, or hashed.

    Not the masked ones, which match thousands of other numbers too.
    """
    hashed = _hashes(number)
    return [number, *hashed, *(each[:_SHORT_HASH] for each in hashed)]


def _hashes(number: str) -> list[str]:
    """SHA-256 of a number of 12 digits, in each spelling hashed by gateways."""
    spellings = (number, f"+{number}", f"0{number[3:]}", number[3:])
    return [hashlib.sha256(each.encode()).hexdigest() for each in spellings]


def mask_phones(text: str) -> str:
    """Return the text with the middle digits of every phone number replaced by ``***``.

    Digits of any script and width become ASCII digits.
    """
    if not text.isascii():
        text = _with_plain_digits(text)
    if sum(map(text.count, "0123456789")) < _DIGITS:
        return text
    return _MASKABLE.sub(r"\1\2\3\5***\4\6", text)


def _with_plain_digits(text: str) -> str:
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def write_phone(phone: str) -> str:
    """A number of 12 digits as people dial it, ``0712 345 678``; any other text unchanged."""
    if len(phone) == 12 and phone.isascii() and phone.isdecimal() and phone.startswith("254"):
        return f"0{phone[3:6]} {phone[6:9]} {phone[9:]}"
    return phone


#: Replaces the digits of a phone that are not shown or no longer kept.
MASK = "•" * 9


def mask_phone(phone: str) -> str:
    """A phone with all but its last three digits masked: enough to tell a caller which it was."""
    return f"{MASK}{phone[-3:]}" if phone else ""
