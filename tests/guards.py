"""Fixtures that watch a whole test and fail it if a rule is broken."""

import pytest
import requests
from django.db import connection

from .invariants import check_books


def open_transaction() -> bool:
    """Whether this thread is inside a transaction of the shop, not counting the test's own."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


@pytest.fixture
def balanced_books(db):
    """Check the books when the test is over."""
    yield
    check_books()


@pytest.fixture
def no_network_in_transactions(monkeypatch):
    """Fail a test that uses the network while a row is locked."""
    asked: list[str] = []
    send = requests.Session.send

    def watched(session, request, **kwargs):
        if open_transaction():
            asked.append(f"{request.method} {request.url}")
        return send(session, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", watched)
    yield asked
    assert asked == [], "asked while a transaction was open"
