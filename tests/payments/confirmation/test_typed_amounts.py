"""A provider's own report corrects what staff typed."""

from django.utils import timezone

from orders.lifecycle import expire_order
from orders.models import Order
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.factories import UserFactory
from tests.payments.test_corrections import FIRST, seen
from tests.shopping import stock_of


def test_late_money_that_was_more_holds_its_goods_again_once(order, payment, kettle):
    receipt = seen(FIRST, 1000, source="staff", by=UserFactory().pk)
    Order.objects.update(expires_at=timezone.now(), held_until=timezone.now())
    assert expire_order(order.pk, now=timezone.now())

    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", 3000, FIRST))

    receipt.refresh_from_db()
    order.refresh_from_db()
    assert (receipt.amount, receipt.payment, order.payment_status) == (3000, payment, "paid")
    assert stock_of(kettle) == (3, 0)
