"""Panels about sales, commission, new users, and the best-selling goods and sellers.

Every read is bounded by the partial index order_paid_by_time or by a number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from accounts.backoffice.formats import EMPTY_VALUE
from accounts.models import User
from omachemainproj.money import format_kes
from orders.models import Order, OrderTrack, Parcel, commission_left, price_left
from orders.models.line_status import SOLD_LINE_STATUSES
from orders.models.orders import OrderQuerySet
from payments.backoffice.charts import (
    Columns,
    Content,
    Figure,
    Link,
    Sheet,
    Table,
    draw,
    pluralised,
)
from payments.backoffice.period import Period
from payments.models import RefundDay

from .links import changelist_url, day_label, so_far

#: Rows shown by the panels of best-selling goods and sellers.
_BEST = 10
_ORDERS = "admin:orders_order_changelist"
_PAID = {"payment_status__exact": "paid"}
_GOODS_SHEET = ("product", "name", "seller", "pieces", "sold_kes")
_SELLERS_SHEET = ("seller", "lines", "sold_kes")


def sales(period: Period) -> Content:
    """Paid orders by the day they were placed, without delivery fees. Two queries."""
    paid = _paid_orders(period)
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
    orders = sum(number for _, number, _ in series)
    amount = sum(money for _, _, money in series)
    return Content(
        figures=[
            Figure(
                "Sold",
                format_kes(amount),
                pluralised(orders, "order"),
                changelist_url(_ORDERS, _PAID, period.span("created_at")),
            ),
            Figure("Average order", format_kes(round(amount / orders)) if orders else EMPTY_VALUE),
        ],
        columns=_by_day(
            period,
            "KES sold by day",
            ("Day", "Orders", "Sold"),
            [(day, amount) for day, _, amount in series],
            [(f"{orders:,}", format_kes(amount)) for _, orders, amount in series],
            shown=[f"{format_kes(amount)} in {pluralised(n, 'order')}" for _, n, amount in series],
            url=lambda day: changelist_url(_ORDERS, _PAID, period.span("created_at", day)),
        ),
        sheet=Sheet(("day", "orders", "sold_kes"), series),
    )


def commission_and_refunds(period: Period) -> Content:
    """Commission on each day's sales, excluding later refunds, and what was refunded that day.

    Two queries.
    """
    agreed = (
        _sold_lines(period)
        .annotate(day=TruncDate("order__created_at"))
        .values_list("day")
        .annotate(commission_left=Sum(commission_left()))
        .order_by()
    )
    sent = RefundDay.objects.filter(day__range=(period.first, period.last))
    commission, refunds = dict(agreed), dict(sent.values_list("day", "sent"))
    series = [(day, commission.get(day, 0), refunds.get(day, 0)) for day in period.days]
    to_refunds = reverse("admin:payments_refundday_changelist")
    span = urlencode({"day__gte": period.first, "day__lte": period.last})
    earnings = changelist_url(
        "admin:payments_sellershare_changelist", {}, period.span("created_at")
    )
    return Content(
        figures=[
            Figure("Commission", format_kes(sum(each for _, each, _ in series)), "", earnings),
            Figure(
                "Refunded to buyers",
                format_kes(sum(each for _, _, each in series)),
                "",
                f"{to_refunds}?{span}",
            ),
        ],
        columns=_by_day(
            period,
            "Commission by day, KES",
            ("Day", "Commission", "Refunded"),
            [(day, earned) for day, earned, _ in series],
            [(format_kes(earned), format_kes(back)) for _, earned, back in series],
        ),
        sheet=Sheet(("day", "commission_kes", "sent_back_kes"), series),
    )


def new_people(period: Period) -> Content:
    """New accounts by day, without guests. One query."""
    joined = (
        User.objects.filter(guest__isnull=True, **period.span("date_joined"))
        .annotate(day=TruncDate("date_joined"))
        .values_list("day")
        .annotate(people=Count("*"))
        .order_by()
    )
    by_day = dict(joined)
    series = [(day, by_day.get(day, 0)) for day in period.days]
    accounts = partial(changelist_url, "admin:accounts_user_changelist", {"kind": "account"})
    return Content(
        figures=[
            Figure(
                "New accounts",
                f"{sum(by_day.values()):,}",
                "",
                accounts(period.span("date_joined")),
            )
        ],
        columns=_by_day(
            period,
            "New accounts by day",
            ("Day", "New accounts"),
            series,
            [(f"{people:,}",) for _, people in series],
            write=lambda people: f"{people:,}",
            url=lambda day: accounts(period.span("date_joined", day)),
        ),
        sheet=Sheet(("day", "new_people"), series),
    )


def _by_day(  # noqa: PLR0913
    period: Period,
    title: str,
    headings: tuple[str, ...],
    series: Sequence[tuple[date, int]],
    cells: Sequence[tuple[str, ...]],
    *,
    write: Callable[[int], str] = format_kes,
    shown: Sequence[str] | None = None,
    url: Callable[[date], str] | None = None,
) -> Columns:
    """A column per day, and the table of the same days with the latest first.

    ``series`` holds the value of each day, ``cells`` the other cells of its row in the table.
    ``write`` formats a value, unless ``shown`` has the text for each. ``url`` links a day.
    """
    shown = shown or [write(value) for _, value in series]
    points = draw(
        (f"{day:%-d %b}", value, words, so_far(day, period))
        for (day, value), words in zip(series, shown, strict=True)
    )
    rows: list[tuple[Any, ...]] = [
        (Link(day_label(day, period), url(day)) if url else day_label(day, period), *others)
        for (day, _), others in zip(series, cells, strict=True)
    ]
    rows.reverse()
    return Columns(
        title, points, Table(headings, rows), top=write(max(value for _, value in series))
    )


def best_goods(period: Period) -> Content:
    """The products with the most pieces sold. One query."""
    sold = list(
        _sold_lines(period)
        .values_list("product", "product__name", "product__seller__username")
        .annotate(pieces=Sum("number"), sold=Sum(price_left()))
        .order_by("-pieces", "-sold", "product")[:_BEST]
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
    """The sellers with the highest sales in KES. One query."""
    sold = list(
        _sold_lines(period)
        .values_list("seller", "seller__username")
        .annotate(lines=Count("*"), value=Sum(price_left()))
        .order_by("-value", "seller")[:_BEST]
    )
    if not sold:
        return Content(empty="Nothing was sold.", sheet=Sheet(_SELLERS_SHEET, []))
    lines = "admin:orders_ordertrack_changelist"
    rows = [
        (
            Link(name, changelist_url(lines, {"seller__exact": pk}, period.span("created_at"))),
            f"{count:,}",
            format_kes(value),
        )
        for pk, name, count, value in sold
    ]
    return Content(
        table=Table(("Seller", "Lines", "Sold"), rows),
        sheet=Sheet(_SELLERS_SHEET, [each for _, *each in sold]),
    )


def _paid_orders(period: Period) -> OrderQuerySet:
    return Order.objects.paid_since(period.since).filter(created_at__lt=period.until)


def _sold_lines(period: Period) -> QuerySet[OrderTrack]:
    """Lines of paid orders that were not cancelled or refunded later."""
    return OrderTrack.objects.filter(
        order__in=_paid_orders(period), track_status__in=SOLD_LINE_STATUSES
    )
