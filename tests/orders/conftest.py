"""Every test here leaves the books in order and prompts no phone."""

import pytest

from tests.guards import balanced_books, no_network_in_transactions  # noqa: F401
from tests.payments.fakes import FakeDaraja

from .parcels import an_agent


@pytest.fixture(autouse=True)
def _watched(balanced_books, no_network_in_transactions):  # noqa: F811
    pass


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    """M-Pesa, which accepts every prompt and never reports a result."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture
def agent(db):
    """A delivery agent with no other part in the sale."""
    return an_agent()
