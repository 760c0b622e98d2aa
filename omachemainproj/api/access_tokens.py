"""Access tokens, whose verified signatures are cached.

The user and whether the token is still valid are checked at every request
(accounts.authentication); only the signature check is cached.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken


def read_access_token(raw: bytes) -> AccessToken:
    """Parse an access token. Raises TokenError if it is invalid or has expired."""
    payload = _verified(raw, api_settings.SIGNING_KEY)
    now = datetime.now(UTC)
    if payload["exp"] <= now.timestamp():
        # Near its expiry: the library applies the leeway.
        return AccessToken(raw)  # type: ignore[arg-type]
    token = AccessToken.__new__(AccessToken)
    token.token, token.payload, token.current_time = raw, dict(payload), now  # type: ignore[assignment]
    return token


@lru_cache(maxsize=1000)
def _verified(raw: bytes, key: str) -> dict[str, Any]:
    """A token's claims, after checking signature, type and audience.

    Invalid tokens are not cached.
    """
    return dict(AccessToken(raw).payload)  # type: ignore[arg-type]
