"""What buyers do, as one-line helpers."""

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
    """An unused Idempotency-Key."""
    return f"an-order-{next(_keys)}"


def next_receipt() -> str:
    """An unused M-Pesa receipt number."""
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
    """A new order placed through the service, even if identical to another.

    ``reference`` is chosen here so that a test can spell it: what was agreed cannot be changed
    later.
    """
    wanted = [LineRequest(product.pk, number) for product, number in lines]
    key = next_key()
    field = Order._meta.get_field("reference")
    chosen = (lambda: reference) if reference else field._get_default
    with patch.object(field, "_get_default", chosen):
        return place_order(buyer=buyer, lines=wanted, mpesa_number=phone, idempotency_key=key).order


def paid_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A paid line in a new order."""
    order = an_order(buyer, (product, number))
    payment = order.payments.get()
    record_outcome(
        payment.pk,
        AttemptOutcome(
            succeeded=True,
            code="0",
            text="",
            source="callback",
            amount=order.amount,
            receipt=next(_receipts),
        ),
    )
    return order.tracks.get()


def fetched_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A fetched line in a new order."""
    line = paid_line(buyer, product, number)
    return move_line(line.pk, "fetched", actor=UserFactory(is_superuser=True))


def delivered_line(buyer, product: Product, number: int = 1) -> OrderTrack:
    """A delivered line in a new order."""
    line = fetched_line(buyer, product, number)
    return move_line(line.pk, "delivered", actor=buyer)


@contextmanager
def own_goods_allowed():
    """Allow buying one's own goods, as before the rule: orders of that time still exist."""
    with patch("orders.cashout.find_line_errors", lambda lines, sellers, *, buyer: []):
        yield


def stock_of(product: Product) -> tuple[int, int]:
    """The stock on hand, and how many of it are reserved."""
    product.refresh_from_db()
    return product.item_number, product.held


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}
