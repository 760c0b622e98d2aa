"""How long an SMS is: what the GSM alphabet has, and what it counts as.

Source: 3GPP TS 23.038, 6.2.1 (the default alphabet and its extension table); TS 23.040, 9.2.3.24.1
(a message of several parts spends 7 septets of each part's 160 on its header).
"""

from __future__ import annotations

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: An escape and a letter: two septets, which no part's end may part.
_EXTENDED = frozenset("\f^{}\\[~]|€")
_LOOKS_LIKE = str.maketrans("’‘“”–—…×•", "''\"\"--.x*")

ONE_PART, EACH_PART = 160, 153


def to_gsm(text: str) -> str:
    """The text in the GSM alphabet: accents it lacks are dropped, other letters become ``?``."""
    written = text.translate(_LOOKS_LIKE)
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", written))


def parts(text: str) -> int:
    """How many parts an SMS of this text, which is in the GSM alphabet, is sent and paid as."""
    costs = [2 if letter in _EXTENDED else 1 for letter in text]
    if sum(costs) <= ONE_PART:
        return 1
    count, filled = 1, 0
    for cost in costs:
        if filled + cost > EACH_PART:
            count, filled = count + 1, 0
        filled += cost
    return count


def is_gsm(text: str) -> bool:
    """Whether every letter is in the GSM alphabet; a single other one makes all of them cost 16
    bits.
    """
    return all(letter in _BASIC or letter in _EXTENDED for letter in text)


def _letter(letter: str) -> str:
    if is_gsm(letter):
        return letter
    plain = unicodedata.normalize("NFKD", letter)
    kept = "".join(part for part in plain if is_gsm(part))
    return kept or ("" if unicodedata.combining(letter) else "?")
