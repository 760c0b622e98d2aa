"""Cash-out: today's prices, all lines or none, nothing promised that is not there."""

import re
from datetime import timedelta
from unittest.mock import Mock

from django.utils import timezone

from orders.models import Order
from products.listings.services import edit_product
from products.stock import Shortage
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, cash_out, stock_of


def test_an_order_says_what_was_agreed(buyer_api, kettle, seller):
    pan = ProductFactory(seller=seller, name="Pan", price=700)
    now = timezone.now()

    response = cash_out(buyer_api, (kettle, 2), (pan, 1), phone="+254 712-345 678")

    order = Order.objects.get()
    first, second = order.tracks.order_by("pk")
    assert response.status_code == 201
    assert response.json() == {
        "order_token": str(order.order_token),
        "reference": order.reference,
        "payment_status": "requested",
        "amount": 3700,
        "mpesa_number": "254712345678",
        "created_at": order.created_at.isoformat(),
        "expires_at": order.expires_at.isoformat(),
        "order": [
            {
                "id": first.pk,
                "product": kettle.pk,
                "name": "Kettle",
                "number": 2,
                "price": 1500,
                "amount": 3000,
                "reduced": 0,
                "track_status": "created",
                "collection_code": None,
                "thumbnail": None,
                "seller": "amina",
                "moves": [],
            },
            {
                "id": second.pk,
                "product": pan.pk,
                "name": "Pan",
                "number": 1,
                "price": 700,
                "amount": 700,
                "reduced": 0,
                "track_status": "created",
                "collection_code": None,
                "thumbnail": None,
                "seller": "amina",
                "moves": [],
            },
        ],
        "delivery": None,
        "delivery_fee": 0,
        "amount_due": 3700,
        "refund": 0,
        "refunded": 0,
        "expires_in": 900,
        "prompt": {
            "status": "requested",
            "message": "We are about to send a prompt to your phone.",
            "code": "about_to_ring",
            "text": "We are about to send a prompt to your phone.",
            "by_hand": "",
            "live": True,
            "rung_at": None,
            "ring_again_in": 60,
            "expires_in": None,
        },
        "by_hand": [
            {
                "provider": "M-Pesa",
                "pay_bill": "174379",
                "account": order.reference,
                "amount": 3700,
            }
        ],
    }
    assert re.fullmatch("[ACDEFGHJKLMNPQRTUVWXY34679]{8}", order.reference)
    assert timedelta(0) <= order.expires_at - now - timedelta(minutes=15) < timedelta(seconds=9)
    assert (stock_of(kettle), stock_of(pan)) == ((5, 2), (5, 1))


def test_a_later_price_does_not_change_what_was_agreed(buyer_api, buyer, kettle):
    token = an_order(buyer, (kettle, 2)).order_token

    edit_product(kettle.pk, price=9000, name="Golden kettle")

    order = buyer_api.get(f"/cashout/{token}/").json()
    assert (order["amount"], order["order"][0]["price"]) == (3000, 1500)
    assert order["order"][0]["name"] == "Kettle"


def test_the_same_product_on_two_lines_is_added_up(buyer_api, kettle):
    order = cash_out(buyer_api, (kettle, 2), (kettle, 3)).json()

    assert [(line["number"], line["amount"]) for line in order["order"]] == [(5, 7500)]
    assert stock_of(kettle) == (5, 5)


def test_a_shortage_is_pointed_at_on_its_line(buyer_api, kettle, seller):
    pan = ProductFactory(seller=seller, item_number=3)

    response = cash_out(buyer_api, (kettle, 1), (pan, 4))

    assert response.status_code == 400
    assert response.json() == {"order": [{}, {"number": ["Only 3 left."]}]}


def test_a_shortage_on_one_line_holds_nothing_of_the_others(buyer_api, kettle, seller):
    pan = ProductFactory(seller=seller, item_number=3)

    cash_out(buyer_api, (kettle, 1), (pan, 4))

    assert (stock_of(kettle), stock_of(pan)) == ((5, 0), (3, 0))
    assert not Order.objects.exists()


def test_of_two_lines_for_one_product_the_one_that_is_too_much_is_pointed_at(buyer_api, kettle):
    response = cash_out(buyer_api, (kettle, 3), (kettle, 3))

    assert response.json() == {"order": [{}, {"number": ["Only 5 left."]}]}


def test_goods_reserved_by_others_are_not_available(buyer_api, kettle):
    an_order(UserFactory(), (kettle, 4))

    response = cash_out(buyer_api, (kettle, 2))

    assert response.json() == {"order": [{"number": ["Only 1 left."]}]}


def test_fully_reserved_goods_are_sold_out(buyer_api, kettle):
    an_order(UserFactory(), (kettle, 5))

    response = cash_out(buyer_api, (kettle, 1))

    assert response.json() == {"order": [{"number": ["Sold out."]}]}


def test_goods_that_come_free_in_between_still_leave_a_line_to_point_at(
    buyer_api, kettle, monkeypatch
):
    # As if all had been held, and were cancelled before what is left is read.
    monkeypatch.setattr("products.stock.hold", Mock(side_effect=Shortage(kettle.pk)))

    response = cash_out(buyer_api, (kettle, 2))

    assert response.json() == {"order": [{"number": ["Only 1 left."]}]}


def test_goods_of_overdue_orders_are_freed_before_sold_out_is_said(buyer_api, kettle):
    overdue = an_order(UserFactory(), (kettle, 5))
    Order.objects.filter(pk=overdue.pk).update(expires_at=timezone.now())

    response = cash_out(buyer_api, (kettle, 5))

    overdue.refresh_from_db()
    assert (response.status_code, overdue.payment_status) == (201, "expired")
    assert stock_of(kettle) == (5, 5)


def test_overdue_orders_for_other_goods_are_left_to_the_clock(buyer_api, kettle, seller):
    pan = ProductFactory(seller=seller)
    overdue = an_order(UserFactory(), (pan, 1))
    Order.objects.filter(pk=overdue.pk).update(expires_at=timezone.now())

    cash_out(buyer_api, (kettle, 6))

    overdue.refresh_from_db()
    assert overdue.payment_status == "requested"


def test_goods_not_for_sale_are_named(buyer_api, kettle, seller):
    hidden = ProductFactory(seller=seller, listed=False)

    response = buyer_api.post(
        "/cashout/",
        {
            "order": [
                {"product": kettle.pk, "number": 1},
                {"product": hidden.pk, "number": 1},
                {"product": 987654321, "number": 1},
            ],
            "mpesa_number": "0712345678",
        },
    )

    nope = {"product": ["This product is not for sale."]}
    assert (response.status_code, response.json()) == (400, {"order": [{}, nope, nope]})


def test_an_order_may_be_worth_a_quarter_million_and_not_a_shilling_more(buyer_api, seller):
    sofa = ProductFactory(seller=seller, price=125_000)
    sweet = ProductFactory(seller=seller, price=1)

    too_much = cash_out(buyer_api, (sofa, 2), (sweet, 1))
    just_right = cash_out(buyer_api, (sofa, 2))
    one_shilling = cash_out(buyer_api, (sweet, 1))

    said = "M-Pesa accepts at most KES 250,000 per payment; this is KES 250,001."
    assert too_much.json() == {"order": {"non_field_errors": [said]}}
    assert (too_much.status_code, just_right.status_code) == (400, 201)
    assert (just_right.json()["amount"], one_shilling.json()["amount"]) == (250_000, 1)
    assert (stock_of(sofa), stock_of(sweet)) == ((5, 2), (5, 1))
