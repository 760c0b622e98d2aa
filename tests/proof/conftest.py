"""A shop without broken rules."""

import pytest

from payments.proof import key_ranges
from tests.payments.fakes import FakeDaraja

from .healthy import trade


@pytest.fixture
def daraja(monkeypatch):
    """M-Pesa, which takes every prompt and says no more."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture
def healthy(buyer, daraja, settings):
    """A day of trade has gone by, and the books agree."""
    trade(buyer, settings)


@pytest.fixture
def two_at_a_time(monkeypatch):
    """Key ranges of two keys, as of a large table."""
    for name in ("EVEN_KEYS", "FIRST_KEYS", "SHORTEST_KEYS", "LONGEST_KEYS"):
        monkeypatch.setattr(key_ranges, name, 2)
