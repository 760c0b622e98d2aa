"""Panels about goods: problems, late parcels and low stock."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter

from django.db.models import Count, Exists, F, Max, OuterRef, Sum
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.formats import write_day
from omachemainproj.expressions import AddDays
from orders.models import OrderTrack, Problem
from orders.models.problems import ProblemState
from payments.backoffice.charts import (
    Content,
    Figure,
    Link,
    Sheet,
    Table,
)
from payments.backoffice.goods_queues import late_problems
from payments.backoffice.period import Period

from .links import changelist_url

#: How many of the shop's newest lines count as recent sales.
RECENT_LINES = 10_000
#: Stock at or below this is low. Sellers are reminded to restock earlier, at
#: products.catalogue.filters.LOW_STOCK.
NEARLY_SOLD_OUT = 3
#: Rows shown by the panels of late parcels and low stock.
_ROWS_SHOWN = 15
_LATE_SHEET = ("order", "seller", "carried_by", "agreed_for")
_STOCK_SHEET = ("product", "name", "seller", "free", "sold_lately")


def open_problems(period: Period) -> Content:
    """Problems with goods that are not closed. Two queries."""
    counts = Counter(
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
        ("Open", counts[ProblemState.OPEN], changelist_url(listed, {"state__exact": "open"})),
        (
            "Goods being returned",
            counts[ProblemState.RETURNING],
            changelist_url(listed, {"state__exact": "returning"}),
        ),
        ("Late", late, f"{reverse('console')}#problems"),
    ]
    return Content(
        figures=[Figure(label, f"{count:,}", "", url) for label, count, url in figures],
        sheet=Sheet(("problems", "how_many"), [(label, count) for label, count, _ in figures]),
    )


def late_parcels(period: Period) -> Content:
    """Parcels not delivered within the agreed time, oldest order first. One query.

    A parcel that has arrived at its pick-up point is not late.
    """
    # The first line of each parcel, in the order of the index track_to_bring and limited: grouping
    # by parcel would join and sort all of them.
    undelivered = OrderTrack.objects.to_fulfil().filter(parcel__isnull=False)
    first = ~Exists(undelivered.filter(parcel=OuterRef("parcel"), pk__lt=OuterRef("pk")))
    found = sorted(
        undelivered.filter(first, parcel__arrived_at__isnull=True)
        # A same-day delivery is late after one day.
        .annotate(due=AddDays("order__created_at", Greatest("order__delivery__days", 1)))
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
            agent or "no agent yet",
            write_day(timezone.localtime(due)),
        )
        for order, reference, seller, agent, _, due in found[:_ROWS_SHOWN]
    ]
    count = f"{len(found):,}{' or more' if len(found) == COUNT_AT_MOST else ''}"
    return Content(
        figures=[Figure("Late", count, "", f"{reverse('parcels-console')}?part=fetch")],
        table=Table(("Order", "Seller", "Agent", "Due by"), rows),
        sheet=Sheet(
            _LATE_SHEET,
            [
                (reference, seller, agent or "", timezone.localtime(due).date())
                for _, reference, seller, agent, _, due in found
            ],
        ),
    )


def stock_running_out(period: Period) -> Content:
    """Listed products with low free stock and recent sales, the lowest first. Two queries."""
    newest = OrderTrack.objects.aggregate(newest=Max("pk"))["newest"] or 0
    products = list(
        OrderTrack.objects.sold_after(newest - RECENT_LINES)
        .filter(
            product__listed=True,
            product__item_number__lte=F("product__held") + NEARLY_SOLD_OUT,
        )
        .values_list("product", "product__name", "product__seller__username")
        .annotate(sold=Sum("number"), free=F("product__item_number") - F("product__held"))
        .order_by("free", "-sold", "product")[:_ROWS_SHOWN]
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
        return Content(
            empty="No recently sold product is running out.", sheet=Sheet(_STOCK_SHEET, [])
        )
    return Content(
        table=Table(("Product", "Seller", "Free", "Recently sold"), rows),
        sheet=Sheet(
            _STOCK_SHEET,
            [(pk, name, seller, free, sold) for pk, name, seller, sold, free in products],
        ),
    )
