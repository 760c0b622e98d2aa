"""What follows where M-Pesa says that a payment was of another amount than was counted."""

import pytest
from django.utils import timezone

from orders.lifecycle import NotUnpaid, expire_order
from orders.models import Order
from payments import clock
from payments.checkout.stk_push import retry_payment
from payments.ledger import balance
from payments.models import Account, OrderPayment, Receipt
from payments.reconciliation.outcomes import Outcome, record_outcome
from payments.reconciliation.receipts import IncomingPayment, record_receipt
from tests.factories import UserFactory
from tests.shopping import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daraja")]

FIRST, SECOND = "SGX0000001", "SGX0000002"


def seen(number, amount, reference="", source="statement", **more):
    """What a source reports of a payment."""
    incoming = IncomingPayment("mpesa", number, amount, source, reference=reference, **more)
    return record_receipt(incoming)[0]


# --- More than was counted ------------------------------------------------------------------------


@pytest.fixture
def in_parts(order):
    """KES 2,500 of 3,000 came by hand, in two parts."""
    seen(FIRST, 1000, order.reference, "c2b")
    seen(SECOND, 1500, order.reference, "c2b")
    return order


def test_a_part_that_was_more_pays_its_order(in_parts):
    seen(SECOND, 2000)

    in_parts.refresh_from_db()
    assert in_parts.payment_status == "paid"
    assert balance(Account.BUYERS_HELD, order_id=in_parts.pk) == 3000
    assert not Receipt.objects.filter(waiting=True).exists()


def test_what_is_too_much_of_it_goes_back(in_parts):
    seen(SECOND, 2200)

    in_parts.refresh_from_db()
    refund = in_parts.refunds.get()
    assert (in_parts.payment_status, refund.amount, refund.cause) == ("paid", 200, "excess")


def test_late_money_that_was_more_holds_its_goods_again_once(order, payment, kettle):
    receipt = seen(FIRST, 1000, source="staff", by=UserFactory().pk)
    Order.objects.update(expires_at=timezone.now(), held_until=timezone.now())
    assert expire_order(order.pk, now=timezone.now())

    record_outcome(payment.pk, Outcome(True, "0", "", "callback", 3000, FIRST))

    receipt.refresh_from_db()
    order.refresh_from_db()
    assert (receipt.amount, receipt.payment, order.payment_status) == (3000, payment, "paid")
    assert shelf(kettle) == (3, 0)


@pytest.fixture
def covered_and_unpaid(in_parts, monkeypatch):
    """All of it is counted, and the order was not told."""
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
