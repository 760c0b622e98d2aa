"""Parcels in the status that a test needs, and who has to do with them."""

from accounts.models import Address
from orders.models import Order, OrderDelivery, Parcel, PickupPoint
from payments.reconciliation.outcomes import Outcome, record_outcome
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role
from tests.shopping import PHONE, _receipts, an_order

RECIPIENT = "254733000777"


def an_agent(**more):
    """A delivery agent, who has nothing else to do with anything."""
    return give_role(UserFactory(**more), "delivery")


def a_point(*agents, **more):
    """A pick-up point, and who hands over there."""
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


def deliver_to(order: Order, *, point=None, **more):
    """What was agreed about where an order goes, and its parcels."""
    about = {
        "way": "pickup" if point else "home",
        "pickup_point": point,
        "recipient": "Wanjiku Kamau",
        "phone": RECIPIENT,
        "county": point.county if point else "kisumu",
        "area": f"{point.name}, {point.area}" if point else "Milimani",
        "directions": "" if point else "Blue gate",
        "days": 2,
    }
    OrderDelivery.objects.create(order=order, **{**about, **more})
    for seller_id in order.tracks.values_list("seller", flat=True).distinct():
        Parcel.objects.create(order=order, seller_id=seller_id, fee=0)


def pay(order: Order):
    payment = order.payments.get()
    record_outcome(payment.pk, Outcome(True, "0", "", "callback", order.amount, next(_receipts)))


def a_parcel(buyer, *products, point=None, phone=PHONE, is_paid=True, **more) -> Parcel:
    """A parcel of a paid order of its own, of these products, all of one seller's."""
    products = products or (ProductFactory(),)
    order = an_order(buyer, *[(product, 1) for product in products], phone=phone)
    deliver_to(order, point=point, **more)
    if is_paid:
        pay(order)
    return order.parcels.get()


def lines(parcel: Parcel):
    return list(parcel.order.tracks.filter(seller=parcel.seller_id).order_by("pk"))


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


def deliveries(user, **query):
    return signed_in(user).get("/deliveries/", query)


def rows(user, **query):
    """The parcels somebody sees, by id."""
    return {row["id"]: row for row in deliveries(user, **query).json()}


def steps_of(parcel):
    """Who took it on or gave it up, in order."""
    return list(parcel.events.order_by("pk").values_list("step", flat=True))
