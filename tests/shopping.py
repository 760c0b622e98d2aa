"""What buyers do, in one line each."""

import itertools
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from orders.cashout import LineRequest, place_order
from orders.fulfilment import move_line
from orders.models import Order, OrderTrack
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from products.models import Product

from .factories import UserFactory

PHONE = "254712345678"
_keys = itertools.count(1)
_receipts = (f"SGQ{number:07}" for number in itertools.count(1))


def next_key() -> str:
    """An Idempotency-Key that nobody used."""
    return f"an-order-{next(_keys)}"


def next_receipt() -> str:
    """A number of M-Pesa's that no receipt has."""
    return next(_receipts)


def cash_out(
    api, *lines: tuple[Product, int], phone: str = "0712345678", key: str | None = None
) -> Any:
    """POST /cashout/ for (product, number) lines."""
    return api.post("/cashout/", body(*lines, phone=phone), headers=_headers(key))


def body(*lines: tuple[Product, int], phone: str = "0712345678") -> dict[str, Any]:
    order = [{"product": product.pk, "number": number} for product, number in lines]
    return {"order": order, "mpesa_number": phone}


def an_order(
    buyer, *lines: tuple[Product, int], phone: str = PHONE, reference: str | None = None
) -> Order:
    """An order of its own placed through the service, however alike to another.

    Its ``reference`` is one that a test can spell: what was agreed cannot be changed later.
    """
    wanted = [LineRequest(product.pk, number) for product, number in lines]
    key = next_key()
    field = Order._meta.get_field("reference")
    chosen = (lambda: reference) if reference else field._get_default
    with patch.object(field, "_get_default", chosen):
        return place_order(buyer=buyer, lines=wanted, mpesa_number=phone, idempotency_key=key).order


def paid_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A line of an order of its own, paid."""
    order = an_order(buyer, (product, number))
    payment = order.payments.get()
    record_outcome(
        payment.pk, AttemptOutcome(True, "0", "", "callback", order.amount, next(_receipts))
    )
    return order.tracks.get()


def fetched_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A line of an order of its own that was collected from its seller."""
    line = paid_line(buyer, product, number)
    return move_line(line.pk, "fetched", by=UserFactory(is_superuser=True))


def delivered_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A line of an order of its own that went all its way to the buyer."""
    line = fetched_line(buyer, product, number)
    return move_line(line.pk, "delivered", by=buyer)


@contextmanager
def nobody_asks_whose_goods():
    """As it was before people were refused their own goods: orders of that time are still there."""
    with patch("orders.cashout.line_objections", lambda lines, sellers, *, buyer: []):
        yield


def shelf(product: Product) -> tuple[int, int]:
    """How many stand on the shelf, and how many of them are held."""
    product.refresh_from_db()
    return product.item_number, product.held


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}
