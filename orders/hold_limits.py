"""The limits on what unpaid orders may hold: per buyer, per phone and per network.

Holding goods is free, so the limits depend on the buyer's history (orders.allowance): buyers who
have paid before may hold more than newcomers, and buyers who let orders lapse may hold less, for a
shorter time, until they pay again. Everything is read from the orders, under locks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.ip_addresses import client_network
from omachemainproj.money import format_kes

from .allowance import (
    MAX_UNPAID_ORDERS,
    NEWCOMER_GOODS,
    NEWCOMER_VALUE,
    Allowance,
    HoldRequest,
    read_allowance,
)
from .models import Order, OrderTrack, PaymentStatus

#: Per product and buyer: units, or percent of the stock if that is more.
MAX_UNPAID_UNITS = 20
MAX_UNPAID_PERCENT = 10
#: Multiples of one newcomer's limits for all newcomers together with one phone (shared by a family)
#: and in one network (shared by an operator's customers). The limit of different products per
#: network is UNPAID_GOODS_PER_NETWORK.
PHONE_FACTOR, NETWORK_UNITS_FACTOR, NETWORK_VALUE_FACTOR = 2, 5, 8
#: The IPv6 prefix that counts as one network: what a site or a tunnel gets for free (RFC 6177). By
#: /64 that would be 65,536 networks, and no limit at all.
SITE = 48

#: How long a prompt takes to reach a phone and stays there (payments.checkout.stk_push). Until then
#: no other buyer can preempt the goods.
PROMPT_TIME = timedelta(minutes=3)


class TooManyUnpaid(Refusal):
    """A buyer with an account has the maximum number of unpaid orders; the answer lists them."""

    code = "too_many_unpaid_orders"
    message = (
        f"You have {MAX_UNPAID_ORDERS} orders waiting to be paid. Pay or cancel one of them first."
    )


class PhoneHasTooManyUnpaid(Refusal):
    """Guests with this phone have the maximum number of unpaid orders.

    None is listed, because they may be someone else's.
    """

    code = "too_many_unpaid_orders"
    retry_after = 300
    message = (
        "This phone number already has unpaid orders. Pay or cancel them, wait a few minutes, or "
        "sign in with this phone."
    )


class TooManyGoods(Refusal):
    """The buyer would hold too many different products without paying."""

    code = "too_many_unpaid_goods"


class TooMuchValue(Refusal):
    """The buyer would hold goods of too much value without paying."""

    code = "too_much_unpaid_value"


class PhoneHoldsTooMuch(Refusal):
    """Newcomers' orders with this phone hold too much already."""

    code = "phone_holds_too_much"
    retry_after = 300
    message = (
        "Unpaid orders for this phone number have reached the limit. Pay or cancel them first, "
        "wait a few minutes, or use another number."
    )


class NetworkHoldsTooMuch(Refusal):
    """Newcomers' orders from this network hold too much already."""

    code = "network_holds_too_much"
    retry_after = 300
    message = (
        "Too many items are currently reserved by new customers on your network. Try again in a "
        "few minutes with fewer items, or from another network."
    )


class TooManyUnits(Exception):
    """Too many units of a product would be held; the caller reports it on the line."""

    def __init__(self, product_id: int, message: str, left: int, *, own: bool) -> None:
        self.product_id, self.message, self.left, self.own = product_id, message, left, own
        super().__init__(message)


def newcomer_network(address: str | None) -> str:
    """Return the network in which an address counts for newcomers' holds; "" if not limited."""
    if not address or not settings.UNPAID_GOODS_PER_NETWORK:
        return ""
    return client_network(address, prefix=SITE)


class HeldLine(NamedTuple):
    """A line of an unpaid order that has not expired; ``amount`` is in KES.

    ``placed_by`` is the buyer or, for a guest's order, the guest, even if it has joined an account
    since: orders that strangers place with someone's phone do not use up that user's own limits.
    """

    order: int
    placed_by: int
    phone: str
    network: str
    product: int
    number: int
    amount: int


def holds_counting_against(hold_request: HoldRequest, *, exclude_order: int = 0) -> list[HeldLine]:
    """Return what is held by the buyer, with their phone, and by newcomers in their network.

    One query. The limits bound the number of rows.
    """
    rows = _holds_counting_against(
        hold_request.buyer, hold_request.phone, hold_request.network or _NO_NETWORK, timezone.now()
    )
    return [held for held in map(HeldLine._make, rows) if held.order != exclude_order]


#: An upper bound of any hold: more than twice the maximum of ORDER_HOLD_MINUTES.
LONGEST_HOLD = timedelta(days=3)

#: Matches no network.
_NO_NETWORK = "-"


@compiled
def _holds_counting_against(
    buyer: int, phone: str, network: str, now: datetime
) -> QuerySet[Any, Any]:
    # A union of three queries, each with its own index. In one query PostgreSQL went through all
    # unpaid orders when its statistics said that there were few: milliseconds in a rush.
    unpaid = Order.objects.filter(payment_status=PaymentStatus.REQUESTED)
    # ~Q(network="") is needed to match the partial index, which leaves those orders out.
    of_network = unpaid.filter(~Q(network=""), network=network)
    # The index by phone includes paid orders, so limit it to recent ones; ``startswith`` instead of
    # ``=`` keeps PostgreSQL from using the index of all unpaid orders.
    of_phone = Order.objects.filter(
        mpesa_number=phone,
        created_at__gt=now - LONGEST_HOLD,
        payment_status__startswith=PaymentStatus.REQUESTED,
    )
    near = (
        unpaid.filter(buyer=buyer)
        .values("pk")
        .union(of_phone.values("pk"), of_network.values("pk"))
    )
    held = OrderTrack.objects.filter(order__in=near, order__expires_at__gt=now)
    return held.values_list(
        "order",
        Coalesce("order__guest", "order__buyer"),
        "order__mpesa_number",
        "order__network",
        "product",
        "number",
        "amount",
    )


@dataclass(frozen=True, slots=True)
class RequestedUnits:
    """Units of one product that a buyer wants to hold.

    ``amount`` is in KES; ``in_stock`` is the stock on hand, held units included.
    """

    number: int
    amount: int
    in_stock: int


def check_holds(
    hold_request: HoldRequest,
    allowance: Allowance,
    held: Sequence[HeldLine],
    wanted: dict[int, RequestedUnits],
) -> None:
    """Refuse holds beyond a limit; ``wanted`` is by product id.

    Raises TooManyUnits, TooManyGoods, TooMuchValue, PhoneHoldsTooMuch, NetworkHoldsTooMuch.
    """
    own = _HeldTotals(row for row in held if row.placed_by == hold_request.buyer)
    _check_units(
        own, wanted, 1, "You can reserve at most {most} of a product before paying.", own=True
    )
    if (goods := own.goods_with(wanted)) > allowance.goods:
        raise TooManyGoods(_too_many_goods(allowance, goods), most=allowance.goods)
    if own.value_with(wanted) > allowance.value:
        raise TooMuchValue(
            f"You can reserve goods worth {format_kes(allowance.value)} before paying. Pay or "
            "cancel your unpaid orders first, or order less.",
            most=allowance.value,
        )
    if not allowance.has_paid:
        _check_phone(hold_request, held, wanted)
        _check_network(hold_request, held, wanted)


def check_phone_of_order(order: Order, phone: str) -> None:
    """Refuse to change an unpaid order's phone if the new one's limits would be exceeded.

    Call under ``lock_phone``. Raises PhoneHoldsTooMuch.
    """
    hold_request = HoldRequest(order.buyer_id, phone)
    if read_allowance(hold_request).has_paid:
        return
    lines = order.tracks.values_list("product", "number", "amount", "product__item_number")
    wanted = {product_id: RequestedUnits(*line) for product_id, *line in lines}
    try:
        _check_phone(
            hold_request, holds_counting_against(hold_request, exclude_order=order.pk), wanted
        )
    except TooManyUnits as most:
        raise PhoneHoldsTooMuch() from most


def _check_phone(
    hold_request: HoldRequest, held: Iterable[HeldLine], wanted: dict[int, RequestedUnits]
) -> None:
    """Refuse holds beyond the limits of newcomers with one phone.

    Raises TooManyUnits, PhoneHoldsTooMuch.
    """
    of_phone = _HeldTotals(row for row in held if row.phone == hold_request.phone)
    message = "One phone number can reserve at most {most} of a product before paying."
    _check_units(of_phone, wanted, PHONE_FACTOR, message)
    too_many = of_phone.goods_with(wanted) > PHONE_FACTOR * NEWCOMER_GOODS
    if too_many or of_phone.value_with(wanted) > PHONE_FACTOR * NEWCOMER_VALUE:
        raise PhoneHoldsTooMuch()


def _check_network(
    hold_request: HoldRequest, held: Iterable[HeldLine], wanted: dict[int, RequestedUnits]
) -> None:
    if not hold_request.network:
        return
    of_network = _HeldTotals(row for row in held if row.network == hold_request.network)
    message = "New customers on your network can reserve at most {most} of a product before paying."
    _check_units(of_network, wanted, NETWORK_UNITS_FACTOR, message)
    too_many = of_network.goods_with(wanted) > settings.UNPAID_GOODS_PER_NETWORK
    if too_many or of_network.value_with(wanted) > NETWORK_VALUE_FACTOR * NEWCOMER_VALUE:
        raise NetworkHoldsTooMuch()


class _HeldTotals:
    """The totals of some held lines."""

    def __init__(self, lines: Iterable[HeldLine]) -> None:
        self.units: Counter[int] = Counter()
        self._value = 0
        for line in lines:
            self.units[line.product] += line.number
            self._value += line.amount

    def goods_with(self, wanted: dict[int, RequestedUnits]) -> int:
        """The number of different products, including those wanted."""
        return len(self.units.keys() | wanted.keys())

    def value_with(self, wanted: dict[int, RequestedUnits]) -> int:
        return self._value + sum(line.amount for line in wanted.values())


def _check_units(
    held: _HeldTotals,
    wanted: dict[int, RequestedUnits],
    factor: int,
    message: str,
    *,
    own: bool = False,
) -> None:
    for product_id, line in wanted.items():
        most = factor * max(MAX_UNPAID_UNITS, line.in_stock * MAX_UNPAID_PERCENT // 100)
        left = most - held.units[product_id]
        if line.number > left:
            raise TooManyUnits(product_id, message.format(most=most), left, own=own)


def _too_many_goods(allowance: Allowance, goods: int) -> str:
    which = "one product" if allowance.goods == 1 else f"{allowance.goods} different products"
    why = "" if allowance.has_paid else " You can reserve more once you have paid for an order."
    return (
        f"You can reserve {which} before paying, and this would make {goods}. Order fewer, or pay "
        f"or cancel your unpaid orders first.{why}"
    )
