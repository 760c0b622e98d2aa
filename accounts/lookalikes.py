"""Detects names that look alike, and names that could be the shop's own or M-Pesa's.

Based on Unicode's UTS 39 (*Unicode Security Mechanisms*, section 4): two names are confusable if
their skeletons are equal. Its table covers all scripts; usernames are ASCII (accounts.validators),
where few characters are confusable: case, ``0``/``o``, ``1``/``l``/``i``, ``5``/``s``,
``rn``/``m``, ``vv``/``w``, single and double letters, and ``. _ - +``, which are easily overlooked.
Digits before a letter are read as letters (``4dmin``). Digits at the end are a number, so that
``juma1`` and ``juma11`` are different names.
"""

from __future__ import annotations

import re

from omachemainproj.text import normalise

_SIGNS = re.compile(r"[._+-]+")
_SIGNS_IN_NUMBERS = re.compile(r"(?<=[0-9])[._+-]+(?=[0-9])")
_REPEATED = re.compile(r"(.)\1+")
_LETTERS_OF_DIGITS = str.maketrans("01234578", "olzeastb")
_LOOKALIKE_DIGITS = str.maketrans("015", "ols")

#: Never allowed as a part of a name: companies that people send money to.
_BRANDS = ("omache", "safaricom", "mpesa", "equitybank", "airtelmoney", "tkash", "fuliza")
#: Roles that act for the shop.
_OFFICES = [
    "admin",
    "administrator",
    "administration",
    "staff",
    "support",
    "helpdesk",
    "finance",
    "moderator",
    "official",
    "customercare",
    "customerservice",
    "billing",
    "payments",
    "payouts",
    "summary",
    "refunds",
    "security",
    "management",
]
#: Other reserved names.
_OTHERS = [
    "root",
    "superuser",
    "sysadmin",
    "system",
    "webmaster",
    "postmaster",
    "hostmaster",
    "abuse",
    "noreply",
    "mailerdaemon",
    "help",
    "care",
    "info",
    "contact",
    "manager",
    "null",
    "none",
    "undefined",
    "anonymous",
    "everybody",
    "daraja",
    "equity",
    "airtel",
    "telkom",
    "kcb",
    "absa",
    "stanbic",
    "coopbank",
    "cbk",
    "centralbank",
    "kra",
    "police",
    "ecitizen",
    "paybill",
    "buygoods",
    "mshwari",
]
#: Words that do not make a reserved name available: ``the-real-admin``, ``support-kenya``.
_FILLERS = [
    "the",
    "real",
    "true",
    "only",
    "my",
    "your",
    "our",
    "mr",
    "team",
    "desk",
    "line",
    "kenya",
    "ke",
    "nairobi",
    "online",
    "office",
    "dept",
    "department",
    "service",
    "services",
    "customer",
    "agent",
    "agents",
    "bank",
    "group",
    "ltd",
    "shop",
]
#: Letters of other scripts that look like Latin ones; shown names may contain them (UTS 39,
#: confusables.txt: the lower-case letters of Cyrillic and Greek).
_OTHER_SCRIPTS = str.maketrans(
    "аеорсухіјѕԁһԛԝмкнтвпαοερνικτυμһ",
    "aeopcyxijsdhqwmkhtbnaoepvikt" + "umh",
)


def skeleton(name: str) -> str:
    """A key for how a username looks: equal for two names that could be mistaken for each other."""
    text = name.lower().strip("._+-")
    # The number at the end, with the signs between its digits; a pattern would backtrack.
    number = text[len(text.rstrip("0123456789._+-")) :].lstrip("._+-")
    at = len(text) - len(number)
    tail = _SIGNS.sub(".", text[at:]).translate(_LOOKALIKE_DIGITS)
    return _as_letters(_SIGNS_IN_NUMBERS.sub("/", text[:at])) + tail


def is_reserved(name: str) -> bool:
    """Whether a username is reserved for the shop, M-Pesa or a bank, or looks like one that is."""
    text = name.lower()
    parts = [text, *_SIGNS.split(text)]
    return _has_brand(text) or any(
        _consists_of(_as_letters(part.rstrip("0123456789._+-")), _RESERVED) for part in parts
    )


def impersonates_shop(shown: str) -> bool:
    """Whether a shown name, in any script, could be the shop's own or M-Pesa's."""
    text = normalise("NFKD", shown.lower()).translate(_OTHER_SCRIPTS)
    plain = "".join(sign for sign in text if sign.isascii() and sign.isalnum())
    return _has_brand(plain) or _consists_of(_as_letters(plain), _RESERVED_OFFICES)


def _as_letters(text: str) -> str:
    """All characters as the letters they look like, without repetitions."""
    letters = _SIGNS.sub("", text).translate(_LETTERS_OF_DIGITS).replace("i", "l")
    return _REPEATED.sub(r"\1", letters.replace("rn", "m").replace("vv", "w"))


def _has_brand(text: str) -> bool:
    letters = _as_letters(text)
    return any(brand in letters for brand in _RESERVED_BRANDS)


def _consists_of(letters: str, words: frozenset[str]) -> bool:
    """Whether the text is a sequence of reserved words, at least one, and fillers.

    A word may share its first letter with the end of the previous one: ``supportteam`` has lost a
    ``t``.
    """
    # Positions that words reach from the start, and whether a reserved word was among them.
    reached = {(0, False)}
    for at in range(len(letters)):
        for has_reserved in (False, True):
            if (at, has_reserved) not in reached:
                continue
            for start in {at, max(at - 1, 0)}:
                reached |= {
                    (start + len(word), has_reserved or word in words)
                    for word in words | _MORE
                    if letters.startswith(word, start) and start + len(word) > at
                }
    return (len(letters), True) in reached


_RESERVED_BRANDS = tuple(_as_letters(brand) for brand in _BRANDS)
_RESERVED_OFFICES = frozenset(_as_letters(f"{word}{end}") for word in _OFFICES for end in ("", "s"))
_RESERVED = _RESERVED_OFFICES | frozenset(map(_as_letters, _OTHERS))
_MORE = frozenset(map(_as_letters, _FILLERS))
