"""Orders and their lines: where they are, and whether their money covers them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import (
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce

from orders.models import Order, OrderTrack, Parcel, PaymentStatus, TrackEvent, TrackStatus
from payments.models import (
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    fees_earned,
    given_back,
)
from payments.models.same_payments import maybe_counted_twice, only_counted_twice
from payments.models.totals import total

from .rule import FORGOTTEN, OVERDUE, rule

#: Where a line may be while its order stands so; anywhere, where an order's status is missing.
_LINES_OF = {
    PaymentStatus.REQUESTED: [TrackStatus.CREATED],
    PaymentStatus.PAID: [status for status in TrackStatus if status != TrackStatus.CREATED],
    PaymentStatus.CANCELLED: [TrackStatus.CANCELLED],
    PaymentStatus.EXPIRED: [TrackStatus.CANCELLED],
}


@rule("An order's amount is the sum of its lines, and of its parcels' fees")
def _sums(now: datetime) -> QuerySet[Order]:
    lines = OrderTrack.objects.filter(order=OuterRef("pk"))
    parcels = Parcel.objects.filter(order=OuterRef("pk"))
    return Order.objects.exclude(
        amount=total(lines, group_by="order", of=Sum("amount"))
        + total(parcels, group_by="order", of=Sum("fee"))
    )


@rule("A line is where its order's status lets it be")
def _lines(now: datetime) -> QuerySet[OrderTrack]:
    astray = Q()
    for status, allowed in _LINES_OF.items():
        astray |= Q(order__payment_status=status) & ~Q(track_status__in=allowed)
    off = Q(track_status__in=[TrackStatus.CANCELLED, TrackStatus.REFUNDED])
    # One that is off its way while its order goes on was cancelled by itself.
    astray |= Q(order__payment_status=PaymentStatus.PAID, returned=False) & off
    return OrderTrack.objects.filter(astray)


@rule("A line is where the last step of its history says")
def _history(now: datetime) -> QuerySet[OrderTrack]:
    steps = TrackEvent.objects.filter(track=OuterRef("pk")).order_by("-pk")
    last = Coalesce(
        Subquery(steps.values("track_status")[:1]), Value("created"), output_field=TextField()
    )
    return OrderTrack.objects.exclude(track_status=last)


def _credited() -> Coalesce:
    """What came for an order, and what the shop bears of it."""
    receipts = Receipt.objects.filter(order=OuterRef("pk"))
    return total(receipts, group_by="order", of=Sum(F("amount") + F("written_off")))


def _owed() -> Coalesce:
    """What of that is owed back or went back."""
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    return total(refunds, group_by="order", of=Sum("amount"))


def _with_money(orders: QuerySet[Order]) -> Any:
    return orders.annotate(
        credited=_credited(),
        owed=_owed(),
        back=given_back(OuterRef("pk")),
        earned=fees_earned(OuterRef("pk")),
    )


@rule("A paid order's lines are covered by what came for it, and what is beyond is owed back")
def _covered(now: datetime) -> QuerySet[Order]:
    paid = Order.objects.filter(payment_status=PaymentStatus.PAID)
    return _with_money(paid).exclude(credited=F("amount") - F("back") + F("owed"))


@rule("An order whose money is due back or went back has had money, and owes all but fees back")
def _refundable(now: datetime) -> QuerySet[Order]:
    status = [PaymentStatus.REFUND_DUE, PaymentStatus.REFUNDED]
    due = _with_money(Order.objects.filter(payment_status__in=status))
    return due.filter(Q(credited=0) | ~Q(credited=F("owed") + F("earned")))


@rule("An unpaid order has less than its amount, and owes nothing of it back")
def _waiting(now: datetime) -> QuerySet[Order]:
    credited = Receipt.objects.filter(order=OuterRef("pk"))
    unpaid = Order.objects.filter(Exists(credited), payment_status=PaymentStatus.REQUESTED)
    taken = Refund.objects.owed().filter(order=OuterRef("pk"), way=RefundMethod.OUTSIDE)
    # What M-Pesa has taken back by itself is not owed, and does not count.
    with_money = _with_money(unpaid).annotate(
        taken=total(taken, group_by="order", of=Sum("amount"))
    )
    return with_money.filter(Q(credited__gte=F("amount") + F("taken")) | ~Q(owed=F("taken")))


@rule("What came for a cancelled or expired order is owed back within five minutes")
def _uncredited(now: datetime) -> QuerySet[Order]:
    taken_back = Refund.objects.filter(receipt=OuterRef("pk"), way=RefundMethod.OUTSIDE)
    credited = Receipt.objects.filter(
        ~Exists(taken_back), order=OuterRef("pk"), created_at__lt=now - FORGOTTEN
    )
    closed = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
    # One that closes with money in hand is looked after by the clock's next round.
    long_ago = Q(payment_status=PaymentStatus.CANCELLED) | Q(expires_at__lt=now - OVERDUE)
    return Order.objects.filter(Exists(credited), long_ago, payment_status__in=closed)


@rule(
    "Money without an order is not that of a prompt whose receipt has no number: the console asks",
    only=only_counted_twice,
)
def _counted_twice(now: datetime) -> QuerySet[Receipt]:
    return maybe_counted_twice()


@rule("An order is refunded when all that is owed back for it went back, and not before")
def _refunded(now: datetime) -> QuerySet[Order]:
    going = Refund.objects.outstanding().filter(order=OuterRef("pk"))
    return Order.objects.annotate(is_going=Exists(going)).filter(
        Q(payment_status=PaymentStatus.REFUNDED, is_going=True)
        | Q(payment_status=PaymentStatus.REFUND_DUE, is_going=False)
    )


@rule("A returned line is refunded when all that is owed back for it went back, and not before")
def _line_refunded(now: datetime) -> QuerySet[OrderTrack]:
    refunds = Refund.objects.owed().filter(track=OuterRef("pk"))
    returned = OrderTrack.objects.filter(returned=True, order__payment_status=PaymentStatus.PAID)
    return returned.annotate(
        is_going=Exists(refunds.not_done()),
        # What went back before, as its price was reduced, is no refund of what was left of it.
        is_owed=Exists(refunds.exclude(cause=RefundReason.REDUCED)),
    ).filter(
        Q(track_status=TrackStatus.REFUNDED, is_going=True)
        | Q(track_status=TrackStatus.CANCELLED, is_going=False, is_owed=True)
    )
