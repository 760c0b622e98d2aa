"""A shop without broken rules."""

import pytest

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
