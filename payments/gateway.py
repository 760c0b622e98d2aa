"""The shop's Daraja client: built from the settings, with a shared token and callback URLs."""

from __future__ import annotations

import logging
import secrets
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from omachemainproj.metrics import GATEWAY_SECONDS

from .daraja.client import DarajaAccount, DarajaClient
from .daraja.connection import OAUTH_PATH
from .daraja.initiator import B2C_PATH, BALANCE_PATH, REVERSAL_PATH, STATUS_PATH
from .daraja.statement import QUERY_PATH as STATEMENT_PATH
from .daraja.stk import PUSH_PATH
from .daraja.stk import QUERY_PATH as STK_QUERY_PATH
from .token_store import DatabaseTokenStore

logger = logging.getLogger(__name__)

#: The name of a call in the metrics, by its path; other calls are made by operators' commands only.
CALLS = {
    OAUTH_PATH: "token",
    PUSH_PATH: "stk_push",
    STK_QUERY_PATH: "stk_query",
    B2C_PATH: "b2c",
    REVERSAL_PATH: "reversal",
    STATUS_PATH: "transaction_status",
    BALANCE_PATH: "balance",
    STATEMENT_PATH: "statement",
}

#: Random characters in the token of a balance query; as many more are their signature.
_DRAWN = 16


def daraja() -> DarajaClient:
    """The client for the account in the settings. Safe to share between threads."""
    return _client(
        DarajaAccount(
            base_url=settings.DARAJA_BASE_URL,
            consumer_key=settings.DARAJA_CONSUMER_KEY,
            consumer_secret=settings.DARAJA_CONSUMER_SECRET,
            shortcode=settings.DARAJA_SHORTCODE,
            passkey=settings.DARAJA_PASSKEY,
            transaction_type=settings.DARAJA_TRANSACTION_TYPE,
            party_b=settings.DARAJA_PARTY_B,
            b2c_shortcode=settings.DARAJA_B2C_SHORTCODE,
            initiator_name=settings.DARAJA_INITIATOR_NAME,
            initiator_password=settings.DARAJA_INITIATOR_PASSWORD,
            certificate=_certificate(settings.DARAJA_CERTIFICATE),
        )
    )


def _certificate(path: str) -> str:
    """The text of the PEM file; "" if none is set or it cannot be read."""
    try:
        return _text(path) if path else ""
    except (OSError, ValueError) as error:
        logger.error("DARAJA_CERTIFICATE cannot be read: %s", error)
        return ""


@lru_cache(maxsize=8)
def _text(path: str) -> str:
    return Path(path).read_text(encoding="ascii")


@lru_cache(maxsize=8)
def _client(account: DarajaAccount) -> DarajaClient:
    return DarajaClient(account, tokens=DatabaseTokenStore(account), observe=_observe)


def _observe(path: str, how: str, seconds: float) -> None:
    GATEWAY_SECONDS.labels(CALLS.get(path, "other"), how).observe(seconds)


def callback_url(token: str) -> str:
    """The secret callback URL for the result of one attempt, refund or payout."""
    return f"{settings.DARAJA_CALLBACK_BASE_URL}/safwebhook/{token}/"


def new_balance_token() -> str:
    """A token for the callback URL of one balance query.

    It is stored in no row: half of it is random, and the other half is its signature.
    """
    drawn = secrets.token_hex(_DRAWN // 2)
    return drawn + _shown_by(drawn)


def is_balance_token(token: str) -> bool:
    """Whether the token was made by ``new_balance_token``."""
    drawn = token[:_DRAWN]
    return constant_time_compare(token[_DRAWN:], _shown_by(drawn))


def _shown_by(drawn: str) -> str:
    return salted_hmac("payments.balance_token", drawn, algorithm="sha256").hexdigest()[:_DRAWN]


def c2b_url(what: str) -> str:
    """The secret URL for C2B payments: ``confirmation`` or ``validation``."""
    base, token = settings.DARAJA_CALLBACK_BASE_URL, settings.DARAJA_C2B_TOKEN
    return f"{base}/safwebhook/c2b/{token}/{what}/"
