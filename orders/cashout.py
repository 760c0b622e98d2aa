"""Placing an order: the one transaction in which goods are promised at an agreed price."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.compiled_queries import compiled
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .commission import commissions
from .lifecycle import MAX_HOLD_FACTOR, expire_overdue, hold_time
from .models import MAX_AMOUNT, Order, OrderTrack

#: Against hoarding (docs/limits.md): what one buyer may keep from others without paying.
MAX_UNPAID_ORDERS = 3
MAX_UNPAID_UNITS = 20
MAX_UNPAID_PERCENT = 10


class TooManyUnpaid(Refusal):
    """The buyer already has as many unpaid orders as one may have."""

    code = "too_many_unpaid_orders"
    message = (
        f"You have {MAX_UNPAID_ORDERS} orders waiting to be paid. Pay or cancel one of them first."
    )


class KeyReused(Refusal):
    """An Idempotency-Key came back with another body."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different order. Use a new key for a new order."
    status_code = 422


class RequestInProgress(Refusal):
    """The same request, under the same Idempotency-Key, is being worked on right now."""

    code = "idempotency_key_in_use"
    message = "This very request is being worked on. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line as the buyer sent it."""

    product: int
    number: int


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order and its lines; ``replayed`` when an earlier request had placed it."""

    order: Order
    tracks: list[OrderTrack]
    replayed: bool = False


def place_order(
    *,
    buyer: User,
    asked: Sequence[LineRequest],
    mpesa_number: str,
    idempotency_key: str | None = None,
) -> PlacedOrder:
    """Place an order at today's prices and hold its goods: all lines or none.

    Lines for the same product are added up. With an ``idempotency_key`` the same request returns
    the same order, however often it comes.

    Raises FieldRefusal (shaped like the input) when a line cannot be sold or the sum is outside
    1 to 250,000 KES, TooManyUnpaid, KeyReused, RequestInProgress.
    """
    try:
        return _place(buyer, asked, mpesa_number, idempotency_key)
    except Shortage:
        # Goods held for orders whose time is over are free, the clock just has not been by.
        expire_overdue(product_ids=sorted({line.product for line in asked}))
    try:
        return _place(buyer, asked, mpesa_number, idempotency_key)
    except Shortage as shortage:
        raise _shortage_error(shortage.product_id, asked) from shortage


@transaction.atomic(durable=True)
def _place(
    buyer: User, asked: Sequence[LineRequest], mpesa_number: str, idempotency_key: str | None
) -> PlacedOrder:
    """One try. The statements everybody waits for, the holds, come last."""
    wanted: dict[int, int] = defaultdict(int)
    for line in asked:
        wanted[line.product] += line.number
    fingerprint = _fingerprint(wanted, mpesa_number) if idempotency_key else ""
    if idempotency_key:
        _refuse_concurrent_retry(buyer, idempotency_key)
    # The buyer's row is the lock under which one person's orders are counted.
    _lock_buyer(buyer.pk)
    known = _known_orders(buyer.pk, idempotency_key)
    for order in known:
        if idempotency_key and order.idempotency_key == idempotency_key:
            return _replay(order, fingerprint)
    products = _read_products(wanted, asked)
    _check_caps(known, wanted, products, asked)

    amount = sum(products[product_id]["price"] * n for product_id, n in wanted.items())
    if amount > MAX_AMOUNT:
        message = f"M-Pesa takes at most KES {MAX_AMOUNT:,} at once; this is KES {amount:,}."
        raise FieldRefusal({"order": {"non_field_errors": [message]}})
    now = timezone.now()
    order = Order(
        buyer=buyer,
        mpesa_number=mpesa_number,
        amount=amount,
        expires_at=now + hold_time(),
        held_until=now + MAX_HOLD_FACTOR * hold_time(),
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
    )
    order.save(force_insert=True)
    amounts = [products[product_id]["price"] * n for product_id, n in wanted.items()]
    tracks = OrderTrack.objects.bulk_create(
        _track(order, products[product_id], n, commission)
        for (product_id, n), commission in zip(wanted.items(), commissions(amounts), strict=True)
    )
    stock.hold(StockLine(product_id, n) for product_id, n in wanted.items())
    return PlacedOrder(order, tracks)


def _track(order: Order, product: dict[str, Any], number: int, commission: int) -> OrderTrack:
    return OrderTrack(
        order=order,
        buyer_id=order.buyer_id,
        product_id=product["id"],
        seller_id=product["seller_id"],
        name=product["name"],
        number=number,
        price=product["price"],
        amount=number * product["price"],
        commission=commission,
        payment_mpesa_number=product["payment_mpesa_number"],
    )


def _fingerprint(wanted: dict[int, int], mpesa_number: str) -> str:
    asked = json.dumps([sorted(wanted.items()), mpesa_number])
    return hashlib.sha256(asked.encode()).hexdigest()


def _refuse_concurrent_retry(buyer: User, key: str) -> None:
    """Raise RequestInProgress when the same request is inside its transaction at this moment.

    On SQLite transactions run one after the other: the twin waits, and finds the order.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"cashout:{buyer.pk}:{key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)",
            [int.from_bytes(digest[:8], "big", signed=True)],
        )
        if not cursor.fetchone()[0]:
            raise RequestInProgress()


@compiled
def _lock_buyer(buyer: int) -> QuerySet[Any, Any]:
    return User.objects.select_for_update(no_key=True).filter(pk=buyer).values_list("pk")


@compiled
def _known_orders(buyer: int, key: str | None) -> QuerySet[Order]:
    """The buyer's unpaid orders, and the one placed under this key."""
    orders = Order.objects.filter(buyer=buyer)
    if key is None:
        return orders.unpaid()
    return orders.filter(Q(payment_status="requested") | Q(idempotency_key=key))


def _replay(order: Order, fingerprint: str) -> PlacedOrder:
    if order.fingerprint != fingerprint:
        raise KeyReused()
    return PlacedOrder(order, list(order.tracks.order_by("pk")), replayed=True)


@compiled
def _products(ids: Sequence[int]) -> QuerySet[Any, Any]:
    fields = ("id", "name", "price", "seller_id", "payment_mpesa_number", "item_number")
    return Product.objects.listed().filter(pk__in=ids).values_list(*fields, named=True)


def _read_products(
    wanted: dict[int, int], asked: Sequence[LineRequest]
) -> dict[int, dict[str, Any]]:
    products = {row.id: row._asdict() for row in _products(list(wanted))}
    if len(products) < len(wanted):
        raise FieldRefusal(
            {
                "order": [
                    {}
                    if line.product in products
                    else {"product": ["This product is not for sale."]}
                    for line in asked
                ]
            }
        )
    return products


def _check_caps(
    known: list[Order],
    wanted: dict[int, int],
    products: dict[int, dict[str, Any]],
    asked: Sequence[LineRequest],
) -> None:
    now = timezone.now()
    # One whose time is over counts no longer, whether or not the clock has been by.
    unpaid = [order.pk for order in known if order.is_unpaid and order.expires_at > now]
    if len(unpaid) >= MAX_UNPAID_ORDERS:
        raise TooManyUnpaid()
    held: dict[int, int] = {}
    if unpaid:
        tracks = OrderTrack.objects.filter(order__in=unpaid, product__in=list(wanted))
        held = dict(tracks.values_list("product").annotate(Sum("number")))
    for product_id, number in wanted.items():
        share = products[product_id]["item_number"] * MAX_UNPAID_PERCENT // 100
        most = max(MAX_UNPAID_UNITS, share)
        already = held.get(product_id, 0)
        if already + number > most:
            message = f"At most {most} of one product before paying."
            raise _point(product_id, asked, message, most - already)


def _shortage_error(product_id: int, asked: Sequence[LineRequest]) -> FieldRefusal:
    """The refusal that says, on the line that tipped it over, how many are left."""
    wanted = sum(line.number for line in asked if line.product == product_id)
    # Some may have come free since the shelf said no: then there were fewer than wanted.
    left = min(_free(product_id), wanted - 1)
    return _point(product_id, asked, f"Only {left} left." if left else "Sold out.", left)


def _free(product_id: int) -> int:
    numbers = Product.objects.listed().filter(pk=product_id).values_list("item_number", "held")
    item_number, held = numbers.first() or (0, 0)
    return item_number - held


def _point(product_id: int, asked: Sequence[LineRequest], message: str, left: int) -> FieldRefusal:
    errors: list[dict[str, list[str]]] = []
    so_far, pointed = 0, False
    for line in asked:
        so_far += line.number if line.product == product_id else 0
        here = line.product == product_id and so_far > left and not pointed
        errors.append({"number": [message]} if here else {})
        pointed = pointed or here
    return FieldRefusal({"order": errors})
