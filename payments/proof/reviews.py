"""Reviews: the sums beside them are theirs, and they are by who bought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from products.models import Product, Review, SellerRating

from .rule import rule, total


def _astray(rated: QuerySet[Any], *, by: str) -> QuerySet[Any]:
    """The rows whose sum or count is not that of their shown reviews."""
    shown = Review.objects.shown().filter(**{by: OuterRef("pk")})
    return rated.filter(
        ~Q(review_stars=total(shown, by=by, of=Sum("stars")))
        | ~Q(review_count=total(shown, by=by, of=Count("pk")))
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
