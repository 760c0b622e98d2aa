"""Timestamps are not in the future, and no retry is scheduled more than three days ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from accounts.models import Audit
from orders.models.notifications import WITHOUT_ID, Message, MessageChannel, Notice
from payments.models import (
    AccessToken,
    AttemptStatus,
    GatewayEvent,
    LedgerPosting,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    RefundMethod,
    SellerShare,
    StatementPull,
    TransferStatus,
    Withdrawal,
)

from .rule import rule

#: Clocks differ; hosts have been seen a day off.
_CLOCK_ERROR = timedelta(days=1)
#: The furthest retry that the shop schedules.
_NEXT_WITHIN = timedelta(days=3)
_MONTH = timedelta(days=30)

#: Times of past events.
_PAST: list[tuple[type[Model], tuple[str, ...]]] = [
    (OrderPayment, ("created_at", "rung_at", "checked_at", "confirmed_at")),
    (Receipt, ("created_at",)),
    (Refund, ("created_at", "sent_at", "done_at", "receipt_checked_at")),
    (Payout, ("created_at", "sent_at", "done_at")),
    (PayoutStop, ("created_at", "ended_at", "lost_since")),
    (Withdrawal, ("created_at", "left_at", "settled_at")),
    (SellerShare, ("created_at", "reversed_at")),
    (GatewayEvent, ("received_at", "applied_at")),
    (LedgerPosting, ("created_at",)),
    (Notice, ("created_at", "composed_at")),
    (Message, ("created_at", "tried_at", "sent_at")),
    (Audit, ("at",)),
]
#: Times of next checks.
_NEXT: list[tuple[type[Model], tuple[str, ...]]] = [
    (OrderPayment, ("next_check_at",)),
    (Refund, ("next_check_at",)),
    (Payout, ("next_check_at",)),
    (Message, ("next_try_at",)),
    (AccessToken, ("good_until", "claimed_until")),
]


def _enter(description: str, model: type[Model], names: tuple[str, ...], within: timedelta) -> None:
    @rule(f"{description}: {model._meta.verbose_name}")
    def time_within_bounds(now: datetime) -> QuerySet[Any]:
        late = Q()
        for name in names:
            late |= Q(**{f"{name}__gt": now + within})
        return model._default_manager.filter(late)


for _model, _names in _PAST:
    _enter("No past event is dated in the future", _model, _names, _CLOCK_ERROR)
for _model, _names in _NEXT:
    _enter("No check is scheduled more than three days ahead", _model, _names, _NEXT_WITHIN)


def _inconsistent_times() -> Q:
    return Q(status=TransferStatus.SENT, sent_at__isnull=True) | (
        ~Q(status=TransferStatus.DONE) & (~Q(number="") | Q(done_at__isnull=False))
    )


@rule("A refund that M-Pesa accepted has a sending time, and one not done has no number")
def refund_times_are_consistent(now: datetime) -> QuerySet[Refund]:
    # A reversal whose amount was corrected (payments.refunds.external_reversals.correct_reversal)
    # keeps its number, and other rows have the amount; likewise one of money that was merged.
    reversals = Refund.objects.filter(way=RefundMethod.OUTSIDE, status=TransferStatus.DONE)
    of_it = reversals.filter(receipt=OuterRef("receipt"))
    of_the_same = reversals.filter(receipt=OuterRef("receipt__same_as"))
    by_hand = Q(way__in=[RefundMethod.OUTSIDE, RefundMethod.PORTAL])
    dropped = by_hand & Q(status=TransferStatus.DROPPED, done_at__isnull=True)
    instead = Exists(of_it) | Exists(of_the_same)
    return Refund.objects.filter(_inconsistent_times()).exclude(dropped & instead)


@rule("A payout that M-Pesa accepted has a sending time, and one not done has no number")
def payout_times_are_consistent(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.filter(_inconsistent_times())


@rule("A confirmed attempt has a confirmation time")
def confirmed_attempt_has_time(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(status=AttemptStatus.CONFIRMED, confirmed_at__isnull=True)


@rule("M-Pesa's statement was read for a period with an end, and is read again soon")
def statement_times_increase(now: datetime) -> QuerySet[StatementPull]:
    # Each pull sets both: the next one is hours after the end of the last.
    backwards = Q(read_from__gt=F("read_until")) | Q(read_until__gt=F("next_pull_at"))
    return StatementPull.objects.filter(
        backwards | Q(next_pull_at__gt=now + _MONTH) | Q(read_until__gt=now + _MONTH)
    )


@rule("A provider's message ID belongs to one message")
def provider_id_is_unique(now: datetime) -> QuerySet[Message]:
    named = Message.objects.exclude(provider_id__in=["", *WITHOUT_ID])
    other = named.filter(provider_id=OuterRef("provider_id")).exclude(pk=OuterRef("pk"))
    # By channel, since each has its own index of ids. Otherwise every key range would read all
    # messages.
    same = [Q(Exists(other.filter(channel=channel))) for channel in MessageChannel]
    return named.filter(reduce(or_, same))
