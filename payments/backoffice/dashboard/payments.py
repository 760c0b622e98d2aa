"""Panels about payments, stuck money and payouts.

Attempts are read by the partial index payment_ended_by_time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.urls import reverse

from accounts.backoffice.change_list import COUNT_AT_MOST
from omachemainproj.expressions import SecondsBetween
from omachemainproj.money import format_kes
from payments.backoffice.charts import (
    Bars,
    Content,
    Figure,
    Link,
    Sheet,
    Table,
    draw,
    duration,
    percentage,
    percentile,
    pluralised,
)
from payments.backoffice.period import Period
from payments.backoffice.permissions import VIEW_MONEY
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

#: Labels of durations by their upper limit in seconds.
_BUCKETS = {
    10: "up to 10 s",
    20: "up to 20 s",
    30: "up to 30 s",
    45: "up to 45 s",
    60: "up to 1 min",
    120: "up to 2 min",
    300: "up to 5 min",
}
_LONGER = "longer"
_ATTEMPTS = "admin:payments_orderpayment_changelist"
_TIME_SHEET = ("seconds", "prompts")
_STUCK_SHEET = ("what", "how_many")
#: Groups of payouts that are not done: label, filter, and the query string of the admin's list.
_PAYOUT_GROUPS = (
    ("Due", Q(status=TransferStatus.DUE) & ~AWAITS_APPROVAL, "status__exact=due"),
    ("Awaiting approval", AWAITS_APPROVAL, "status__exact=due&needs_approval__exact=1"),
    (
        "On its way",
        Q(status__in=(TransferStatus.UNKNOWN, TransferStatus.SENT)),
        "status__in=unknown,sent",
    ),
    ("Rejected by M-Pesa", Q(status=TransferStatus.REFUSED), "status__exact=refused"),
)


def outcomes(period: Period) -> Content:
    """Payment attempts by outcome, and failures by reason. Two queries."""
    ended = (
        OrderPayment.objects.ended_since(period.since)
        .filter(created_at__lt=period.until)
        .values_list("status", "result_code")
        .annotate(attempts=Count("*"))
        .order_by()
    )
    by_outcome: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    codes: dict[str, list[str]] = {}
    for status, code, attempts in ended:
        by_outcome[status] += attempts
        if status == AttemptStatus.FAILED:
            by_reason[staff_label(code)] += attempts
            codes.setdefault(staff_label(code), []).append(code)
    span = period.span("created_at")
    under_way = OrderPayment.objects.under_way().filter(**span).count()
    total = by_outcome.total() + under_way
    reasons = by_reason.most_common()
    counts = {
        "Confirmed": (by_outcome[AttemptStatus.CONFIRMED], {"status__exact": "confirmed"}),
        "Failed": (by_outcome[AttemptStatus.FAILED], {"status__exact": "failed"}),
        "Not known yet": (under_way, {"status__in": ",".join(PROMPTS_UNDER_WAY)}),
    }
    failed = by_outcome[AttemptStatus.FAILED]
    points = draw((why, count, f"{count:,}", percentage(count, failed)) for why, count in reasons)
    failures = {
        why: {"status__exact": "failed", "result_code__in": ",".join(each)}
        for why, each in codes.items()
    }
    return Content(
        figures=[
            Figure(
                label,
                f"{count:,}",
                percentage(count, total),
                changelist_url(_ATTEMPTS, asked, span),
            )
            for label, (count, asked) in counts.items()
        ],
        bars=Bars(
            "Why attempts failed",
            [
                replace(each, url=changelist_url(_ATTEMPTS, failures[each.label], span))
                for each in points
            ],
            ("Reason", "Attempts", "Share"),
        ),
        empty="" if reasons else "No attempt failed.",
        sheet=Sheet(
            ("outcome", "why", "attempts"),
            [
                ("confirmed", "", by_outcome[AttemptStatus.CONFIRMED]),
                *(("failed", why, count) for why, count in reasons),
                ("not known yet", "", under_way),
            ],
        ),
    )


def time_to_pay(period: Period) -> Content:
    """Time from prompt to payment, in whole seconds. One query."""
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
    by_bucket = Counter(dict.fromkeys([*_BUCKETS.values(), _LONGER], 0))
    for seconds, prompts in by_second.items():
        bucket = next((name for most, name in _BUCKETS.items() if seconds <= most), _LONGER)
        by_bucket[bucket] += prompts
    buckets = by_bucket.items()
    return Content(
        figures=[
            Figure("Half paid within", duration(percentile(by_second, 50)), "median"),
            Figure("95% paid within", duration(percentile(by_second, 95)), "95th percentile"),
            Figure(
                "Paid prompts",
                f"{total:,}",
                "",
                changelist_url(
                    _ATTEMPTS, {"status__exact": "confirmed"}, period.span("created_at")
                ),
            ),
        ],
        bars=Bars(
            "Prompts by time to pay",
            draw((took, count, f"{count:,}", percentage(count, total)) for took, count in buckets),
            ("Time", "Prompts", "Share"),
        ),
        sheet=Sheet(_TIME_SHEET, sorted(by_second.items())),
    )


def stuck_money(period: Period) -> Content:
    """Number of rows in each console queue about money. One query per queue."""
    page = reverse("console")
    found = [
        (queue, queue.count(period.now)) for queue in QUEUES if queue.view_permission == VIEW_MONEY
    ]
    rows = [
        (
            Link(queue.title, f"{page}#{queue.key}"),
            f"{count:,} or more" if count >= COUNT_AT_MOST else f"{count:,}",
            "resolves automatically" if queue.for_information else "needs action",
        )
        for queue, count in found
        if count
    ]
    if not rows:
        return Content(empty="No money is stuck.", sheet=Sheet(_STUCK_SHEET, []))
    return Content(
        table=Table(("Queue", "Rows", "Next step"), rows),
        sheet=Sheet(_STUCK_SHEET, [(queue.title, count) for queue, count in found if count]),
    )


def payouts_due(period: Period) -> Content:
    """Earnings not in a payout yet, and open payouts by state, with KES. Two queries."""
    listed = reverse("admin:payments_payout_changelist")
    sums: dict[str, Any] = {}
    for number, (_, group, _) in enumerate(_PAYOUT_GROUPS):
        sums[f"payouts_{number}"] = Count("pk", filter=group)
        sums[f"kes_{number}"] = Sum("amount", filter=group, default=0)
    totals = Payout.objects.exclude(status=TransferStatus.DONE).aggregate(**sums)
    new = SellerShare.objects.to_pay().aggregate(
        lines=Count("pk"), amount=Sum(share_due(), default=0)
    )
    return Content(
        figures=[
            Figure(
                "Not in a payout yet",
                format_kes(new["amount"]),
                pluralised(new["lines"], "line"),
                changelist_url(
                    "admin:payments_sellershare_changelist",
                    {"payout__isempty": 1, "reversed_at__isempty": 1},
                ),
            ),
            *(
                Figure(
                    label,
                    format_kes(totals[f"kes_{number}"]),
                    pluralised(totals[f"payouts_{number}"], "payout"),
                    f"{listed}?{query}",
                )
                for number, (label, _, query) in enumerate(_PAYOUT_GROUPS)
            ),
        ],
        sheet=Sheet(
            ("waits_for", "how_many", "kes"),
            [
                ("Not in a payout yet", new["lines"], new["amount"]),
                *(
                    (label, totals[f"payouts_{number}"], totals[f"kes_{number}"])
                    for number, (label, _, _) in enumerate(_PAYOUT_GROUPS)
                ),
            ],
        ),
    )
