"""Conflicts of interest: the people involved in payments (accounts.backoffice.conflicts).

The authors of a row are the staff members whose act made its money due: who recorded the receipt,
typed the number the money goes to, fetched or cancelled the line it is owed for, or decided about a
problem with it. Authors are parties, so they cannot decide about the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast

from accounts.backoffice import audit
from accounts.backoffice.conflicts import (
    NOBODY,
    Parties,
    find_parties,
    parties_of,
    people,
    phone_source,
    phones,
    proposers,
)
from accounts.models import User
from orders.lookup import find_by_typed_reference
from orders.models import Order, OrderTrack, Parcel, Problem, TrackEvent, TrackStatus
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    ReceiptSource,
    Refund,
    SellerShare,
    Withdrawal,
)

#: The keys of the staff actions that record money.
WRITING = ("console.receipt.write", "console.attempt.paid", "console.receipt.name")
#: The key of the one that sets the number a payout goes to.
SENT_ELSEWHERE = "console.payout.send"


@parties_of(Order)
def _of_order(order: Order) -> Parties:
    """The phones that were prompted."""
    return Parties(phones=phones(order.payments.values_list("phone", flat=True)))


@parties_of(OrderTrack)
def _of_line(line: OrderTrack) -> Parties:
    """The phones that were prompted, and a number its seller has given since."""
    prompted = OrderPayment.objects.filter(order=line.order_id).values_list("phone", flat=True)
    paid = SellerShare.objects.filter(track=line.pk).values_list("phone", flat=True)
    return Parties(phones=phones(prompted.union(paid)))


@parties_of(Parcel)
def _of_parcel(parcel: Parcel) -> Parties:
    """The same as for its lines."""
    prompted = OrderPayment.objects.filter(order=parcel.order_id).values_list("phone", flat=True)
    paid = SellerShare.objects.filter(track__parcel=parcel.pk).values_list("phone", flat=True)
    return Parties(phones=phones(prompted.union(paid)))


@parties_of(OrderPayment)
def _of_attempt(payment: OrderPayment) -> Parties:
    return find_parties(payment.order) | Parties(phones=phones([payment.phone]))


@parties_of(Receipt)
def _of_receipt(receipt: Receipt) -> Parties:
    of_order = find_parties(receipt.order) if receipt.order else NOBODY
    return of_order | Parties(_writers(receipt), phones([receipt.phone]))


def _writers(receipt: Receipt) -> frozenset[int]:
    """The staff member who recorded a receipt, if one did."""
    if receipt.pk is None or receipt.source != ReceiptSource.STAFF:
        return frozenset()
    rows: list[Model] = [receipt]
    if receipt.payment is not None:
        rows.append(receipt.payment)
    found: frozenset[int] = frozenset()
    for row in rows:
        written = audit.entries_of(*WRITING).filter(
            content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
        )
        found |= frozenset(written.values_list("actor", flat=True))
        found |= proposers(row, WRITING)
    return found


@parties_of(Refund)
def _of_refund(refund: Refund) -> Parties:
    """The same as for its receipt; its phone; and who cancelled its line or decided about a problem
    with it."""
    cancelled = TrackEvent.objects.filter(
        track=refund.track_id, track_status=TrackStatus.CANCELLED
    ).values_list("actor", flat=True)
    decided = Problem.objects.filter(track=refund.track_id).values_list("decided_by", flat=True)
    authors = people(*cancelled, *decided) if refund.track_id else frozenset()
    return find_parties(refund.receipt) | Parties(authors, phones([refund.phone]))


@parties_of(Payout)
def _of_payout(payout: Payout) -> Parties:
    """Its seller and phone, the buyers, who fetched the goods, and who typed the number."""
    return Parties(frozenset().union(*people_of_payout(payout)), phones([payout.phone]))


class PayoutPeople(NamedTuple):
    """The people involved in a payout, by what they did: ids of users."""

    seller: frozenset[int]
    buyers: frozenset[int]
    fetched: frozenset[int]
    typed: frozenset[int]


def people_of_payout(payout: Payout) -> PayoutPeople:
    """The one list of people who are kept from deciding about a payout or approving it."""
    lines = OrderTrack.objects.filter(seller_share__payout=payout.pk)
    fetched = TrackEvent.objects.filter(
        track__seller_share__payout=payout.pk, track_status=TrackStatus.FETCHED
    )
    return PayoutPeople(
        seller=people(payout.seller_id),
        buyers=people(*lines.values_list("buyer", flat=True)),
        fetched=people(*fetched.values_list("actor", flat=True)),
        typed=people(*_who_typed(payout)),
    )


@parties_of(SellerShare)
def _of_share(share: SellerShare) -> Parties:
    """The same as for its line; its number, who fetched the goods, and who typed that number."""
    fetched = TrackEvent.objects.filter(track=share.track_id, track_status=TrackStatus.FETCHED)
    authors = people(share.phone_by_id, *fetched.values_list("actor", flat=True))
    return find_parties(share.track) | Parties(authors, phones([share.phone]))


def _who_typed(payout: Payout) -> Iterable[int | None]:
    """Staff who redirected money of this seller to this number, by the rows and by the audit."""
    typed = payout.shares.values_list("phone_by", flat=True)
    before = Payout.objects.dropped().filter(seller=payout.seller_id)
    as_text = before.annotate(key=Cast("pk", CharField(max_length=64))).values("key")
    redirected = audit.entries_of(SENT_ELSEWHERE).filter(
        content_type=ContentType.objects.get_for_model(Payout),
        # In the same statement: of their ids there may be more than one takes parameters.
        object_id__in=as_text,
        # The form data follows the label in brackets (accounts.backoffice.actions.describe).
        did__contains=f"({payout.phone})",
    )
    return {payout.author_id, *typed, *redirected.values_list("actor", flat=True)}


@parties_of(GatewayEvent)
def _of_message(event: GatewayEvent) -> Parties:
    """The same as for the money it is about."""
    parties = NOBODY
    for row in (event.payment, event.receipt, event.refund, event.payout):
        if row is not None:
            parties |= find_parties(row)
    return parties


@parties_of(PayoutStop)
def _of_stop(stop: PayoutStop) -> Parties:
    """Nobody: it stops everyone's money."""
    return NOBODY


@parties_of(Withdrawal)
def _of_withdrawal(withdrawal: Withdrawal) -> Parties:
    """The owner of the phone it went to, and those involved in the payment it reversed."""
    parties = Parties(phones=phones([withdrawal.phone]))
    return parties | parties_of_named_receipt(withdrawal.reverses)


def parties_of_named_receipt(number: str) -> Parties:
    """Those involved in the payment with this number, whichever provider's it is."""
    found = map(find_parties, Receipt.objects.with_number(number))
    return reduce(or_, found, NOBODY)


def parties_of_named_person(username: str) -> Parties:
    """The person with this user name."""
    person = User.objects.filter(username__iexact=username).values_list("pk", flat=True).first()
    return Parties(people(person)) if person is not None else NOBODY


def parties_of_named_order(reference: str) -> Parties:
    """Those involved in the order with the reference that was typed."""
    order_id = find_by_typed_reference(reference) if reference else None
    return find_parties(Order.objects.get(pk=order_id)) if order_id is not None else NOBODY


@phone_source
def _prompted_phones(person_id: int) -> QuerySet[Any, Any]:
    mine = OrderPayment.objects.filter(order__buyer=person_id).exclude(phone="")
    return mine.values_list("phone", flat=True)


@phone_source
def _payout_phones(person_id: int) -> QuerySet[Any, Any]:
    return SellerShare.objects.filter(seller=person_id).values_list("phone", flat=True)
