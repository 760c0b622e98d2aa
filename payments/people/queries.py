"""Reads about the person who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from accounts.backoffice.roles import ROLES
from accounts.models import Language, User
from accounts.tokens import refuse
from omachemainproj.compiled_queries import compiled
from orders.models import Order, OrderTrack, TrackStatus
from products.models import Product


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for a person."""

    unpaid_orders: int
    to_hand_over: int


@dataclass(frozen=True, slots=True)
class Glance:
    """A person at a glance, beside what stands in their own row."""

    roles: list[str]
    is_seller: bool
    language: str
    counts: Counts


def glance_at(user: User, now: datetime) -> Glance:
    """What a person is and what waits for them. One statement, and one for their roles.

    Refuses (401) somebody who is gone.
    """
    rows = _row(user.pk, now)
    if not rows:  # deleted in this very moment
        refuse("user_not_found")
    language, sells, unpaid, to_hand_over = rows[0]
    names = user.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
    roles = [*names, "superuser"] if user.is_superuser else [*names]
    counts = Counts(unpaid_orders=unpaid, to_hand_over=to_hand_over)
    return Glance(roles, bool(sells), language, counts)


@compiled
def _row(user_id: int, now: datetime) -> QuerySet[User, tuple[str, bool, int, int]]:
    unpaid = Order.objects.holding(now).filter(buyer=OuterRef("pk"))
    waiting = OrderTrack.objects.to_fulfil().filter(
        seller=OuterRef("pk"), track_status=TrackStatus.PAID, order__in_doubt=False
    )
    return User.objects.filter(pk=user_id).values_list(
        Coalesce(F("message_preferences__language"), Value(Language.ENGLISH.value)),
        Exists(Product.objects.filter(seller=OuterRef("pk"))),
        _count(unpaid, "buyer"),
        _count(waiting, "seller"),
    )


def _count(rows: QuerySet[Order] | QuerySet[OrderTrack], whose: str) -> Coalesce:
    numbers = rows.order_by().values(whose).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(numbers, output_field=IntegerField()), Value(0))
