"""Panels about what was sold, by whom, and who joined.

Every read is bounded by the partial index order_paid_by_time or by a number of rows.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from accounts.backoffice.formats import NOTHING
from accounts.models import User
from omachemainproj.money import format_kes
from orders.models import Order, OrderTrack, Parcel, commission_left, price_left
from orders.models.orders import SOLD_LINE_STATUSES, OrderQuerySet
from payments.backoffice.charts import (
    Columns,
    Content,
    Figure,
    Link,
    Sheet,
    Table,
    counted,
    draw,
)
from payments.backoffice.period import Period
from payments.models import (
    RefundDay,
)

from .links import changelist_url, day_label, so_far

#: Goods and sellers shown that sell best.
BEST = 10
_ORDERS = "admin:orders_order_changelist"
_PAID = {"payment_status__exact": "paid"}
_GOODS_SHEET = ("product", "name", "seller", "pieces", "sold_kes")
_SELLERS_SHEET = ("seller", "lines", "sold_kes")


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
            so_far(day == period.today),
        )
        for day, orders, amount in series
    ]
    rows = [
        (
            Link(
                day_label(day, period),
                changelist_url(_ORDERS, _PAID, period.span("created_at", day)),
            ),
            f"{orders:,}",
            format_kes(amount),
        )
        for day, orders, amount in reversed(series)
    ]
    orders = sum(number for _, number, _ in series)
    amount = sum(money for _, _, money in series)
    listed = changelist_url(_ORDERS, _PAID, period.span("created_at"))
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
        (day_label(day, period), format_kes(earned), format_kes(back))
        for day, earned, back in reversed(series)
    ]
    span = urlencode({"day__gte": period.first, "day__lte": period.last})
    shares = changelist_url("admin:payments_sellershare_changelist", {}, period.span("created_at"))
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
                (f"{day:%-d %b}", earned, format_kes(earned), so_far(day == period.today))
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
    listed = partial(changelist_url, "admin:accounts_user_changelist", {"kind": "account"})
    rows = [
        (Link(day_label(day, period), listed(period.span("date_joined", day))), f"{people:,}")
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
                (f"{day:%-d %b}", people, f"{people:,}", so_far(day == period.today))
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


def _paid(period: Period) -> OrderQuerySet:
    return Order.objects.paid_since(period.since).filter(created_at__lt=period.until)


def _lines(period: Period) -> QuerySet[OrderTrack]:
    """The lines of orders that were placed and paid; those given back since are not sold."""
    return OrderTrack.objects.filter(order__in=_paid(period), track_status__in=SOLD_LINE_STATUSES)
