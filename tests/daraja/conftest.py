from datetime import UTC, datetime

import pytest

from payments.daraja import client as client_module
from payments.daraja.client import DarajaAccount, DarajaClient, MemoryTokenStore

from .gateway import running_gateway


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch):
    monkeypatch.setattr(client_module, "BACKOFF_SECONDS", 0)


@pytest.fixture
def gateway():
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def tokens():
    return MemoryTokenStore()


@pytest.fixture
def make_client(tokens):
    """A client for a base URL, at half past nine in the evening in London."""

    def make(base_url, *, account=None, **how):
        how.setdefault("tokens", tokens)
        how.setdefault("now", lambda: datetime(2025, 1, 31, 21, 30, 15, tzinfo=UTC))
        return DarajaClient(account or an_account(base_url), **how)

    return make


@pytest.fixture
def daraja(gateway, make_client):
    return make_client(gateway.url)


@pytest.fixture
def impatient(gateway, make_client):
    """A client that waits a fifth of a second for an answer, and already has a token."""
    tokens = MemoryTokenStore()
    tokens.set("token-0", 3000)
    return make_client(gateway.url, tokens=tokens, timeout=(0.2, 0.2))


def an_account(base_url, **changes):
    facts = {
        "base_url": base_url,
        "consumer_key": "the-key",
        "consumer_secret": "the-secret",
        "shortcode": "174379",
        "passkey": "the-passkey",
    }
    return DarajaAccount(**(facts | changes))


A_PUSH = {
    "phone": "254712345678",
    "amount": 1500,
    "reference": "OMA7K2P9",
    "description": "O-Mache order",
    "callback_url": "https://shop.co.ke/hook/0123abcd/",
}
