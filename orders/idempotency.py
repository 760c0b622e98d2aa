"""Recognises a repeated cash-out: by its Idempotency-Key, or as a double click without one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import compiled

from .cashout_request import CashoutRequest
from .delivery.destinations import is_delivered_to
from .models import Order, OrderQuerySet, OrderTrack, PaymentStatus

#: Without an Idempotency-Key, an identical request within this time is the same order.
REPEAT_WINDOW = timedelta(seconds=15)


class OrderKeyReused(Refusal):
    """An Idempotency-Key was sent again with a different body."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different order. Use a new key for a new order."
    status_code = 422


class RequestInProgress(Refusal):
    """A request with the same Idempotency-Key is being processed at this moment."""

    code = "idempotency_key_in_use"
    retry_after = 1
    message = "This request is already being processed. Try again in a moment."


class EarlierOrder(NamedTuple):
    """The order an earlier request placed, and its lines."""

    order: Order
    tracks: list[OrderTrack]


def refuse_concurrent_retry(request: CashoutRequest) -> None:
    """Raise RequestInProgress while another transaction places an order under this key.

    Call it first in the transaction. SQLite runs transactions one after the other: the second
    waits, and finds the order.
    """
    key = request.idempotency_key
    if key is None or connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"cashout:{request.buyer.pk}:{key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)",
            [int.from_bytes(digest[:8], "big", signed=True)],
        )
        if not cursor.fetchone()[0]:
            raise RequestInProgress()


def read_earlier_orders(request: CashoutRequest) -> list[Order]:
    """The buyer's unpaid orders, and the one placed under the request's key. One query.

    Call it under the buyer's lock (``orders.allowance.lock_and_read_allowance``): a double click
    waits there for the first.
    """
    find = _earlier_of_guest if request.as_guest else _earlier_of_account
    return list(find(request.buyer.pk, request.idempotency_key))


def find_same_order(earlier: Sequence[Order], request: CashoutRequest) -> EarlierOrder | None:
    """Return the earlier order that this same request placed, or None.

    Raises OrderKeyReused if the key was used for a different request, and DestinationUnavailable
    for a repeated request whose destination is not possible.
    """
    if request.idempotency_key is not None:
        order = _find_by_key(earlier, request)
        return EarlierOrder(order, list(order.tracks.order_by("pk"))) if order else None
    return _find_repeated([each for each in earlier if request.is_of_same_kind(each)], request)


@compiled
def _earlier_of_account(buyer: int, key: str | None) -> QuerySet[Order]:
    return _unpaid_or_under(key, Order.objects.placed_by(buyer))


@compiled
def _earlier_of_guest(guest: int, key: str | None) -> QuerySet[Order]:
    """Includes orders that have joined an account since."""
    return _unpaid_or_under(key, Order.objects.filter(guest=guest))


def _unpaid_or_under(key: str | None, orders: OrderQuerySet) -> OrderQuerySet:
    if key is None:
        return orders.unpaid()
    return orders.filter(Q(payment_status=PaymentStatus.REQUESTED) | Q(idempotency_key=key))


def _find_by_key(earlier: Sequence[Order], request: CashoutRequest) -> Order | None:
    """Return the order placed under the request's key. Raises OrderKeyReused if they differ.

    A buyer who placed it as a guest and repeats the request signed in, with the phone verified,
    gets that order.
    """
    found = [order for order in earlier if order.idempotency_key == request.idempotency_key]
    found.sort(key=request.is_of_same_kind, reverse=True)
    fingerprint = request.fingerprint() if found else ""
    for order in found:
        if order.fingerprint == fingerprint:
            return order
        if request.is_of_same_kind(order):
            raise OrderKeyReused()
    return None


def _find_repeated(earlier: Sequence[Order], request: CashoutRequest) -> EarlierOrder | None:
    """Return an unpaid order placed for the same request within REPEAT_WINDOW, or None."""
    now, quantities = timezone.now(), request.quantities()
    for order in earlier:
        is_recent = order.created_at > now - REPEAT_WINDOW and order.expires_at > now
        if not is_recent or order.mpesa_number != request.mpesa_number:
            continue
        # Otherwise anyone who guesses what a guest is ordering right now would get their order.
        if request.as_guest and order.network != request.hold_request.network:
            continue
        tracks = list(order.tracks.order_by("pk"))
        same_lines = {track.product_id: track.number for track in tracks} == quantities
        prices = {track.product_id: track.price for track in tracks}
        fee = order.amount - sum(track.amount for track in tracks)
        same = same_lines and request.matches_prices(prices, order.amount, fee)
        if same and _has_same_destination(order, tracks, request):
            return EarlierOrder(order, tracks)
    return None


def _has_same_destination(order: Order, tracks: list[OrderTrack], request: CashoutRequest) -> bool:
    """Whether an order and a request have the same destination, or both have none.

    Raises DestinationUnavailable for a destination that is not possible.
    """
    if request.delivery is None or tracks[0].parcel_id is None:
        return request.delivery is None and tracks[0].parcel_id is None
    return is_delivered_to(order, request.find_place(request.delivery))
