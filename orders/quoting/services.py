"""Quotes: what a cart would cost now, with delivery, and what would prevent its cash-out.

Nothing is written and nothing is reserved, so a quote is only valid at that moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.money import format_kes
from orders.cashout import OWN_GOODS
from orders.delivery.destinations import (
    Destination,
    DestinationUnavailable,
    find_place,
    find_rate_to,
)
from orders.delivery.fees import fees_of
from orders.models import Order, OrderTrack
from orders.refusals import LineRequest, check_amount
from products.models import Product


@dataclass(frozen=True, slots=True)
class QuoteIssue:
    """Why a line or the order cannot be bought as requested, or costs something else.

    ``code`` is stable. Depending on it, ``left`` is the number of available units, and ``shown``
    the price the client showed, in KES.
    """

    code: str
    message: str
    left: int | None = None
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A requested line with its current unit price and ``amount``, in KES.

    Name, seller, price and amount are None for a product that is not for sale.
    """

    product: int
    number: int
    name: str | None = None
    seller: str | None = None
    price: int | None = None
    amount: int | None = None
    available: bool = False
    problem: QuoteIssue | None = None


@dataclass(frozen=True, slots=True)
class QuotedParcel:
    """The delivery of one seller's goods, amounts in KES; free from ``free_above`` on, if set."""

    seller: str
    goods: int
    fee: int
    free_above: int | None
    days: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The total of the available lines, in KES, and the maximum delivery time in days.

    ``delivery_fee`` and ``amount`` are None if the delivery cannot be priced.
    """

    lines: list[QuotedLine]
    parcels: list[QuotedParcel]
    goods: int
    delivery_fee: int | None
    amount: int | None
    days: int | None
    problems: list[QuoteIssue] = field(default_factory=list)


def quote(
    *,
    buyer: User | None,
    lines: Sequence[LineRequest],
    delivery: Destination | None,
    mpesa_number: str = "",
    shown_amount: int | None = None,
) -> Quote:
    """Return what a cash-out with the same input would cost now, and its problems.

    ``buyer`` is None for a user who is not signed in, who has no addresses. Hold limits
    (``orders.hold_limits``) are not checked. At most four queries.
    """
    products = {row.id: row for row in _products(list({line.product for line in lines}))}
    quoted = _quote_lines(lines, products, buyer)
    available = [line for line in quoted if line.available]
    worth: dict[int, int] = defaultdict(int)
    for line in available:
        worth[products[line.product].seller_id] += line.amount or 0
    goods, problems = sum(worth.values()), []
    parcels: list[QuotedParcel] = []
    fee: int | None = 0
    days: int | None = None
    if delivery is not None:
        try:
            place = find_place(delivery, buyer, mpesa_number)
            rate = find_rate_to(place, delivery.field)
        except DestinationUnavailable as why:
            fee = None
            problems.append(QuoteIssue(why.problem, why.message))
        else:
            names = {row.seller_id: row.seller__username for row in products.values()}
            days = rate.days
            parcels = [
                QuotedParcel(names[seller], worth[seller], cost, rate.free_above, rate.days)
                for seller, cost in fees_of(rate, worth).items()
            ]
            fee = sum(parcel.fee for parcel in parcels)
    amount = None if fee is None else goods + fee
    shown_fee = delivery.fee if delivery else None
    problems += _problems_of_sums(goods, fee, amount, shown_amount, shown_fee)
    return Quote(quoted, parcels, goods, fee, amount, days, problems)


def _quote_lines(
    lines: Sequence[LineRequest], products: dict[int, Any], buyer: User | None
) -> list[QuotedLine]:
    left = _free(lines, products, buyer)
    taken: dict[int, int] = defaultdict(int)
    quoted = []
    for line in lines:
        product = products.get(line.product)
        if product is None:
            issue = QuoteIssue("not_for_sale", "This product is not for sale.")
            quoted.append(QuotedLine(line.product, line.number, problem=issue))
            continue
        problem = _problem_of(line, product, left[line.product] - taken[line.product], buyer)
        available = problem is None or problem.code == PRICE_CHANGED
        if available:
            taken[line.product] += line.number
        amount = line.number * product.price
        quoted.append(
            QuotedLine(
                line.product,
                line.number,
                product.name,
                product.seller__username,
                product.price,
                amount,
                available,
                problem,
            )
        )
    return quoted


PRICE_CHANGED = "price_changed"


def _problem_of(
    line: LineRequest, product: Any, left: int, buyer: User | None
) -> QuoteIssue | None:
    if buyer is not None and product.seller_id == buyer.pk:
        return QuoteIssue("own_goods", OWN_GOODS)
    if left <= 0:
        return QuoteIssue("sold_out", "Sold out.", left=0)
    if line.number > left:
        return QuoteIssue("short", f"Only {left} left.", left=left)
    if line.price not in {None, product.price}:
        message = f"The price is now {format_kes(product.price)}."
        return QuoteIssue(PRICE_CHANGED, message, shown=line.price)
    return None


def _problems_of_sums(
    goods: int, fee: int | None, amount: int | None, shown: int | None, shown_fee: int | None
) -> list[QuoteIssue]:
    """What is wrong with what all of it costs; where bringing it is not known, with the goods."""
    problems = []
    try:
        check_amount(goods, fee or 0)
    except FieldRefusal as too_much:
        (message,) = too_much.errors["order"]["non_field_errors"]
        problems.append(QuoteIssue("above_limit", message))
    if fee is not None and shown_fee not in {None, fee}:
        message = f"Delivery now costs {format_kes(fee)}."
        problems.append(QuoteIssue("fee_changed", message, shown=shown_fee))
    if amount is not None and shown not in {None, amount}:
        message = f"The total is now {format_kes(amount)}."
        problems.append(QuoteIssue(PRICE_CHANGED, message, shown=shown))
    return problems


def _free(
    lines: Sequence[LineRequest], products: dict[int, Any], buyer: User | None
) -> dict[int, int]:
    """How many of each product can be had; one more query where that is not enough.

    What unpaid orders hold whose time, or whose prompt, is over a cash-out gets.
    """
    left = {product_id: row.item_number - row.held for product_id, row in products.items()}
    wanted: dict[int, int] = defaultdict(int)
    for line in lines:
        wanted[line.product] += line.number
    short = [product_id for product_id in left if wanted[product_id] > left[product_id]]
    if short:
        for product_id, number in _expected_releases(short, buyer):
            left[product_id] += number
    return left


def _expected_releases(product_ids: Sequence[int], buyer: User | None) -> QuerySet[Any, Any]:
    now = timezone.now()
    preemptible = Order.objects.preemptible(now)
    if buyer is not None:
        preemptible = preemptible.exclude(buyer=buyer.pk)
    held = OrderTrack.objects.filter(
        Q(order__in=Order.objects.overdue(now)) | Q(order__in=preemptible), product__in=product_ids
    )
    return held.order_by().values_list("product").annotate(number=Sum("number"))


@compiled
def _products(ids: Sequence[int]) -> QuerySet[Any, Any]:
    fields = ("id", "name", "price", "seller_id", "seller__username", "item_number", "held")
    return Product.objects.listed().filter(pk__in=ids).values_list(*fields, named=True)
