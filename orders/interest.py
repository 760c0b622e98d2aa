"""Who has a part in an order, in one of its lines or a problem with it, and in a message.

See accounts.backoffice.interest. ``payments.interest`` adds the phones that were asked to pay, and
the number a seller gave since.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.backoffice.interest import (
    Parties,
    find_parties,
    numbers_of,
    parties_of,
    people,
    phones,
)

from .models import Order, OrderTrack, Problem
from .models.notifications import Message


@parties_of(Order)
def _of_order(order: Order) -> Parties:
    """Its buyer, and who sold any of it."""
    lines = order.tracks.values_list("seller", "payment_mpesa_number")
    sellers, numbers = zip(*lines, strict=True) if lines else ((), ())
    return Parties(people(order.buyer_id, *sellers), phones([order.mpesa_number, *numbers]))


@parties_of(OrderTrack)
def _of_line(line: OrderTrack) -> Parties:
    return Parties(
        people(line.buyer_id, line.seller_id),
        phones([line.payment_mpesa_number, line.order.mpesa_number]),
    )


@parties_of(Problem)
def _of_problem(problem: Problem) -> Parties:
    """Who has a part in its line."""
    return find_parties(problem.track)


@parties_of(Message)
def _of_message(message: Message) -> Parties:
    """Who gets it."""
    return Parties(people(message.user_id), phones([message.contact]))


@numbers_of
def _where_they_pay(person_id: int) -> QuerySet[Any, Any]:
    return Order.objects.filter(buyer=person_id).values_list("mpesa_number", flat=True)


@numbers_of
def _where_they_were_paid(person_id: int) -> QuerySet[Any, Any]:
    mine = OrderTrack.objects.filter(seller=person_id)
    return mine.values_list("payment_mpesa_number", flat=True)
