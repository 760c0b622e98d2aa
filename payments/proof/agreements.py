"""Agreements: orders against the digests made when they were placed, listings against terms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

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

from .rule import digests_that_differ, rule

#: The most that times written by one request may differ.
_APART = timedelta(minutes=1)


def _differing(orders: QuerySet[Order]) -> Iterator[int]:
    """The orders that do not match their digest."""
    # A guest's order was agreed with the guest, even if an account has claimed it since.
    placed_by = orders.annotate(
        placed_by=Coalesce("guest", "buyer"), line_placed_by=Coalesce("guest", "tracks__buyer")
    )
    rows = placed_by.order_by("pk").values_list(
        "pk",
        "digest__sha256",
        *("placed_by" if name == "buyer_id" else name for name in AGREED_OF_ORDER),
        *("line_placed_by" if name == "buyer_id" else f"tracks__{name}" for name in AGREED_OF_LINE),
    )
    return digests_that_differ(rows, len(AGREED_OF_ORDER), digest_agreement)


@rule("An order and its lines match the agreement made when it was placed", read=_differing)
def order_matches_agreement(now: datetime) -> QuerySet[Order]:
    return Order.objects.all()


@rule("A guest's order, with all its lines, belongs to the guest or to the account that claimed it")
def guest_order_has_one_owner(now: datetime) -> QuerySet[Order]:
    joined = JoinedOrder.objects.filter(order=OuterRef("pk"))
    others = OrderTrack.objects.filter(order=OuterRef("pk")).exclude(buyer=OuterRef("buyer"))
    owner = Coalesce(Subquery(joined.values("account")), "guest", "buyer")
    belongs_elsewhere = Q(Exists(joined), guest__isnull=True) | Exists(others)
    return Order.objects.annotate(whose=owner).filter(~Q(buyer=F("whose")) | belongs_elsewhere)


@rule("A guest account cannot be signed in to")
def guest_cannot_sign_in(now: datetime) -> QuerySet[Guest]:
    opens = PhoneLogin.objects.filter(user=OuterRef("pk"))
    has_password = ~Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    is_somebody = has_password | Exists(opens) | ~Q(user__email="")
    is_staff = Q(user__is_staff=True) | Q(user__is_superuser=True)
    return Guest.objects.filter(is_somebody | is_staff)


@rule("An order's phone is one that was prompted for it")
def order_phone_was_prompted(now: datetime) -> QuerySet[Order]:
    # Of an order long over three digits are kept (orders.retention).
    masked = Concat(Value(MASK), Right("phone", 3), output_field=TextField())
    prompted = OrderPayment.objects.annotate(masked=masked).filter(
        Q(phone=OuterRef("mpesa_number")) | Q(masked=OuterRef("mpesa_number")),
        order=OuterRef("pk"),
    )
    return Order.objects.filter(~Exists(prompted))


@rule("Unpaid orders reserve goods no longer than they may, or while a prompt is open")
def hold_has_a_limit(now: datetime) -> QuerySet[Order]:
    return Order.objects.unpaid().filter(
        preemptible_after__gt=F("held_until"),
        preemptible_after__gte=F("created_at") + MAX_EXCLUSIVE_HOLD + _APART,
    )


@rule("A product's seller, price and phone match its newest terms")
def product_matches_newest_terms(now: datetime) -> QuerySet[Product]:
    terms = ListingTerms.objects.filter(product=OuterRef("pk")).order_by("-pk")
    columns = ("seller", "price", "payment_mpesa_number")
    newest = {f"known_{name}": Subquery(terms.values(name)[:1]) for name in columns}
    differing = Q(known_seller__isnull=True)
    for name in columns:
        differing |= ~Q(**{name: F(f"known_{name}")})
    return Product.objects.annotate(**newest).filter(differing)


@rule("A line was sold on terms that its listing had")
def line_matches_terms(now: datetime) -> QuerySet[OrderTrack]:
    columns = ("product", "seller", "price", "payment_mpesa_number")
    terms = ListingTerms.objects.filter(**{name: OuterRef(name) for name in columns})
    return OrderTrack.objects.filter(~Exists(terms))
