"""Orders that are brought somewhere: points, rates, and parcels, in one line each."""

from orders.cashout import LineRequest, place_order
from orders.delivery.destinations import Destination
from orders.models import DeliveryRate, Order, PickupPoint
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.shopping import PHONE, next_key, next_receipt


def a_point(name: str = "Kilimani Pick-up", county: str = "nairobi", **fields) -> PickupPoint:
    given = {"area": "Argwings Kodhek Road", "opening_hours": "Mon–Sat 8:00–19:00"}
    return PickupPoint.objects.create(
        name=name, county=county, phone="254711000111", **given | fields
    )


def a_rate(county: str = "", way: str = "pickup", fee: int = 100, **fields) -> DeliveryRate:
    return DeliveryRate.objects.create(county=county, way=way, fee=fee, **{"days": 2} | fields)


def delivered_order(buyer, *lines, fee: int = 100, **fields) -> Order:
    """An unpaid order of its own that goes to a point, for ``fee`` a parcel."""
    point = PickupPoint.objects.first() or a_point()
    if not DeliveryRate.objects.exists():
        a_rate(fee=fee, **fields)
    return place_order(
        buyer=buyer,
        lines=[LineRequest(product.pk, number) for product, number in lines],
        mpesa_number=PHONE,
        idempotency_key=next_key(),
        delivery=Destination(pickup_point=point.pk),
    ).order


def pay(order: Order, *, amount: int | None = None) -> Order:
    """The order, paid by its prompt."""
    told = AttemptOutcome(True, "0", "", "callback", amount or order.amount, next_receipt())
    record_outcome(order.payments.get().pk, told)
    order.refresh_from_db()
    return order


def paid_delivery(buyer, *lines, **rate) -> Order:
    """A paid order that goes to a point."""
    return pay(delivered_order(buyer, *lines, **rate))
