"""How an order's money stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from omachemainproj.compiled_queries import compiled
from orders.models import FeeState, Order, OrderTrack, Parcel, PaymentStatus

from .receipts import Receipt, Verification
from .refunds import Refund
from .totals import total


class OrderBalance(NamedTuple):
    """What stands for an order, in KES.

    ``credited`` counts for it, ``given_back`` is what of its price its buyer was given back (see
    ``given_back()``), ``fees_earned`` are fees of its parcels that are the shop's, and ``waiting``
    says whether something waits for the rest of its price. ``payment_status`` is the order's.
    """

    credited: int
    given_back: int
    fees_earned: int
    waiting: bool
    payment_status: str

    def needed(self, order: Order) -> int:
        """KES that have to stay for an order: the price of what stands of a paid one, and fees
        that were earned of one whose lines were all cancelled."""
        return order.amount - self.given_back if order.is_paid else self.fees_earned


@dataclass
class Settling:
    """An order for which money has come: ``order`` is the row as it was read under its lock, where
    whoever records the money holds that; ``money`` how it stood when the order was to be paid."""

    order_id: int
    order: Order | None = None
    money: OrderBalance | None = None

    def amount_credited(self) -> int:
        """KES counted for the order. One query."""
        self.money = order_balance(self.order_id)
        return self.money.credited


def given_back(order: OuterRef) -> Combinable:
    """KES of an order's price that its buyer was given back, by what stands on its rows.

    The price of lines that were cancelled after they were paid, what the price of others was
    reduced by since, and the fees of parcels that were returned. Each is owed to the buyer from the
    moment its row says so; what else is given back of an order is another term of this sum, and of
    no other.
    """
    lines = OrderTrack.objects.filter(order=order)
    fallen = Case(When(returned=True, then=F("amount")), default=F("reduced"))
    fees = Parcel.objects.with_fee(FeeState.RETURNED).filter(order=order)
    return total(lines, by="order", of=Sum(fallen)) + total(fees, by="order", of=Sum("fee"))


def fees_earned(order: OuterRef) -> Combinable:
    """KES of delivery fees of an order that are the shop's."""
    return total(
        Parcel.objects.with_fee(FeeState.EARNED).filter(order=order), by="order", of=Sum("fee")
    )


def amount_credited(order_id: int) -> int:
    """KES counted for an order: what came and what is written off, less its refunds."""
    return order_balance(order_id).credited


def amounts_credited(orders: Collection[int]) -> dict[int, int]:
    """KES counted for each of these orders, by its id. One query, and none for no order."""
    if not orders:
        return {}
    came, owed = _came_and_owed()
    rows = Order.objects.filter(pk__in=orders).values_list("pk", came, owed)
    return {order_id: int(came) - int(owed) for order_id, came, owed in rows}


def order_balance(order_id: int) -> OrderBalance:
    """How an order's money stands. One query."""
    came, owed, back, earned, waiting, status = _order_balance(order_id)[0]
    return OrderBalance(int(came) - int(owed), int(back), int(earned), bool(waiting), status)


def backed(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Annotate orders with what confirmed payments leave for their lines and fees, in KES.

    ``needed`` is the price of what stands. ``confirmed`` is what came for certain, less what goes
    back of it; ``made_up`` is that, and what the shop bears of what was counted, or never came.
    """
    sure = {"order": OuterRef("pk"), "verification": Verification.CONFIRMED}
    came = Receipt.objects.filter(**sure)
    gone = Refund.objects.owed().filter(
        order=OuterRef("pk"), receipt__verification=Verification.CONFIRMED
    )
    back = total(gone, by="order", of=Sum("amount"))
    never = Receipt.objects.filter(order=OuterRef("pk"), verification=Verification.NEVER_CAME)
    return orders.annotate(
        needed=F("amount") - given_back(OuterRef("pk")),
        confirmed=total(came, by="order", of=Sum("amount")) - back,
        made_up=total(came, by="order", of=Sum(F("amount") + F("written_off")))
        - back
        + total(never, by="order", of=Sum("written_off")),
    )


def is_rest_confirmed(order_id: int) -> bool:
    """Whether confirmed payments, and what the shop bears, leave what has to stay for an order once
    all that is owed back of them has gone."""
    orders = backed(Order.objects.filter(pk=order_id)).alias(earned=fees_earned(OuterRef("pk")))
    paid = Q(payment_status=PaymentStatus.PAID)
    enough = paid & Q(made_up__gte=F("needed")) | ~paid & Q(made_up__gte=F("earned"))
    return orders.filter(enough).exists()


def covered_but_unpaid() -> QuerySet[Order]:
    """Orders that wait for the rest of their money though all of it is counted for them."""
    waiting = Receipt.objects.filter(order=OuterRef("pk"), waiting=True)
    came, owed = _came_and_owed()
    unpaid = Order.objects.filter(Exists(waiting), payment_status=PaymentStatus.REQUESTED)
    return unpaid.alias(credited=came - owed).filter(credited__gte=F("amount"))


@compiled
def _order_balance(order_id: int) -> QuerySet[Any, Any]:
    """Asked whenever money comes and while a buyer waits, so it is compiled once."""
    receipts = Receipt.objects.filter(order=OuterRef("pk"))
    return Order.objects.filter(pk=order_id).values_list(
        *_came_and_owed(),
        given_back(OuterRef("pk")),
        fees_earned(OuterRef("pk")),
        Exists(receipts.filter(waiting=True)),
        "payment_status",
    )


def _came_and_owed() -> tuple[Coalesce, Coalesce]:
    """What came for an order or is written off, and what of it is owed back or went."""
    came = Receipt.objects.filter(order=OuterRef("pk"))
    owed = Refund.objects.owed().filter(order=OuterRef("pk"))
    credited = total(came, by="order", of=Sum(F("amount") + F("written_off")))
    return credited, total(owed, by="order", of=Sum("amount"))
