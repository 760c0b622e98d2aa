"""What unpaid orders may hold, and for how long: by person, by phone and by network.

To hold goods costs nothing, so what one may hold goes by what one did here before: who has paid
holds more than a newcomer, and who lets hold after hold lapse holds less, and not for as long. A
payment wipes that out. All of it is read from the orders themselves, under locks.
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

#: Of one product, units or percent of the stock that one buyer may hold without paying.
MAX_UNPAID_UNITS = 20
MAX_UNPAID_PERCENT = 10
#: So many times what one newcomer may hold, all newcomers together on one phone, which a family
#: shares, and in one network, which an operator's customers share. The network's different goods
#: are UNPAID_GOODS_PER_NETWORK.
PHONE_FACTOR, NETWORK_UNITS_FACTOR, NETWORK_VALUE_FACTOR = 2, 5, 8
#: Of IPv6, what a site or a tunnel gets for nothing counts as one network (RFC 6177): by /64 it
#: would be 65,536 of them, and no limit at all.
SITE = 48

#: A prompt's way to a phone, and how long the phone shows it (payments.checkout.stk_push): until
#: then nobody else can have the goods.
PROMPT_TIME = timedelta(minutes=3)


class TooManyUnpaid(Refusal):
    """The buyer already has as many unpaid orders as one may have; the answer names them."""

    code = "too_many_unpaid_orders"
    message = (
        f"You have {MAX_UNPAID_ORDERS} orders waiting to be paid. Pay or cancel one of them first."
    )


class PhoneHasTooManyUnpaid(Refusal):
    """As many guests' orders as one phone may have wait for it. Whose they are is not known, so
    none is named."""

    code = "too_many_unpaid_orders"
    retry_after = 300
    message = (
        "This phone number already has unpaid orders. Pay or cancel them, wait a few minutes, or "
        "sign in with this phone."
    )


class TooManyGoods(Refusal):
    """The buyer would hold more different goods than one may without paying."""

    code = "too_many_unpaid_goods"


class TooMuchValue(Refusal):
    """The buyer would hold goods for more KES than one may without paying."""

    code = "too_much_unpaid_value"


class PhoneHoldsTooMuch(Refusal):
    """Newcomers hold too much already by orders that name this phone."""

    code = "phone_holds_too_much"
    retry_after = 300
    message = (
        "Unpaid orders for this phone number have reached the limit. Pay or cancel them first, "
        "wait a few minutes, or use another number."
    )


class NetworkHoldsTooMuch(Refusal):
    """Newcomers hold too much already by orders from this network."""

    code = "network_holds_too_much"
    retry_after = 300
    message = (
        "Too many items are currently reserved by new customers on your network. Try again in a "
        "few minutes with fewer items, or from another network."
    )


class TooManyUnits(Exception):
    """More units of a product would be held than may be; the caller says so on its line."""

    def __init__(self, product_id: int, message: str, left: int, *, own: bool) -> None:
        self.product_id, self.message, self.left, self.own = product_id, message, left, own
        super().__init__(message)


def newcomer_network(address: str | None) -> str:
    """The network whose newcomers' holds an address counts among; empty where nobody counts."""
    if not address or not settings.UNPAID_GOODS_PER_NETWORK:
        return ""
    return client_network(address, prefix=SITE)


class HeldLine(NamedTuple):
    """A line of an unpaid order whose time is not over; ``amount`` is in KES.

    ``placed_by`` is the buyer or, of a guest's order, the guest, whoever proved the phone since:
    what strangers order with somebody's phone takes none of that person's own room.
    """

    order: int
    placed_by: int
    phone: str
    network: str
    product: int
    number: int
    amount: int


def holds_counting_against(hold_request: HoldRequest, *, exclude_order: int = 0) -> list[HeldLine]:
    """What is held by the buyer, for their phone, and by newcomers in their network. One query.

    There is no more of it than the limits allow.
    """
    rows = _holds_counting_against(
        hold_request.buyer, hold_request.phone, hold_request.network or _NO_NETWORK, timezone.now()
    )
    return [held for held in map(HeldLine._make, rows) if held.order != exclude_order]


#: No order that is unpaid is held for longer than twice what ORDER_HOLD_MINUTES can be.
LONGEST_HOLD = timedelta(days=3)

#: No network is called that.
_NO_NETWORK = "-"


@compiled
def _holds_counting_against(
    buyer: int, phone: str, network: str, now: datetime
) -> QuerySet[Any, Any]:
    # Three questions, each with an index of its own. As one, and wherever few orders were unpaid
    # when PostgreSQL last counted, it went through all of them: milliseconds in a rush.
    unpaid = Order.objects.filter(payment_status=PaymentStatus.REQUESTED)
    # That it is none of the orders without a network has to be said: their index leaves them out.
    of_network = unpaid.filter(~Q(network=""), network=network)
    # A phone's index has its paid orders too: of the last days, and not by the index of all unpaid
    # ones, which ``=`` would allow.
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
    """Some of one product that somebody wants to hold: ``amount`` is in KES, and ``in_stock`` is
    how many there are of it, held ones included."""

    number: int
    amount: int
    in_stock: int


def check_holds(
    hold_request: HoldRequest,
    allowance: Allowance,
    held: Sequence[HeldLine],
    wanted: dict[int, RequestedUnits],
) -> None:
    """Refuse what would be held beyond a limit; ``wanted`` is by product.

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
    """Refuse another phone for an unpaid order where that one would have to answer for too much.

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
    """Refuse what newcomers would hold beyond the limits of one phone.

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
    """What some lines hold together."""

    def __init__(self, lines: Iterable[HeldLine]) -> None:
        self.units: Counter[int] = Counter()
        self._value = 0
        for line in lines:
            self.units[line.product] += line.number
            self._value += line.amount

    def goods_with(self, wanted: dict[int, RequestedUnits]) -> int:
        """Different goods, with those wanted."""
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
