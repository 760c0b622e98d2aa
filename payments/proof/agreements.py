"""What was agreed: orders against the digests of when they were placed, listings against their
terms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, Concat, Right

from accounts.models import Guest, PhoneLogin
from omachemainproj.phones import MASK
from orders.lifecycle import MAX_EXCLUSIVE_HOLD
from orders.models import (
    AGREED_OF_LINE,
    AGREED_OF_ORDER,
    JoinedOrder,
    Order,
    OrderTrack,
    digest_agreement,
)
from payments.models import OrderPayment
from products.models import ListingTerms, Product

from .rule import rule

#: Between the times that one request writes.
_APART = timedelta(minutes=1)
#: Rows that are read at a time.
_AT_A_TIME = 2000


def _differing(orders: QuerySet[Order]) -> Iterator[int]:
    """Of these orders the ids of those whose digest is another than was kept, or missing."""
    # A guest's order was agreed with the guest, whoever proved the phone since.
    placed_by = orders.annotate(
        placed_by=Coalesce("guest", "buyer"), line_placed_by=Coalesce("guest", "tracks__buyer")
    )
    rows = placed_by.order_by("pk").values_list(
        "pk",
        "digest__sha256",
        *("placed_by" if name == "buyer_id" else name for name in AGREED_OF_ORDER),
        *("line_placed_by" if name == "buyer_id" else f"tracks__{name}" for name in AGREED_OF_LINE),
    )
    end = 2 + len(AGREED_OF_ORDER)
    for pk, lines in groupby(rows.iterator(chunk_size=_AT_A_TIME), key=itemgetter(0)):
        first, *rest = lines
        if first[1] != digest_agreement(first[2:end], [row[end:] for row in (first, *rest)]):
            yield pk


@rule("An order and its lines are what was agreed when it was placed", read=_differing)
def _agreed(now: datetime) -> QuerySet[Order]:
    return Order.objects.all()


@rule("A guest's order is the guest's, or the account's that it joined, with all its lines")
def _of_whom(now: datetime) -> QuerySet[Order]:
    joined = JoinedOrder.objects.filter(order=OuterRef("pk"))
    others = OrderTrack.objects.filter(order=OuterRef("pk")).exclude(buyer=OuterRef("buyer"))
    whose = Coalesce(Subquery(joined.values("account")), "guest", "buyer")
    is_astray = Q(Exists(joined), guest__isnull=True) | Exists(others)
    return Order.objects.annotate(whose=whose).filter(~Q(buyer=F("whose")) | is_astray)


@rule("Nobody signs in as a guest")
def _guests(now: datetime) -> QuerySet[Guest]:
    opens = PhoneLogin.objects.filter(user=OuterRef("pk"))
    has_password = ~Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    is_somebody = has_password | Exists(opens) | ~Q(user__email="")
    is_staff = Q(user__is_staff=True) | Q(user__is_superuser=True)
    return Guest.objects.filter(is_somebody | is_staff)


@rule("An order's phone is one that was asked to pay it")
def _phone(now: datetime) -> QuerySet[Order]:
    # Of an order long over three digits are kept (orders.retention).
    masked = Concat(Value(MASK), Right("phone", 3), output_field=TextField())
    asked = OrderPayment.objects.annotate(masked=masked).filter(
        Q(phone=OuterRef("mpesa_number")) | Q(masked=OuterRef("mpesa_number")),
        order=OuterRef("pk"),
    )
    return Order.objects.filter(~Exists(asked))


@rule("Nobody is kept from goods for longer than an unpaid order holds them, or its prompt rings")
def _kept_from_others(now: datetime) -> QuerySet[Order]:
    return Order.objects.unpaid().filter(
        preemptible_after__gt=F("held_until"),
        preemptible_after__gte=F("created_at") + MAX_EXCLUSIVE_HOLD + _APART,
    )


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
