"""Cleaning text that one user typed before another reads it in a message from the shop.

Messages are sent in the shop's name, so a stranger's text in them must not contain anything to tap,
dial or pay to: no link, no address, no number to call or to send money to.
"""

from __future__ import annotations

import re
import unicodedata

from omachemainproj.text import clean_shown

#: More digits, even with separators between them, may be a phone number, a till or a code.
_MAX_DIGITS = 5
_BETWEEN = r"[\s().+_/-]*"
_LONG_NUMBER = re.compile(rf"\+?\d(?:{_BETWEEN}\d){{{_MAX_DIGITS},}}")
_SCHEME = re.compile(r"\b(?:https?|ftp|mailto|tel|sms|www)\b\S*", re.IGNORECASE)
#: A point is kept within a number, and these within a word: "1.5 l", "USB-C", "men's".
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_INSIDE = re.compile(r"(?<=[^\W_])[-'&](?=[^\W_])")


def plain(typed: str) -> str:
    """The letters, digits and single spaces of a name; "" if nothing is left.

    Links and numbers of six or more digits are removed.
    """
    text = "".join(map(_one_digit, clean_shown(typed).replace("’", "'")))
    text = _LONG_NUMBER.sub(" ", _SCHEME.sub(" ", text))
    inside_words = {match.start() for each in (_POINT, _INSIDE) for match in each.finditer(text)}
    letters = (
        sign if at in inside_words or unicodedata.category(sign)[0] in "LMN" else " "
        for at, sign in enumerate(text)
    )
    return " ".join("".join(letters).split())


def _one_digit(sign: str) -> str:
    """Convert a digit of any script to ASCII, so that other scripts' numbers are recognised."""
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
