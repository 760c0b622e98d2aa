"""The parties of orders, lines, parcels, problems and messages, for conflicts of interest.

See accounts.backoffice.conflicts. ``payments.conflict_parties`` adds the phones that were prompted
to pay, and numbers that sellers gave later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from accounts.backoffice.conflicts import (
    Parties,
    find_parties,
    parties_of,
    people,
    phone_source,
    phones,
)

from .models import Order, OrderDelivery, OrderTrack, Parcel, Problem
from .models.notifications import Message


@parties_of(Order)
def _of_order(order: Order) -> Parties:
    """Its buyer, its sellers and its recipient."""
    lines = order.tracks.values_list("seller", "payment_mpesa_number")
    sellers, numbers = zip(*lines, strict=True) if lines else ((), ())
    numbers = (order.mpesa_number, *numbers, *_recipient_phone(order.pk))
    return Parties(people(order.buyer_id, *sellers), phones(numbers))


def _recipient_phone(order_id: int) -> Iterable[str]:
    """The recipient's number, if the order has a delivery."""
    return OrderDelivery.objects.filter(order=order_id).values_list("phone", flat=True)


@parties_of(OrderTrack)
def _of_line(line: OrderTrack) -> Parties:
    numbers = [line.payment_mpesa_number, line.order.mpesa_number]
    if line.parcel_id is not None:
        numbers += _recipient_phone(line.order_id)
    return Parties(people(line.buyer_id, line.seller_id), phones(numbers))


@parties_of(Parcel)
def _of_parcel(parcel: Parcel) -> Parties:
    """Its buyer, its seller and its recipient."""
    order, numbers = parcel.order, parcel.lines.values_list("payment_mpesa_number", flat=True)
    return Parties(
        people(order.buyer_id, parcel.seller_id),
        phones([order.mpesa_number, order.delivery.phone, *numbers]),
    )


@parties_of(Problem)
def _of_problem(problem: Problem) -> Parties:
    """The parties of its line."""
    return find_parties(problem.track)


@parties_of(Message)
def _of_message(message: Message) -> Parties:
    """Its recipient."""
    return Parties(people(message.user_id), phones([message.contact]))


@phone_source
def _paying_phones(person_id: int) -> QuerySet[Any, Any]:
    return Order.objects.filter(buyer=person_id).values_list("mpesa_number", flat=True)


@phone_source
def _payout_phones(person_id: int) -> QuerySet[Any, Any]:
    mine = OrderTrack.objects.filter(seller=person_id)
    return mine.values_list("payment_mpesa_number", flat=True)
