"""A seller's figures on one page: sales, lines to hand over, money and stock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from accounts.models import User
from orders.models import SOLD_LINE_STATUSES, OrderTrack, Problem, TrackStatus, price_left
from payments.models import Payout, TransferStatus
from products.catalogue.filters import LOW_STOCK
from products.models import Product, Review, SellerRating, average_stars

from .serializers import STATUS_FOR_SELLER, represent_balance

#: Periods by name, in calendar days in Nairobi including today.
PERIODS = {"today": 1, "days_7": 7, "days_30": 30}


def summarise(seller: User, now: datetime) -> dict[str, Any]:
    """A seller's figures at this moment; amounts in whole KES. Ten queries."""
    return {
        "sales": _sales(seller, now),
        "to_hand_over": _to_hand_over(seller),
        "balance": represent_balance(seller),
        "next_payout": _next_payout(seller),
        "stock": _stock(seller),
        "rating": _rating(seller),
        "to_answer": _to_answer(seller),
    }


def _sales(seller: User, now: datetime) -> dict[str, dict[str, int]]:
    """Orders, goods and KES per period: bought in it, paid, and neither cancelled nor refunded
    since. Price reductions after a problem are deducted."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = {name: midnight - timedelta(days=days - 1) for name, days in PERIODS.items()}
    sold = OrderTrack.objects.sold_by(seller).filter(
        track_status__in=SOLD_LINE_STATUSES, created_at__gte=min(since.values())
    )
    measures: dict[str, Any] = {}
    for name, start in since.items():
        within = Q(created_at__gte=start)
        measures[f"{name}_orders"] = Count("order", distinct=True, filter=within)
        measures[f"{name}_goods"] = Sum("number", filter=within, default=0)
        measures[f"{name}_amount"] = Sum(price_left(), filter=within, default=0)
    totals = sold.aggregate(**measures)
    parts = ("orders", "goods", "amount")
    return {name: {part: totals[f"{name}_{part}"] for part in parts} for name in PERIODS}


def _to_hand_over(seller: User) -> dict[str, int]:
    """Paid lines that wait with the seller, and those under way."""
    waits = Q(track_status=TrackStatus.PAID)
    lines = OrderTrack.objects.sold_by(seller).to_fulfil()
    return lines.aggregate(waiting=Count("pk", filter=waits), under_way=Count("pk", filter=~waits))


def _next_payout(seller: User) -> dict[str, Any] | None:
    """The oldest payout that has not arrived yet."""
    going = Payout.objects.of_seller(seller).still_open().filter(amount__gt=0)
    payout = going.order_by("pk").first()
    if payout is None:
        return None
    return {
        "id": payout.pk,
        "amount": payout.amount,
        "status": STATUS_FOR_SELLER[TransferStatus(payout.status)],
        "mpesa_number": payout.phone,
    }


def _stock(seller: User) -> dict[str, int]:
    """How many products are listed, running low and sold out, and how many were taken off."""
    # Renamed: "listed" is one of the counts here.
    mine = Product.objects.owned_by(seller).alias(
        left=F("item_number") - F("held"), is_listed=F("listed")
    )
    is_listed = Q(is_listed=True)
    return mine.aggregate(
        listed=Count("pk", filter=is_listed),
        low=Count("pk", filter=is_listed & Q(left__gt=0, left__lte=LOW_STOCK)),
        sold_out=Count("pk", filter=is_listed & Q(left__lte=0)),
        unlisted=Count("pk", filter=~is_listed),
    )


def _rating(seller: User) -> dict[str, Any]:
    rating = SellerRating.objects.filter(seller=seller).first() or SellerRating()
    return {
        "stars": average_stars(rating.review_stars, rating.review_count),
        "reviews": rating.review_count,
    }


def _to_answer(seller: User) -> dict[str, int]:
    """What is waiting for the seller's answer."""
    return {
        "problems": Problem.objects.of_seller(seller).undecided().count(),
        "refused_payouts": Payout.objects.of_seller(seller).refused().count(),
        "reviews": Review.objects.shown().of_seller(seller).filter(answered_at=None).count(),
    }
