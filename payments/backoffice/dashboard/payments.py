"""Panels about payments, stuck money and payouts.

Attempts are read by the partial index payment_ended_by_time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.urls import reverse

from accounts.backoffice.admin import COUNT_AT_MOST
from omachemainproj.expressions import SecondsBetween
from omachemainproj.money import format_kes
from payments.backoffice.charts import (
    Bars,
    Content,
    Figure,
    Link,
    Sheet,
    Table,
    counted,
    draw,
    duration,
    part,
    percentile,
)
from payments.backoffice.period import Period
from payments.backoffice.permissions import LOOKING
from payments.backoffice.queues import QUEUES
from payments.checkout.failures import staff_label
from payments.models import (
    AWAITS_APPROVAL,
    AttemptStatus,
    OrderPayment,
    Payout,
    SellerShare,
    TransferStatus,
    share_due,
)
from payments.models.order_payments import PROMPTS_UNDER_WAY

from .links import changelist_url

#: By the seconds a prompt may take at most: how that is read.
BUCKETS = {
    10: "up to 10 s",
    20: "up to 20 s",
    30: "up to 30 s",
    45: "up to 45 s",
    60: "up to 1 min",
    120: "up to 2 min",
    300: "up to 5 min",
}
LONGER = "longer"
_ATTEMPTS = "admin:payments_orderpayment_changelist"
_TIME_SHEET = ("seconds", "prompts")
_STUCK_SHEET = ("what", "how_many")
#: What payouts wait for, and the query of the admin's list of those that do.
PAYOUT_GROUPS = (
    ("Due", Q(status=TransferStatus.DUE) & ~AWAITS_APPROVAL, "status__exact=due"),
    ("Waits for approval", AWAITS_APPROVAL, "status__exact=due&needs_approval__exact=1"),
    (
        "On its way",
        Q(status__in=(TransferStatus.UNKNOWN, TransferStatus.SENT)),
        "status__in=unknown,sent",
    ),
    ("Refused by M-Pesa", Q(status=TransferStatus.REFUSED), "status__exact=refused"),
)


def outcomes(period: Period) -> Content:
    """How attempts to pay ended, and why those that failed did. Two queries."""
    ended = (
        OrderPayment.objects.ended_since(period.since)
        .filter(created_at__lt=period.until)
        .values_list("status", "result_code")
        .annotate(attempts=Count("*"))
        .order_by()
    )
    by_end: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    codes: dict[str, list[str]] = {}
    for status, code, attempts in ended:
        by_end[status] += attempts
        if status == AttemptStatus.FAILED:
            by_reason[staff_label(code)] += attempts
            codes.setdefault(staff_label(code), []).append(code)
    span = period.span("created_at")
    open_ = OrderPayment.objects.under_way().filter(**span).count()
    total = by_end.total() + open_
    reasons = by_reason.most_common()
    counts = {
        "Confirmed": (by_end[AttemptStatus.CONFIRMED], {"status__exact": "confirmed"}),
        "Failed": (by_end[AttemptStatus.FAILED], {"status__exact": "failed"}),
        "Not known yet": (open_, {"status__in": ",".join(PROMPTS_UNDER_WAY)}),
    }
    failed = by_end[AttemptStatus.FAILED]
    points = draw((why, count, f"{count:,}", part(count, failed)) for why, count in reasons)
    failures = {
        why: {"status__exact": "failed", "result_code__in": ",".join(each)}
        for why, each in codes.items()
    }
    return Content(
        figures=[
            Figure(label, f"{count:,}", part(count, total), changelist_url(_ATTEMPTS, asked, span))
            for label, (count, asked) in counts.items()
        ],
        bars=Bars(
            "Why attempts failed",
            [
                replace(each, url=changelist_url(_ATTEMPTS, failures[each.label], span))
                for each in points
            ],
            ("Why", "Attempts", "Part"),
        ),
        empty="" if reasons else "No attempt failed.",
        sheet=Sheet(
            ("outcome", "why", "attempts"),
            [
                ("confirmed", "", by_end[AttemptStatus.CONFIRMED]),
                *(("failed", why, count) for why, count in reasons),
                ("not known yet", "", open_),
            ],
        ),
    )


def time_to_pay(period: Period) -> Content:
    """How long it took from a phone's ringing to the money, in whole seconds. One query."""
    paid = (
        OrderPayment.objects.ended_since(period.since)
        .filter(created_at__lt=period.until)
        .filter(status=AttemptStatus.CONFIRMED, rung_at__isnull=False)
        .values_list(SecondsBetween(F("confirmed_at"), F("rung_at")))
        .annotate(prompts=Count("*"))
        .order_by()
    )
    by_second: Counter[int] = Counter()
    for seconds, prompts in paid:
        by_second[max(seconds, 0)] += prompts
    if not by_second:
        return Content(empty="No prompt was paid.", sheet=Sheet(_TIME_SHEET, []))
    total = by_second.total()
    by_bucket = Counter(dict.fromkeys([*BUCKETS.values(), LONGER], 0))
    for seconds, prompts in by_second.items():
        bucket = next((name for most, name in BUCKETS.items() if seconds <= most), LONGER)
        by_bucket[bucket] += prompts
    buckets = by_bucket.items()
    return Content(
        figures=[
            Figure("Half were paid within", duration(percentile(by_second, 50)), "median"),
            Figure("19 in 20 within", duration(percentile(by_second, 95)), "95th percentile"),
            Figure(
                "Prompts paid",
                f"{total:,}",
                "",
                changelist_url(
                    _ATTEMPTS, {"status__exact": "confirmed"}, period.span("created_at")
                ),
            ),
        ],
        bars=Bars(
            "Prompts by the time they took",
            draw((took, count, f"{count:,}", part(count, total)) for took, count in buckets),
            ("Took", "Prompts", "Part"),
        ),
        sheet=Sheet(_TIME_SHEET, sorted(by_second.items())),
    )


def stuck_money(period: Period) -> Content:
    """How many rows the console's queues hold. One query a queue."""
    page = reverse("console")
    found = [(queue, queue.count(period.now)) for queue in QUEUES if queue.looking == LOOKING]
    rows = [
        (
            Link(queue.title, f"{page}#{queue.key}"),
            f"{count:,} or more" if count >= COUNT_AT_MOST else f"{count:,}",
            "goes on by itself" if queue.for_information else "needs a person",
        )
        for queue, count in found
        if count
    ]
    if not rows:
        return Content(empty="No money is stuck.", sheet=Sheet(_STUCK_SHEET, []))
    return Content(
        table=Table(("What", "How many", "And then"), rows),
        sheet=Sheet(_STUCK_SHEET, [(queue.title, count) for queue, count in found if count]),
    )


def payouts_due(period: Period) -> Content:
    """What sellers wait for, in four groups: payouts and KES. Two queries."""
    listed = reverse("admin:payments_payout_changelist")
    sums: dict[str, Any] = {}
    for number, (_, group, _) in enumerate(PAYOUT_GROUPS):
        sums[f"payouts_{number}"] = Count("pk", filter=group)
        sums[f"kes_{number}"] = Sum("amount", filter=group, default=0)
    found = Payout.objects.exclude(status=TransferStatus.DONE).aggregate(**sums)
    new = SellerShare.objects.to_pay().aggregate(
        lines=Count("pk"), amount=Sum(share_due(), default=0)
    )
    return Content(
        figures=[
            Figure(
                "Gathered for a payout",
                format_kes(new["amount"]),
                counted(new["lines"], "line"),
                changelist_url(
                    "admin:payments_sellershare_changelist",
                    {"payout__isempty": 1, "reversed_at__isempty": 1},
                ),
            ),
            *(
                Figure(
                    label,
                    format_kes(found[f"kes_{number}"]),
                    counted(found[f"payouts_{number}"], "payout"),
                    f"{listed}?{query}",
                )
                for number, (label, _, query) in enumerate(PAYOUT_GROUPS)
            ),
        ],
        sheet=Sheet(
            ("waits_for", "how_many", "kes"),
            [
                ("Gathered for a payout", new["lines"], new["amount"]),
                *(
                    (label, found[f"payouts_{number}"], found[f"kes_{number}"])
                    for number, (label, _, _) in enumerate(PAYOUT_GROUPS)
                ),
            ],
        ),
    )
