"""Corrections: M-Pesa reports another amount for a payment than was credited."""

import time
from threading import Event

import pytest
from django.utils import timezone

from orders.fulfilment import move_line
from orders.lifecycle import NotUnpaid, expire_order
from orders.models import Order
from payments import clock, disbursement
from payments.checkout.stk_push import retry_payment
from payments.daraja.result_codes import TransferFailure
from payments.disbursement import process_refund
from payments.ledger import balance
from payments.models import Account, OrderPayment, Receipt, Refund, amount_credited
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.refunds.services import refund_unmatched
from payments.transfers import mark_refused
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order
from tests.threads import PATIENCE, at_once

from .conftest import ringing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

FIRST, SECOND = "SGX0000001", "SGX0000002"


def seen(number, amount, reference="", source="statement", **more):
    """A source's report of a payment."""
    incoming = IncomingPayment("mpesa", number, amount, source, reference=reference, **more)
    return record_receipt(incoming)[0]


@pytest.fixture
def in_parts(order):
    """KES 2,500 of 3,000 were paid manually, in two parts."""
    seen(FIRST, 1000, order.reference, "c2b")
    seen(SECOND, 1500, order.reference, "c2b")
    return order


def test_a_part_that_was_more_pays_its_order(in_parts):
    seen(SECOND, 2000)

    in_parts.refresh_from_db()
    assert in_parts.payment_status == "paid"
    assert balance(Account.BUYERS_HELD, order_id=in_parts.pk) == 3000
    assert not Receipt.objects.filter(waiting=True).exists()


def test_the_excess_of_a_corrected_payment_is_refunded(in_parts):
    seen(SECOND, 2200)

    in_parts.refresh_from_db()
    refund = in_parts.refunds.get()
    assert (in_parts.payment_status, refund.amount, refund.cause) == ("paid", 200, "excess")


@pytest.fixture
def covered_and_unpaid(in_parts, monkeypatch):
    """All of it is credited, but the order was not marked as paid."""
    with monkeypatch.context() as patch:
        patch.setattr("payments.reconciliation.receipts.mark_order_paid", lambda *a, **k: None)
        seen(SECOND, 2000)
    in_parts.refresh_from_db()
    assert in_parts.payment_status == "requested"
    return in_parts


def test_an_order_whose_parts_cover_it_is_paid_by_the_clock(covered_and_unpaid):
    assert clock.sync_unsynced_orders(timezone.now()) == 1

    covered_and_unpaid.refresh_from_db()
    assert covered_and_unpaid.payment_status == "paid"


def test_no_prompt_is_sent_for_nothing(covered_and_unpaid):
    OrderPayment.objects.filter(channel="stk").update(live=False, status="failed")

    with pytest.raises(NotUnpaid):
        retry_payment(covered_and_unpaid)

    assert not OrderPayment.objects.filter(amount=0).exists()
    clock.sync_unsynced_orders(timezone.now())


def owed_back():
    """The refunds owed: KES, method and reason."""
    owed = Refund.objects.owed().order_by("pk")
    return list(owed.values_list("amount", "way", "cause"))


def losses():
    """KES written off, on the receipts and in the books."""
    written_off = sum(Receipt.objects.values_list("written_off", flat=True))
    assert written_off == balance(Account.WRITE_OFFS)
    return written_off


def send(refund, daraja):
    """M-Pesa is asked to give it back; returns what it was asked to send in all, in KES."""
    Refund.objects.filter(pk=refund.pk).update(next_check_at=timezone.now())
    process_refund(refund.pk)
    return sum(each["amount"] for each in (*daraja.reversals, *daraja.payouts))


def test_no_more_of_money_in_suspense_goes_back_than_came(daraja):
    receipt = seen(FIRST, 3000, source="staff", by=UserFactory().pk)
    first = refund_unmatched(receipt.pk)

    seen(FIRST, 300, phone="254712345678")

    first.refresh_from_db()
    assert (first.status, owed_back()) == ("dropped", [(300, "reversal", "staff")])
    assert (send(first, daraja), send(Refund.objects.latest("pk"), daraja)) == (0, 300)
    assert balance(Account.SUSPENSE) == 0


def test_a_reversal_of_more_than_was_counted_is_of_all_of_it(daraja):
    receipt = seen(FIRST, 2000, source="c2b")
    refund_unmatched(receipt.pk)

    seen(FIRST, 3000)

    assert owed_back() == [(3000, "reversal", "staff")]


@pytest.fixture
def closed(order, payment, kettle):
    """An order that expired, whose goods are off sale, and KES 3,000 that came for it since."""
    Order.objects.update(expires_at=timezone.now(), held_until=timezone.now())
    kettle.listed = False
    kettle.save(update_fields=["listed"])
    assert expire_order(order.pk, now=timezone.now())
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3000, FIRST))
    assert owed_back() == [(3000, "reversal", "off_sale")]
    return order


def test_no_more_of_a_closed_order_goes_back_than_came(closed, daraja):
    seen(FIRST, 2000)

    assert (owed_back(), losses()) == ([(2000, "reversal", "off_sale")], 0)
    closed.refresh_from_db()
    assert closed.payment_status == "refund_due"
    assert send(Refund.objects.latest("pk"), daraja) == 2000


def test_a_sent_refund_is_written_off_until_m_pesa_refuses_it(closed, daraja):
    refund = Refund.objects.get()
    assert send(refund, daraja) == 3000

    seen(FIRST, 2000)
    assert (owed_back(), losses()) == ([(3000, "reversal", "off_sale")], 1000)

    mark_refused(refund, code="25", text="bad amount", reason=TransferFailure.NOT_REVERSIBLE)
    # Not whole by a reversal: M-Pesa has refused one of it.
    assert (owed_back(), losses()) == ([(2000, "b2c", "off_sale")], 0)


@pytest.mark.parametrize(
    ("came", "back", "lost"),
    [
        (3200, [(200, "b2c", "excess")], 0),
        (3000, [], 0),
        (2900, [], 100),
    ],
)
def test_an_orders_unsent_excess_is_dropped_before_anything_is_written_off(
    payment, came, back, lost
):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3500, FIRST))
    assert owed_back() == [(500, "b2c", "excess")]

    seen(FIRST, came)

    assert (owed_back(), losses()) == (back, lost)


def test_another_payments_excess_is_kept_for_the_order(order, payment):
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3000, FIRST))
    seen(SECOND, 3000, order.reference, "c2b")
    assert owed_back() == [(3000, "reversal", "excess")]

    seen(FIRST, 300)

    assert (owed_back(), losses()) == ([(300, "reversal", "excess")], 0)
    assert Refund.objects.owed().get().receipt.number == FIRST


def test_a_corrected_refund_of_a_cancelled_line_stays_with_that_line(buyer, kettle):
    order = an_order(buyer, (kettle, 1), (ProductFactory(price=1500), 1))
    payment = ringing(order.payments.get())
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3000, FIRST))
    line = order.tracks.first()
    move_line(line.pk, "cancelled", actor=UserFactory(is_superuser=True), note="It broke.")
    assert owed_back() == [(1500, "b2c", "returned")]

    seen(FIRST, 2000)

    assert (owed_back(), losses()) == ([(500, "b2c", "returned")], 0)
    assert Refund.objects.owed().get().track == line


def test_of_an_order_that_waits_for_the_rest_nothing_is_written_off(order):
    seen(FIRST, 1000, order.reference, "c2b")

    seen(FIRST, 400)

    order.refresh_from_db()
    assert (amount_credited(order.pk), losses(), order.payment_status) == (400, 0, "requested")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_refund_that_is_claimed_at_this_moment_is_not_dropped(daraja, monkeypatch):
    receipt = seen(FIRST, 3000, source="c2b")
    refund = refund_unmatched(receipt.pk)
    claimed, reserve = Event(), disbursement.reserve_daily_limit

    def slowly(*args):
        claimed.set()
        time.sleep(0.3)
        return reserve(*args)

    monkeypatch.setattr(disbursement, "reserve_daily_limit", slowly)

    def then():
        assert claimed.wait(PATIENCE)
        seen(FIRST, 300)

    at_once(lambda: process_refund(refund.pk), then)

    refund.refresh_from_db()
    assert (refund.status, [each["amount"] for each in daraja.reversals]) == ("sent", [3000])
    mark_refused(refund, code="25", text="bad amount", reason=TransferFailure.NOT_REVERSIBLE)
    assert [each[0] for each in owed_back()] == [300]
