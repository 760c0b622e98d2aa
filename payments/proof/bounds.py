"""No row is from the future, or waits for a year that nobody lives to see."""

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
    SellerShare,
    StatementPull,
    TransferStatus,
    Withdrawal,
)

from .rule import rule

#: Clocks differ, and the hosts' were seen to be a day off; nothing the shop plans is further away.
FUTURE = timedelta(days=1)
WAITS = timedelta(days=3)
MONTH = timedelta(days=30)

#: When something has happened: by then it is over.
PAST: list[tuple[type[Model], tuple[str, ...]]] = [
    (OrderPayment, ("created_at", "rung_at", "checked_at", "confirmed_at")),
    (Receipt, ("created_at",)),
    (Refund, ("created_at", "sent_at", "done_at", "receipt_stands_at")),
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
#: When something is to be looked at again.
NEXT: list[tuple[type[Model], tuple[str, ...]]] = [
    (OrderPayment, ("next_check_at",)),
    (Refund, ("next_check_at",)),
    (Payout, ("next_check_at",)),
    (Message, ("next_try_at",)),
    (AccessToken, ("good_until", "claimed_until")),
]


def _enter(description: str, model: type[Model], names: tuple[str, ...], within: timedelta) -> None:
    @rule(f"{description}: {model._meta.verbose_name}")
    def _too_late(now: datetime) -> QuerySet[Any]:
        late = Q()
        for name in names:
            late |= Q(**{f"{name}__gt": now + within})
        return model._default_manager.filter(late)


for _model, _names in PAST:
    _enter("Nothing has happened in the future", _model, _names, FUTURE)
for _model, _names in NEXT:
    _enter("Nothing waits longer than three days to be looked at", _model, _names, WAITS)


@rule("A transfer M-Pesa may know of was sent at a time, and what was never sent has no number")
def _refund_times(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.filter(_astray_in_time())


@rule("A payout M-Pesa may know of was sent at a time, and what was never sent has no number")
def _payout_times(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.filter(_astray_in_time())


def _astray_in_time() -> Q:
    return Q(status="sent", sent_at__isnull=True) | (
        ~Q(status=TransferStatus.DONE) & (~Q(number="") | Q(done_at__isnull=False))
    )


@rule("A confirmed attempt was confirmed at a time")
def _confirmed(now: datetime) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.filter(status=AttemptStatus.CONFIRMED, confirmed_at__isnull=True)


@rule("The statement was read from a time until a later one, and is read on soon after that")
def _read(now: datetime) -> QuerySet[StatementPull]:
    # A reading sets both: the next is hours after the end of the last, whatever the time is.
    backwards = Q(read_from__gt=F("read_until")) | Q(read_until__gt=F("next_pull_at"))
    return StatementPull.objects.filter(
        backwards | Q(next_pull_at__gt=now + MONTH) | Q(read_until__gt=now + MONTH)
    )


@rule("A provider's id is of one message alone")
def _one_each(now: datetime) -> QuerySet[Message]:
    named = Message.objects.exclude(provider_id__in=["", *WITHOUT_ID])
    other = named.filter(provider_id=OuterRef("provider_id")).exclude(pk=OuterRef("pk"))
    # SMS and mails each have an index of their ids: without it all messages would be read for each
    # stretch of them.
    same = [Q(Exists(other.filter(channel=channel))) for channel in MessageChannel]
    return named.filter(reduce(or_, same))
