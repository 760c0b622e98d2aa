"""How the shop is doing: what the dashboard says, panel by panel, and who may see each.

Every read is bounded by a partial index or by a number of rows, so that it costs the same whatever
the shop has sold before (orders: order_paid_by_time; attempts: payment_ended_by_time).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from accounts.backoffice.admin import COUNT_AT_MOST
from accounts.models import User
from omachemainproj.money import format_kes
from orders.models import Order, OrderTrack, Parcel
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

from .charts import (
    Bars,
    Columns,
    Content,
    Figure,
    Link,
    Table,
    counted,
    draw,
    duration,
    part,
    percentile,
)
from .permissions import LOOKING
from .queues import QUEUES

#: Days of sales that are shown, today included.
SALES_DAYS = 30
#: Days of attempts that are shown: what goes wrong now must not drown in last month.
ATTEMPT_DAYS = 7
#: Lines that count as sold lately, the newest of the whole shop.
RECENT_LINES = 10_000
#: As few as this, or fewer, are free when stock runs out.
LOW_STOCK = 3
#: Products shown that run out.
PRODUCTS_SHOWN = 15
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


class Seconds(models.Func):
    """Whole seconds from the second moment to the first, to the nearest."""

    arity = 2
    output_field = models.IntegerField()
    template = "CAST(ROUND(EXTRACT(EPOCH FROM (%(expressions)s))) AS integer)"
    arg_joiner = " - "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="CAST(ROUND((julianday(%(expressions)s)) * 86400) AS integer)",
            arg_joiner=") - julianday(",
            **context,
        )


def sales(now: datetime) -> Content:
    """Orders that are paid, by the day they were placed, without what was paid to bring them.

    Two queries.
    """
    today = timezone.localtime(now).date()
    first = today - timedelta(days=SALES_DAYS - 1)
    paid = Order.objects.paid_since(_midnight(first))
    sold = list(
        paid.annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(orders=Count("*"), amount=Sum("amount"))
        .order_by()
    )
    of_parcels = (
        Parcel.objects.filter(order__in=paid, fee__gt=0)
        .annotate(day=TruncDate("order__created_at"))
        .values_list("day")
        .annotate(fees=Sum("fee"))
        .order_by()
    )
    fees = dict(of_parcels)
    by_day = {day: (orders, amount - fees.get(day, 0)) for day, orders, amount in sold}
    days = [first + timedelta(days=number) for number in range(SALES_DAYS)]
    series = [(day, *by_day.get(day, (0, 0))) for day in days]
    points = [
        (
            f"{day:%-d %b}",
            amount,
            f"{format_kes(amount)} in {counted(orders, 'order')}",
            _note(day == today),
        )
        for day, orders, amount in series
    ]
    rows = [
        (f"{day:%-d %b}{_note(day == today)}", f"{orders:,}", format_kes(amount))
        for day, orders, amount in reversed(series)
    ]
    return Content(
        figures=[
            _sold("Today, so far", series[-1:]),
            _sold("7 days", series[-7:]),
            _sold(f"{SALES_DAYS} days", series),
        ],
        columns=Columns(
            "KES sold by day",
            draw(points),
            Table(("Day", "Orders", "Sold"), rows),
            top=format_kes(max(amount for _, _, amount in series)),
        ),
    )


def outcomes(now: datetime) -> Content:
    """How attempts to pay ended, and why those that failed did. Two queries."""
    since = _midnight(timezone.localtime(now).date() - timedelta(days=ATTEMPT_DAYS - 1))
    ended = (
        OrderPayment.objects.ended_since(since)
        .values_list("status", "result_code")
        .annotate(attempts=Count("*"))
        .order_by()
    )
    by_end: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    for status, code, attempts in ended:
        by_end[status] += attempts
        if status == AttemptStatus.FAILED:
            by_reason[staff_label(code)] += attempts
    open_ = OrderPayment.objects.under_way().filter(created_at__gte=since).count()
    total = by_end.total() + open_
    reasons = by_reason.most_common()
    confirmed, failed = by_end[AttemptStatus.CONFIRMED], by_end[AttemptStatus.FAILED]
    return Content(
        figures=[
            Figure("Confirmed", f"{confirmed:,}", part(confirmed, total)),
            Figure("Failed", f"{failed:,}", part(failed, total)),
            Figure("Not known yet", f"{open_:,}", part(open_, total)),
        ],
        bars=Bars(
            "Why attempts failed",
            draw((reason, count, f"{count:,}", part(count, failed)) for reason, count in reasons),
            ("Why", "Attempts", "Part"),
        ),
        empty="" if reasons else "No attempt failed.",
    )


def time_to_pay(now: datetime) -> Content:
    """How long it took from a phone's ringing to the money, in whole seconds. One query."""
    since = _midnight(timezone.localtime(now).date() - timedelta(days=ATTEMPT_DAYS - 1))
    paid = (
        OrderPayment.objects.ended_since(since)
        .filter(status=AttemptStatus.CONFIRMED, rung_at__isnull=False)
        .values_list(Seconds(F("confirmed_at"), F("rung_at")))
        .annotate(prompts=Count("*"))
        .order_by()
    )
    by_second: Counter[int] = Counter()
    for seconds, prompts in paid:
        by_second[max(seconds, 0)] += prompts
    if not by_second:
        return Content(empty="No prompt was paid.")
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
            Figure("Prompts paid", f"{total:,}"),
        ],
        bars=Bars(
            "Prompts by the time they took",
            draw((took, count, f"{count:,}", part(count, total)) for took, count in buckets),
            ("Took", "Prompts", "Part"),
        ),
    )


def stuck_money(now: datetime) -> Content:
    """How many rows the console's queues hold. One query a queue."""
    page = reverse("console")
    found = [(queue, queue.count(now)) for queue in QUEUES if queue.looking == LOOKING]
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
        return Content(empty="No money is stuck.")
    return Content(table=Table(("What", "How many", "And then"), rows))


def stock_running_out(now: datetime) -> Content:
    """Listed products of which few are free, the best sold lately first. Two queries."""
    newest = OrderTrack.objects.aggregate(newest=Max("pk"))["newest"] or 0
    products = (
        OrderTrack.objects.sold_after(newest - RECENT_LINES)
        .filter(product__listed=True, product__item_number__lte=F("product__held") + LOW_STOCK)
        .values_list("product", "product__name", "product__seller__username")
        .annotate(sold=Sum("number"), free=F("product__item_number") - F("product__held"))
        .order_by("free", "-sold", "product")[:PRODUCTS_SHOWN]
    )
    rows = [
        (
            Link(name, reverse("admin:products_product_change", args=[pk])),
            seller,
            f"{free:,}",
            f"{sold:,}",
        )
        for pk, name, seller, sold, free in products
    ]
    if not rows:
        return Content(empty="Nothing that sold lately runs out.")
    return Content(table=Table(("Product", "Seller", "Free", "Sold lately"), rows))


def payouts_due(now: datetime) -> Content:
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
                "Gathered for a payout", format_kes(new["amount"]), counted(new["lines"], "line")
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
        ]
    )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _sold(label: str, series: list[tuple[Any, int, int]]) -> Figure:
    orders = sum(each for _, each, _ in series)
    return Figure(
        label, format_kes(sum(amount for _, _, amount in series)), counted(orders, "order")
    )


def _note(is_today: bool) -> str:
    return ", so far" if is_today else ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the dashboard: who may see it, and what it says now."""

    key: str
    title: str
    about: str
    permission: str
    read: Callable[[datetime], Content]


#: What the dashboard shows, from the top. Another is a function above, and an entry here.
PANELS = (
    Panel(
        "sales",
        "Sales",
        "Orders that are paid, by the day they were placed: their goods, without delivery fees. "
        "What was returned since is in them.",
        "orders.view_order",
        sales,
    ),
    Panel(
        "outcomes",
        "Payments by outcome",
        f"Attempts to pay that began in the last {ATTEMPT_DAYS} days.",
        "payments.view_orderpayment",
        outcomes,
    ),
    Panel(
        "time-to-pay",
        "From prompt to paid",
        "From the moment M-Pesa was asked until the money was here, in the last "
        f"{ATTEMPT_DAYS} days.",
        "payments.view_orderpayment",
        time_to_pay,
    ),
    Panel(
        "stuck",
        "Stuck money",
        "What the console holds now; each leads to it.",
        "payments.view_receipt",
        stuck_money,
    ),
    Panel(
        "payouts",
        "Payouts due",
        "What sellers have earned and do not have yet.",
        "payments.view_payout",
        payouts_due,
    ),
    Panel(
        "stock",
        "Stock running out",
        f"Listed, {LOW_STOCK} or fewer free, and among the shop’s last {RECENT_LINES:,} lines.",
        "products.view_product",
        stock_running_out,
    ),
)


def panels_for(user: User | AnonymousUser) -> list[Panel]:
    """The panels this person may see."""
    return [panel for panel in PANELS if user.has_perm(panel.permission)]
