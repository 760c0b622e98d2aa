"""How an order's money stands."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from omachemainproj.compiled_queries import compiled
from orders.models import Order, OrderTrack

from .receipts import Receipt, Standing
from .refunds import Refund


class OrderBalance(NamedTuple):
    """What stands for an order, in KES.

    ``credited`` counts for it, ``returned`` is what its price has fallen by since it was paid (see
    ``given_up``), and ``waiting`` says whether something waits for the rest of its price.
    """

    credited: int
    returned: int
    waiting: bool


def amount_credited(order_id: int) -> int:
    """KES counted for an order: what came and what is written off, less its refunds."""
    return order_balance(order_id).credited


def order_balance(order_id: int) -> OrderBalance:
    """How an order's money stands. One query."""
    came, owed, returned, waiting = _order_balance(order_id)[0]
    return OrderBalance(int(came) - int(owed), int(returned), bool(waiting))


def given_up() -> Sum:
    """What lines do not cost any more, in KES: all of those that were cancelled after they were
    paid, and what the price of others was reduced by since."""
    return Sum(Case(When(returned=True, then=F("amount")), default=F("reduced")))


def backed(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Annotate orders with what confirmed payments leave for their lines, in KES.

    ``needed`` is what is left of its price. ``confirmed`` is what came for certain, less
    what goes back of it; ``made_up`` is that, and what the shop bears of what was counted.
    """
    sure = {"order": OuterRef("pk"), "standing": Standing.CONFIRMED}
    came = Receipt.objects.filter(**sure).order_by().values("order")
    gone = Refund.objects.owed().filter(order=OuterRef("pk"), receipt__standing=Standing.CONFIRMED)
    returned = OrderTrack.objects.filter(order=OuterRef("pk")).order_by()
    back = Coalesce(
        Subquery(gone.order_by().values("order").annotate(n=Sum("amount")).values("n")), 0
    )
    price_back = Subquery(returned.values("order").annotate(n=given_up()).values("n"))
    return orders.annotate(
        needed=F("amount") - Coalesce(price_back, 0),
        confirmed=Coalesce(Subquery(came.annotate(n=Sum("amount")).values("n")), 0) - back,
        made_up=Coalesce(Subquery(came.annotate(n=Sum(F("amount") + F("borne"))).values("n")), 0)
        - back,
    )


@compiled
def _order_balance(order_id: int) -> QuerySet[Any, Any]:
    """Asked whenever money comes and while a buyer waits, so it is compiled once."""
    came = Receipt.objects.filter(order=OuterRef("pk")).values("order")
    waiting = Receipt.objects.filter(order=OuterRef("pk"), waiting=True)
    returned = OrderTrack.objects.filter(order=OuterRef("pk")).values("order")
    owed = Refund.objects.owed().filter(order=OuterRef("pk")).values("order")
    return Order.objects.filter(pk=order_id).values_list(
        Coalesce(Subquery(came.values(total=Sum(F("amount") + F("borne")))), 0),
        Coalesce(Subquery(owed.values(total=Sum("amount"))), 0),
        Coalesce(Subquery(returned.values(total=given_up())), 0),
        Exists(waiting),
    )
