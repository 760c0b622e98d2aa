"""Payment attempts and receipts."""

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


@rule("A confirmed attempt has a receipt credited to its order")
def confirmed_attempt_has_receipt(now: datetime) -> QuerySet[OrderPayment]:
    credited = Receipt.objects.filter(payment=OuterRef("pk"), order=OuterRef("order"))
    return OrderPayment.objects.filter(~Exists(credited), status=AttemptStatus.CONFIRMED)


@rule("A receipt is credited through a confirmed attempt of its order")
def receipt_has_confirmed_attempt(now: datetime) -> QuerySet[Receipt]:
    attempt = OrderPayment.objects.filter(
        pk=OuterRef("payment_id"), order=OuterRef("order_id"), status=AttemptStatus.CONFIRMED
    )
    return Receipt.objects.filter(~Exists(attempt), order__isnull=False)


@rule("A receipt without an order has a note that says why")
def suspense_has_a_note(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.filter(order__isnull=True, note="")


@rule("A prompt is open only while its result is unknown")
def open_prompt_has_no_result(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(live=True).exclude(status__in=OPEN)


@rule("A submitted attempt has M-Pesa's request ID")
def submitted_attempt_has_request_id(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(status=AttemptStatus.SUBMITTED, checkout_request_id="")
