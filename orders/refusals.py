"""Errors of a cash-out, shaped like the lines of the request, with what the buyer can do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone
from rest_framework.exceptions import ErrorDetail

from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_PAYMENT
from products.models import Product

from .models import OrderTrack, PaymentStatus

#: The error code if the buyer's own unpaid orders hold the goods; the error lists those orders.
HELD_BY_YOUR_ORDER = "held_by_your_order"


class PriceChanged(Refusal):
    """A price differs from the one the client showed; the answer has the current prices."""

    code = "price_changed"
    message = "A price has changed since you saw it. Check the new price and order again."


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line of the request: a product's id, the number of units and the unit price shown.

    ``price`` is in KES; None if the client did not send it.
    """

    product: int
    number: int
    price: int | None = None


def check_amount(goods: int, fee: int) -> None:
    """Raise FieldRefusal for more than M-Pesa's maximum payment; ``goods`` and ``fee`` in KES."""
    amount = goods + fee
    if amount > MAX_PAYMENT:
        brought = f", including {format_kes(fee)} for delivery" if fee else ""
        message = (
            f"M-Pesa accepts at most {format_kes(MAX_PAYMENT)} per payment; this is "
            f"{format_kes(amount)}{brought}."
        )
        raise FieldRefusal({"order": {"non_field_errors": [message]}})


def price_error(
    lines: Sequence[LineRequest],
    products: dict[int, Any],
    amount: int,
    fee: int | None,
) -> PriceChanged:
    """Return the error with the current price of every line, in request order, and the total.

    With the delivery fee, if the order has a delivery. ``amount`` and ``fee`` are KES.
    """
    priced = [
        {
            "product": line.product,
            "number": line.number,
            "price": products[line.product].price,
            "amount": line.number * products[line.product].price,
        }
        for line in lines
    ]
    fees: dict[str, Any] = {} if fee is None else {"delivery_fee": fee}
    return PriceChanged(order=priced, amount=amount, **fees)


def too_many_unpaid(most: int) -> str:
    orders = "an order" if most == 1 else f"{most} orders"
    which = "it" if most == 1 else "one of them"
    return f"You have {orders} waiting to be paid. Pay or cancel {which} first."


def shortage_error(
    product_id: int, lines: Sequence[LineRequest], own: list[OwnHold]
) -> FieldRefusal:
    """Return the error with the number of available units, on the line that exceeds it.

    It also lists what the buyer's ``own`` unpaid orders hold of the product.
    """
    stock_of = Product.objects.listed().filter(pk=product_id).values_list("item_number", "held")
    item_number, held = stock_of.first() or (0, 0)
    requested = sum(line.number for line in lines if line.product == product_id)
    # Units may have become available since the hold failed, when there were too few.
    left = min(item_number - held, requested - 1)
    message = f"Only {left} left" if left else "Sold out"
    if own:
        number, which = sum(hold.number for hold in own), ", ".join(hold.reference for hold in own)
        verb = "order holds" if len(own) == 1 else "orders hold"
        message += f": your own unpaid {verb} {number} ({which}). Pay or cancel first"
    return FieldRefusal(line_error(product_id, lines, f"{message}.", left), **own_hold_details(own))


class OwnHold(NamedTuple):
    """Units of a product held by one of the buyer's own unpaid orders."""

    order_token: str
    reference: str
    number: int


def own_holds(buyer: int, product: int, *, exclude_order: int = 0) -> list[OwnHold]:
    """Return what the buyer's unpaid orders hold of a product, newest order first."""
    held = OrderTrack.objects.bought_by(buyer).filter(
        product=product,
        order__payment_status=PaymentStatus.REQUESTED,
        order__expires_at__gt=timezone.now(),
    )
    held = held.exclude(order=exclude_order)
    rows = held.order_by("-order").values_list("order__order_token", "order__reference", "number")
    return [OwnHold(str(token), reference, number) for token, reference, number in rows]


def own_hold_details(own: list[OwnHold]) -> dict[str, Any]:
    """Return the error members that name the buyer's orders holding the goods; {} if none."""
    if not own:
        return {}
    return {"code": HELD_BY_YOUR_ORDER, **unpaid_order_details([hold.order_token for hold in own])}


def unpaid_order_details(tokens: list[str]) -> dict[str, Any]:
    """Return the error members that name unpaid orders to pay or cancel, newest first."""
    return {"order_token": tokens[0], "order_tokens": tokens}


def line_error(
    product_id: int, lines: Sequence[LineRequest], message: str, left: int
) -> dict[str, Any]:
    """Return errors with ``message`` on the first line that exceeds ``left`` units of a product."""
    errors: list[dict[str, list[str]]] = [{} for _ in lines]
    requested = 0
    for at, line in enumerate(lines):
        if line.product == product_id:
            requested += line.number
            if requested > left:
                errors[at] = {"number": [ErrorDetail(message, "shortage" if left else "sold_out")]}
                break
    return {"order": errors}
