"""Attempts to collect money, and receipts."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Exists,
    OuterRef,
    QuerySet,
)

from payments.models import (
    OPEN,
    AttemptStatus,
    OrderPayment,
    Receipt,
)

from .rule import rule


@rule("A confirmed attempt has a receipt, credited to its order")
def _proven(now: datetime) -> QuerySet[OrderPayment]:
    credited = Receipt.objects.filter(payment=OuterRef("pk"), order=OuterRef("order"))
    return OrderPayment.objects.filter(~Exists(credited), status=AttemptStatus.CONFIRMED)


@rule("A receipt is credited through a confirmed attempt of its order")
def _attempted(now: datetime) -> QuerySet[Receipt]:
    attempt = OrderPayment.objects.filter(
        pk=OuterRef("payment_id"), order=OuterRef("order_id"), status=AttemptStatus.CONFIRMED
    )
    return Receipt.objects.filter(~Exists(attempt), order__isnull=False)


@rule("A receipt without an order says why")
def _explained(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.filter(order__isnull=True, note="")


@rule("A prompt is live only while its end is unknown")
def _live(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(live=True).exclude(status__in=OPEN)


@rule("A submitted attempt has the request id M-Pesa gave it")
def _named(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(status=AttemptStatus.SUBMITTED, checkout_request_id="")
