"""The list of a buyer's orders, and what may be done with their lines now."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models import Order, OrderTrack, Parcel
from orders.models.lines import MAX_CODE_MISSES
from orders.problems.services import add_message, open_problem
from orders.reviews import review_line
from payments.checkout.serializers import OrderRowOutput
from products.models import ProductPicture
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.orders.deliveries import paid_delivery
from tests.orders.lines import line_at, move, with_role
from tests.shopping import an_order, delivered_line, paid_line

LIST = "/orders/"


def with_picture(product):
    product.image, product.thumbnail = "products/3f1c.webp", "products/3f1c.thumb.webp"
    product.save()
    ProductPicture.objects.create(
        product=product, image=product.image.name, thumbnail=product.thumbnail.name
    )


def test_an_order_is_one_row_with_its_lines(buyer, buyer_api, kettle, seller):
    with_picture(kettle)
    order = an_order(buyer, (kettle, 2), (ProductFactory(seller=seller, name="Pan", price=300), 1))
    first, second = order.tracks.order_by("pk")

    response = buyer_api.get(LIST)

    unpaid = {
        "moves": [],
        "code_tries": 5,
        "can_report_problem": False,
        "can_review": False,
        "reviewed": False,
        "reviewable_until": None,
    }
    assert response.status_code == 200
    assert response.json() == [
        {
            "order_token": str(order.order_token),
            "reference": order.reference,
            "payment_status": "requested",
            "amount": 3300,
            "amount_due": 3300,
            "refund": 0,
            "refunded": 0,
            "created_at": order.created_at.isoformat(),
            "expires_at": order.expires_at.isoformat(),
            "order": [
                {
                    "id": first.pk,
                    "product": kettle.pk,
                    "name": "Kettle",
                    "number": 2,
                    "amount": 3000,
                    "reduced": 0,
                    "track_status": "created",
                    "thumbnail": "http://testserver/media/products/3f1c.thumb.webp",
                    "seller": "amina",
                    **unpaid,
                },
                {
                    "id": second.pk,
                    "product": second.product_id,
                    "name": "Pan",
                    "number": 1,
                    "amount": 300,
                    "reduced": 0,
                    "track_status": "created",
                    "thumbnail": None,
                    "seller": "amina",
                    **unpaid,
                },
            ],
            "delivery": None,
            "needs": ["pay"],
        }
    ]


def test_a_row_is_as_it_is_described(buyer, buyer_api, kettle):
    paid_delivery(buyer, (kettle, 1))

    row = buyer_api.get(LIST).json()[0]

    assert set(row) == set(OrderRowOutput().fields)
    assert set(row["order"][0]) == set(OrderRowOutput().fields["order"].child.fields)
    assert set(row["delivery"]) == set(OrderRowOutput().fields["delivery"].fields)


def test_an_order_that_is_brought_says_where_to_and_for_how_much(buyer, buyer_api, kettle):
    paid_delivery(buyer, (kettle, 1), fee=150)

    row = buyer_api.get(LIST).json()[0]

    assert row["delivery"] == {
        "way": "pickup",
        "place": "Kilimani Pick-up, Argwings Kodhek Road, Nairobi City",
        "days": 2,
        "fee": 150,
    }
    assert (row["amount"], row["order"][0]["amount"]) == (1650, 1500)


def test_the_newest_order_comes_first_and_others_orders_never(buyer, buyer_api, kettle):
    older, newer = an_order(buyer, (kettle, 1)), an_order(buyer, (kettle, 1))
    an_order(UserFactory(), (kettle, 1))

    rows = buyer_api.get(LIST).json()

    assert [row["reference"] for row in rows] == [newer.reference, older.reference]


def test_a_stranger_is_asked_to_sign_in(api, db):
    assert api.get(LIST).status_code == 401


def test_pages_go_on_where_the_last_one_ended(buyer, buyer_api, kettle):
    orders = [an_order(buyer, (kettle, 1)) for _ in range(3)]

    first = buyer_api.get(LIST, {"page_size": 2})
    cancel_order(orders[0].pk, cancelled_by="staff")
    an_order(buyer, (kettle, 1), phone="254712000009")
    second = buyer_api.get(first["Link"].split(";")[0].strip("<>"))

    seen = [row["reference"] for row in first.json() + second.json()]
    assert seen == [order.reference for order in reversed(orders)]
    assert "Link" not in second


def test_a_page_costs_the_same_for_few_orders_or_many(
    buyer, buyer_api, kettle, django_assert_num_queries
):
    paid_delivery(buyer, (kettle, 1))
    an_order(buyer, (kettle, 1))
    buyer_api.get(LIST)

    # caller; orders; lines with their products, sellers and reviews; what came for those that
    # wait for money; where those go that are brought
    with django_assert_num_queries(5):
        assert len(buyer_api.get(LIST).json()) == 2

    for _ in range(2):
        paid_line(buyer, kettle)
    with django_assert_num_queries(5):
        assert len(buyer_api.get(LIST).json()) == 4


def test_no_orders_cost_two_queries(buyer, buyer_api, django_assert_num_queries):
    buyer_api.get(LIST)

    with django_assert_num_queries(2):
        assert buyer_api.get(LIST).json() == []


def test_an_order_whose_time_is_over_is_not_to_be_paid(buyer, buyer_api, kettle):
    order = an_order(buyer, (kettle, 1))

    with time_machine.travel(order.expires_at + timedelta(seconds=1), tick=False):
        row = signed_in(buyer).get(LIST).json()[0]

    assert row["needs"] == []


def test_goods_on_the_way_wait_to_be_confirmed_and_then_to_be_reviewed(buyer, buyer_api, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    on_the_way = buyer_api.get(LIST).json()[0]["needs"]
    move_line(line.pk, "delivered", actor=buyer)
    delivered = buyer_api.get(LIST).json()[0]["needs"]
    review_line(track_id=line.pk, buyer=buyer, stars=5)

    assert (on_the_way, delivered) == (["confirm"], ["review"])
    assert buyer_api.get(LIST).json()[0]["needs"] == []


def test_a_problem_waits_for_its_buyer_once_another_has_spoken(buyer, buyer_api, seller, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    problem = open_problem(line.pk, buyer=buyer, kind="damaged", text="It leaks.").problem
    needs = [buyer_api.get(LIST).json()[0]["needs"]]
    add_message(problem.pk, author=seller, party="seller", text="Where?")
    needs.append(buyer_api.get(LIST).json()[0]["needs"])
    add_message(problem.pk, author=buyer, party="buyer", text="At the spout.")
    needs.append(buyer_api.get(LIST).json()[0]["needs"])

    assert needs == [["confirm"], ["answer", "confirm"], ["confirm"]]


@pytest.mark.parametrize(
    ("status", "moves"),
    [
        ("created", []),
        ("paid", ["cancelled"]),
        ("fetched", ["delivered"]),
        ("shipping", ["delivered"]),
        ("delivered", []),
        ("cancelled", []),
    ],
)
def test_every_move_that_a_buyer_is_shown_is_done(buyer, buyer_api, kettle, status, moves):
    line = line_at(status, buyer=buyer, product=kettle)

    row = buyer_api.get("/track/order/").json()[0]

    assert row["moves"] == moves
    for to in moves:
        assert move(buyer, line, to).status_code == 200


@pytest.mark.parametrize(
    ("role", "status", "moves"),
    [
        ("delivery", "paid", ["fetched"]),
        ("delivery", "shipping", ["delivered"]),
        ("support", "delivered", ["cancelled"]),
    ],
)
def test_agents_and_staff_are_shown_their_own_moves(buyer, kettle, role, status, moves):
    line = line_at(status, buyer=buyer, product=kettle)

    story = signed_in(with_role(role)).get(f"/track/order/{line.pk}/").json()

    assert story["moves"] == moves
    assert (story["can_report_problem"], story["can_review"]) == (False, False)


def test_an_agent_whose_own_number_is_paid_is_shown_no_move(buyer, kettle):
    line = line_at("paid", buyer=buyer, product=kettle)
    agent = with_role("delivery")
    ProductFactory(seller=agent, payment_mpesa_number=line.payment_mpesa_number)

    assert signed_in(agent).get(f"/track/order/{line.pk}/").json()["moves"] == []
    assert move(agent, line, "fetched").status_code == 403


def test_a_seller_is_shown_theirs(buyer, seller_api, kettle):
    line_at("fetched", buyer=buyer, product=kettle)

    assert seller_api.get("/seller/orders/").json()[0]["moves"] == ["delivered"]


def test_nothing_is_handed_over_while_the_payment_is_in_doubt(buyer, buyer_api, seller_api, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    Order.objects.filter(pk=line.order_id).update(in_doubt=True)

    assert buyer_api.get("/track/order/").json()[0]["moves"] == []
    assert seller_api.get("/seller/orders/").json()[0]["moves"] == []
    assert buyer_api.get(LIST).json()[0]["needs"] == []
    # The books are looked at when the test is over.
    Order.objects.filter(pk=line.order_id).update(in_doubt=False)


def test_a_seller_who_guessed_too_often_is_not_shown_what_the_code_opens(
    buyer, buyer_api, seller_api, kettle
):
    line = line_at("shipping", buyer=buyer, product=kettle)
    OrderTrack.objects.filter(pk=line.pk).update(code_misses=MAX_CODE_MISSES)

    assert seller_api.get("/seller/orders/").json()[0]["moves"] == []
    assert buyer_api.get("/track/order/").json()[0]["moves"] == ["delivered"]


def test_a_seller_is_shown_how_often_a_code_may_be_tried(buyer, seller_api, kettle):
    line = line_at("shipping", buyer=buyer, product=kettle)
    OrderTrack.objects.filter(pk=line.pk).update(code_misses=3)

    assert seller_api.get("/seller/orders/").json()[0]["code_tries"] == 2


def test_codes_tried_on_a_parcel_count_against_each_of_its_lines(
    buyer, buyer_api, seller_api, kettle
):
    order = paid_delivery(buyer, (kettle, 1))
    for to in ("fetched", "shipping"):
        move(with_role("delivery"), order.tracks.get(), to)

    def of_buyer():
        return buyer_api.get(f"/track/order/{order.tracks.get().pk}/").json()["code_tries"]

    def of_seller():
        row = seller_api.get("/seller/orders/").json()[0]
        return row["code_tries"], row["moves"]

    assert of_seller() == (5, ["delivered"])
    Parcel.objects.update(code_misses=4)
    assert (of_seller(), of_buyer()) == ((1, ["delivered"]), 1)
    Parcel.objects.update(code_misses=5)
    assert (of_seller(), of_buyer()) == ((0, []), 0)


def test_a_problem_can_be_reported_from_paid_until_a_week_after_the_delivery(
    buyer, kettle, settings
):
    settings.PROBLEM_DAYS = 7
    unpaid = an_order(buyer, (kettle, 1))
    assert _row(buyer, unpaid.tracks.get())["can_report_problem"] is False

    paid, arrived = paid_line(buyer, kettle), delivered_line(buyer, kettle)
    end = arrived.updated_at + timedelta(days=7)

    assert _row(buyer, paid)["can_report_problem"] is True
    assert _row(buyer, arrived, at=end - timedelta(seconds=1))["can_report_problem"] is True
    assert _row(buyer, arrived, at=end)["can_report_problem"] is False


def test_a_second_problem_is_not_reported_while_one_is_undecided(buyer, kettle):
    line = paid_line(buyer, kettle)
    open_problem(line.pk, buyer=buyer, kind="damaged", text="It broke.")

    assert _row(buyer, line)["can_report_problem"] is False


def test_a_cancelled_line_no_longer_has_a_problem(buyer, kettle):
    line = line_at("cancelled", buyer=buyer, product=kettle)

    assert _row(buyer, line)["can_report_problem"] is False


def test_a_review_can_be_written_once_and_then_changed_for_a_week(buyer, kettle):
    line = delivered_line(buyer, kettle)
    before = _row(buyer, line)
    review = review_line(track_id=line.pk, buyer=buyer, stars=4)
    after = _row(buyer, line)

    said = ("can_review", "reviewed", "reviewable_until")
    assert [before[name] for name in said] == [True, False, None]
    assert [after[name] for name in said] == [
        False,
        True,
        (review.created_at + timedelta(days=7)).isoformat(),
    ]


def test_the_order_shows_its_goods_and_who_sells_them(buyer_api, kettle):
    with_picture(kettle)
    body = {"order": [{"product": kettle.pk, "number": 1}], "mpesa_number": "0712345678"}

    placed = buyer_api.post("/cashout/", body, format="json").json()
    again = buyer_api.get(f"/cashout/{placed['order_token']}/").json()

    shown = {"thumbnail": "http://testserver/media/products/3f1c.thumb.webp", "seller": "amina"}
    assert {**placed["order"][0], **shown, "moves": []} == placed["order"][0]
    assert again["order"] == placed["order"]


def _row(buyer, line, *, at=None):
    """The buyer's row of a line, at that moment."""
    with time_machine.travel(at or timezone.now(), tick=False):
        rows = signed_in(buyer).get("/track/order/").json()
    return next(row for row in rows if row["id"] == line.pk)
