"""Fixtures: staff, and payments that only one source reports."""

import pytest

from orders.fulfilment import move_line
from payments.backoffice import receipt_services as money_in
from payments.models import (
    Receipt,
)
from tests.factories import UserFactory
from tests.payments.bank import NAME, PASSWORD, notify, told
from tests.payments.bodies import by_hand, post, post_c2b, success
from tests.payments.conftest import ringing
from tests.shopping import an_order

from .actions import NUMBER, finance, on_statement, run_clock


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """Override: payments are not confirmed automatically here."""


@pytest.fixture(autouse=True)
def shop(db, daraja, settings):
    settings.DARAJA_STATEMENT = True
    return daraja


@pytest.fixture
def insider(db):
    return finance("mole")


@pytest.fixture
def colleague(db):
    return finance("njeri")


@pytest.fixture
def invented(order, insider):
    """The order of two kettles, paid by a receipt that finance made up."""
    receipt = money_in.record_seen_receipt(
        number=NUMBER, amount=3000, reference=order.reference, by=insider
    )
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return receipt


@pytest.fixture
def forged_notice(client, order, settings):
    """A bank's notification that pays the order: anyone who knows its password can post it."""
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = NAME, PASSWORD
    notify(client, told(order.reference, 3000))
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return Receipt.objects.get()


@pytest.fixture
def owed(client, daraja):
    """KES 700 of no order, which M-Pesa's statement shows; they are to be sent back."""
    post_c2b(client, by_hand("nobody", 700, receipt=NUMBER))
    receipt = Receipt.objects.get()
    on_statement(daraja, receipt)
    return receipt


@pytest.fixture
def fetched(client, buyer, kettle, daraja):
    """Two kettles, KES 3,000, paid by a callback that nothing else bears out, and fetched."""
    order = an_order(buyer, (kettle, 2))
    payment = ringing(order.payments.get())
    post(client, payment, success(payment, receipt=NUMBER))
    move_line(order.tracks.get().pk, "fetched", actor=UserFactory(is_superuser=True))
    run_clock()
    return Receipt.objects.get()
