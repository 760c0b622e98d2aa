"""Money for a guest's order, or none."""

from orders.models import Order
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.shopping import next_receipt


def pay(answer):
    """The prompt of the order that was answered is confirmed; the order."""
    order = Order.objects.get(order_token=answer.json()["order_token"])
    attempt = order.payments.get()
    record_outcome(
        attempt.pk, AttemptOutcome(True, "0", "", "callback", order.amount, next_receipt())
    )
    order.refresh_from_db()
    return order


def fail(answer):
    """The newest prompt of the order that was answered is cancelled on the phone."""
    order = Order.objects.get(order_token=answer.json()["order_token"])
    attempt = order.payments.latest("pk")
    record_outcome(attempt.pk, AttemptOutcome(False, "1032", "Cancelled by user.", "callback"))
