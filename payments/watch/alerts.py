"""What keeps the shop from running as it should: found every minute, told once, and once when over.

Each kind is a page of docs/night.md and the name of an alert (deploy/prometheus/alerts.yaml).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from omachemainproj import heartbeats
from omachemainproj.background import enqueue
from omachemainproj.task_registry import background_task
from orders.models.notifications import Message, MessageState
from orders.notifications.sending import OUTDATED, TOO_MANY
from payments.backoffice.queues import QUEUES
from payments.models import (
    AlertMail,
    AttemptStatus,
    Channel,
    GatewayEvent,
    NightlyProof,
    OrderPayment,
    PayoutStop,
    Trouble,
)

from .alert_mails import send_alert

logger = logging.getLogger(__name__)

#: A trouble that was told of and not so for this long is over: one that comes and goes is one.
OVER_AFTER = timedelta(minutes=5)
#: A message of M-Pesa's is applied within seconds.
APPLIED_WITHIN = timedelta(minutes=5)
#: Who was silent is looked at again before anybody is told: they may just have been started, or the
#: database may have been away, which is no fault of theirs.
SILENT_FOR = timedelta(seconds=45)
#: A night's verdict is news for so long.
PROVEN_WITHIN = timedelta(hours=30)
#: Prompts are looked at that were made so lately, or that are open for so long; fewer than these
#: say nothing.
GATEWAY_LOOKED_AT = timedelta(minutes=15)
HEARD_WITHIN = timedelta(minutes=3)
FEW_PROMPTS = 5
#: A mail or an SMS leaves within seconds; in an hour so many may fail.
SENT_WITHIN = timedelta(minutes=15)
FEW_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class TroubleKind:
    """One kind of trouble. ``find`` gives a sentence where it is so, else ""."""

    name: str
    find: Callable[[datetime], str]
    #: How long it is so before anybody has to know.
    patience: timedelta = timedelta(0)


def _clock_silent(now: datetime) -> str:
    return heartbeats.missing(now).get(heartbeats.CLOCK, "")


def _worker_silent(now: datetime) -> str:
    return heartbeats.missing(now).get(heartbeats.WORKER, "")


def _books_broken(now: datetime) -> str:
    verdict = NightlyProof.objects.last_verdict()
    if verdict is None or not verdict.broken:
        return ""
    return f"the night found {len(verdict.broken)} of {verdict.rules} rules broken: " + " ".join(
        verdict.broken
    )


def _books_unproven(now: datetime) -> str:
    verdict = NightlyProof.objects.last_verdict()
    if verdict is None:
        first = NightlyProof.objects.order_by("night").first()
        is_late = first is not None and first.began_at < now - PROVEN_WITHIN
        return "no night's proof has come to its end" if is_late else ""
    if verdict.ended_at is not None and verdict.ended_at < now - PROVEN_WITHIN:
        return f"the books were last proven in the night to {verdict.night}"
    if verdict.unanswered:
        return f"{len(verdict.unanswered)} rules could not be asked: {verdict.unanswered[0]}"
    return ""


def _messages_waiting(now: datetime) -> str:
    oldest = GatewayEvent.objects.to_process().values_list("received_at", flat=True).first()
    if oldest is None or oldest > now - APPLIED_WITHIN:
        return ""
    minutes = int((now - oldest).total_seconds() // 60)
    return f"the oldest message of M-Pesa waits for {minutes} minutes to be applied"


def _money_stopped(now: datetime) -> str:
    stop = PayoutStop.objects.still_open().first()
    return f"no money leaves: {stop}" if stop else ""


def _money_stuck(now: datetime) -> str:
    counts = [(queue, queue.count(now)) for queue in QUEUES if not queue.for_information]
    waiting = [f"{queue.title}: {count}" for queue, count in counts if count]
    return "rows on the console wait for a person. " + "; ".join(waiting) if waiting else ""


def _gateway_down(now: datetime) -> str:
    tried = OrderPayment.objects.filter(
        channel=Channel.STK, created_at__gte=now - GATEWAY_LOOKED_AT, rung_at__isnull=False
    )
    if tried.exclude(checkout_request_id="").exists():
        return ""
    # What M-Pesa said of the phone or of its owner is no fault of M-Pesa's.
    not_taken = tried.filter(
        Q(status__in=(AttemptStatus.UNKNOWN, AttemptStatus.REQUESTED))
        | Q(status=AttemptStatus.FAILED, result_code__startswith="refused.")
        & ~Q(result_code__in=("refused.busy_phone", "refused.bad_request"))
    ).count()
    if not_taken < FEW_PROMPTS:
        return ""
    return f"M-Pesa took none of the last {not_taken} prompts"


def _prompts_silent(now: datetime) -> str:
    silent = OrderPayment.objects.filter(
        status=AttemptStatus.SUBMITTED,
        rung_at__lt=now - HEARD_WITHIN,
        rung_at__gte=now - timedelta(hours=1),
    ).count()
    return f"M-Pesa is silent about {silent} prompts it took" if silent >= FEW_PROMPTS else ""


def _people_not_told(now: datetime) -> str:
    late = Message.objects.filter(
        state=MessageState.DUE, next_try_at__isnull=False, created_at__lt=now - SENT_WITHIN
    ).count()
    failed = (
        Message.objects.resendable()
        .filter(tried_at__gte=now - timedelta(hours=1))
        .exclude(reason__in=(OUTDATED, TOO_MANY))
        .count()
    )
    failed += Message.objects.untold().filter(sent_at__gte=now - timedelta(hours=1)).count()
    if late or failed >= FEW_MESSAGES:
        return f"{late} messages to people wait, and {failed} have failed within an hour"
    return ""


KINDS = (
    TroubleKind("clock-silent", _clock_silent, patience=SILENT_FOR),
    TroubleKind("worker-silent", _worker_silent, patience=SILENT_FOR),
    TroubleKind("books-broken", _books_broken),
    TroubleKind("books-unproven", _books_unproven),
    TroubleKind("messages-waiting", _messages_waiting),
    TroubleKind("money-stopped", _money_stopped),
    TroubleKind("money-stuck", _money_stuck, patience=timedelta(days=1)),
    TroubleKind("gateway-down", _gateway_down, patience=timedelta(minutes=2)),
    TroubleKind("prompts-silent", _prompts_silent, patience=timedelta(minutes=2)),
    TroubleKind("people-not-told", _people_not_told, patience=timedelta(minutes=5)),
)


@background_task(calls="mail and SMS")
def watch(_: int) -> None:
    """Look for trouble, and tell of it. Never raises; safe to repeat, anywhere, at once.

    The clock does so every minute. A web process does where it finds the clock silent.
    """
    now = timezone.now()
    for kind in KINDS:
        try:
            _note(kind, kind.find(now)[:500], now)
        except Exception:
            logger.exception("whether there is trouble (%s) could not be found out", kind.name)
    try:
        for mail_id in list(AlertMail.objects.to_send(now).values_list("pk", flat=True)):
            send_alert(mail_id)
    except Exception:
        logger.exception("mails of trouble could not be sent; the next round tries again")


@receiver(heartbeats.found_silent, dispatch_uid="payments.watch_soon")
def watch_soon(**kwargs: object) -> None:
    """Let this process look for trouble beside what it is doing."""
    enqueue(watch, 0)


def _note(kind: TroubleKind, says: str, now: datetime) -> None:
    open_ = Trouble.objects.still_open().filter(kind=kind.name)
    if says:
        new = Trouble(kind=kind.name, says=says, began_at=now, seen_at=now)
        if not open_.update(says=says, seen_at=now):
            Trouble.objects.bulk_create([new], ignore_conflicts=True)
        _tell(open_.filter(told_at__isnull=True, began_at__lte=now - kind.patience), now)
    else:
        # Of what nobody was told of, the next time is another: its patience and its "Since" begin
        # when it does.
        _end(open_.filter(Q(seen_at__lte=now - OVER_AFTER) | Q(told_at__isnull=True)), now)


@transaction.atomic
def _tell(untold: QuerySet[Trouble], now: datetime) -> None:
    for trouble in untold:
        if untold.filter(pk=trouble.pk).update(told_at=now):
            logger.error("trouble (%s): %s", trouble.kind, trouble.says)
            _mail(trouble, now, is_over=False)


@transaction.atomic
def _end(gone: QuerySet[Trouble], now: datetime) -> None:
    for trouble in gone:
        if gone.filter(pk=trouble.pk).update(over_at=now) and trouble.told_at is not None:
            logger.warning("trouble is over (%s): %s", trouble.kind, trouble.says)
            _mail(trouble, now, is_over=True)


def _mail(trouble: Trouble, now: datetime, *, is_over: bool) -> None:
    if settings.ALERT_EMAIL:
        mail = AlertMail(trouble=trouble, is_over=is_over, next_try_at=now)
        AlertMail.objects.bulk_create([mail], ignore_conflicts=True)
