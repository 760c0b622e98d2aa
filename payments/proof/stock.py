"""Stock: reserved, taken for orders, and put back."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat

from orders.models import OrderTrack, PaymentStatus, TrackEvent, TrackStatus
from payments.models.totals import total
from products.models import Product, StockMovement

from .rule import rule

#: Orders that were not paid, and must not have taken stock.
_WITHOUT_MONEY = (PaymentStatus.REQUESTED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)


@rule("A product's reserved stock is the sum of its unpaid orders")
def reserved_stock_is_sum(now: datetime) -> QuerySet[Product]:
    promised = OrderTrack.objects.filter(
        product=OuterRef("pk"), order__payment_status=PaymentStatus.REQUESTED
    )
    return Product.objects.exclude(held=total(promised, by="product", of=Sum("number")))


@rule("A product's stock on hand is the sum of its movements")
def stock_is_sum_of_movements(now: datetime) -> QuerySet[Product]:
    moves = StockMovement.objects.filter(product=OuterRef("pk"))
    return Product.objects.exclude(item_number=total(moves, by="product", of=Sum("quantity")))


@rule("A product's sold count is what was taken for orders, less returns")
def sold_count_is_sum(now: datetime) -> QuerySet[Product]:
    for_orders = Q(reference__startswith="order:") | Q(reference__startswith="return:")
    moves = StockMovement.objects.filter(for_orders, product=OuterRef("pk"))
    return Product.objects.exclude(sold=-total(moves, by="product", of=Sum("quantity")))


def _stock_was_taken() -> Exists:
    reference = Concat(
        Value("order:"), Cast(OuterRef("order_id"), TextField()), output_field=TextField()
    )
    return Exists(
        StockMovement.objects.filter(
            product=OuterRef("product_id"), reference=reference, quantity=-OuterRef("number")
        )
    )


@rule("No stock is taken for an order that is unpaid, cancelled or expired")
def unpaid_order_took_no_stock(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(_stock_was_taken(), order__payment_status__in=_WITHOUT_MONEY)


@rule("Only cancelled lines put stock back, in the number they took")
def only_cancelled_lines_return_stock(now: datetime) -> QuerySet[StockMovement]:
    reference = Concat(Value("return:"), Cast(F("pk"), TextField()), output_field=TextField())
    lines = OrderTrack.objects.annotate(reference=reference).filter(
        returned=True,
        reference=OuterRef("reference"),
        product=OuterRef("product"),
        number=OuterRef("quantity"),
    )
    return StockMovement.objects.filter(~Exists(lines), reference__startswith="return:")


def _was_paid(line: OuterRef) -> Exists:
    return Exists(TrackEvent.objects.filter(track=line, track_status=TrackStatus.PAID))


@rule("A line that was ever paid took its number from stock")
def paid_line_took_stock(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(_was_paid(OuterRef("pk")), ~_stock_was_taken())


@rule("Stock taken for an order matches one of its paid lines")
def taken_stock_has_line(now: datetime) -> QuerySet[StockMovement]:
    reference = Concat(Value("order:"), Cast(F("order_id"), TextField()), output_field=TextField())
    lines = OrderTrack.objects.annotate(reference=reference).filter(
        _was_paid(OuterRef("pk")),
        reference=OuterRef("reference"),
        product=OuterRef("product"),
        number=-OuterRef("quantity"),
    )
    return StockMovement.objects.filter(~Exists(lines), reference__startswith="order:")
