"""Metrics that are read from the database at each scrape, so they cover all processes.

Each group is a few bounded reads. One that fails is left out; ``omache_scrape_failed`` names it.
"""

from __future__ import annotations

import logging
import platform
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.backoffice.change_list import COUNT_AT_MOST
from omachemainproj import heartbeats
from omachemainproj.background import task_broker
from omachemainproj.expressions import SecondsBetween
from omachemainproj.health import accepts_writes
from omachemainproj.models import Heartbeat
from orders.models.notifications import Message, MessageState, Notice
from payments.backoffice.charts import percentile
from payments.backoffice.queues import QUEUES
from payments.checkout.failures import failure_code
from payments.models import (
    AttemptStatus,
    GatewayEvent,
    NightlyProof,
    OrderPayment,
    Payout,
    Refund,
    TransferStatus,
    Trouble,
)

from .alerts import KINDS

logger = logging.getLogger(__name__)

#: Prompts are counted that were created or ended within this time.
_RECENT = timedelta(hours=1)

Families = Iterator[GaugeMetricFamily]


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"omache_{name}", about, labels=labels)


def _one(name: str, about: str, value: float) -> GaugeMetricFamily:
    family = _gauge(name, about)
    family.add_metric((), value)
    return family


def _age(now: datetime, moment: datetime | None) -> float:
    """The age in seconds; 0 for None."""
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)


def _writes(now: datetime) -> Families:
    yield _one(
        "database_accepts_writes",
        "Whether the database accepts writes: a standby and a read-only server only answer.",
        float(accepts_writes()),
    )


def _heartbeats(now: datetime) -> Families:
    ages = _gauge(
        "heartbeat_age_seconds",
        "Seconds since the last heartbeat of the clock or a worker.",
        "process",
    )
    for process, at in Heartbeat.objects.values_list("process", "at"):
        ages.add_metric((process,), _age(now, at))
    yield ages
    yield _one(
        "clock_failing_duties",
        "Duties that failed in the clock's last round.",
        len(heartbeats.failing()),
    )


def _proof(now: datetime) -> Families:
    verdict = NightlyProof.objects.last_verdict()
    if verdict is None:
        return
    yield _one(
        "proof_age_seconds",
        "Seconds since the last nightly integrity check ended.",
        _age(now, verdict.ended_at),
    )
    yield _one("proof_rules", "Rules in the last nightly integrity check.", verdict.rules)
    yield _one("proof_broken_rules", "Rules it found broken.", len(verdict.broken))
    yield _one("proof_unanswered_rules", "Rules it could not check.", len(verdict.unanswered))


def _gateway_messages(now: datetime) -> Families:
    waiting = GatewayEvent.objects.to_process()
    oldest = waiting.values_list("received_at", flat=True).first()
    count = waiting.order_by()[:COUNT_AT_MOST].count()
    yield _one(
        "gateway_messages_waiting", "Messages from M-Pesa that are not processed yet.", count
    )
    yield _one("gateway_message_oldest_seconds", "Age of the oldest one.", _age(now, oldest))


def _console(now: datetime) -> Families:
    rows = _gauge(
        "console_rows",
        "Rows on the console by queue, at most 1000, and whether they need action.",
        "queue",
        "needs",
    )
    for queue in QUEUES:
        needs = "nobody" if queue.for_information else "person"
        rows.add_metric((queue.key, needs), queue.count(now))
    yield rows


def _messages(now: datetime) -> Families:
    waiting = _gauge("messages_waiting", "Mail and SMS that are due.", "channel")
    oldest = _gauge("message_oldest_seconds", "Age of the oldest one.", "channel")
    due = Message.objects.filter(state=MessageState.DUE, next_try_at__isnull=False)
    rows = due.order_by().values_list("channel").annotate(Count("pk"), Min("created_at"))
    by_channel = {channel: (count, first) for channel, count, first in rows}
    for channel in ("email", "sms"):
        count, first = by_channel.get(channel, (0, None))
        waiting.add_metric((channel,), count)
        oldest.add_metric((channel,), _age(now, first))
    yield from (waiting, oldest)
    unsent = Message.objects.resendable().order_by()[:COUNT_AT_MOST].count()
    yield _one("messages_not_sent", "Mail and SMS that failed or may not have been sent.", unsent)
    undelivered = Message.objects.undelivered_without_email().order_by()[:COUNT_AT_MOST].count()
    yield _one(
        "sms_not_delivered",
        "SMS that were not delivered and had no e-mail with the same content.",
        undelivered,
    )
    notices = Notice.objects.to_compose().order_by()[:COUNT_AT_MOST].count()
    yield _one("notices_waiting", "Notifications that are not composed yet.", notices)


def _prompts(now: datetime) -> Families:
    since = now - _RECENT
    lately = _gauge(
        "prompts_last_hour", "Payment attempts of the last hour, by outcome.", "outcome"
    )
    ended = (
        OrderPayment.objects.ended_since(since)
        .order_by()
        .values_list("status", "result_code")
        .annotate(Count("pk"))
    )
    outcomes = Counter({AttemptStatus.CONFIRMED.value: 0})
    for status, code, count in ended:
        outcomes["confirmed" if status == AttemptStatus.CONFIRMED else failure_code(code)] += count
    outcomes["open"] = OrderPayment.objects.under_way().filter(created_at__gte=since).count()
    for outcome, count in outcomes.items():
        lately.add_metric((outcome,), count)
    yield lately
    durations = _gauge(
        "prompt_seconds",
        "Attempts that ended in the last hour: seconds from the order to the push (sent), and from "
        "the push to the payment (answered).",
        "stage",
        "quantile",
    )
    stages = {
        "sent": (F("rung_at"), F("created_at"), {}),
        "answered": (F("confirmed_at"), F("rung_at"), {"status": AttemptStatus.CONFIRMED}),
    }
    for stage, (end, begin, only) in stages.items():
        by_second: Counter[int] = Counter()
        found = (
            OrderPayment.objects.ended_since(since)
            .filter(rung_at__isnull=False, **only)
            .order_by()
            .values_list(SecondsBetween(end, begin))
            .annotate(Count("pk"))
        )
        for seconds, count in found:
            by_second[max(seconds, 0)] += count
        if by_second:
            durations.add_metric((stage, "0.5"), percentile(by_second, 50))
            durations.add_metric((stage, "0.95"), percentile(by_second, 95))
    yield durations


def _transfers(now: datetime) -> Families:
    counts = _gauge(
        "transfers", "Payouts and refunds that are not done, by state.", "kind", "status"
    )
    money = _gauge("transfers_kes", "KES of those transfers.", "kind", "status")
    for kind, model in (("payout", Payout), ("refund", Refund)):
        statuses = [TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT]
        statuses.append(TransferStatus.REFUSED)
        totals: dict[str, tuple[int, int]] = {}
        rows = model._default_manager.filter(status__in=statuses).order_by()
        for status, amount in rows.values_list("status", "amount")[: 10 * COUNT_AT_MOST]:
            count, kes = totals.get(status, (0, 0))
            totals[status] = count + 1, kes + amount
        for status in statuses:
            count, kes = totals.get(status, (0, 0))
            counts.add_metric((kind, status), count)
            money.add_metric((kind, status), kes)
    yield from (counts, money)
    done = _gauge("transfers_done_last_day", "Payouts and refunds done within a day.", "kind")
    for kind, model in (("payout", Payout), ("refund", Refund)):
        # Among the newest only, since there is no index on done_at.
        lately = model._default_manager.order_by("-pk")[:COUNT_AT_MOST].values("pk")
        rows = model._default_manager.filter(pk__in=lately, done_at__gte=now - timedelta(days=1))
        done.add_metric((kind,), rows.count())
    yield done


class _CircuitOpenError(Exception):
    """The service failed recently and is not called now."""


def _broker(now: datetime) -> Families:
    if not settings.CELERY_BROKER_URL:
        return
    if task_broker.is_open:
        raise _CircuitOpenError
    # Imported here, so that a shop without a broker does not load Celery.
    from omachemainproj.celery import queue_length  # noqa: PLC0415

    yield _one("broker_tasks", "Tasks in Celery's queue.", queue_length())


def _incidents(now: datetime) -> Families:
    reported = set(Trouble.objects.alerted().values_list("kind", flat=True))
    active = _gauge("trouble", "1 while this trouble is reported (ALERT_EMAIL gets these).", "kind")
    for kind in KINDS:
        active.add_metric((kind.name,), float(kind.name in reported))
    yield active


#: By the name that ``omache_scrape_failed`` gives.
GROUPS: dict[str, Callable[[datetime], Families]] = {
    "writes": _writes,
    "heartbeats": _heartbeats,
    "proof": _proof,
    "gateway_messages": _gateway_messages,
    "console": _console,
    "messages": _messages,
    "prompts": _prompts,
    "transfers": _transfers,
    "broker": _broker,
    "troubles": _incidents,
}


class _DatabaseCollector(Collector):
    """Reads all groups when collected."""

    def collect(self) -> Iterator[Metric]:
        build = _gauge("build_info", "The running version.", "version", "python", "database")
        build.add_metric((settings.RELEASE, platform.python_version(), connection.vendor), 1)
        yield build
        now = timezone.now()
        failed = _gauge(
            "scrape_failed", "1 if this group could not be read from the database.", "group"
        )
        is_up = _is_up()
        yield _one("database_up", "Whether the database answers.", float(is_up))
        for name, read in GROUPS.items():
            try:
                found = list(read(now)) if is_up else None
            except _CircuitOpenError:
                found = None
            except Exception:
                logger.exception("the metrics of %s could not be read", name)
                found = None
            failed.add_metric((name,), float(found is None))
            yield from found or ()
        yield failed


def _is_up() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return False
    return True


def read_now() -> CollectorRegistry:
    """A registry that reads the database when it is collected."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_DatabaseCollector())
    return registry
