"""Parcels in the status that a test needs, and the people involved."""

from accounts.models import Address
from orders.cashout import LineRequest, place_order
from orders.delivery.destinations import Destination
from orders.models import DeliveryRate, Order, Parcel, PickupPoint
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role
from tests.shopping import PHONE, next_key

from .deliveries import pay

RECIPIENT = "254733000777"


def an_agent(**more):
    """A delivery agent with no other part in the sale."""
    return give_role(UserFactory(**more), "delivery")


def said(answer):
    """The status of an answer, and its error code if it has one."""
    return answer.status_code, answer.json().get("code")


def a_point(*agents, **more):
    """A pick-up point, and its keeper."""
    named = {"name": f"Point {PickupPoint.objects.count()}"}
    about = {
        "county": "nairobi",
        "area": "Argwings Kodhek Road",
        "opening_hours": "Mon–Sat 8:00–19:00",
        "phone": "254733000003",
    }
    point = PickupPoint.objects.create(**{**named, **about, **more})
    point.agents.set(agents)
    return point


def a_place(seller, **more):
    """Where a seller has goods collected."""
    about = {
        "recipient": "Amina Hassan",
        "phone": "254722000555",
        "county": "mombasa",
        "area": "Eastleigh",
        "directions": "Garissa Lodge, shop 14",
        "is_collection_place": True,
    }
    return Address.objects.create(user=seller, **{**about, **more})


def order_to(
    buyer, *wanted, point=None, phone=PHONE, days=2, recipient="Wanjiku Kamau", **place
) -> Order:
    """An unpaid order of its own of (product, number), to a point or to a door; it costs nothing
    to bring."""
    way = "pickup" if point else "home"
    rate = {"fee": 0, "days": days}
    DeliveryRate.objects.update_or_create(county="", way=way, defaults=rate)
    there = {"county": "kisumu", "area": "Milimani", "directions": "Blue gate", **place}
    if point:
        there = {"pickup_point": point.pk}
    return place_order(
        buyer=buyer,
        lines=[LineRequest(product.pk, number) for product, number in wanted],
        mpesa_number=phone,
        idempotency_key=next_key(),
        delivery=Destination(recipient=recipient, phone=RECIPIENT, **there),
    ).order


def a_parcel(buyer, *products, is_paid=True, **to) -> Parcel:
    """A parcel of a paid order of its own, of these products, all of one seller's."""
    products = products or (ProductFactory(),)
    order = order_to(buyer, *[(product, 1) for product in products], **to)
    if is_paid:
        pay(order)
    return order.parcels.get()


def lines(parcel: Parcel):
    return list(parcel.lines.order_by("pk"))


def statuses(parcel: Parcel):
    return [line.track_status for line in lines(parcel)]


def code_of(parcel: Parcel, which=0):
    return lines(parcel)[which].collection_code


def claim(user, parcel):
    return signed_in(user).post(f"/deliveries/{parcel.pk}/claim/")


def release(user, parcel, **more):
    return signed_in(user).post(f"/deliveries/{parcel.pk}/release/", more, format="json")


def bring(user, parcel, to, **more):
    """POST /deliveries/{id}/move/ by this person."""
    return signed_in(user).post(f"/deliveries/{parcel.pk}/move/", {"to": to, **more}, format="json")


def attempt(user, parcel, reason="nobody_there", **more):
    """POST /deliveries/{id}/attempt/ by this person."""
    body = {"reason": reason, **more}
    return signed_in(user).post(f"/deliveries/{parcel.pk}/attempt/", body, format="json")


def deliveries(user, **query):
    return signed_in(user).get("/deliveries/", query)


def rows(user, **query):
    """The parcels somebody sees, by id."""
    return {row["id"]: row for row in deliveries(user, **query).json()}


def steps_of(parcel):
    """The agents who claimed or released it, in order."""
    return list(parcel.events.order_by("pk").values_list("step", flat=True))
