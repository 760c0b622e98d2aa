"""The GSM alphabet of SMS, and the number of parts of a text.

Source: 3GPP TS 23.038, 6.2.1 (the default alphabet and its extension table); TS 23.040, 9.2.3.24.1
(a message of several parts uses 7 of each part's 160 septets for a header).
"""

from __future__ import annotations

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Sent as an escape and a character: two septets, which must be in the same part.
_EXTENDED = frozenset("\f^{}\\[~]|€")
#: Typographic characters and their replacements.
_LOOKS_LIKE = str.maketrans("’‘“”–—…×•", "''\"\"--.x*")

#: Septets of an SMS of one part, and of each part of a longer one.
ONE_PART, EACH_PART = 160, 153


def to_gsm(text: str) -> str:
    """The text in the GSM alphabet: accents it lacks are dropped, other characters become ``?``."""
    written = text.translate(_LOOKS_LIKE)
    return "".join(_to_gsm_character(each) for each in unicodedata.normalize("NFC", written))


def count_parts(text: str) -> int:
    """The number of parts an SMS of this text, in the GSM alphabet, is sent and charged as."""
    costs = [2 if character in _EXTENDED else 1 for character in text]
    if sum(costs) <= ONE_PART:
        return 1
    count, filled = 1, 0
    for cost in costs:
        if filled + cost > EACH_PART:
            count, filled = count + 1, 0
        filled += cost
    return count


def is_gsm(text: str) -> bool:
    """Whether all characters are in the GSM alphabet: any other makes all of them take 16 bits."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def _to_gsm_character(character: str) -> str:
    if is_gsm(character):
        return character
    decomposed = unicodedata.normalize("NFKD", character)
    letters = "".join(part for part in decomposed if is_gsm(part))
    return letters or ("" if unicodedata.combining(character) else "?")
