"""Why a cart is not bought as it was asked for: shaped like its lines, and leading on."""

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

#: The code of a refusal of goods that unpaid orders of the buyer's own hold; it names them.
HELD_BY_YOUR_ORDER = "held_by_your_order"


class PriceChanged(Refusal):
    """Something costs otherwise than the client showed; the answer has what it costs now."""

    code = "price_changed"
    message = "A price has changed since you saw it. Check the new price and order again."


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line of the request: a product's id, how many of it, and the price each that was shown.

    ``price`` is in KES; None where the client does not say.
    """

    product: int
    number: int
    price: int | None = None


def check_amount(goods: int, fee: int) -> None:
    """Refuse more than M-Pesa takes at once; ``goods`` and ``fee`` are KES.

    Raises FieldRefusal.
    """
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
    """The refusal that says what every line costs now, in the order asked, and all of them; and
    the fees, where the goods are brought. ``amount`` and ``fee`` are KES."""
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
    """The refusal that says how many of a product are free, on the line that exceeds them.

    What unpaid orders of the buyer's ``own`` hold of it is said too, with the way to them.
    """
    stock_of = Product.objects.listed().filter(pk=product_id).values_list("item_number", "held")
    item_number, held = stock_of.first() or (0, 0)
    requested = sum(line.number for line in lines if line.product == product_id)
    # Some may have come free since the hold failed; then there were fewer than requested.
    left = min(item_number - held, requested - 1)
    message = f"Only {left} left" if left else "Sold out"
    if own:
        number, which = sum(hold.number for hold in own), ", ".join(hold.reference for hold in own)
        verb = "order holds" if len(own) == 1 else "orders hold"
        message += f": your own unpaid {verb} {number} ({which}). Pay or cancel first"
    return FieldRefusal(line_error(product_id, lines, f"{message}.", left), **lead_to(own))


class OwnHold(NamedTuple):
    """So many of a product, held by an unpaid order of the buyer's own."""

    order_token: str
    reference: str
    number: int


def own_holds(buyer: int, product: int, *, exclude_order: int = 0) -> list[OwnHold]:
    """What the buyer's unpaid orders hold of a product, the newest order first."""
    held = OrderTrack.objects.bought_by(buyer).filter(
        product=product,
        order__payment_status=PaymentStatus.REQUESTED,
        order__expires_at__gt=timezone.now(),
    )
    held = held.exclude(order=exclude_order)
    rows = held.order_by("-order").values_list("order__order_token", "order__reference", "number")
    return [OwnHold(str(token), reference, number) for token, reference, number in rows]


def lead_to(own: list[OwnHold]) -> dict[str, Any]:
    """The members that lead to the buyer's own orders which hold the goods; none without any."""
    if not own:
        return {}
    return {"code": HELD_BY_YOUR_ORDER, **name_orders([hold.order_token for hold in own])}


def name_orders(tokens: list[str]) -> dict[str, Any]:
    """The members that name unpaid orders to pay or to cancel, newest first."""
    return {"order_token": tokens[0], "order_tokens": tokens}


def line_error(
    product_id: int, lines: Sequence[LineRequest], message: str, left: int
) -> dict[str, Any]:
    """The errors with ``message`` on the first line of a product by which more than ``left`` are
    requested."""
    errors: list[dict[str, list[str]]] = [{} for _ in lines]
    requested = 0
    for at, line in enumerate(lines):
        if line.product == product_id:
            requested += line.number
            if requested > left:
                errors[at] = {"number": [ErrorDetail(message, "shortage" if left else "sold_out")]}
                break
    return {"order": errors}
