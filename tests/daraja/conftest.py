from datetime import UTC, datetime

import pytest

from daraja_simulator import Simulator
from daraja_simulator.keys import Keys
from daraja_simulator.tests.shop import Shop
from daraja_simulator.tests.waiting import PATIENCE
from payments.daraja import connection
from payments.daraja.client import DarajaAccount, DarajaClient, MemoryTokenStore

from .gateway import running_gateway, stays_silent, trickles


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch):
    monkeypatch.setattr(connection, "BACKOFF_SECONDS", 0)


@pytest.fixture
def gateway():
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def tokens():
    return MemoryTokenStore()


@pytest.fixture
def make_client(tokens):
    """A client for a base URL, with the time fixed to 21:30 in London."""

    def make(base_url, *, account=None, **how):
        how.setdefault("tokens", tokens)
        how.setdefault("now", lambda: datetime(2025, 1, 31, 21, 30, 15, tzinfo=UTC))
        return DarajaClient(account or an_account(base_url), **how)

    return make


@pytest.fixture
def daraja(gateway, make_client):
    return make_client(gateway.url)


@pytest.fixture
def client_for(gateway, make_client):
    """Make a client that already has a token, with a timeout that suits the response."""

    def make(answer):
        tokens = MemoryTokenStore()
        tokens.set("token-0", 3000)
        return make_client(gateway.url, tokens=tokens, timeout=patience_for(answer))

    return make


def patience_for(answer):
    """The timeouts for the connection and for the response, in seconds."""
    return (0.2, 0.2) if answer in (stays_silent, trickles) else (PATIENCE, PATIENCE)


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.stop()


@pytest.fixture
def make_simulator():
    """Start simulators with any settings, and stop them after the test."""
    started = []

    def make(**settings):
        started.append(Simulator(port=0, decide_after=0.02, **settings).start())
        return started[-1]

    yield make
    for simulator in started:
        simulator.stop()


@pytest.fixture
def simulator(make_simulator):
    return make_simulator()


@pytest.fixture
def rehearsing(simulator):
    """A client of the simulator."""
    return rehearse(simulator)


def rehearse(simulator, *, timeout=(PATIENCE, PATIENCE), tokens=None, **changes):
    """A client of this simulator, by default with valid credentials."""
    account = DarajaAccount(
        **{
            "base_url": simulator.url,
            "consumer_key": "simulator-key",
            "consumer_secret": "simulator-secret",
            "shortcode": "174379",
            "passkey": "simulator-passkey",
            "b2c_shortcode": "600000",
            "initiator_name": "simulator",
            "initiator_password": "simulator-password",
            "certificate": simulator.certificate,
        }
        | changes
    )
    return DarajaClient(account, tokens=tokens or MemoryTokenStore(), timeout=timeout)


def an_account(base_url, **changes):
    facts = {
        "base_url": base_url,
        "consumer_key": "the-key",
        "consumer_secret": "the-secret",
        "shortcode": "174379",
        "passkey": "the-passkey",
        "b2c_shortcode": "600000",
        "initiator_name": "operator",
        "initiator_password": "the-password",
        "certificate": Keys().certificate,
    }
    return DarajaAccount(**(facts | changes))


A_PUSH = {
    "phone": "254712345678",
    "amount": 1500,
    "reference": "OMA7K2P9",
    "description": "O-Mache order",
    "callback_url": "https://shop.co.ke/hook/0123abcd/",
}

SAID_LATER = {
    "result_url": "https://shop.co.ke/hook/0123abcd/result/",
    "queue_timeout_url": "https://shop.co.ke/hook/0123abcd/late/",
}
A_PAYOUT = {
    "phone": "254712345678",
    "amount": 1500,
    "originator_conversation_id": "payout-7-0",
    "remarks": "O-Mache order 7",
    **SAID_LATER,
}
A_REVERSAL = {
    "receipt": "TAV1DE2FGH",
    "amount": 1500,
    "remarks": "O-Mache order 7",
    **SAID_LATER,
}
