"""The checker of the books finds each thing it looks for. (A checker that cannot fail is none.)"""

import pytest

from orders.models import Order, OrderTrack
from payments.models import OrderPayment, Receipt
from payments.settlement import Outcome, settle
from products.models import Product, StockMovement

from .invariants import check_books
from .shopping import an_order


@pytest.fixture
def paid(buyer, kettle):
    order = an_order(buyer, (kettle, 2))
    told = Outcome(True, "0", "", "callback", 3000, "SGL0000001")
    settle(order.payments.get().pk, told)
    order.refresh_from_db()
    return order


def test_the_books_of_a_paid_and_an_unpaid_order_are_in_order(paid, buyer, kettle):
    an_order(buyer, (kettle, 1))

    check_books()


def _unmove():
    StockMovement.objects.filter(quantity__lt=0).update(reference="order:0")


@pytest.mark.parametrize(
    ("said", "breaks"),
    [
        ("S2: 1 Kettle held, 0 promised", lambda: Product.objects.update(held=1)),
        ("S3: 4 Kettle, movements say 3", lambda: Product.objects.update(item_number=4)),
        ("goods left|of its 1 lines left", _unmove),
        ("O1: ", lambda: Order.objects.update(amount=2999)),
        ("O4: ", lambda: Receipt.objects.update(amount=2999)),
        ("O6: ", lambda: Order.objects.update(payment_status="expired")),
        ("its lines", lambda: OrderTrack.objects.update(track_status="created")),
        ("goods left the shelf", lambda: Order.objects.update(payment_status="cancelled")),
        ("P2: ", lambda: Receipt.objects.update(order=None)),
        ("P1: ", lambda: OrderPayment.objects.update(status="failed")),
        ("its prompt is live", lambda: OrderPayment.objects.update(live=True)),
        ("under no request id", lambda: OrderPayment.objects.update(status="submitted")),
    ],
)
def test_what_is_broken_is_found(paid, said, breaks):
    breaks()

    with pytest.raises(AssertionError, match=said):
        check_books()
