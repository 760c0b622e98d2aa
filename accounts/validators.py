"""What usernames, e-mails and passwords may be, wherever they are typed in."""

from __future__ import annotations

import unicodedata

from django.contrib.auth.models import UserManager
from django.core.validators import RegexValidator
from django.utils.deconstruct import deconstructible

#: Longer ones are refused before they are hashed: hashing costs time, and strangers send them.
PASSWORD_MAX = 128
USERNAME_MAX = 150
EMAIL_MAX = 254


@deconstructible
class UsernameValidator(RegexValidator):
    """Latin letters without accents, digits and ``. _ - +``.

    No ``@``, so that no username can pose as somebody's e-mail. No other letters, so that none
    can pose as a username that looks the same, and so that every database agrees about case.
    """

    regex = r"\A[A-Za-z0-9._+-]+\Z"
    message = "Use letters from a to z, digits and . _ - + only."


def normalise_username(typed: str) -> str:
    """Return the username as it is stored: full-width letters and the like become plain ones."""
    return unicodedata.normalize("NFKC", typed)


def normalise_email(typed: str) -> str:
    """Return the e-mail as it is stored: as typed, with its domain in lower case."""
    return str(UserManager.normalize_email(typed))
