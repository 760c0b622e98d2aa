"""The end depends on what happened, never on the order in which the shop heard of it."""

from contextlib import suppress
from itertools import permutations

import pytest

from orders.services import NotUnpaid, cancel_order, expire_order
from payments.enquiry import check_payment
from payments.models import GatewayEvent, OrderPayment, Receipt
from tests.shopping import shelf

from .bodies import failure, post, success
from .fakes import CANCELLED, PAID


def heard(name, client, payment, daraja):
    """One thing that happens to an order of two kettles."""
    order = payment.order
    told = success(payment, receipt="SGL7654321")
    match name:
        case "success":
            post(client, payment, told)
        case "failure":
            post(client, payment, failure(payment))
        case "forged":
            post(client, payment, success(payment, receipt="FORGED1234"), token="")
        case "unreadable":
            post(client, payment, b"{")
        case "expiry":
            expire_order(order.pk, now=order.expires_at)
        case "cancel":
            with suppress(NotUnpaid):
                cancel_order(order.pk)
        case "query paid" | "query failed":
            daraja.answer = PAID if name == "query paid" else CANCELLED
            OrderPayment.objects.filter(next_check_at__isnull=False).update(
                next_check_at=payment.created_at
            )
            check_payment(payment.pk)


@pytest.mark.parametrize(
    "events",
    [
        *permutations(["success", "failure", "success", "expiry"]),
        *permutations(["success", "success", "forged", "cancel"]),
        *permutations(["success", "query paid", "unreadable", "expiry"]),
        *permutations(["success", "query failed", "failure", "forged"]),
    ],
    ids=", ".join,
)
def test_money_that_came_pays_whatever_else_is_heard(client, payment, kettle, daraja, events):
    for name in events:
        heard(name, client, payment, daraja)

    payment.refresh_from_db()
    receipt = Receipt.objects.get()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")
    assert (receipt.number, receipt.amount, receipt.order_id) == (
        "SGL7654321",
        3000,
        payment.order_id,
    )
    assert [track.track_status for track in payment.order.tracks.all()] == ["paid"]
    assert (shelf(kettle), kettle.movements.count()) == ((3, 0), 2)
    assert not GatewayEvent.objects.filter(state__in=["new", "checking"]).exists()


@pytest.mark.parametrize(
    "events", list(permutations(["failure", "failure", "query failed", "expiry"])), ids=", ".join
)
def test_money_that_did_not_come_ends_in_an_expired_order(client, payment, kettle, daraja, events):
    for name in events:
        heard(name, client, payment, daraja)

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("failed", "expired")
    assert (shelf(kettle), Receipt.objects.count()) == ((5, 0), 0)
