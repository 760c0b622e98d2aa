"""Validation and normal forms of usernames, e-mail addresses and passwords."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.deconstruct import deconstructible

from omachemainproj.text import fold_identifier, normalise

#: Longer ones are refused before hashing, which costs time, and strangers can cause it.
PASSWORD_MAX = 128
USERNAME_MAX = 150
EMAIL_MAX = 254


@deconstructible
class UsernameValidator(RegexValidator):
    """Latin letters without accents, digits and ``. _ - +``.

    No ``@``, so that no username can pose as somebody's e-mail address. No other letters, so that
    none can pose as a username that looks the same, and so that all databases agree on case.
    Neither ``.`` nor ``..``: browsers remove them from the URL of the seller's page.
    """

    regex = r"\A(?!\.\.?\Z)[A-Za-z0-9._+-]+\Z"
    message = "Use letters from a to z, digits and . _ - + only."


#: Of a domain's label, in its ASCII form (RFC 1035, 2.3.4).
_LONGEST_LABEL = 63
#: Dots that IDNA treats as "." (RFC 3490, 3.1), but that NFKC does not change.
_DOTS = str.maketrans("\u3002\uff61", "..")


def normalise_username(typed: str) -> str:
    """Return the username as it is stored: in plain letters, without invisible characters."""
    return fold_identifier(typed)


def normalise_email(typed: str) -> str:
    """Return the e-mail address as it is stored: as typed, with its domain in lower case.

    Invisible characters and a link's ``mailto:`` are removed, wide letters become plain ones. A
    domain with non-ASCII letters is stored in those letters, even if it was sent as ``xn--…``.
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
    """Whether an e-mail address has a domain with a dot in its name.

    Django also accepts ``root@localhost`` and ``root@[10.0.0.5]``: machines on our own network.
    """
    domain = email.rpartition("@")[2]
    return "." in domain and not domain.startswith("[")


def _label(label: str) -> str:
    """A domain label in its own letters, if its ASCII form decodes to exactly those."""
    # Decoding a long one takes quadratic time, and no domain has it.
    if not label.startswith("xn--") or len(label) > _LONGEST_LABEL:
        return label
    try:
        letters = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    own = normalise("NFKC", letters).lower()
    return letters if letters == own == fold_identifier(own) and not own.isascii() else label
