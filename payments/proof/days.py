"""Daily totals of payouts and refunds."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from payments.models import (
    DailyTransferTotal,
    Payout,
    PayoutDay,
    Refund,
    RefundDay,
    Transfer,
    TransferStatus,
)
from payments.models.transfers import amount_sent

from .rule import chunks, rule

#: Transfers counted in the total of the day they were sent. One that surely failed is subtracted.
_COUNTED = (TransferStatus.UNKNOWN, TransferStatus.SENT, TransferStatus.DONE)


def _sent(model: type[Transfer]) -> QuerySet[Any]:
    """Transfers that were sent, annotated with the day in Nairobi, the shop's time zone."""
    rows = model._default_manager.filter(status__in=_COUNTED, sent_at__isnull=False, amount__gt=0)
    return rows.annotate(day=TruncDate("sent_at"))


def _miscounted(
    days: type[DailyTransferTotal], model: type[Transfer], day_ids: list[int]
) -> list[int]:
    by_day = _sent(model).order_by().values("day")
    totals = by_day.annotate(total=Sum(amount_sent()))
    sent = dict(totals.values_list("day", "total"))
    by_id = days._default_manager.in_bulk(day_ids)
    return [pk for pk in day_ids if sent.get(by_id[pk].day, 0) != by_id[pk].sent]


def _uncounted(
    days: type[DailyTransferTotal], model: type[Transfer], row_ids: list[int]
) -> list[int]:
    counted = set(days._default_manager.values_list("day", flat=True))
    uncounted = []
    for chunk in chunks(row_ids):
        sent = _sent(model).filter(pk__in=chunk).order_by("pk").values_list("pk", "day")
        uncounted += [pk for pk, day in sent if day not in counted]
    return uncounted


@rule(
    "The total sent to sellers on a day is the sum of that day's payouts",
    only=partial(_miscounted, PayoutDay, Payout),
)
def payout_day_is_sum(now: datetime) -> QuerySet[PayoutDay]:
    return PayoutDay.objects.all()


@rule("A payout that was sent is counted in its day", only=partial(_uncounted, PayoutDay, Payout))
def payout_is_counted(now: datetime) -> QuerySet[Payout]:
    return _sent(Payout)


@rule(
    "The total refunded on a day is the sum of that day's refunds",
    only=partial(_miscounted, RefundDay, Refund),
)
def refund_day_is_sum(now: datetime) -> QuerySet[RefundDay]:
    return RefundDay.objects.all()


@rule("A refund that was sent is counted in its day", only=partial(_uncounted, RefundDay, Refund))
def refund_is_counted(now: datetime) -> QuerySet[Refund]:
    return _sent(Refund)
