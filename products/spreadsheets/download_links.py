"""Download links: signed addresses that return a seller's sheet without a token, for a minute.

A plain link cannot send a token, and an old phone cannot hold a large file in a page. A link
expires after a minute, when the seller changes their password, and when their account is closed.
It can be opened repeatedly, because phones request a download twice.
"""

from __future__ import annotations

import hashlib

from django.core import signing

from accounts.models import User

LINK_SECONDS = 60
_SALT = "products.spreadsheets.download"


def make_link(seller: User) -> str:
    """The token in the download address of a seller's sheet, valid for ``LINK_SECONDS``."""
    return signing.TimestampSigner(salt=_SALT).sign(f"{seller.pk}-{_password_fingerprint(seller)}")


def seller_of_link(token: str) -> User | None:
    """The seller whose sheet a token is for; None if it is invalid or has expired."""
    try:
        value = signing.TimestampSigner(salt=_SALT).unsign(token, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return None
    pk, _, mark = value.partition("-")
    seller = User.objects.filter(pk=int(pk), is_active=True).first()
    return seller if seller is not None and _password_fingerprint(seller) == mark else None


def _password_fingerprint(seller: User) -> str:
    """A value that changes with the password, so that changing it invalidates links."""
    return hashlib.sha256(seller.password.encode()).hexdigest()[:16]
