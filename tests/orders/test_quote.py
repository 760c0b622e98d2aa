"""POST /cart/quote/: the cost of a cart with its delivery, and what would prevent the order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order, OrderDelivery
from products.models import Product
from tests.conftest import signed_in
from tests.factories import AddressFactory, ProductFactory
from tests.shopping import an_order, body, cash_out, stock_of

from .deliveries import a_point, a_rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def point(db):
    return a_point()


@pytest.fixture
def rates(db):
    return a_rate(), a_rate(way="home", fee=300, days=3)


@pytest.fixture
def pan(seller):
    """Three pans at KES 400."""
    return ProductFactory(seller=seller, name="Pan", item_number=3, price=400)


def lines(*wanted):
    return body(*wanted)["order"]


def quote(api, *wanted, **more):
    answer = api.post("/cart/quote/", {"order": lines(*wanted), **more})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def problems(quoted):
    """The codes of each line's problem, and of the cart's."""
    of_lines = [line["problem"] and line["problem"]["code"] for line in quoted["lines"]]
    return of_lines, [problem["code"] for problem in quoted["problems"]]


def test_a_stranger_is_told_what_a_cart_costs_brought_to_a_point(api, kettle, seller, point, rates):
    assert quote(api, (kettle, 2), delivery={"pickup_point": point.pk}) == {
        "lines": [
            {
                "product": kettle.pk,
                "number": 2,
                "name": "Kettle",
                "seller": "amina",
                "price": 1500,
                "amount": 3000,
                "available": True,
                "problem": None,
            }
        ],
        "parcels": [{"seller": "amina", "goods": 3000, "fee": 100, "free_above": None, "days": 2}],
        "goods": 3000,
        "delivery_fee": 100,
        "amount": 3100,
        "days": 2,
        "problems": [],
    }


def test_a_stranger_is_told_what_it_costs_to_bring_it_home_in_a_county(api, kettle, rates):
    quoted = quote(api, (kettle, 1), delivery={"county": "kiambu"})

    assert (quoted["delivery_fee"], quoted["amount"], quoted["days"]) == (300, 1800, 3)


def test_without_a_place_it_costs_its_goods(api, kettle, rates):
    for more in ({}, {"delivery": None}):
        quoted = quote(api, (kettle, 1), **more)

        assert (quoted["delivery_fee"], quoted["amount"], quoted["days"]) == (0, 1500, None)
        assert quoted["parcels"] == []


def test_nothing_is_kept_and_nothing_is_held(buyer_api, kettle, point, rates):
    quote(buyer_api, (kettle, 5), delivery={"pickup_point": point.pk})

    assert stock_of(kettle) == (5, 0)
    assert not Order.objects.exists()
    assert not OrderDelivery.objects.exists()


def test_a_quote_is_what_the_same_cash_out_costs(buyer, buyer_api, kettle, pan, point):
    drill = ProductFactory(price=3000, seller__username="baraka")
    a_rate(fee=150, free_above=2000)
    wanted = {"order": lines((pan, 1), (kettle, 1), (drill, 1)), "mpesa_number": "0712345678"}
    to = {"delivery": {"pickup_point": point.pk}}

    quoted = buyer_api.post("/cart/quote/", {**wanted, **to}).json()
    shown = {"amount": quoted["amount"], "delivery": {**to["delivery"], "fee": 150}}
    placed = buyer_api.post("/cashout/", {**wanted, **shown}).json()

    fees = {parcel["seller"]: parcel["fee"] for parcel in quoted["parcels"]}
    assert fees == {"amina": 150, "baraka": 0}
    assert [parcel["free_above"] for parcel in quoted["parcels"]] == [2000, 2000]
    assert (quoted["amount"], quoted["delivery_fee"]) == (5050, 150)
    assert (placed["amount"], placed["delivery_fee"]) == (5050, 150)
    assert placed["delivery"]["days"] == quoted["days"]


def test_lines_stand_in_the_order_asked(api, kettle, pan):
    quoted = quote(api, (pan, 1), (kettle, 1), (pan, 2))

    assert [(line["product"], line["number"]) for line in quoted["lines"]] == [
        (pan.pk, 1),
        (kettle.pk, 1),
        (pan.pk, 2),
    ]
    assert quoted["goods"] == 2700


def test_goods_not_for_sale_are_reported_on_their_line(api, kettle, pan):
    Product.objects.filter(pk=pan.pk).update(listed=False)
    gone = Product(pk=404)

    quoted = quote(api, (pan, 1), (gone, 1), (kettle, 1))

    assert problems(quoted) == (["not_for_sale", "not_for_sale", None], [])
    assert quoted["lines"][0] == {
        "product": pan.pk,
        "number": 1,
        "name": None,
        "seller": None,
        "price": None,
        "amount": None,
        "available": False,
        "problem": {
            "code": "not_for_sale",
            "message": "This product is not for sale.",
            "left": None,
            "shown": None,
        },
    }
    assert quoted["goods"] == 1500


def test_short_and_sold_out_lines_say_how_many_are_left(api, kettle):
    quoted = quote(api, (ProductFactory(item_number=0), 1), (kettle, 6))

    assert problems(quoted) == (["sold_out", "short"], [])
    assert [line["problem"]["left"] for line in quoted["lines"]] == [0, 5]
    assert [line["problem"]["message"] for line in quoted["lines"]] == ["Sold out.", "Only 5 left."]
    assert [line["available"] for line in quoted["lines"]] == [False, False]
    assert (quoted["goods"], quoted["amount"]) == (0, 0)


def test_two_lines_of_one_product_share_what_there_is(api, kettle):
    quoted = quote(api, (kettle, 3), (kettle, 3))

    assert problems(quoted) == ([None, "short"], [])
    assert quoted["lines"][1]["problem"]["left"] == 2


def test_goods_reserved_by_others_are_not_quoted(api, buyer, kettle):
    an_order(buyer, (kettle, 4))

    assert quote(api, (kettle, 2))["lines"][0]["problem"]["left"] == 1


def test_goods_a_cash_out_would_take_from_a_silent_order_are_quoted(api, buyer, kettle):
    order = an_order(buyer, (kettle, 4))
    Order.objects.filter(pk=order.pk).update(
        preemptible_after=timezone.now() - timedelta(minutes=1)
    )
    from_others, own = quote(api, (kettle, 5)), quote(signed_in(buyer), (kettle, 5))

    assert problems(from_others) == ([None], [])
    # One's own unpaid orders yield to nobody but others.
    assert problems(own) == (["short"], [])


def test_goods_of_an_overdue_order_are_quoted(api, buyer, kettle):
    order = an_order(buyer, (kettle, 5))
    Order.objects.filter(pk=order.pk).update(expires_at=order.created_at)

    assert problems(quote(api, (kettle, 5))) == ([None], [])


def test_ones_own_goods_are_said_on_their_line(api, seller_api, kettle):
    assert problems(quote(seller_api, (kettle, 1))) == (["own_goods"], [])
    assert problems(quote(api, (kettle, 1))) == ([None], [])


def test_a_price_that_was_shown_otherwise_can_still_be_bought(api, kettle):
    shown = [{"product": kettle.pk, "number": 2, "price": 1400}]

    quoted = api.post("/cart/quote/", {"order": shown, "amount": 2800}).json()

    assert problems(quoted) == (["price_changed"], ["price_changed"])
    assert quoted["lines"][0]["available"]
    assert quoted["lines"][0]["problem"]["message"] == "The price is now KES 1,500."
    assert [quoted["lines"][0]["problem"]["shown"], quoted["problems"][0]["shown"]] == [1400, 2800]


def test_a_fee_that_was_shown_otherwise_is_said(api, kettle, rates):
    quoted = quote(api, (kettle, 1), delivery={"county": "embu", "fee": 250})

    assert problems(quoted) == ([None], ["fee_changed"])
    assert quoted["problems"][0]["message"] == "Delivery now costs KES 300."


def test_where_nothing_is_brought_the_goods_still_cost_what_they_cost(api, kettle):
    quoted = quote(api, (kettle, 1), delivery={"county": "turkana"})

    assert problems(quoted) == ([None], ["no_rate"])
    assert quoted["problems"][0]["message"] == (
        "We do not deliver to Turkana yet. Choose a pick-up point, or arrange delivery with the "
        "seller."
    )
    assert (quoted["goods"], quoted["delivery_fee"], quoted["amount"]) == (1500, None, None)


def test_a_closed_point_and_one_there_is_not_are_said(api, kettle, rates):
    closed = a_point(is_open=False)

    at_closed = quote(api, (kettle, 1), delivery={"pickup_point": closed.pk})
    nowhere = quote(api, (kettle, 1), delivery={"pickup_point": 404})

    assert problems(at_closed) == ([None], ["point_closed"])
    assert problems(nowhere) == ([None], ["no_such_point"])


def test_an_address_needs_its_owner(api, buyer, buyer_api, seller_api, kettle, pan, rates):
    address = AddressFactory(user=buyer)
    to = {"delivery": {"address": address.pk}}

    assert problems(quote(api, (kettle, 1), **to)) == ([None], ["sign_in"])
    assert problems(quote(seller_api, (kettle, 1), **to))[1] == ["no_such_address"]
    assert quote(buyer_api, (kettle, 1), **to)["delivery_fee"] == 300


def test_above_what_mpesa_takes_is_said_with_the_fee_counted(api, point):
    sofa = ProductFactory(price=125_000, item_number=9)
    a_rate(fee=100)

    quoted = quote(api, (sofa, 2), delivery={"pickup_point": point.pk})

    assert problems(quoted) == ([None], ["above_limit"])
    assert problems(quote(api, (sofa, 2))) == ([None], [])


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"order": []}, "order"),
        ({}, "order"),
        ({"mpesa_number": "12"}, "mpesa_number"),
        ({"amount": "3000 KES"}, "amount"),
        ({"delivery": {}}, "delivery"),
        ({"delivery": {"county": "Nairobi"}}, "delivery"),
        ({"delivery": {"pickup_point": 1, "county": "nairobi"}}, "delivery"),
        ({"delivery": {"pickup_point": 2**64}}, "delivery"),
    ],
)
def test_unreadable_input_is_refused_on_its_field(api, kettle, wrong, where):
    asked = wrong if not wrong else {"order": lines((kettle, 1)), **wrong}

    answer = api.post("/cart/quote/", asked)

    assert (answer.status_code, list(answer.json())) == (400, [where])


def test_an_old_log_in_is_a_strangers(api, kettle):
    api.credentials(HTTP_AUTHORIZATION="Bearer long.gone.token")

    assert problems(quote(api, (kettle, 1))) == ([None], [])


@pytest.mark.parametrize(("to", "queries"), [("nowhere", 1), ("a county", 2), ("a point", 3)])
def test_a_quote_costs_a_fixed_number_of_queries(
    api, kettle, rates, django_assert_num_queries, to, queries
):
    delivery = {"a county": {"county": "embu"}, "a point": {"pickup_point": a_point().pk}}.get(to)
    drill = ProductFactory()
    quote(api, (kettle, 1), delivery=delivery)

    # products; the rate; the point
    with django_assert_num_queries(queries):
        quote(api, (kettle, 1), (drill, 1), delivery=delivery)


def test_a_shortage_costs_one_query_more(api, kettle, django_assert_num_queries):
    with django_assert_num_queries(2):
        quote(api, (kettle, 9))


def test_goods_quoted_as_available_are_sold(buyer_api, kettle):
    assert quote(buyer_api, (kettle, 5))["lines"][0]["available"]
    assert cash_out(buyer_api, (kettle, 5)).status_code == 201


@pytest.mark.parametrize("price", [2**53, 2**64])
def test_a_price_or_an_amount_that_no_shop_has_is_refused(api, pan, price):
    too_large = ["This number is too large."]
    [line] = lines((pan, 1))

    priced = api.post("/cart/quote/", {"order": [{**line, "price": price}]})
    summed = api.post("/cart/quote/", {"order": [line], "amount": price})

    assert (priced.status_code, priced.json()) == (400, {"order": [{"price": too_large}]})
    assert (summed.status_code, summed.json()) == (400, {"amount": too_large})
