"""A guest's order by its token: enough to pay for it and to know how it stands, and no more."""

import uuid

import pytest

from orders.models import CancelledBy, Order
from payments.models import OrderPayment
from tests.conftest import signed_in
from tests.factories import UserFactory, give_role
from tests.orders.deliveries import a_point, a_rate
from tests.shopping import PHONE, an_order, body, cash_out, stock_of

from .conftest import as_guest, path_of
from .paying import fail, pay

pytestmark = pytest.mark.django_db
HOME = {
    "recipient": "Njeri Mwangi",
    "phone": "0733000111",
    "county": "kiambu",
    "area": "Thika, Section 9",
    "directions": "Blue gate.",
}


def test_the_token_shows_how_the_order_stands(kettle, api):
    placed = as_guest((kettle, 2))

    shown = api.get(path_of(placed)).json()
    assert (shown["payment_status"], shown["amount"], shown["amount_due"]) == (
        "requested",
        3000,
        3000,
    )
    assert (shown["order"][0]["name"], shown["order"][0]["number"]) == ("Kettle", 2)
    assert shown["prompt"]["code"] == "about_to_ring"


def test_tracking_hides_the_phone_and_the_code(kettle, api):
    placed = as_guest((kettle, 1))
    pay(placed)

    shown = api.get(path_of(placed)).json()
    assert shown["payment_status"] == "paid"
    assert shown["mpesa_number"] == "•••••••••678"
    assert (shown["order"][0]["collection_code"], shown["order"][0]["moves"]) == (None, [])


def test_tracking_hides_the_recipient_and_the_address(kettle, api):
    a_rate(way="home", fee=300)
    placed = api.post("/cashout/", {**body((kettle, 1)), "delivery": HOME})

    assert placed.json()["delivery"]["recipient"] == "Njeri Mwangi"
    shown = api.get(path_of(placed)).json()["delivery"]
    assert (shown["county"], shown["place"], shown["fee"]) == ("kiambu", "Kiambu", 300)
    assert (shown["recipient"], shown["area"], shown["directions"]) == ("", "", "")
    assert shown["phone"] == "•••••••••111"


def test_tracking_shows_the_pick_up_point(kettle, api):
    a_rate()
    point = a_point(directions="Ground floor.")
    asked = {**body((kettle, 1)), "delivery": {"pickup_point": point.pk}}

    placed = api.post("/cashout/", asked)

    assert placed.json()["delivery"]["recipient"] == "•••••••••678"
    shown = api.get(path_of(placed)).json()["delivery"]
    assert (shown["pickup_point"], shown["directions"]) == (point.pk, "Ground floor.")
    assert (shown["recipient"], shown["phone"]) == ("", "•••••••••678")


def test_a_guests_order_is_not_cached(kettle, api):
    assert api.get(path_of(as_guest((kettle, 1)))).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("then", ["", "pay/", "cancel/"])
def test_the_token_of_an_account_opens_nothing_for_a_stranger(buyer, kettle, api, then):
    path = f"/cashout/{an_order(buyer, (kettle, 1)).order_token}/{then}"

    answer = api.post(path) if then else api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_token_that_there_is_not_is_answered_like_an_accounts(api, db):
    answer = api.get(f"/cashout/{uuid.uuid4()}/")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_stale_access_token_is_refused_on_a_guests_order(kettle, api):
    placed = as_guest((kettle, 1))

    answer = api.get(path_of(placed), headers={"Authorization": "Bearer stale"})
    assert answer.status_code == 401


def test_a_signed_in_user_sees_no_more_by_token_than_a_stranger(kettle, buyer_api):
    placed = as_guest((kettle, 1))

    assert buyer_api.get(path_of(placed)).json()["mpesa_number"] == "•••••••••678"


def test_an_accounts_order_stays_hidden_from_other_accounts(buyer, kettle):
    order = an_order(buyer, (kettle, 1))

    answer = signed_in(UserFactory()).get(f"/cashout/{order.order_token}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_orders_are_followed_on_where_guests_are_served_no_more(kettle, api, settings):
    placed = as_guest((kettle, 1))
    settings.GUEST_CHECKOUT = False

    assert api.get(path_of(placed)).status_code == 200


def test_the_same_phone_is_rung_again(kettle, api, daraja, django_capture_on_commit_callbacks):
    placed = as_guest((kettle, 1))
    fail(placed)

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post(path_of(placed, "pay/"))
    assert (answer.status_code, answer.json()["mpesa_number"]) == (200, "•••••••••678")
    assert [push["phone"] for push in daraja.pushes] == [PHONE]


def test_the_same_phone_may_be_written_anyhow(kettle, api):
    placed = as_guest((kettle, 1))
    fail(placed)

    answer = api.post(path_of(placed, "pay/"), {"mpesa_number": "+254 712-345 678"})
    assert answer.status_code == 200


def test_another_phone_is_not_rung(kettle, api):
    placed = as_guest((kettle, 1))
    fail(placed)

    answer = api.post(path_of(placed, "pay/"), {"mpesa_number": "0722000111"})
    assert answer.status_code == 400
    assert answer.json()["mpesa_number"][0].startswith("This order is paid from the phone it was")
    assert OrderPayment.objects.count() == 1


def test_the_token_cancels_what_is_unpaid(kettle, api):
    placed = as_guest((kettle, 2))

    answer = api.post(path_of(placed, "cancel/"))
    assert answer.json()["payment_status"] == "cancelled"
    assert stock_of(kettle) == (5, 0)


def test_the_token_cancels_nothing_that_is_paid(kettle, api):
    placed = as_guest((kettle, 1))
    order = pay(placed)

    assert api.post(path_of(placed, "cancel/")).status_code == 409
    order.refresh_from_db()
    assert (order.payment_status, order.cancelled_by) == ("paid", "")


def test_an_order_cancelled_by_a_guest_is_cancelled_by_its_buyer(kettle, api):
    placed = as_guest((kettle, 1))
    api.post(path_of(placed, "cancel/"))

    order = pay(placed)
    assert (order.payment_status, order.cancelled_by) == ("refund_due", CancelledBy.BUYER)


def test_the_rest_is_for_accounts(kettle, api):
    placed = as_guest((kettle, 1))
    line = pay(placed).tracks.get()

    paths = ["/orders/", "/track/order/", f"/track/order/{line.pk}/", "/notices/"]
    assert [api.get(path).status_code for path in paths] == [401] * 4
    assert api.post(f"/track/{line.pk}/move/", {"to": "cancelled"}).status_code == 401
    assert api.post(f"/track/{line.pk}/problem/", {"kind": "other"}).status_code == 401


def test_the_seller_sees_a_customer_and_the_number_to_call(kettle, seller_api):
    pay(as_guest((kettle, 1)))

    [row] = seller_api.get("/seller/orders/").json()
    assert (row["buyer"], row["phone"]) == ("customer", "254712345678")


def test_a_repeated_cash_out_of_an_account_is_still_its_own(kettle, buyer_api):
    as_guest((kettle, 1), key="the-same-key")

    own = cash_out(buyer_api, (kettle, 1), key="the-same-key").json()
    assert own["mpesa_number"] == "254712345678"


@pytest.mark.parametrize("role", ["seller", "delivery", "support"])
def test_the_token_is_shown_to_nobody_but_the_buyer(kettle, role):
    order = Order.objects.get(order_token=as_guest((kettle, 1)).json()["order_token"])
    line = order.tracks.get()
    reader = kettle.seller if role == "seller" else give_role(UserFactory(is_staff=True), role)

    story = signed_in(reader).get(f"/track/order/{line.pk}/")

    assert (story.status_code, story.json()["order_token"]) == (200, None)
    assert str(order.order_token) not in story.content.decode()
