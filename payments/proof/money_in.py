"""The statuses of orders and lines, and whether payments cover them."""

from __future__ import annotations

from datetime import datetime, timedelta
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

from orders.models import (
    CANCELLED_LINE_STATUSES,
    Order,
    OrderTrack,
    Parcel,
    PaymentStatus,
    TrackEvent,
    TrackStatus,
)
from payments.models import (
    Channel,
    Receipt,
    ReceiptEvidence,
    ReceiptSource,
    Refund,
    RefundMethod,
    RefundReason,
    Verification,
    fees_earned,
    given_back,
)
from payments.models.evidence import PROVES_PROMPT
from payments.models.totals import total
from payments.payment_matching import filter_duplicates, possible_duplicates

from .rule import FORGOTTEN, OVERDUE, chunks, rule

#: The callback or the statement names a prompt's receipt number within this time.
NUMBER_OVERDUE = timedelta(hours=1)
#: Statuses of lines by the status of their order. Other statuses of orders allow any.
_LINE_STATUSES = {
    PaymentStatus.REQUESTED: [TrackStatus.CREATED],
    PaymentStatus.PAID: [status for status in TrackStatus if status != TrackStatus.CREATED],
    PaymentStatus.CANCELLED: [TrackStatus.CANCELLED],
    PaymentStatus.EXPIRED: [TrackStatus.CANCELLED],
}


@rule("An order's amount is the sum of its lines and its parcels' fees")
def order_amount_is_sum(now: datetime) -> QuerySet[Order]:
    lines = OrderTrack.objects.filter(order=OuterRef("pk"))
    parcels = Parcel.objects.filter(order=OuterRef("pk"))
    return Order.objects.exclude(
        amount=total(lines, group_by="order", of=Sum("amount"))
        + total(parcels, group_by="order", of=Sum("fee"))
    )


@rule("A line's status is allowed by its order's status")
def line_status_allowed_by_order(now: datetime) -> QuerySet[OrderTrack]:
    inconsistent = Q()
    for status, allowed in _LINE_STATUSES.items():
        inconsistent |= Q(order__payment_status=status) & ~Q(track_status__in=allowed)
    off = Q(track_status__in=CANCELLED_LINE_STATUSES)
    # A cancelled line of a paid order was cancelled by itself, and so is returned.
    inconsistent |= Q(order__payment_status=PaymentStatus.PAID, returned=False) & off
    return OrderTrack.objects.filter(inconsistent)


@rule("A line's status is that of its last step")
def line_status_is_last_step(now: datetime) -> QuerySet[OrderTrack]:
    steps = TrackEvent.objects.filter(track=OuterRef("pk")).order_by("-pk")
    last = Coalesce(
        Subquery(steps.values("track_status")[:1]), Value("created"), output_field=TextField()
    )
    return OrderTrack.objects.exclude(track_status=last)


def _credited() -> Coalesce:
    """The payments of an order, and what the shop wrote off."""
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


@rule("The lines of a paid order are covered by its payments, and any excess is owed back")
def paid_order_is_covered(now: datetime) -> QuerySet[Order]:
    paid = Order.objects.filter(payment_status=PaymentStatus.PAID)
    return _with_money(paid).exclude(credited=F("amount") - F("back") + F("owed"))


@rule("An order that is refunded or refund due was paid, and owes back all but earned fees")
def refunded_order_owes_its_payment(now: datetime) -> QuerySet[Order]:
    status = [PaymentStatus.REFUND_DUE, PaymentStatus.REFUNDED]
    due = _with_money(Order.objects.filter(payment_status__in=status))
    return due.filter(Q(credited=0) | ~Q(credited=F("owed") + F("earned")))


@rule("An unpaid order has received less than its amount, and owes none of it back")
def unpaid_order_is_not_covered(now: datetime) -> QuerySet[Order]:
    credited = Receipt.objects.filter(order=OuterRef("pk"))
    unpaid = Order.objects.filter(Exists(credited), payment_status=PaymentStatus.REQUESTED)
    taken = Refund.objects.owed().filter(order=OuterRef("pk"), way=RefundMethod.OUTSIDE)
    # What M-Pesa reversed without a request is not owed, and does not count.
    with_money = _with_money(unpaid).annotate(
        taken=total(taken, group_by="order", of=Sum("amount"))
    )
    return with_money.filter(Q(credited__gte=F("amount") + F("taken")) | ~Q(owed=F("taken")))


@rule("Payments of a cancelled or expired order are owed back within five minutes")
def closed_order_is_refunded_in_time(now: datetime) -> QuerySet[Order]:
    taken_back = Refund.objects.owed().filter(receipt=OuterRef("pk"), way=RefundMethod.OUTSIDE)
    credited = Receipt.objects.filter(
        ~Exists(taken_back), order=OuterRef("pk"), created_at__lt=now - FORGOTTEN
    )
    closed = (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)
    # The clock's next round handles an order that has just closed.
    long_ago = Q(payment_status=PaymentStatus.CANCELLED) | Q(expires_at__lt=now - OVERDUE)
    return Order.objects.filter(Exists(credited), long_ago, payment_status__in=closed)


def _counted_twice(receipt_ids: list[int]) -> list[int]:
    return [pk for chunk in chunks(receipt_ids) for pk in filter_duplicates(chunk)]


@rule(
    "A payment without an order is not that of a prompt without a number: staff decide",
    only=_counted_twice,
)
def payment_is_not_counted_twice(now: datetime) -> QuerySet[Receipt]:
    return possible_duplicates()


@rule("A number that staff entered for one prompt is not the missing one of another: staff decide")
def entered_number_is_of_its_prompt(now: datetime) -> QuerySet[Receipt]:
    """A status query proves that a prompt was paid, and the buyer was prompted twice: the number
    that staff found on the portal may be either's."""
    reports = ReceiptEvidence.objects.filter(receipt=OuterRef("pk"))
    entered = Receipt.objects.filter(
        Exists(reports.filter(source=ReceiptSource.STAFF)),
        ~Exists(reports.filter(source__in=PROVES_PROMPT)),
        order=OuterRef("order"),
        amount=OuterRef("amount"),
        payment__channel=Channel.STK,
    )
    unnumbered = Receipt.objects.without_number().filter(created_at__lt=now - NUMBER_OVERDUE)
    return unnumbered.filter(
        Exists(entered.exclude(number="").exclude(verification=Verification.NEVER_CAME))
    )


@rule("An order is refunded exactly when all that it owes back was sent")
def order_is_refunded_when_done(now: datetime) -> QuerySet[Order]:
    going = Refund.objects.outstanding().filter(order=OuterRef("pk"))
    return Order.objects.annotate(is_going=Exists(going)).filter(
        Q(payment_status=PaymentStatus.REFUNDED, is_going=True)
        | Q(payment_status=PaymentStatus.REFUND_DUE, is_going=False)
    )


@rule("A returned line is refunded exactly when all that it owes back was sent")
def line_is_refunded_when_done(now: datetime) -> QuerySet[OrderTrack]:
    refunds = Refund.objects.owed().filter(track=OuterRef("pk"))
    returned = OrderTrack.objects.filter(returned=True, order__payment_status=PaymentStatus.PAID)
    return returned.annotate(
        is_going=Exists(refunds.not_done()),
        # A refund for a price reduction is no refund of the rest.
        is_owed=Exists(refunds.exclude(cause=RefundReason.REDUCED)),
    ).filter(
        Q(track_status=TrackStatus.REFUNDED, is_going=True)
        | Q(track_status=TrackStatus.CANCELLED, is_going=False, is_owed=True)
    )
