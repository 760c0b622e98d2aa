"""Goods: what is held, what left the shelf, and what came back."""

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

#: Unpaid, or closed without money: nothing may have come for these, and nothing left the shelf.
_WITHOUT_MONEY = (PaymentStatus.REQUESTED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)


@rule("What a product holds is what its unpaid orders were promised")
def _held(now: datetime) -> QuerySet[Product]:
    promised = OrderTrack.objects.filter(
        product=OuterRef("pk"), order__payment_status=PaymentStatus.REQUESTED
    )
    return Product.objects.exclude(held=total(promised, group_by="product", of=Sum("number")))


@rule("What stands on the shelf is what its movements add up to")
def _moved(now: datetime) -> QuerySet[Product]:
    moves = StockMovement.objects.filter(product=OuterRef("pk"))
    return Product.objects.exclude(item_number=total(moves, group_by="product", of=Sum("quantity")))


@rule("What a product says was sold is what left its shelf for orders, less what came back")
def _sold(now: datetime) -> QuerySet[Product]:
    for_orders = Q(reference__startswith="order:") | Q(reference__startswith="return:")
    moves = StockMovement.objects.filter(for_orders, product=OuterRef("pk"))
    return Product.objects.exclude(sold=-total(moves, group_by="product", of=Sum("quantity")))


def _goods_left() -> Exists:
    reference = Concat(
        Value("order:"), Cast(OuterRef("order_id"), TextField()), output_field=TextField()
    )
    return Exists(
        StockMovement.objects.filter(
            product=OuterRef("product_id"), reference=reference, quantity=-OuterRef("number")
        )
    )


@rule("Nothing leaves the shelf for an order that is unpaid, cancelled or expired")
def _not_taken(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(_goods_left(), order__payment_status__in=_WITHOUT_MONEY)


@rule("Only goods of cancelled lines came back to the shelf, as many as had left it")
def _came_back(now: datetime) -> QuerySet[StockMovement]:
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


@rule("The goods of a line that was ever paid left the shelf, as many as were bought")
def _taken(now: datetime) -> QuerySet[OrderTrack]:
    return OrderTrack.objects.filter(_was_paid(OuterRef("pk")), ~_goods_left())


@rule("What left the shelf for an order is what one of its lines was paid for")
def _for_a_line(now: datetime) -> QuerySet[StockMovement]:
    reference = Concat(Value("order:"), Cast(F("order_id"), TextField()), output_field=TextField())
    lines = OrderTrack.objects.annotate(reference=reference).filter(
        _was_paid(OuterRef("pk")),
        reference=OuterRef("reference"),
        product=OuterRef("product"),
        number=-OuterRef("quantity"),
    )
    return StockMovement.objects.filter(~Exists(lines), reference__startswith="order:")
