"""What must be true of the books at any moment, checked row by row.

``tests/orders`` and ``tests/payments`` check it after every test. A test elsewhere that moves
orders or money says ``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

from collections.abc import Iterator

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from orders.models import Order, OrderTrack
from payments.models import OPEN, OrderPayment, Receipt
from products.models import Product, StockMovement

#: Where a line may be while its order stands so. ``None``: anywhere.
TRACKS_OF: dict[str, set[str] | None] = {
    "requested": {"created"},
    "paid": {"paid", "fetched", "shipping", "delivered", "cancelled", "refunded"},
    "cancelled": {"cancelled"},
    "expired": {"cancelled"},
    "refund_due": None,
    "refunded": None,
}


def check_books() -> None:
    """Raise AssertionError with every broken invariant."""
    broken = list(_broken())
    assert not broken, "the books are broken:\n" + "\n".join(broken)


def _broken() -> Iterator[str]:
    yield from _stock()
    yield from _orders()
    yield from _payments()


def _stock() -> Iterator[str]:
    promised = _sum_of(
        OrderTrack.objects.filter(product=OuterRef("pk"), order__payment_status="requested"),
        by="product",
        field="number",
    )
    moved = _sum_of(
        StockMovement.objects.filter(product=OuterRef("pk")), by="product", field="quantity"
    )
    for product in Product.objects.annotate(promised=promised, moved=moved):
        if not 0 <= product.held <= product.item_number:
            yield f"S1: {product.held} held of {product.item_number} {product.name}"
        if product.held != product.promised:
            yield f"S2: {product.held} {product.name} held, {product.promised} promised"
        if product.item_number != product.moved:
            yield f"S3: {product.item_number} {product.name}, movements say {product.moved}"


def _orders() -> Iterator[str]:
    lines = _sum_of(OrderTrack.objects.filter(order=OuterRef("pk")), by="order", field="amount")
    credited = _sum_of(Receipt.objects.filter(order=OuterRef("pk")), by="order", field="amount")
    for order in Order.objects.annotate(lines=lines, credited=credited):
        if order.amount != order.lines:
            yield f"O1: order {order} is {order.amount} KES, its lines {order.lines}"
        if order.payment_status in {"paid", "refund_due"} and order.credited < order.amount:
            yield f"O4: order {order} is {order.payment_status}, {order.credited} KES came"
        if order.payment_status in {"requested", "cancelled", "expired"} and order.credited:
            yield f"O6: {order.credited} KES came for {order}, which is {order.payment_status}"
        allowed = TRACKS_OF[order.payment_status]
        stand = set(order.tracks.values_list("track_status", flat=True))
        if allowed is not None and not stand <= allowed:
            yield f"order {order} is {order.payment_status}, its lines {sorted(stand)}"
        taken = StockMovement.objects.filter(reference=f"order:{order.pk}").count()
        if order.payment_status == "paid" and taken != order.tracks.count():
            yield f"order {order} is paid, {taken} of its {order.tracks.count()} lines left"
        if order.payment_status in {"requested", "cancelled", "expired"} and taken:
            yield f"goods left the shelf for {order}, which is {order.payment_status}"


def _payments() -> Iterator[str]:
    confirmed = Q(status="confirmed")
    credited = Q(receipt__order=F("order"), receipt__amount__gte=F("amount"))
    for payment in OrderPayment.objects.filter(confirmed).exclude(credited):
        yield f"P2: attempt {payment.pk} is confirmed, and no receipt is credited for it"
    for receipt in Receipt.objects.filter(order__isnull=False).exclude(
        payment__status="confirmed", payment__order=F("order")
    ):
        yield f"P1: receipt {receipt.pk} is credited without a confirmed attempt"
    for payment in OrderPayment.objects.filter(live=True).exclude(status__in=OPEN):
        yield f"attempt {payment.pk} is {payment.status}, and yet its prompt is live"
    for payment in OrderPayment.objects.filter(status="submitted", checkout_request_id=""):
        yield f"attempt {payment.pk} is submitted under no request id"


def _sum_of(rows, *, by: str, field: str):
    return Coalesce(Subquery(rows.values(by).annotate(sum=Sum(field)).values("sum")), 0)
