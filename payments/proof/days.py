"""What left on a day is what its payouts, or refunds, add up to."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from payments.models import (
    MoneyOut,
    Payout,
    PayoutDay,
    Refund,
    RefundDay,
    SentOnDay,
    TransferStatus,
)

from .rule import rule

#: Counted into the day they were sent on; what certainly did not leave is taken out again.
COUNTED = (TransferStatus.UNKNOWN, TransferStatus.SENT, TransferStatus.DONE)


def _left(model: type[MoneyOut]) -> QuerySet[Any]:
    """What left, with the day it was sent on, Nairobi's: the shop's time zone."""
    rows = model._default_manager.filter(status__in=COUNTED, sent_at__isnull=False, amount__gt=0)
    return rows.annotate(day=TruncDate("sent_at"))


def _miscounted(days: type[SentOnDay], model: type[MoneyOut], day_ids: list[int]) -> list[int]:
    by_day = _left(model).order_by().values("day")
    sent = dict(by_day.values_list("day", Sum("amount")))
    found = days._default_manager.in_bulk(day_ids)
    return [pk for pk in day_ids if sent.get(found[pk].day, 0) != found[pk].sent]


def _uncounted(days: type[SentOnDay], model: type[MoneyOut], row_ids: list[int]) -> list[int]:
    counted = set(days._default_manager.values_list("day", flat=True))
    sent = _left(model).filter(pk__in=row_ids)
    return sorted(pk for pk, day in sent.values_list("pk", "day") if day not in counted)


@rule(
    "What left to sellers on a day is what the payouts sent on it come to",
    only=partial(_miscounted, PayoutDay, Payout),
)
def _of_the_day(now: datetime) -> QuerySet[PayoutDay]:
    return PayoutDay.objects.all()


@rule("A payout that was sent is counted in its day", only=partial(_uncounted, PayoutDay, Payout))
def _in_a_day(now: datetime) -> QuerySet[Payout]:
    return _left(Payout)


@rule(
    "What went back on a day is what the refunds sent on it come to",
    only=partial(_miscounted, RefundDay, Refund),
)
def _of_the_day_of_refunds(now: datetime) -> QuerySet[RefundDay]:
    return RefundDay.objects.all()


@rule("A refund that was sent is counted in its day", only=partial(_uncounted, RefundDay, Refund))
def _refund_in_a_day(now: datetime) -> QuerySet[Refund]:
    return _left(Refund)
