"""What was agreed: orders against the digests of when they were placed, listings against their
terms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from orders.models import (
    AGREED_OF_LINE,
    AGREED_OF_ORDER,
    Order,
    OrderTrack,
    digest_agreement,
)
from payments.models import OrderPayment
from products.models import ListingTerms, Product

from .rule import rule

#: Rows that are read at a time.
_AT_A_TIME = 2000


def _differing(orders: QuerySet[Order]) -> Iterator[int]:
    """Of these orders the ids of those whose digest is another than was kept, or missing."""
    rows = orders.order_by("pk").values_list(
        "pk",
        "digest__sha256",
        *AGREED_OF_ORDER,
        *(f"tracks__{name}" for name in AGREED_OF_LINE),
    )
    end = 2 + len(AGREED_OF_ORDER)
    for pk, lines in groupby(rows.iterator(chunk_size=_AT_A_TIME), key=itemgetter(0)):
        first, *rest = lines
        if first[1] != digest_agreement(first[2:end], [row[end:] for row in (first, *rest)]):
            yield pk


@rule("An order and its lines are what was agreed when it was placed", read=_differing)
def _agreed(now: datetime) -> QuerySet[Order]:
    return Order.objects.all()


@rule("An order's phone is one that was asked to pay it")
def _phone(now: datetime) -> QuerySet[Order]:
    asked = OrderPayment.objects.filter(order=OuterRef("pk"), phone=OuterRef("mpesa_number"))
    return Order.objects.filter(~Exists(asked))


@rule("A product is sold by whom, at the price and to the number that its newest terms say")
def _listed(now: datetime) -> QuerySet[Product]:
    terms = ListingTerms.objects.filter(product=OuterRef("pk")).order_by("-pk")
    columns = ("seller", "price", "payment_mpesa_number")
    newest = {f"known_{name}": Subquery(terms.values(name)[:1]) for name in columns}
    differing = Q(known_seller__isnull=True)
    for name in columns:
        differing |= ~Q(**{name: F(f"known_{name}")})
    return Product.objects.annotate(**newest).filter(differing)


@rule("A line was sold on terms that its listing had")
def _sold(now: datetime) -> QuerySet[OrderTrack]:
    columns = ("product", "seller", "price", "payment_mpesa_number")
    terms = ListingTerms.objects.filter(**{name: OuterRef(name) for name in columns})
    return OrderTrack.objects.filter(~Exists(terms))
