"""How the shop is doing: what the dashboard says, panel by panel, and who may see each.

Every read is bounded by a partial index or by a number of rows, so that it costs the same whatever
the shop has sold before (orders: order_paid_by_time; attempts: payment_ended_by_time).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Greatest, TruncDate
from django.urls import reverse
from django.utils import timezone

from accounts.backoffice.admin import COUNT_AT_MOST
from accounts.backoffice.formats import NOTHING, write_day
from accounts.models import User
from omachemainproj.money import format_kes
from orders.models import Order, OrderTrack, Parcel, Problem, commission_left, price_left
from orders.models.line_status import SOLD_LINE_STATUSES
from orders.models.orders import OrderQuerySet
from orders.models.problems import ProblemState
from payments.checkout.failures import staff_label
from payments.models import (
    AWAITS_APPROVAL,
    AttemptStatus,
    OrderPayment,
    Payout,
    RefundDay,
    SellerShare,
    TransferStatus,
    share_due,
)
from payments.models.order_payments import PROMPTS_UNDER_WAY

from .charts import (
    Bars,
    Columns,
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
from .period import Period
from .permissions import LOOKING
from .queues import QUEUES, late_problems

#: Goods and sellers shown that sell best.
BEST = 10
#: Lines that count as sold lately, the newest of the whole shop.
RECENT_LINES = 10_000
#: Of goods that sell so few free that the shop has next to none: less than where their seller is
#: reminded to restock (products.catalogue.filters.LOW_STOCK).
NEARLY_SOLD_OUT = 3
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
_ORDERS = "admin:orders_order_changelist"
_ATTEMPTS = "admin:payments_orderpayment_changelist"
_PAID = {"payment_status__exact": "paid"}
_LATE_SHEET = ("order", "seller", "carried_by", "agreed_for")
_TIME_SHEET = ("seconds", "prompts")
_GOODS_SHEET = ("product", "name", "seller", "pieces", "sold_kes")
_SELLERS_SHEET = ("seller", "lines", "sold_kes")
_STUCK_SHEET = ("what", "how_many")
_STOCK_SHEET = ("product", "name", "seller", "free", "sold_lately")
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


class DaysAfter(models.Func):
    """The moment so many days (the second) after another (the first)."""

    arity = 2
    output_field = models.DateTimeField()
    template = "(%(expressions)s * interval '1 day')"
    arg_joiner = " + "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', %(expressions)s || ' days')",
            arg_joiner=", ",
            **context,
        )


def sales(period: Period) -> Content:
    """Orders that are paid, by the day they were placed, without what was paid to bring them.

    Two queries.
    """
    paid = _paid(period)
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
    series = [(day, *by_day.get(day, (0, 0))) for day in period.days]
    points = [
        (
            f"{day:%-d %b}",
            amount,
            f"{format_kes(amount)} in {counted(orders, 'order')}",
            _note(day == period.today),
        )
        for day, orders, amount in series
    ]
    rows = [
        (
            Link(_named(day, period), _listed(_ORDERS, _PAID, period.span("created_at", day))),
            f"{orders:,}",
            format_kes(amount),
        )
        for day, orders, amount in reversed(series)
    ]
    orders = sum(number for _, number, _ in series)
    amount = sum(money for _, _, money in series)
    listed = _listed(_ORDERS, _PAID, period.span("created_at"))
    return Content(
        figures=[
            Figure("Sold", format_kes(amount), counted(orders, "order"), listed),
            Figure("Average order", format_kes(round(amount / orders)) if orders else NOTHING),
        ],
        columns=Columns(
            "KES sold by day",
            draw(points),
            Table(("Day", "Orders", "Sold"), rows),
            top=format_kes(max(amount for _, _, amount in series)),
        ),
        sheet=Sheet(("day", "orders", "sold_kes"), series),
    )


def shops_share(period: Period) -> Content:
    """The shop's commission on what was sold, as far as it was not given back, and what was sent
    back to buyers, by day.

    Two queries.
    """
    agreed = (
        OrderTrack.objects.filter(order__in=_paid(period), track_status__in=SOLD_LINE_STATUSES)
        .annotate(day=TruncDate("order__created_at"))
        .values_list("day")
        .annotate(kept=Sum(commission_left()))
        .order_by()
    )
    sent = RefundDay.objects.filter(day__range=(period.first, period.last))
    commission, refunds = dict(agreed), dict(sent.values_list("day", "sent"))
    series = [(day, commission.get(day, 0), refunds.get(day, 0)) for day in period.days]
    to_refunds = reverse("admin:payments_refundday_changelist")
    rows = [
        (_named(day, period), format_kes(earned), format_kes(back))
        for day, earned, back in reversed(series)
    ]
    span = urlencode({"day__gte": period.first, "day__lte": period.last})
    shares = _listed("admin:payments_sellershare_changelist", {}, period.span("created_at"))
    return Content(
        figures=[
            Figure("Commission", format_kes(sum(each for _, each, _ in series)), "", shares),
            Figure(
                "Sent back to buyers",
                format_kes(sum(each for _, _, each in series)),
                "",
                f"{to_refunds}?{span}",
            ),
        ],
        columns=Columns(
            "Commission by day, KES",
            draw(
                (f"{day:%-d %b}", earned, format_kes(earned), _note(day == period.today))
                for day, earned, _ in series
            ),
            Table(("Day", "Commission", "Sent back"), rows),
            top=format_kes(max(earned for _, earned, _ in series)),
        ),
        sheet=Sheet(("day", "commission_kes", "sent_back_kes"), series),
    )


def new_people(period: Period) -> Content:
    """Who opened an account, by day; guests have none. One query."""
    joined = (
        User.objects.filter(guest__isnull=True, **period.span("date_joined"))
        .annotate(day=TruncDate("date_joined"))
        .values_list("day")
        .annotate(people=Count("*"))
        .order_by()
    )
    by_day = dict(joined)
    series = [(day, by_day.get(day, 0)) for day in period.days]
    listed = partial(_listed, "admin:accounts_user_changelist", {"kind": "account"})
    rows = [
        (Link(_named(day, period), listed(period.span("date_joined", day))), f"{people:,}")
        for day, people in reversed(series)
    ]
    return Content(
        figures=[
            Figure(
                "New people",
                f"{sum(by_day.values()):,}",
                "",
                listed(period.span("date_joined")),
            )
        ],
        columns=Columns(
            "New people by day",
            draw(
                (f"{day:%-d %b}", people, f"{people:,}", _note(day == period.today))
                for day, people in series
            ),
            Table(("Day", "New people"), rows),
            top=f"{max(people for _, people in series):,}",
        ),
        sheet=Sheet(("day", "new_people"), series),
    )


def best_goods(period: Period) -> Content:
    """The products of which most pieces were sold. One query."""
    sold = list(
        _lines(period)
        .values_list("product", "product__name", "product__seller__username")
        .annotate(pieces=Sum("number"), sold=Sum(price_left()))
        .order_by("-pieces", "-sold", "product")[:BEST]
    )
    if not sold:
        return Content(empty="Nothing was sold.", sheet=Sheet(_GOODS_SHEET, []))
    page = "admin:products_product_change"
    rows = [
        (Link(name, reverse(page, args=[pk])), seller, f"{pieces:,}", format_kes(amount))
        for pk, name, seller, pieces, amount in sold
    ]
    return Content(
        table=Table(("Product", "Seller", "Pieces", "Sold"), rows),
        sheet=Sheet(_GOODS_SHEET, sold),
    )


def best_sellers(period: Period) -> Content:
    """The sellers who sold most, in KES. One query."""
    sold = list(
        _lines(period)
        .values_list("seller", "seller__username")
        .annotate(lines=Count("*"), value=Sum(price_left()))
        .order_by("-value", "seller")[:BEST]
    )
    if not sold:
        return Content(empty="Nothing was sold.", sheet=Sheet(_SELLERS_SHEET, []))
    lines = "admin:orders_ordertrack_changelist"
    rows = [
        (
            Link(name, _listed(lines, {"seller__exact": pk}, period.span("created_at"))),
            f"{count:,}",
            format_kes(value),
        )
        for pk, name, count, value in sold
    ]
    return Content(
        table=Table(("Seller", "Lines", "Sold"), rows),
        sheet=Sheet(_SELLERS_SHEET, [each for _, *each in sold]),
    )


def open_problems(period: Period) -> Content:
    """Problems with goods that are not closed now. Two queries."""
    found = Counter(
        dict(
            Problem.objects.exclude(state=ProblemState.CLOSED)
            .values_list("state")
            .annotate(problems=Count("*"))
            .order_by()
        )
    )
    listed = "admin:orders_problem_changelist"
    late = late_problems(period.now).order_by()[:COUNT_AT_MOST].count()
    figures = [
        ("Open", found[ProblemState.OPEN], _listed(listed, {"state__exact": "open"})),
        (
            "Goods on their way back",
            found[ProblemState.RETURNING],
            _listed(listed, {"state__exact": "returning"}),
        ),
        ("Wait for the shop", late, f"{reverse('console')}#problems"),
    ]
    return Content(
        figures=[Figure(label, f"{count:,}", "", url) for label, count, url in figures],
        sheet=Sheet(("problems", "how_many"), [(label, count) for label, count, _ in figures]),
    )


def late_parcels(period: Period) -> Content:
    """Parcels that are not with their buyers after the days that were agreed. One query.

    What waits at its pick-up point has come, and is its buyer's to fetch.
    """
    # Of each parcel its first line, from the oldest order on (track_to_bring), until there are
    # enough: grouped by parcel, all of them would be joined and sorted.
    open_ = OrderTrack.objects.to_fulfil().filter(parcel__isnull=False)
    first = ~Exists(open_.filter(parcel=OuterRef("parcel"), pk__lt=OuterRef("pk")))
    found = sorted(
        open_.filter(first, parcel__arrived_at__isnull=True)
        # What was to come the same day is late a day later.
        .annotate(due=DaysAfter("order__created_at", Greatest("order__delivery__days", 1)))
        .filter(due__lt=period.now)
        .values_list(
            "order",
            "order__reference",
            "seller__username",
            "parcel__agent__username",
            "order__created_at",
            "due",
        )
        .order_by("order")[:COUNT_AT_MOST],
        key=itemgetter(4, 0),
    )
    if not found:
        return Content(empty="No parcel is late.", sheet=Sheet(_LATE_SHEET, []))
    page = "admin:orders_order_change"
    rows = [
        (
            Link(reference, reverse(page, args=[order])),
            seller,
            agent or "nobody yet",
            write_day(timezone.localtime(due)),
        )
        for order, reference, seller, agent, _, due in found[:PRODUCTS_SHOWN]
    ]
    count = f"{len(found):,}{' or more' if len(found) == COUNT_AT_MOST else ''}"
    return Content(
        figures=[Figure("Late", count, "", f"{reverse('parcels-console')}?part=fetch")],
        table=Table(("Order", "Seller", "Carried by", "Agreed for"), rows),
        sheet=Sheet(
            _LATE_SHEET,
            [
                (reference, seller, agent or "", timezone.localtime(due).date())
                for _, reference, seller, agent, _, due in found
            ],
        ),
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
            Figure(label, f"{count:,}", part(count, total), _listed(_ATTEMPTS, asked, span))
            for label, (count, asked) in counts.items()
        ],
        bars=Bars(
            "Why attempts failed",
            [replace(each, url=_listed(_ATTEMPTS, failures[each.label], span)) for each in points],
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
        .values_list(Seconds(F("confirmed_at"), F("rung_at")))
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
                _listed(_ATTEMPTS, {"status__exact": "confirmed"}, period.span("created_at")),
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


def stock_running_out(period: Period) -> Content:
    """Listed products of which few are free, the best sold lately first. Two queries."""
    newest = OrderTrack.objects.aggregate(newest=Max("pk"))["newest"] or 0
    products = list(
        OrderTrack.objects.sold_after(newest - RECENT_LINES)
        .filter(
            product__listed=True, product__item_number__lte=F("product__held") + NEARLY_SOLD_OUT
        )
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
        return Content(empty="Nothing that sold lately runs out.", sheet=Sheet(_STOCK_SHEET, []))
    return Content(
        table=Table(("Product", "Seller", "Free", "Sold lately"), rows),
        sheet=Sheet(
            _STOCK_SHEET,
            [(pk, name, seller, free, sold) for pk, name, seller, sold, free in products],
        ),
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
                _listed(
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


def _paid(period: Period) -> OrderQuerySet:
    return Order.objects.paid_since(period.since).filter(created_at__lt=period.until)


def _lines(period: Period) -> QuerySet[OrderTrack]:
    """The lines of orders that were placed and paid; those given back since are not sold."""
    return OrderTrack.objects.filter(order__in=_paid(period), track_status__in=SOLD_LINE_STATUSES)


def _listed(name: str, asked: dict[str, Any], span: dict[str, datetime] | None = None) -> str:
    """The admin's list that holds the rows behind a number."""
    times = {column: timezone.localtime(at).isoformat() for column, at in (span or {}).items()}
    return f"{reverse(name)}?{urlencode({**asked, **times})}"


def _named(day: date, period: Period) -> str:
    return f"{day:%-d %b}{_note(day == period.today)}"


def _note(is_today: bool) -> str:
    return ", so far" if is_today else ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the dashboard: who may see it, and what it says of a period, or of now."""

    key: str
    title: str
    about: str
    permission: str
    read: Callable[[Period], Content]
    #: It says how things stand, whatever period is chosen.
    is_of_now: bool = False


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
        "share",
        "Commission and refunds",
        "The commission that was agreed on what was sold that day and not given back since; and "
        "what left to buyers that day.",
        "payments.view_refundday",
        shops_share,
    ),
    Panel(
        "people",
        "New people",
        "Who opened an account; guests have none.",
        "accounts.view_user",
        new_people,
    ),
    Panel(
        "problems",
        "Problems with goods",
        "What is not closed now.",
        "orders.view_problem",
        open_problems,
        is_of_now=True,
    ),
    Panel(
        "late",
        "Late parcels",
        "Paid for, and not with their buyers after the days that were agreed. The longest first.",
        "orders.view_order",
        late_parcels,
        is_of_now=True,
    ),
    Panel(
        "goods",
        "Best-selling goods",
        "By pieces, in orders that are paid.",
        "products.view_product",
        best_goods,
    ),
    Panel(
        "sellers",
        "Best-selling sellers",
        "By the price of their goods, in orders that are paid.",
        "orders.view_order",
        best_sellers,
    ),
    Panel(
        "outcomes",
        "Payments by outcome",
        "Attempts to pay that began then.",
        "payments.view_orderpayment",
        outcomes,
    ),
    Panel(
        "time-to-pay",
        "From prompt to paid",
        "From the moment M-Pesa was asked until the money was here.",
        "payments.view_orderpayment",
        time_to_pay,
    ),
    Panel(
        "stuck",
        "Stuck money",
        "What the console holds now; each leads to it.",
        "payments.view_receipt",
        stuck_money,
        is_of_now=True,
    ),
    Panel(
        "payouts",
        "Payouts due",
        "What sellers have earned and do not have yet.",
        "payments.view_payout",
        payouts_due,
        is_of_now=True,
    ),
    Panel(
        "stock",
        "Stock running out",
        f"Listed, {NEARLY_SOLD_OUT} or fewer free, and among the shop’s last {RECENT_LINES:,}"
        " lines.",
        "products.view_product",
        stock_running_out,
        is_of_now=True,
    ),
)


def panels_for(user: User | AnonymousUser) -> list[Panel]:
    """The panels this person may see."""
    return [panel for panel in PANELS if user.has_perm(panel.permission)]
