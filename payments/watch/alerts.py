"""Incidents: conditions that keep the shop from running properly.

They are checked every minute. Each is alerted once when it begins and once when it is over. Each
kind has a section in docs/night.md and an alert in deploy/prometheus/alerts.yaml.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from omachemainproj import heartbeats
from omachemainproj.background import enqueue
from omachemainproj.rounds import do_each
from omachemainproj.task_registry import background_task
from orders.models.notifications import Message, MessageState
from orders.notifications.sending import OUTDATED, TOO_MANY
from payments.backoffice.queues import QUEUES
from payments.checkout.messages import PAY_BILL
from payments.models import (
    AlertMail,
    AttemptStatus,
    Channel,
    GatewayEvent,
    NightlyProof,
    OrderPayment,
    PayoutStop,
    ReceiptEvidence,
    ReceiptSource,
    Trouble,
)

from .alert_mails import send_alert

logger = logging.getLogger(__name__)

#: A reported incident is over after this long without it, so that one that flaps stays one.
INCIDENT_OVER_AFTER = timedelta(minutes=5)
#: Alert mails per round; the rest is for the next.
_MAILS_PER_ROUND = 20
#: A message from M-Pesa is normally processed within seconds.
_PROCESSED_WITHIN = timedelta(minutes=5)
#: A silent process is checked again before an alert: it may have just started, or the database may
#: have been down.
SILENT_FOR = timedelta(seconds=45)
#: A duty that fails is tried again in ten seconds: the database may have been away for a moment.
_FAILING_FOR = timedelta(minutes=5)
#: The longest time between two nightly integrity checks.
_CHECKED_WITHIN = timedelta(hours=30)
#: The age of the prompts that show whether M-Pesa accepts requests.
_RECENT_PROMPTS = timedelta(minutes=15)
#: Whether M-Pesa accepts a prompt is known within this time.
_ACCEPTED_WITHIN = timedelta(seconds=45)
#: How many of the newest attempts are looked at for them.
_NEWEST_ATTEMPTS = 2_000
#: M-Pesa normally sends the result of a prompt within this time.
_RESULT_WITHIN = timedelta(minutes=3)
#: Fewer prompts than this are no evidence.
_MIN_PROMPTS = 5
#: M-Pesa normally confirms a payment at the registered address within seconds.
_CONFIRMED_WITHIN = timedelta(minutes=15)
#: The age of the payments that show whether it does.
_RECENT_PAYMENTS = timedelta(days=2)
#: How many of the newest reports are looked at for them.
_NEWEST_REPORTS = 2_000
#: A mail or an SMS is normally sent within seconds.
_MESSAGE_SENT_WITHIN = timedelta(minutes=15)
#: Failed messages within an hour that are an incident.
_MIN_FAILED_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class IncidentKind:
    """One kind of incident. ``find`` returns a sentence if it is present, otherwise ""."""

    name: str
    find: Callable[[datetime], str]
    #: How long it lasts before it is alerted.
    patience: timedelta = timedelta(0)


def _clock_silent(now: datetime) -> str:
    return heartbeats.missing(now).get(heartbeats.CLOCK, "")


def _worker_silent(now: datetime) -> str:
    return heartbeats.missing(now).get(heartbeats.WORKER, "")


def _clock_failing(now: datetime) -> str:
    duties = heartbeats.failing()
    return f"the clock cannot {', '.join(duties)}; its log says why" if duties else ""


def _books_broken(now: datetime) -> str:
    verdict = NightlyProof.objects.last_verdict()
    if verdict is None or not verdict.broken:
        return ""
    return (
        f"the nightly integrity check found {len(verdict.broken)} of {verdict.rules} rules broken: "
        + " ".join(verdict.broken)
    )


def _books_unproven(now: datetime) -> str:
    verdict = NightlyProof.objects.last_verdict()
    if verdict is None:
        first = NightlyProof.objects.order_by("night").first()
        is_late = first is not None and first.began_at < now - _CHECKED_WITHIN
        return "no nightly integrity check has completed" if is_late else ""
    if verdict.ended_at is not None and verdict.ended_at < now - _CHECKED_WITHIN:
        return f"the last nightly integrity check was on {verdict.night}"
    if verdict.unanswered:
        return f"{len(verdict.unanswered)} rules could not be checked: {verdict.unanswered[0]}"
    return ""


def _messages_waiting(now: datetime) -> str:
    oldest = GatewayEvent.objects.to_process().values_list("received_at", flat=True).first()
    if oldest is None or oldest > now - _PROCESSED_WITHIN:
        return ""
    minutes = int((now - oldest).total_seconds() // 60)
    return f"the oldest message from M-Pesa has been unprocessed for {minutes} minutes"


def _money_stopped(now: datetime) -> str:
    stop = PayoutStop.objects.still_open().first()
    return f"outgoing payments are stopped: {stop}" if stop else ""


def _money_stuck(now: datetime) -> str:
    counts = [(queue, queue.count(now)) for queue in QUEUES if not queue.for_information]
    waiting = [f"{queue.title}: {count}" for queue, count in counts if count]
    return "rows on the console need action. " + "; ".join(waiting) if waiting else ""


def _gateway_down(now: datetime) -> str:
    # No index is of all attempts by time: look among the newest.
    newest = OrderPayment.objects.order_by("-pk").values("pk")[:_NEWEST_ATTEMPTS]
    attempted = OrderPayment.objects.filter(
        pk__in=newest,
        channel=Channel.STK,
        created_at__gte=now - _RECENT_PROMPTS,
        rung_at__isnull=False,
    )
    # A refusal because of the phone or its owner does not count against M-Pesa.
    not_accepted = attempted.filter(
        Q(
            status__in=(AttemptStatus.UNKNOWN, AttemptStatus.REQUESTED),
            rung_at__lt=now - _ACCEPTED_WITHIN,
        )
        | Q(status=AttemptStatus.FAILED, result_code__startswith="refused.")
        & ~Q(result_code__in=("refused.busy_phone", "refused.bad_request"))
    )
    accepted = attempted.exclude(checkout_request_id="")
    if last_accepted := accepted.aggregate(at=Max("rung_at"))["at"]:
        not_accepted = not_accepted.filter(rung_at__gt=last_accepted)
    count = not_accepted.count()
    return f"M-Pesa accepted none of the last {count} prompts" if count >= _MIN_PROMPTS else ""


def _prompts_silent(now: datetime) -> str:
    silent = OrderPayment.objects.filter(
        status=AttemptStatus.SUBMITTED,
        rung_at__lt=now - _RESULT_WITHIN,
        rung_at__gte=now - timedelta(hours=1),
    ).count()
    return (
        f"M-Pesa has sent no result for {silent} accepted prompts" if silent >= _MIN_PROMPTS else ""
    )


def _manual_payments_unseen(now: datetime) -> str:
    """Every payment to the pay bill, also that of a prompt, is confirmed at the registered address
    (Daraja's documentation of C2B).

    Without one, nothing else tells that no address is registered, or another shop's: buyers are
    told to pay by hand, and the money is seen by the statement, hours later, or never.
    """
    if not settings.DARAJA_C2B_TOKEN or settings.DARAJA_TRANSACTION_TYPE != PAY_BILL:
        return ""
    # No index is of all reports by time: look among the newest.
    newest = ReceiptEvidence.objects.order_by("-pk").values("pk")[:_NEWEST_REPORTS]
    recent = ReceiptEvidence.objects.filter(pk__in=newest, told_at__gte=now - _RECENT_PAYMENTS)
    paid = recent.filter(source=ReceiptSource.CALLBACK, told_at__lt=now - _CONFIRMED_WITHIN)
    confirmed = recent.filter(source=ReceiptSource.C2B)
    if last_confirmed := confirmed.aggregate(at=Max("told_at"))["at"]:
        # The confirmation of a payment may come before its callback.
        paid = paid.filter(told_at__gt=last_confirmed + _CONFIRMED_WITHIN)
    count = paid.count()
    return (
        f"M-Pesa confirmed none of the last {count} payments at the address for payments by hand"
        if count >= _MIN_PROMPTS
        else ""
    )


def _people_not_notified(now: datetime) -> str:
    late = Message.objects.filter(
        state=MessageState.DUE, next_try_at__isnull=False, created_at__lt=now - _MESSAGE_SENT_WITHIN
    ).count()
    failed = (
        Message.objects.resendable()
        .filter(tried_at__gte=now - timedelta(hours=1))
        .exclude(reason__in=(OUTDATED, TOO_MANY))
        .count()
    )
    failed += (
        Message.objects.undelivered_without_email()
        .filter(sent_at__gte=now - timedelta(hours=1))
        .count()
    )
    if late or failed >= _MIN_FAILED_MESSAGES:
        return f"{late} notifications are late, and {failed} have failed within an hour"
    return ""


KINDS = (
    IncidentKind("clock-silent", _clock_silent, patience=SILENT_FOR),
    IncidentKind("worker-silent", _worker_silent, patience=SILENT_FOR),
    IncidentKind("clock-failing", _clock_failing, patience=_FAILING_FOR),
    IncidentKind("books-broken", _books_broken),
    IncidentKind("books-unproven", _books_unproven),
    IncidentKind("messages-waiting", _messages_waiting),
    IncidentKind("money-stopped", _money_stopped),
    IncidentKind("money-stuck", _money_stuck, patience=timedelta(days=1)),
    IncidentKind("gateway-down", _gateway_down, patience=timedelta(minutes=2)),
    IncidentKind("prompts-silent", _prompts_silent, patience=timedelta(minutes=2)),
    IncidentKind("manual-payments-unseen", _manual_payments_unseen),
    IncidentKind("people-not-told", _people_not_notified, patience=timedelta(minutes=5)),
)


def check_for_incidents() -> None:
    """Check for incidents and send alerts. Never raises; safe to repeat and to run concurrently.

    The clock runs it every minute. A web process runs it if it finds the clock silent.
    """
    now = timezone.now()
    for kind in KINDS:
        try:
            _update(kind, kind.find(now)[:500], now)
        except Exception:
            logger.exception("trouble (%s) could not be checked", kind.name)
    try:
        due = AlertMail.objects.to_send(now).order_by("next_try_at", "pk")
        do_each(send_alert, due.values_list("pk", flat=True), at_most=_MAILS_PER_ROUND)
    except Exception:
        logger.exception("alert mails could not be sent; the next round retries")


@background_task(calls="mail and SMS")
def watch(_: int) -> None:
    """``check_for_incidents()`` as a background task, which is about no row."""
    check_for_incidents()


@receiver(heartbeats.heartbeat_missed, dispatch_uid="payments.watch_soon")
def watch_soon(**kwargs: object) -> None:
    """Check for incidents in this process, in the background."""
    enqueue(watch, 0)


def _update(kind: IncidentKind, says: str, now: datetime) -> None:
    current = Trouble.objects.still_open().filter(kind=kind.name)
    if says:
        new = Trouble(kind=kind.name, says=says, began_at=now, seen_at=now)
        if not current.update(says=says, seen_at=now):
            Trouble.objects.bulk_create([new], ignore_conflicts=True)
        _alert(current.filter(told_at__isnull=True, began_at__lte=now - kind.patience), now)
    else:
        # An incident that was not alerted ends at once: if it returns, its patience starts again.
        _end(
            current.filter(Q(seen_at__lte=now - INCIDENT_OVER_AFTER) | Q(told_at__isnull=True)), now
        )


@transaction.atomic
def _alert(unreported: QuerySet[Trouble], now: datetime) -> None:
    for incident in unreported:
        if unreported.filter(pk=incident.pk).update(told_at=now):
            logger.error("trouble (%s): %s", incident.kind, incident.says)
            _mail(incident, now, is_over=False)


@transaction.atomic
def _end(over: QuerySet[Trouble], now: datetime) -> None:
    for incident in over:
        if over.filter(pk=incident.pk).update(over_at=now) and incident.told_at is not None:
            logger.warning("trouble is over (%s): %s", incident.kind, incident.says)
            _mail(incident, now, is_over=True)


def _mail(incident: Trouble, now: datetime, *, is_over: bool) -> None:
    if settings.ALERT_EMAIL:
        mail = AlertMail(trouble=incident, is_over=is_over, next_try_at=now)
        AlertMail.objects.bulk_create([mail], ignore_conflicts=True)
