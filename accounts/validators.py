"""What usernames, e-mails and passwords may be, wherever they are typed in."""

from __future__ import annotations

import unicodedata

from django.core.validators import RegexValidator
from django.utils.deconstruct import deconstructible

from omachemainproj.text import fold_identifier

#: Longer ones are refused before they are hashed: hashing costs time, and strangers send them.
PASSWORD_MAX = 128
USERNAME_MAX = 150
EMAIL_MAX = 254


@deconstructible
class UsernameValidator(RegexValidator):
    """Latin letters without accents, digits and ``. _ - +``.

    No ``@``, so that no username can pose as somebody's e-mail. No other letters, so that none
    can pose as a username that looks the same, and so that every database agrees about case.
    Neither ``.`` nor ``..``: browsers take them out of an address, and with them the seller's page.
    """

    regex = r"\A(?!\.\.?\Z)[A-Za-z0-9._+-]+\Z"
    message = "Use letters from a to z, digits and . _ - + only."


#: The dots that IDNA takes for "." (RFC 3490, 3.1), and that NFKC leaves as they are.
_DOTS = str.maketrans("\u3002\uff61", "..")


def normalise_username(typed: str) -> str:
    """Return the username as it is stored: its plain letters, without invisible signs."""
    return fold_identifier(typed)


def normalise_email(typed: str) -> str:
    """Return the e-mail as it is stored: as typed, with its domain in lower case.

    Without invisible signs and a link's ``mailto:``, wide letters as plain ones. A domain of other
    letters than ASCII's is written in them, however it was sent (``xn--…``).
    """
    text = fold_identifier(typed)
    if text[:7].lower() == "mailto:":
        text = text[7:].lstrip()
    name, at, domain = text.rpartition("@")
    if not at:
        return text
    labels = domain.translate(_DOTS).lower().split(".")
    return f"{name}@{'.'.join(map(_label, labels))}"


def has_public_domain(email: str) -> bool:
    """Whether an e-mail goes to a domain with a dot in its name.

    Django also takes ``root@localhost`` and ``root@[10.0.0.5]``: machines of our own network.
    """
    domain = email.rpartition("@")[2]
    return "." in domain and not domain.startswith("[")


def _label(label: str) -> str:
    """A label of a domain in its own letters, where its ASCII form stands for just them."""
    if not label.startswith("xn--"):
        return label
    try:
        letters = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    own = unicodedata.normalize("NFKC", letters).lower()
    return letters if letters == own == fold_identifier(own) and not own.isascii() else label
