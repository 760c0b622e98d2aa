"""Everything that is pending has a next check, or waits for staff."""

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


@rule("A message from the gateway is processed within five minutes")
def message_is_processed_in_time(now: datetime) -> QuerySet[GatewayEvent]:
    return GatewayEvent.objects.filter(state=EventState.NEW, received_at__lt=now - FORGOTTEN)


@rule("An attempt is sent or dropped within five minutes")
def attempt_is_sent_in_time(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(
        status=AttemptStatus.REQUESTED, created_at__lt=now - FORGOTTEN
    )


@rule("A due refund is sent or queried at its time")
def due_refund_is_handled(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.due(now - OVERDUE)


@rule("A refund without a next check has ended, or was queried for two days")
def refund_was_queried_long_enough(now: datetime) -> QuerySet[Refund]:
    # After the last query it waits for staff on the console.
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


@rule("An attempt that was sent is queried until it ends, or for a day")
def attempt_was_queried_long_enough(now: datetime) -> QuerySet[OrderPayment]:
    # After the last query it waits for staff on the console (docs/night.md).
    sent = OrderPayment.objects.filter(
        status__in=[AttemptStatus.UNKNOWN, AttemptStatus.SUBMITTED], next_check_at__isnull=True
    )
    return sent.filter(
        Q(checked_at__isnull=True) | Q(checked_at__lt=F("rung_at") + STK_QUERIES.last)
    )


@rule("An unpaid order expires within ten minutes of its time")
def unpaid_order_expires_in_time(now: datetime) -> QuerySet[Order]:
    return Order.objects.overdue(now - OVERDUE)


@rule("A notification is composed within five minutes")
def notice_is_composed_in_time(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.to_compose().filter(created_at__lt=now - FORGOTTEN)


@rule("A notification is sent, retried or given up at its time")
def due_message_is_handled(now: datetime) -> QuerySet[Message]:
    # A constraint ensures that one without a next try has ended or waits for staff.
    return Message.objects.to_send(now - OVERDUE)


@rule("An undelivered SMS is replaced, or left to staff, within ten minutes")
def undelivered_sms_is_replaced(now: datetime) -> QuerySet[SmsReport]:
    return SmsReport.objects.to_follow().filter(reported_at__lt=now - OVERDUE)
