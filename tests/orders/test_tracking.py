"""The tracking list: the caller's own lines, newest first."""

from orders.lifecycle import cancel_order
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order


def test_a_row_tells_what_became_of_a_line(buyer, buyer_api, kettle):
    order = an_order(buyer, (kettle, 2))
    track = order.tracks.get()

    response = buyer_api.get("/track/order/")

    assert response.status_code == 200
    assert response.json() == [
        {
            "id": track.pk,
            "order_token": str(order.order_token),
            "reference": order.reference,
            "product": kettle.pk,
            "name": "Kettle",
            "avatar": None,
            "number": 2,
            "price": 1500,
            "amount": 3000,
            "reduced": 0,
            "seller": "amina",
            "track_status": "created",
            "payment_status": "requested",
            "collection_code": None,
            "created_at": track.created_at.isoformat(),
            "updated_at": track.updated_at.isoformat(),
            "moves": [],
            "code_tries": 5,
            "can_report_problem": False,
            "can_review": False,
            "reviewed": False,
            "reviewable_until": None,
        }
    ]


def test_lines_come_newest_first(buyer, buyer_api, kettle, seller):
    pan = ProductFactory(seller=seller, name="Pan")
    an_order(buyer, (kettle, 1), (pan, 1))
    an_order(buyer, (kettle, 3))

    rows = buyer_api.get("/track/order/").json()

    assert [(row["name"], row["number"]) for row in rows] == [
        ("Kettle", 3),
        ("Pan", 1),
        ("Kettle", 1),
    ]


def test_nobody_sees_what_others_bought(buyer, seller_api, kettle):
    an_order(buyer, (kettle, 1))

    assert seller_api.get("/track/order/").json() == []
    assert signed_in(UserFactory()).get("/track/order/").json() == []


def test_a_stranger_is_asked_to_sign_in(api, db):
    response = api.get("/track/order/")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_long_list_comes_in_pages(buyer, buyer_api, seller):
    goods = [ProductFactory(seller=seller) for _ in range(27)]
    for nine in (goods[:9], goods[9:18], goods[18:]):
        cancel_order(an_order(buyer, *[(product, 1) for product in nine]).pk, cancelled_by="staff")

    first = buyer_api.get("/track/order/")
    link = first["Link"].split(";")[0].strip("<>")
    second = buyer_api.get(link)

    rows = first.json() + second.json()
    assert (len(first.json()), len(second.json())) == (25, 2)
    assert [row["product"] for row in rows] == [product.pk for product in reversed(goods)]
