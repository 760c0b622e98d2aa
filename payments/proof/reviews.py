"""Reviews: ratings are their sums, and only buyers wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from omachemainproj.digests import digest_of
from orders.models import TrackEvent, TrackStatus
from payments.models.totals import total
from products.models import DIGESTED_OF_REVIEW, Product, Review, ReviewDigest, SellerRating

from .rule import digests_that_differ, rule


def _miscounted(rated: QuerySet[Any], *, by: str) -> QuerySet[Any]:
    """Rows whose sum or count differs from that of their visible reviews."""
    shown = Review.objects.shown().filter(**{by: OuterRef("pk")})
    return rated.filter(
        ~Q(review_stars=total(shown, by=by, of=Sum("stars")))
        | ~Q(review_count=total(shown, by=by, of=Count("pk")))
    )


@rule("A product's stars and reviews are those of its visible reviews")
def product_rating_is_sum(now: datetime) -> QuerySet[Product]:
    return _miscounted(Product.objects.all(), by="product")


@rule("A seller's stars and reviews are those of the visible reviews of their products")
def seller_rating_is_sum(now: datetime) -> QuerySet[SellerRating]:
    return _miscounted(SellerRating.objects.all(), by="seller")


@rule("A visible review counts for a seller")
def review_counts_for_seller(now: datetime) -> QuerySet[Review]:
    rating = SellerRating.objects.filter(pk=OuterRef("seller_id"))
    return Review.objects.shown().filter(~Exists(rating))


@rule("A review is by the buyer of its line, of that product, and not of their own")
def review_matches_line(now: datetime) -> QuerySet[Review]:
    return Review.objects.exclude(
        ~Q(buyer=F("seller")),
        buyer=F("line__buyer"),
        product=F("line__product"),
        seller=F("line__seller"),
    )


@rule("A review was written after its line was delivered")
def review_follows_delivery(now: datetime) -> QuerySet[Review]:
    delivered = TrackEvent.objects.filter(
        track=OuterRef("line"),
        track_status=TrackStatus.DELIVERED,
        created_at__lte=OuterRef("created_at"),
    )
    return Review.objects.filter(~Exists(delivered))


def _differing(reviews: QuerySet[Review]) -> Iterator[int]:
    """The reviews that do not match their last digest."""
    digests = ReviewDigest.objects.filter(review=OuterRef("pk")).order_by("-pk")
    rows = reviews.order_by("pk").values_list(
        "pk", Subquery(digests.values("sha256")[:1]), *DIGESTED_OF_REVIEW
    )
    return digests_that_differ(rows, len(DIGESTED_OF_REVIEW), lambda review, _: digest_of(review))


@rule("A review is as it was last written, answered or hidden", read=_differing)
def review_matches_digest(now: datetime) -> QuerySet[Review]:
    return Review.objects.all()
