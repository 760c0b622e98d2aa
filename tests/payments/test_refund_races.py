"""Refunds that change while they are being sent, with real threads on PostgreSQL."""

from threading import Event

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from payments import transfers
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_refund
from payments.evidence import lock_receipt
from payments.ledger import balance
from payments.models import Account, Provider, Receipt, ReceiptSource, Refund, RefundDay
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.refunds.external_reversals import record_outside_reversal
from payments.refunds.services import refund_unmatched, replace_reversals_with_b2c
from payments.transfers import mark_done, mark_refused
from tests.invariants import what_is_broken
from tests.shopping import an_order
from tests.threads import PATIENCE, at_once

from .bodies import post, success
from .conftest import ringing

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("daraja"),
]


@pytest.fixture
def broken():
    """The expected books at the end of a test, which may add to them."""
    return []


@pytest.fixture
def balanced_books(db, broken):
    yield
    assert what_is_broken() == broken


@pytest.fixture
def paid_too_much(buyer, kettle):
    """One kettle of KES 1,500, for which 1,600 came: its refund of 100, to the phone, is due."""
    payment = ringing(an_order(buyer, (kettle, 1)).payments.get())
    post(Client(), payment, success(payment, receipt="SGL7654321", amount=1600))
    Refund.objects.update(receipt_checked_at=Receipt.objects.get().created_at)
    refund = Refund.objects.get()
    assert (refund.amount, refund.way, refund.status) == (100, "b2c", "due")
    return refund


@pytest.fixture
def while_it_is_claimed(monkeypatch):
    """Send a refund, and do something else once it is claimed and not committed yet."""
    inside, over, fits = Event(), Event(), transfers.reserve_daily_limit

    def slowly(refund, now):
        inside.set()
        over.wait(0.5)
        return fits(refund, now)

    monkeypatch.setattr("payments.disbursement.reserve_daily_limit", slowly)

    def do(refund, something):
        def meanwhile():
            assert inside.wait(PATIENCE)
            something()
            over.set()

        raised = at_once(lambda: process_refund(refund.pk), meanwhile)
        assert [error for error in raised if error is not None] == []

    return do


def refunds(*fields):
    return list(Refund.objects.order_by("pk").values_list(*fields))


def test_a_refund_that_is_claimed_as_mpesa_takes_the_payment_back_is_counted_too(
    paid_too_much, while_it_is_claimed, daraja
):
    receipt = Receipt.objects.get()

    while_it_is_claimed(
        paid_too_much, lambda: record_outside_reversal(receipt.pk, number="SGR0000001")
    )
    mark_done(paid_too_much, number="SGB0000001", amount=100)

    assert [sent["amount"] for sent in daraja.payouts] == [100]
    assert refunds("amount", "way", "status", "number") == [
        (100, "b2c", "done", "SGB0000001"),
        (1600, "outside", "done", "SGR0000001"),
    ]
    # KES 1,600 came; 1,600 were taken back, and 100 sent.
    assert balance(Account.MPESA_CLEARING) == -100


def test_a_replacement_that_is_claimed_as_the_first_turns_out_done_is_not_dropped(
    paid_too_much, while_it_is_claimed, daraja, broken
):
    Refund.objects.update(status="sent", sent_at=timezone.now(), next_check_at=None)
    RefundDay.objects.create(day=timezone.localdate(timezone=NAIROBI), sent=100)
    broken.append(
        f"Only a rejected refund is replaced by another: not so for refund {paid_too_much.pk}."
    )
    mark_refused(paid_too_much, code="1", text="no funds", reason=TransferFailure.NO_FUNDS)
    Refund.objects.update(next_check_at=timezone.now(), receipt_checked_at=timezone.now())
    second = Refund.objects.get(replaces=paid_too_much)

    while_it_is_claimed(second, lambda: mark_done(paid_too_much, number="SGB0000001", amount=100))

    second.refresh_from_db()
    assert [sent["amount"] for sent in daraja.payouts] == [100]
    assert (second.status, second.next_check_at is not None) == ("sent", True)
    paid_too_much.refresh_from_db()
    assert (paid_too_much.status, paid_too_much.unacknowledged) == ("done", True)
    assert "refunded twice" in paid_too_much.note


def test_a_reversal_that_is_claimed_as_its_money_turns_out_to_have_come_back_is_not_sent_again(
    while_it_is_claimed, daraja
):
    receipt, _ = record_receipt(
        IncomingPayment(Provider.MPESA, "SGL7654321", 3000, ReceiptSource.C2B, phone="254712345678")
    )
    refund = refund_unmatched(receipt.pk)
    Receipt.objects.update(source=ReceiptSource.RETURNED)

    @transaction.atomic
    def it_came_back():
        replace_reversals_with_b2c(lock_receipt(receipt.pk))

    while_it_is_claimed(refund, it_came_back)

    assert [sent["receipt"] for sent in daraja.reversals] == ["SGL7654321"]
    assert refunds("amount", "way", "status") == [(3000, "reversal", "sent")]
