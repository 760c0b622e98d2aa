"""Access tokens, whose signature is checked once: what was signed stays signed.

Whose a token is, and whether they may still come in, is asked at every request
(accounts.authentication); this only spares the arithmetic.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken


def read_access_token(raw: bytes) -> AccessToken:
    """The token of these bytes. Raises TokenError for what is no access token of ours, or over."""
    payload = _verified(raw, api_settings.SIGNING_KEY)
    now = datetime.now(UTC)
    if payload["exp"] <= now.timestamp():
        # Within the leeway, or over: as the library sees it.
        return AccessToken(raw)  # type: ignore[arg-type]
    token = AccessToken.__new__(AccessToken)
    token.token, token.payload, token.current_time = raw, dict(payload), now  # type: ignore[assignment]
    return token


@lru_cache(maxsize=1000)
def _verified(raw: bytes, key: str) -> dict[str, Any]:
    """What a token says, once its signature by this key, its kind and its audience are checked.

    What is refused is not kept.
    """
    return dict(AccessToken(raw).payload)  # type: ignore[arg-type]
