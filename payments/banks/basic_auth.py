"""HTTP Basic authentication, by which a bank names itself with what we gave it."""

from __future__ import annotations

import base64
import binascii
import hmac

from django.http import HttpRequest


def has_credentials(request: HttpRequest, *, username: str, password: str) -> bool:
    """Whether a request carries this name and password; never true of an empty password."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if not password or scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{username}:{password}".encode())
