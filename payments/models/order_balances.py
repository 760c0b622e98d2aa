"""Balances of orders: what was credited, given back and earned."""

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
from .transfers import TransferStatus


class OrderBalance(NamedTuple):
    """An order's balance, in KES.

    ``credited`` is what was paid towards it, ``given_back`` the part of its price that went back to
    the buyer (see ``given_back()``), ``fees_earned`` the delivery fees the shop has earned, and
    ``waiting`` whether a partial payment waits for the rest. ``payment_status`` is the order's.
    """

    credited: int
    given_back: int
    fees_earned: int
    waiting: bool
    payment_status: str

    def needed(self, order: Order) -> int:
        """KES the shop keeps for an order: the remaining price of a paid one; of any other, the
        delivery fees it has earned."""
        return order.amount - self.given_back if order.is_paid else self.fees_earned


class BuyerMoney(NamedTuple):
    """An order's money as its buyer sees it, in KES.

    ``credited`` is what was paid towards it and not refunded, ``refund`` what goes back to the
    phone that paid, sent or not yet, and ``refunded`` the part of it that has arrived there.
    """

    credited: int
    refund: int
    refunded: int


@dataclass
class SettlementContext:
    """The order a payment is confirmed for, passed to the receiver that pays the order.

    ``order`` is the locked row, if the caller holds its lock. ``money`` is set to the order's
    balance when the receiver reads it, so that the caller need not read it again.
    """

    order_id: int
    order: Order | None = None
    money: OrderBalance | None = None

    def amount_credited(self) -> int:
        """KES credited to the order. One query."""
        self.money = order_balance(self.order_id)
        return self.money.credited


def given_back(order: OuterRef) -> Combinable:
    """KES of an order's price that is due back to its buyer, according to its rows.

    The price of lines cancelled after payment, reductions of the price of others, and the fees of
    returned parcels. Each is due from the moment its row says so. Anything else that gives back
    part of an order's price must become another term of this sum, and nowhere else.
    """
    lines = OrderTrack.objects.filter(order=order)
    fallen = Case(When(returned=True, then=F("amount")), default=F("reduced"))
    fees = Parcel.objects.with_fee(FeeState.RETURNED).filter(order=order)
    return total(lines, group_by="order", of=Sum(fallen)) + total(
        fees, group_by="order", of=Sum("fee")
    )


def fees_earned(order: OuterRef) -> Combinable:
    """KES of delivery fees of an order that are the shop's."""
    return total(
        Parcel.objects.with_fee(FeeState.EARNED).filter(order=order),
        group_by="order",
        of=Sum("fee"),
    )


def amount_credited(order_id: int) -> int:
    """KES credited to an order: receipts and write-offs, less refunds."""
    return order_balance(order_id).credited


def buyers_money_of(orders: Collection[int]) -> dict[int, BuyerMoney]:
    """What the buyers of these orders see of their money, by order id. One query; none without
    orders."""
    if not orders:
        return {}
    rows = Order.objects.filter(pk__in=orders).values_list(
        "pk", *_credited_and_owed(), *_to_buyer_and_done()
    )
    return {order_id: _buyer_money(*amounts) for order_id, *amounts in rows}


def buyers_money(order_id: int) -> BuyerMoney:
    """What its buyer sees of an order's money. One query."""
    return _buyer_money(*_amounts_for_buyer(order_id)[0])


def _buyer_money(came: int, owed: int, refund: int, refunded: int) -> BuyerMoney:
    return BuyerMoney(int(came) - int(owed), int(refund), int(refunded))


def order_balance(order_id: int) -> OrderBalance:
    """An order's balance. One query."""
    came, owed, back, earned, waiting, status = _order_balance(order_id)[0]
    return OrderBalance(int(came) - int(owed), int(back), int(earned), bool(waiting), status)


def with_confirmed_cover(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Annotate orders with what confirmed payments leave for their lines and fees, in KES.

    ``price_due`` is the price less what was given back. ``confirmed_amount`` is what confirmed
    receipts brought, less refunds of them. ``confirmed_or_written_off`` also counts what the shop
    has written off.
    """
    sure = {"order": OuterRef("pk"), "verification": Verification.CONFIRMED}
    came = Receipt.objects.filter(**sure)
    refunds = Refund.objects.owed().filter(
        order=OuterRef("pk"), receipt__verification=Verification.CONFIRMED
    )
    back = total(refunds, group_by="order", of=Sum("amount"))
    never = Receipt.objects.filter(order=OuterRef("pk"), verification=Verification.NEVER_CAME)
    return orders.annotate(
        price_due=F("amount") - given_back(OuterRef("pk")),
        confirmed_amount=total(came, group_by="order", of=Sum("amount")) - back,
        confirmed_or_written_off=total(
            came, group_by="order", of=Sum(F("amount") + F("written_off"))
        )
        - back
        + total(never, group_by="order", of=Sum("written_off")),
    )


def is_rest_confirmed(order_id: int) -> bool:
    """Whether confirmed payments and write-offs cover an order once all refunds due are sent."""
    orders = with_confirmed_cover(Order.objects.filter(pk=order_id))
    orders = orders.alias(earned=fees_earned(OuterRef("pk")))
    paid, covered = Q(payment_status=PaymentStatus.PAID), "confirmed_or_written_off__gte"
    enough = paid & Q(**{covered: F("price_due")}) | ~paid & Q(**{covered: F("earned")})
    return orders.filter(enough).exists()


def covered_but_unpaid() -> QuerySet[Order]:
    """Orders that wait for the rest of their money although all of it is credited to them."""
    waiting = Receipt.objects.filter(order=OuterRef("pk"), waiting=True)
    came, owed = _credited_and_owed()
    unpaid = Order.objects.filter(Exists(waiting), payment_status=PaymentStatus.REQUESTED)
    return unpaid.alias(credited=came - owed).filter(credited__gte=F("amount"))


@compiled
def _order_balance(order_id: int) -> QuerySet[Any, Any]:
    """Compiled once, as it runs whenever money arrives and while a buyer waits."""
    receipts = Receipt.objects.filter(order=OuterRef("pk"))
    return Order.objects.filter(pk=order_id).values_list(
        *_credited_and_owed(),
        given_back(OuterRef("pk")),
        fees_earned(OuterRef("pk")),
        Exists(receipts.filter(waiting=True)),
        "payment_status",
    )


@compiled
def _amounts_for_buyer(order_id: int) -> QuerySet[Any, Any]:
    """Compiled once, as every poll runs it."""
    return Order.objects.filter(pk=order_id).values_list(
        *_credited_and_owed(), *_to_buyer_and_done()
    )


def _to_buyer_and_done() -> tuple[Coalesce, Coalesce]:
    """Refunds of an order that its payers get or have, and those of them that are done; in KES."""
    refunds = Refund.objects.to_buyer().filter(order=OuterRef("pk"))
    done = refunds.filter(status=TransferStatus.DONE)
    return (
        total(refunds, group_by="order", of=Sum("amount")),
        total(done, group_by="order", of=Sum("amount")),
    )


def _credited_and_owed() -> tuple[Coalesce, Coalesce]:
    """Receipts and write-offs of an order, and its refunds, due or done; both in KES."""
    came = Receipt.objects.filter(order=OuterRef("pk"))
    owed = Refund.objects.owed().filter(order=OuterRef("pk"))
    credited = total(came, group_by="order", of=Sum(F("amount") + F("written_off")))
    return credited, total(owed, group_by="order", of=Sum("amount"))
