"""What one person typed, as another may read it in a message of the shop's.

A message comes in the shop's name, so nothing in it may be tapped, dialled or paid to that a
stranger wrote: no link, no address, no number to call or to send money to.
"""

from __future__ import annotations

import re
import unicodedata

from omachemainproj.text import clean_shown

#: As many digits, with whatever is written between them, are a phone, a till or a code.
_MAX_DIGITS = 5
_BETWEEN = r"[\s().+_/-]*"
_LONG_NUMBER = re.compile(rf"\+?\d(?:{_BETWEEN}\d){{{_MAX_DIGITS},}}")
_SCHEME = re.compile(r"\b(?:https?|ftp|mailto|tel|sms|www)\b\S*", re.IGNORECASE)
#: A point stays inside of a number, and these inside of a name: "1.5 l", "USB-C", "men's".
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_INSIDE = re.compile(r"(?<=[^\W_])[-'&](?=[^\W_])")


def plain(typed: str) -> str:
    """Letters, digits and single spaces of a name; "" where nothing is left.

    Numbers of six digits and more are left out, and so are links.
    """
    text = "".join(map(_one_digit, clean_shown(typed).replace("’", "'")))
    text = _LONG_NUMBER.sub(" ", _SCHEME.sub(" ", text))
    kept = {found.start() for each in (_POINT, _INSIDE) for found in each.finditer(text)}
    letters = (
        sign if at in kept or unicodedata.category(sign)[0] in "LMN" else " "
        for at, sign in enumerate(text)
    )
    return " ".join("".join(letters).split())


def _one_digit(sign: str) -> str:
    """Every script's digit as ASCII's, so that no number hides in another one."""
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
