"""Reviews: the sums beside them are theirs, and they are by who bought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from omachemainproj.digests import digest_of
from orders.models import TrackEvent, TrackStatus
from payments.models.totals import total
from products.models import DIGESTED_OF_REVIEW, Product, Review, ReviewDigest, SellerRating

from .rule import rule


def _astray(rated: QuerySet[Any], *, by: str) -> QuerySet[Any]:
    """The rows whose sum or count is not that of their shown reviews."""
    shown = Review.objects.shown().filter(**{by: OuterRef("pk")})
    return rated.filter(
        ~Q(review_stars=total(shown, group_by=by, of=Sum("stars")))
        | ~Q(review_count=total(shown, group_by=by, of=Count("pk")))
    )


@rule("A product's stars and reviews are those of its shown reviews")
def _rated(now: datetime) -> QuerySet[Product]:
    return _astray(Product.objects.all(), by="product")


@rule("A seller's stars and reviews are those of the shown reviews of their goods")
def _sellers_rated(now: datetime) -> QuerySet[SellerRating]:
    return _astray(SellerRating.objects.all(), by="seller")


@rule("A shown review counts for a seller")
def _counted(now: datetime) -> QuerySet[Review]:
    rating = SellerRating.objects.filter(pk=OuterRef("seller_id"))
    return Review.objects.shown().filter(~Exists(rating))


@rule("A review is by the buyer of its line, of that product, and not of their own goods")
def _of_its_line(now: datetime) -> QuerySet[Review]:
    return Review.objects.exclude(
        ~Q(buyer=F("seller")),
        buyer=F("line__buyer"),
        product=F("line__product"),
        seller=F("line__seller"),
    )


@rule("A review was written after its line was delivered")
def _after_delivery(now: datetime) -> QuerySet[Review]:
    delivered = TrackEvent.objects.filter(
        track=OuterRef("line"),
        track_status=TrackStatus.DELIVERED,
        created_at__lte=OuterRef("created_at"),
    )
    return Review.objects.filter(~Exists(delivered))


def _differing(reviews: QuerySet[Review]) -> Iterator[int]:
    """The ids of those whose digest is another than was last kept, or was never kept."""
    digests = ReviewDigest.objects.filter(review=OuterRef("pk")).order_by("-pk")
    rows = reviews.order_by("pk").values_list(
        "pk", Subquery(digests.values("sha256")[:1]), *DIGESTED_OF_REVIEW
    )
    for pk, kept, *review in rows.iterator(chunk_size=2000):
        if kept != digest_of(review):
            yield pk


@rule("A review says what was last written, answered or hidden of it", read=_differing)
def _as_written(now: datetime) -> QuerySet[Review]:
    return Review.objects.all()
