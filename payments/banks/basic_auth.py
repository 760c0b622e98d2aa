"""HTTP Basic authentication of a bank, with credentials that the shop issued."""

from __future__ import annotations

import base64
import binascii
import hmac

from django.http import HttpRequest


def has_credentials(request: HttpRequest, *, username: str, password: str) -> bool:
    """Whether a request has this user name and password; false for an empty password."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if not password or scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{username}:{password}".encode())
