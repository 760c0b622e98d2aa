"""Fixtures: a staff member, and a shop with one sale."""

import pytest
from django.utils import timezone

from orders.cashout import LineRequest, place_order
from payments.models import GatewayEvent, OrderPayment, ReceiptSource
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import UserFactory

from . import cases
from .browsers import browser_of, in_role


@pytest.fixture
def staff(db):
    return UserFactory(username="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def staff_browser(staff):
    """A browser in which the staff member is signed in."""
    return browser_of(staff)


@pytest.fixture
def support(db):
    """A browser in which someone in the role support is signed in."""
    return browser_of(in_role("support"))


@pytest.fixture
def daraja(monkeypatch):
    """A fake M-Pesa that accepts every request unless a test says otherwise."""
    fake = cases.FakeMpesa()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture
def sale(buyer, kettle):
    """An order of two kettles, paid by receipt TKB1234567, with its gateway message."""
    order = place_order(
        buyer=buyer, lines=[LineRequest(kettle.pk, 2)], mpesa_number="254712345678"
    ).order
    payment = order.payments.get()
    payment.checkout_request_id = "ws_CO_231120261200001234"
    payment.rung_at = timezone.now()
    payment.save()
    GatewayEvent.objects.create(body=b'{"Body": {}}', sha256="0" * 64, payment=payment)
    record_outcome(
        payment.pk,
        AttemptOutcome(
            succeeded=True,
            code="0",
            text="Paid",
            source=ReceiptSource.CALLBACK,
            amount=payment.amount,
            receipt="TKB1234567",
        ),
    )
    order.refresh_from_db()
    return order


@pytest.fixture
def unpaid(buyer, kettle):
    """An unpaid order of one kettle without an open prompt."""
    order = place_order(
        buyer=buyer, lines=[LineRequest(kettle.pk, 1)], mpesa_number="254712345678"
    ).order
    OrderPayment.objects.filter(order=order).update(live=False, status="failed")
    return order
