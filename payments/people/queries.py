"""Reads about the current user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from django.db.models.functions import Coalesce, Least

from accounts.backoffice.roles import ROLES
from accounts.models import Language, User
from accounts.tokens import refuse
from omachemainproj.compiled_queries import compiled
from orders.models import InboxNotice, Order, OrderTrack, PickupPoint, Problem, TrackStatus
from orders.notices.services import MOST_UNREAD
from products.models import Product


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of items that need the user's attention."""

    unpaid_orders: int
    to_hand_over: int
    #: At most MOST_UNREAD.
    unread_notices: int
    #: Lines with a problem that awaits the user's answer.
    to_answer: int


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """What the ``/me/`` response needs in addition to the user's own row."""

    roles: list[str]
    is_seller: bool
    #: Whether they work at a pick-up point.
    is_at_point: bool
    language: str
    counts: Counts


def read_account_summary(user: User, now: datetime) -> AccountSummary:
    """Read a user's summary. Two queries.

    Refuses (401) a user who has been deleted.
    """
    rows = _row(user.pk, now)
    if not rows:  # deleted concurrently
        refuse("user_not_found")
    language, sells, at_point, *counted = rows[0]
    names = user.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
    roles = [*names, "superuser"] if user.is_superuser else [*names]
    return AccountSummary(roles, bool(sells), bool(at_point), language, Counts(*counted))


@compiled
def _row(user_id: int, now: datetime) -> QuerySet[User, tuple[str, bool, bool, int, int, int, int]]:
    unpaid = Order.objects.holding(now).filter(buyer=OuterRef("pk"))
    waiting = OrderTrack.objects.to_fulfil().filter(
        seller=OuterRef("pk"), track_status=TrackStatus.PAID, order__in_doubt=False
    )
    unread = InboxNotice.objects.unread().filter(user=OuterRef("pk"))
    awaiting_answer = OrderTrack.objects.filter(buyer=OuterRef("pk"), disputed=True).filter(
        Exists(Problem.objects.to_answer().filter(track=OuterRef("pk")))
    )
    return User.objects.filter(pk=user_id).values_list(
        Coalesce(F("message_preferences__language"), Value(Language.ENGLISH.value)),
        Exists(Product.objects.filter(seller=OuterRef("pk"))),
        Exists(PickupPoint.objects.filter(agents=OuterRef("pk"))),
        _count(unpaid, "buyer"),
        _count(waiting, "seller"),
        Least(_count(unread, "user"), Value(MOST_UNREAD)),
        _count(awaiting_answer, "buyer"),
    )


def _count(rows: QuerySet[Any], group_by: str) -> Coalesce:
    numbers = rows.order_by().values(group_by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(numbers, output_field=IntegerField()), Value(0))
