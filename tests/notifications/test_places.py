"""Where goods go and until when, as people are told; and nothing of it for what has no delivery."""

import itertools

import pytest

from orders.models import DeliveryWay, InboxNotice, OrderDelivery, PickupPoint
from orders.models.notifications import Message, Notice, NotificationKind
from orders.notifications.composing import compose
from orders.notifications.gsm7 import count_parts, is_gsm
from orders.notifications.places import collect_sentence, place_of, where_sentence
from orders.notifications.rendering import Item, render_sms
from tests.factories import ProductFactory, UserFactory
from tests.orders.parcels import a_place, a_point, an_agent, bring, code_of, order_to

from .conftest import pay, wish
from .test_templates import values

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(db):
    return UserFactory()


@pytest.fixture
def to_point(buyer, kettle, keeper):
    """Two kettles, which go to a pick-up point."""
    return order_to(buyer, (kettle, 2), point=a_point(keeper, name="Kilimani Pick-up"))


def sent(kind, channel="sms"):
    """The texts of a kind, of all messages due by now."""
    for notice_id in Notice.objects.to_compose().order_by("pk").values_list("pk", flat=True):
        compose(notice_id)
    told = Message.objects.filter(kind=kind, channel=channel).order_by("pk")
    return list(told.values_list("text", flat=True))


def test_a_paid_message_names_the_pickup_point_and_the_date(carrier, to_point):
    parcel = to_point.parcels.get()
    pay(to_point)

    assert sent("paid") == [
        f"O-Mache: we received KES 3,000 for order {to_point.reference}. Delivery within 2 days to "
        "Kilimani Pick-up, open Mon-Sat 8:00-19:00. We will tell you when it is there. Give this "
        f"code only when you have the goods: 2 x Kettle {code_of(parcel)}. Thank you!"
    ]


def test_a_paid_message_names_the_home_delivery(carrier, buyer, kettle):
    wish(buyer, language="sw")
    order = pay(order_to(buyer, (kettle, 2), days=1))

    assert sent("paid") == [
        f"O-Mache: Tumepokea KES 3,000 kwa oda {order.reference}. Italetwa Milimani kufikia kesho. "
        "Ukishapata bidhaa mkononi, mpe aliyekuletea nambari hii ya siri: 2 x Kettle "
        f"{code_of(order.parcels.get())}. Asante!"
    ]


def test_the_buyer_is_told_that_it_waits_where_until_when_and_the_code(carrier, keeper, to_point):
    pay(to_point)
    parcel = to_point.parcels.get()
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")

    assert sent("arrived") == [
        f"O-Mache: order {to_point.reference} is ready for you at Kilimani Pick-up, open Mon-Sat "
        "8:00-19:00. Give this code only when you have the goods: 2 x Kettle "
        f"{code_of(parcel)}."
    ]
    assert sent("arrived", "email")[0].startswith(
        f"Hello Wanjiku,\n\nGoods from your order {to_point.reference} are ready for you at "
        "Kilimani Pick-up, Argwings Kodhek Road, open Mon–Sat 8:00–19:00.\n\n"
    )


def test_the_app_says_where_as_the_mail_does(keeper, to_point):
    pay(to_point)
    parcel = to_point.parcels.get()
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")
    mails = {kind: sent(kind, "email") for kind in ("paid", "sold", "arrived")}

    said = {notice.kind: notice.said["en"]["text"] for notice in InboxNotice.objects.all()}

    at = "Kilimani Pick-up, "
    where = f" Delivery within 2 days to {at}"
    assert where in said["paid"]
    assert where in mails["paid"][0]
    assert f"are ready for you at {at}" in said["arrived"]
    assert f"are ready for you at {at}" in mails["arrived"][0]
    assert "add a collection place in your account." in said["sold"]
    assert code_of(parcel) not in str(said)


def test_places_are_named_in_swahili_too(carrier, buyer, keeper, to_point):
    wish(buyer, language="sw")
    pay(to_point)
    parcel = to_point.parcels.get()
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")

    assert sent("arrived") == [
        f"O-Mache: Oda {to_point.reference} inakusubiri Kilimani Pick-up (saa za kazi Mon-Sat "
        "8:00-19:00). Ukishapata bidhaa mkononi, waambie nambari hii ya siri: 2 x Kettle "
        f"{code_of(parcel)}."
    ]


def test_taken_in_at_once_it_is_not_said_to_be_on_its_way_any_more(carrier, keeper, to_point):
    """The messages of both are written later than both happened."""
    pay(to_point)
    parcel = to_point.parcels.get()
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")

    assert (sent("shipped"), len(sent("arrived"))) == ([], 1)


def test_nobody_is_told_that_it_waits_who_has_it(carrier, keeper, to_point):
    pay(to_point)
    parcel = to_point.parcels.get()
    bring(an_agent(), parcel, "fetched")
    bring(keeper, parcel, "arrived")
    bring(keeper, parcel, "delivered", code=code_of(parcel))

    assert sent("arrived") == []
    assert sent("delivered") == [
        f"O-Mache: order {to_point.reference} was delivered: 2 x Kettle. Collected at Kilimani "
        "Pick-up. If you did not get it, tell us today."
    ]


def test_a_shipped_message_names_the_address(carrier, buyer, kettle):
    order = pay(order_to(buyer, (kettle, 2), area="Milimani, Kisumu"))
    parcel = order.parcels.get()
    agent = an_agent()
    bring(agent, parcel, "fetched")
    bring(agent, parcel, "shipping")

    (sms,), (mail,) = sent("shipped"), sent("shipped", "email")
    assert f"order {order.reference} is on its way to you. Delivery to Milimani Kisumu. Give" in sms
    assert "on their way to you. Delivery to Milimani, Kisumu (Blue gate).\n\n" in mail


def test_a_seller_is_told_that_an_agent_comes_and_where_to(carrier, seller, to_point):
    a_place(seller)
    pay(to_point)

    assert sent("sold") == [
        f"O-Mache: you made a sale of KES 3,000, order {to_point.reference}: 2 x Kettle. Please "
        "have the goods ready for collection. Our agent will collect them from Eastleigh."
    ]


def test_a_seller_without_a_place_is_told_to_add_one(carrier, seller, to_point):
    wish(seller, language="sw")
    pay(to_point)

    assert sent("sold")[0].endswith(
        "Wakala wetu atakuja kuzichukua na hajui mahali: weka mahali pa kuchukulia kwenye akaunti "
        "yako."
    )


def test_no_seller_is_told_where_another_seller_is_or_the_buyer(carrier, buyer, kettle, seller):
    a_place(seller)
    other = ProductFactory(payment_mpesa_number="254722000009")
    pay(order_to(buyer, (kettle, 1), (other, 1)))

    for text in sent("sold", "email") + sent("sold"):
        assert "Milimani" not in text
        assert "Wanjiku" not in text
        assert "254733000777" not in text
    assert [("Eastleigh" in text) for text in sent("sold")] == [True]


def test_an_order_without_a_delivery_says_what_it_said(carrier, order):
    pay(order)

    assert sent("paid") == [
        f"O-Mache: we received KES 3,000 for order {order.reference}. Give this code only when "
        f"you have the goods: 2 x Kettle {order.tracks.get().collection_code}. Thank you!"
    ]
    assert sent("sold")[0].endswith("Please have the goods ready for collection.")


def a_delivery(way, length):
    point = None
    if way == DeliveryWay.PICKUP:
        point = PickupPoint(name="é" * min(length, 60), opening_hours="h" * length, phone="2547")
    return OrderDelivery(
        way=way, pickup_point=point, area="a" * length, directions="d" * 300, days=30
    )


KINDS = [NotificationKind.PAID, NotificationKind.SHIPPED, NotificationKind.ARRIVED]


@pytest.mark.parametrize(
    ("kind", "language", "way", "count", "length"),
    list(itertools.product(KINDS, ["en", "sw"], DeliveryWay.values, [1, 2, 9], [5, 100])),
)
def test_with_a_place_no_sms_is_longer_than_two_parts(kind, language, way, count, length):
    delivery = a_delivery(way, length)
    said = values(
        language,
        place=place_of(kind, language, delivery),
        where=where_sentence(kind, language, delivery),
    )
    items = [Item("A long name of a thing that is sold", 12, "123456")] * count

    text = render_sms(kind, language, said, items)

    assert is_gsm(text)
    assert count_parts(text) <= 2
    assert "123456" in text


@pytest.mark.parametrize("language", ["en", "sw"])
def test_a_typed_area_contains_no_link_or_number(language):
    delivery = OrderDelivery(
        way="home", area="Call 0712 345 678 or https://evil.example", directions="", days=1
    )

    said = where_sentence(NotificationKind.PAID, language, delivery)

    assert "0712" not in said
    assert "evil" not in said
    assert "://" not in said


def test_where_a_seller_is_is_as_plain():
    place = a_place(UserFactory(), area="Pay 0712345678 <b>now</b>")

    assert collect_sentence("en", place) == " Our agent will collect them from Pay b now b."
