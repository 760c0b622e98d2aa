"""Nothing waits without a date or a person."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    F,
    Q,
    QuerySet,
)

from orders.models import Order
from orders.models.notifications import Message, Notice, SmsReport
from payments.models import (
    AWAITS_APPROVAL,
    STK_QUERIES,
    TRANSFER_QUERIES,
    AttemptStatus,
    EventState,
    GatewayEvent,
    OrderPayment,
    Refund,
    TransferStatus,
)

from .rule import FORGOTTEN, OVERDUE, rule


@rule("A message is acted on within five minutes")
def _acted_on(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.filter(state=EventState.NEW, received_at__lt=now - FORGOTTEN)


@rule("An attempt is sent or given up within five minutes")
def _sent(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(
        status=AttemptStatus.REQUESTED, created_at__lt=now - FORGOTTEN
    )


@rule("A refund that is due is sent, or asked about, when it is time to")
def _looked_after(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.due(now - OVERDUE)


@rule("A refund without a next time has ended, or was asked about for two days")
def _refund_asked_about(now: datetime) -> QuerySet[Refund]:
    # After the last question a person looks (the console).
    undated = Refund.objects.filter(
        status__in=[TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT],
        next_check_at__isnull=True,
        note="",
    ).exclude(AWAITS_APPROVAL)
    return undated.filter(
        Q(status=TransferStatus.DUE)
        | Q(sent_at__gt=now - TRANSFER_QUERIES.last)
        | Q(sent_at__isnull=True)
    )


@rule("An attempt that was sent is asked about until it ends, or for a day")
def _asked_about(now: datetime) -> QuerySet[OrderPayment]:
    # After the last check a person looks (docs/money.md, "At night").
    sent = OrderPayment.objects.filter(
        status__in=[AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED], next_check_at__isnull=True
    )
    return sent.filter(
        Q(checked_at__isnull=True) | Q(checked_at__lt=F("rung_at") + STK_QUERIES.last)
    )


@rule("An unpaid order is expired within ten minutes of its time")
def _expired(now: datetime) -> QuerySet[Order]:
    return Order.objects.overdue(now - OVERDUE)


@rule("What people are to be told is put into words within five minutes")
def _composed(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.to_compose().filter(created_at__lt=now - FORGOTTEN)


@rule("A message is sent, tried again or given up when it is time to")
def _told(now: datetime) -> QuerySet[Message]:
    # One without a next time has ended, or is a person's: a constraint sees to that.
    return Message.objects.to_send(now - OVERDUE)


@rule("What an SMS said that did not arrive is said otherwise, or left to a person, in ten minutes")
def _said_otherwise(now: datetime) -> QuerySet[SmsReport]:
    return SmsReport.objects.to_follow().filter(reported_at__lt=now - OVERDUE)
