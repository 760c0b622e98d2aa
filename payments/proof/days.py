"""What left on a day is what its payouts add up to."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from payments.models import Payout, PayoutDay, TransferStatus

from .rule import rule

#: Counted into the day they were sent on; what certainly did not leave is taken out again.
COUNTED = (TransferStatus.UNKNOWN, TransferStatus.SENT, TransferStatus.DONE)


def _sent_by_day() -> dict[date, int]:
    # A day in the shop's time zone, Nairobi's.
    sent = Payout.objects.filter(status__in=COUNTED, sent_at__isnull=False, amount__gt=0)
    days = sent.annotate(day=TruncDate("sent_at")).order_by().values("day")
    return dict(days.values_list("day", Sum("amount")))


def _miscounted(day_ids: list[int]) -> list[int]:
    sent = _sent_by_day()
    days = PayoutDay.objects.in_bulk(day_ids)
    return [pk for pk in day_ids if sent.get(days[pk].day, 0) != days[pk].sent]


def _uncounted(payout_ids: list[int]) -> list[int]:
    counted = set(PayoutDay.objects.values_list("day", flat=True))
    sent = Payout.objects.filter(pk__in=payout_ids).annotate(day=TruncDate("sent_at"))
    return sorted(pk for pk, day in sent.values_list("pk", "day") if day not in counted)


@rule("What left to sellers on a day is what the payouts sent on it come to", only=_miscounted)
def _of_the_day(now: datetime) -> QuerySet[PayoutDay]:
    return PayoutDay.objects.all()


@rule("A payout that was sent is counted in its day", only=_uncounted)
def _in_a_day(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.filter(status__in=COUNTED, sent_at__isnull=False, amount__gt=0)
