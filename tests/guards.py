"""Fixtures that watch a whole test and fail it at the end."""

import pytest
import requests
from django.db import connection

from .invariants import check_books


def open_transaction() -> bool:
    """Whether this thread is inside a transaction of the shop's, not counting the test's own."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


@pytest.fixture
def balanced_books(db):
    """The books are in order when the test is over."""
    yield
    check_books()


@pytest.fixture
def no_network_in_transactions(monkeypatch):
    """Nothing is asked of the network while a row is locked."""
    asked: list[str] = []
    send = requests.Session.send

    def watched(session, request, **kwargs):
        if open_transaction():
            asked.append(f"{request.method} {request.url}")
        return send(session, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", watched)
    yield asked
    assert asked == [], "asked while a transaction was open"
