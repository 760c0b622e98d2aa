"""Addresses that give a seller's sheet to whoever opens them, for a minute.

A plain link cannot send a token, and an old phone cannot hold a large file in a page. The address
is signed, and ends with the minute, with the seller's password and with their account. Within the
minute it opens more than once: phones ask twice for what they save.
"""

from __future__ import annotations

import hashlib

from django.core import signing

from accounts.models import User

LINK_SECONDS = 60
_SALT = "products.spreadsheets.download"


def make_link(seller: User) -> str:
    """What stands in the address of a seller's sheet from now on, for a minute."""
    return signing.TimestampSigner(salt=_SALT).sign(f"{seller.pk}-{_mark(seller)}")


def holder_of(token: str) -> User | None:
    """The seller whose sheet an address is of; None where it was never one, or is no more."""
    try:
        said = signing.TimestampSigner(salt=_SALT).unsign(token, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return None
    pk, _, mark = said.partition("-")
    seller = User.objects.filter(pk=int(pk), is_active=True).first()
    return seller if seller is not None and _mark(seller) == mark else None


def _mark(seller: User) -> str:
    """Changes with the password: who had it changed wants nobody to hold a link."""
    return hashlib.sha256(seller.password.encode()).hexdigest()[:16]
