"""A cash-out with a destination: what is fixed, what it costs, and what is refused."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders.allowance import HoldRequest
from orders.cashout import LineRequest
from orders.cashout_request import CashoutRequest
from orders.delivery.destinations import Destination
from orders.lifecycle import cancel_order
from orders.models import (
    DeliveryDigest,
    DeliveryRate,
    FeeState,
    Order,
    OrderDelivery,
    Parcel,
    PickupPoint,
)
from orders.retention import mask_old_phones
from tests.conftest import signed_in
from tests.factories import AddressFactory, ProductFactory, UserFactory
from tests.shopping import body, cash_out, delivered_line

from .deliveries import a_point, a_rate, paid_delivery

pytestmark = pytest.mark.django_db

WRITTEN = {
    "recipient": "Njeri Mwangi",
    "phone": "0733 000 111",
    "county": "kiambu",
    "area": "Thika, Section 9",
    "directions": "Blue gate.",
}


@pytest.fixture
def point(db):
    return a_point()


@pytest.fixture
def rates(db):
    """KES 100 to a point in 2 days, KES 300 home in 3, anywhere."""
    return a_rate(), a_rate(way="home", fee=300, days=3)


def ask(api, *lines, delivery, key=None, **more):
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post("/cashout/", {**body(*lines), "delivery": delivery, **more}, headers=headers)


def refused(answer):
    assert answer.status_code == 400, answer.json()
    assert not Order.objects.exists()
    return answer.json()


def test_to_a_point_place_fee_and_days_are_frozen(buyer, buyer_api, kettle, point, rates):
    answer = ask(buyer_api, (kettle, 2), delivery={"pickup_point": point.pk})

    assert answer.status_code == 201
    assert (answer.json()["amount"], answer.json()["delivery_fee"]) == (3100, 100)
    assert answer.json()["delivery"] == {
        "way": "pickup",
        "place": "Kilimani Pick-up, Argwings Kodhek Road, Nairobi City",
        "pickup_point": point.pk,
        "recipient": "wanjiku",
        "phone": "254712345678",
        "county": "nairobi",
        "county_name": "Nairobi City",
        "area": "Kilimani Pick-up, Argwings Kodhek Road",
        "directions": "",
        "opening_hours": "Mon–Sat 8:00–19:00",
        "days": 2,
        "fee": 100,
    }
    parcel = Parcel.objects.get()
    assert (parcel.seller, parcel.fee, parcel.fee_state) == (kettle.seller, 100, FeeState.HELD)
    assert Order.objects.get().tracks.get().parcel == parcel


def test_the_order_says_so_when_it_is_looked_at(buyer_api, kettle, point, rates):
    placed = ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}).json()

    looked = buyer_api.get(f"/cashout/{placed['order_token']}/").json()

    assert looked["delivery"] == placed["delivery"]
    assert looked["delivery_fee"] == 100


def test_at_a_point_the_buyer_takes_it_in_by_their_own_name_and_phone(kettle, point, rates):
    person = UserFactory(first_name="Wanjiku", last_name="Kamau", phone="254799000222")

    answer = ask(signed_in(person), (kettle, 1), delivery={"pickup_point": point.pk}).json()

    assert answer["delivery"]["recipient"] == "Wanjiku Kamau"
    assert answer["delivery"]["phone"] == "254799000222"


def test_at_a_point_another_may_take_it_in(buyer_api, kettle, point, rates):
    to = {"pickup_point": point.pk, "recipient": " Otieno  Odhiambo ", "phone": "0733000111"}

    answer = ask(buyer_api, (kettle, 1), delivery=to).json()

    assert answer["delivery"]["recipient"] == "Otieno Odhiambo"
    assert answer["delivery"]["phone"] == "254733000111"


def test_to_an_own_address_a_copy_is_kept(buyer, buyer_api, kettle, rates):
    address = AddressFactory(user=buyer, area="Kilimani", county="nairobi")
    placed = ask(buyer_api, (kettle, 1), delivery={"address": address.pk}).json()
    kept = OrderDelivery.objects.get()
    name, phone = address.recipient, address.phone
    address.delete()

    assert (kept.way, kept.area, kept.recipient, kept.phone) == ("home", "Kilimani", name, phone)
    assert (placed["amount"], placed["delivery"]["days"]) == (1800, 3)
    assert placed["delivery"]["pickup_point"] is placed["delivery"]["opening_hours"] is None
    looked = buyer_api.get(f"/cashout/{placed['order_token']}/").json()
    assert looked["delivery"] == placed["delivery"]


def test_to_a_place_written_out(buyer_api, kettle, rates):
    answer = ask(buyer_api, (kettle, 1), delivery=WRITTEN).json()

    assert answer["delivery"] == {
        "way": "home",
        "place": "Thika, Section 9, Kiambu",
        "pickup_point": None,
        "recipient": "Njeri Mwangi",
        "phone": "254733000111",
        "county": "kiambu",
        "county_name": "Kiambu",
        "area": "Thika, Section 9",
        "directions": "Blue gate.",
        "opening_hours": None,
        "days": 3,
        "fee": 300,
    }


def test_each_seller_sends_a_parcel_for_a_fee_of_its_own(buyer_api, kettle, seller, point):
    pan, drill = ProductFactory(seller=seller, price=400), ProductFactory(price=3000)
    a_rate(fee=150, free_above=3000)

    answer = ask(
        buyer_api, (kettle, 1), (drill, 1), (pan, 1), delivery={"pickup_point": point.pk}
    ).json()

    fees = dict(Parcel.objects.values_list("seller", "fee"))
    assert fees == {seller.pk: 150, drill.seller_id: 0}
    assert (answer["amount"], answer["delivery_fee"]) == (5050, 150)
    parcels = dict(Order.objects.get().tracks.values_list("product", "parcel__seller"))
    assert parcels == {
        kettle.pk: seller.pk, pan.pk: seller.pk, drill.pk: drill.seller_id
    }  # fmt: skip


@pytest.mark.parametrize(("number", "fee"), [(1, 200), (2, 0)])
def test_a_parcel_is_free_from_an_amount_on(buyer_api, kettle, point, number, fee):
    a_rate(fee=200, free_above=3000)

    answer = ask(buyer_api, (kettle, number), delivery={"pickup_point": point.pk}).json()

    assert answer["delivery_fee"] == fee


def test_a_county_has_a_rate_of_its_own_before_the_default(buyer_api, kettle, point):
    a_rate(fee=300)
    a_rate(county="nairobi", fee=80, days=1)
    a_rate(county="mombasa", fee=500)

    answer = ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}).json()

    assert (answer["delivery_fee"], answer["delivery"]["days"]) == (80, 1)


def test_a_rate_that_changes_later_changes_no_order(buyer_api, kettle, point, rates):
    placed = ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}).json()
    DeliveryRate.objects.update(fee=999, days=9)
    PickupPoint.objects.update(is_open=False)

    looked = buyer_api.get(f"/cashout/{placed['order_token']}/").json()

    assert (looked["delivery"], looked["amount"]) == (placed["delivery"], 1600)


def test_the_agreed_delivery_is_kept_in_an_unchanging_digest(buyer_api, kettle, point, rates):
    ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk})

    assert len(DeliveryDigest.objects.get().sha256) == 64
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryDigest.objects.update(sha256="")


def test_the_fee_is_asked_for_by_the_prompt(buyer_api, kettle, point, rates):
    ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk})

    assert Order.objects.get().payments.get().amount == 1600


@pytest.mark.parametrize("delivery", ["left out", None])
def test_without_a_place_nothing_is_brought(buyer_api, kettle, rates, delivery):
    more = {} if delivery else {"delivery": None}

    answer = buyer_api.post("/cashout/", {**body((kettle, 1)), **more})

    assert (answer.json()["amount"], answer.json()["delivery_fee"]) == (1500, 0)
    assert answer.json()["delivery"] is None
    for model in (OrderDelivery, Parcel, DeliveryDigest):
        assert not model.objects.exists()


def test_the_fingerprint_of_a_request_of_yesterday_is_what_it_was(buyer):
    # Taken before requests could say where to: keys are kept for as long as their orders.
    lines = [LineRequest(7, 2, 1500), LineRequest(3, 1)]
    plain = [LineRequest(3, 1), LineRequest(7, 2)]

    def of(lines, amount):
        return CashoutRequest(
            buyer, lines, "254712345678", "k", amount, HoldRequest(1, ""), None
        ).fingerprint()

    assert of(plain, None) == "f83eaef0ec0345087d28b3322144fc54f983e2ee51660942af7a081229dd654d"
    assert of(lines, 4500) == "5c0e82031916ab5f839f2b32f1ea1d1ae65efb1483c3232afa4899d5aa440780"


@pytest.mark.parametrize(
    "delivery",
    [
        {},
        {"pickup_point": None},
        {"pickup_point": 1, "address": 1},
        {"pickup_point": 1, "county": "nairobi"},
        {"pickup_point": 1, "directions": "Blue gate."},
        {"address": 1, "area": "Kilimani"},
        {"address": 1, "phone": "0733000111"},
        {"pickup_point": 1, **WRITTEN},
    ],
)
def test_a_place_is_said_in_exactly_one_way(buyer_api, kettle, rates, delivery):
    errors = refused(ask(buyer_api, (kettle, 1), delivery=delivery))

    assert errors["delivery"]["non_field_errors"][0].startswith("Give one destination:")


@pytest.mark.parametrize("missing", ["recipient", "phone", "county", "area"])
def test_a_place_written_out_says_all_of_it(buyer_api, kettle, rates, missing):
    said = {name: value for name, value in WRITTEN.items() if name != missing}

    errors = refused(ask(buyer_api, (kettle, 1), delivery=said))

    assert errors == {"delivery": {missing: ["This field is required."]}}


def test_a_county_alone_is_no_address(buyer_api, kettle, rates):
    errors = refused(ask(buyer_api, (kettle, 1), delivery={"county": "nairobi"}))

    assert set(errors["delivery"]) == {"recipient", "phone", "area"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({**WRITTEN, "county": "Nairobi"}, "county"),
        ({**WRITTEN, "county": ["nairobi"]}, "county"),
        ({**WRITTEN, "phone": "12345"}, "phone"),
        ({**WRITTEN, "phone": True}, "phone"),
        ({**WRITTEN, "area": ""}, "area"),
        ({**WRITTEN, "area": "x" * 101}, "area"),
        ({**WRITTEN, "area": "Thika\u202e"}, "area"),
        ({**WRITTEN, "recipient": " "}, "recipient"),
        ({**WRITTEN, "directions": "x" * 301}, "directions"),
        ({**WRITTEN, "fee": -1}, "fee"),
        ({**WRITTEN, "fee": "KES 300"}, "fee"),
        ({"pickup_point": "1"}, "pickup_point"),
        ({"pickup_point": True}, "pickup_point"),
        ({"pickup_point": 0}, "pickup_point"),
        ({"pickup_point": 2**63}, "pickup_point"),
        ({"address": 1.5}, "address"),
        ({"address": 2**63}, "address"),
        ([], "non_field_errors"),
        ("nairobi", "non_field_errors"),
        (7, "non_field_errors"),
    ],
)
def test_a_place_that_cannot_be_read_is_refused_on_its_field(
    buyer_api, kettle, rates, wrong, where
):
    errors = refused(ask(buyer_api, (kettle, 1), delivery=wrong))

    assert list(errors["delivery"]) == [where]


def test_a_point_there_is_not_is_refused_on_its_field(buyer_api, kettle, rates):
    errors = refused(ask(buyer_api, (kettle, 1), delivery={"pickup_point": 404}))

    assert errors == {"delivery": {"pickup_point": ["There is no such pick-up point."]}}


def test_a_closed_point_is_refused_on_its_field(buyer_api, kettle, rates):
    point = a_point(is_open=False)

    errors = refused(ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}))

    assert errors == {
        "delivery": {
            "pickup_point": [
                "Kilimani Pick-up is not accepting parcels at the moment. Choose another point."
            ]
        }
    }


def test_a_closed_point_leads_to_open_ones_of_its_county(buyer_api, kettle, rates):
    point = a_point(is_open=False)
    for name, county in (("Yaya", "nairobi"), ("Adams", "nairobi"), ("Nyali", "mombasa")):
        a_point(name, county)

    errors = refused(ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}))

    assert errors["delivery"]["pickup_point"] == [
        "Kilimani Pick-up is not accepting parcels at the moment. "
        "Choose another point: Adams, Yaya."
    ]


def test_somebody_elses_address_is_no_address(buyer_api, kettle, rates):
    errors = refused(ask(buyer_api, (kettle, 1), delivery={"address": AddressFactory().pk}))

    assert errors == {"delivery": {"address": ["You have no such address."]}}


def test_where_nothing_is_brought_is_refused_on_its_field(buyer, buyer_api, kettle, point):
    address = AddressFactory(user=buyer, county="turkana")
    a_rate("kiambu", way="home")
    to_turkana = (
        "We do not deliver to Turkana yet. Choose a pick-up point, or arrange delivery with the "
        "seller."
    )

    written = refused(ask(buyer_api, (kettle, 1), delivery={**WRITTEN, "county": "turkana"}))
    own = refused(ask(buyer_api, (kettle, 1), delivery={"address": address.pk}))
    at_point = refused(ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk}))

    assert written == {"delivery": {"county": [to_turkana]}}
    assert own == {"delivery": {"address": [to_turkana]}}
    assert at_point == {
        "delivery": {
            "pickup_point": [
                "We do not deliver parcels to Kilimani Pick-up yet. Choose another pick-up point, "
                "or arrange delivery with the seller."
            ]
        }
    }


def test_the_limit_of_a_payment_counts_the_fee(buyer_api, point):
    sofa = ProductFactory(price=125_000, item_number=9)
    a_rate(fee=100)

    errors = refused(ask(buyer_api, (sofa, 2), delivery={"pickup_point": point.pk}))

    assert errors == {
        "order": {
            "non_field_errors": [
                "M-Pesa accepts at most KES 250,000 per payment; this is KES 250,100, "
                "including KES 100 for delivery."
            ]
        }
    }
    assert cash_out(buyer_api, (sofa, 2)).status_code == 201


@pytest.mark.parametrize(
    ("shown", "fee"), [({"amount": 1600}, None), ({}, 100), ({"amount": 1600}, 100)]
)
def test_a_shown_fee_that_is_right_is_accepted(buyer_api, kettle, point, rates, shown, fee):
    to = {"pickup_point": point.pk, **({} if fee is None else {"fee": fee})}

    assert ask(buyer_api, (kettle, 1), delivery=to, **shown).status_code == 201


@pytest.mark.parametrize(("shown", "fee"), [({"amount": 1500}, None), ({}, 90), ({}, 0)])
def test_a_fee_or_a_sum_that_was_shown_otherwise_is_refused_with_what_it_is(
    buyer_api, kettle, point, rates, shown, fee
):
    to = {"pickup_point": point.pk, **({} if fee is None else {"fee": fee})}

    answer = ask(buyer_api, (kettle, 1), delivery=to, **shown)

    assert answer.status_code == 409
    assert answer.json() == {
        "detail": "A price has changed since you saw it. Check the new price and order again.",
        "code": "price_changed",
        "order": [{"product": kettle.pk, "number": 1, "price": 1500, "amount": 1500}],
        "amount": 1600,
        "delivery_fee": 100,
    }


def test_a_fee_holds_nothing(settings, buyer_api, point):
    # KES 300,000 of goods may wait for their money; what bringing them costs is no goods.
    sofa = ProductFactory(price=100_000, item_number=90)
    a_rate(fee=40_000)
    first = ask(buyer_api, (sofa, 2), delivery={"pickup_point": point.pk})
    second = ask(buyer_api, (sofa, 1), delivery={"pickup_point": point.pk})

    assert (first.status_code, second.status_code) == (201, 201)


def test_the_same_request_under_one_key_is_the_same_order(buyer, buyer_api, kettle, rates):
    to = {"address": AddressFactory(user=buyer).pk}
    first = ask(buyer_api, (kettle, 1), delivery=to, key="k-1")
    buyer.addresses.all().delete()
    again = ask(buyer_api, (kettle, 1), delivery=to, key="k-1")

    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("other", [None, WRITTEN, {"recipient": "Otieno"}, {"fee": 100}])
def test_another_place_under_the_same_key_is_refused(buyer_api, kettle, point, rates, other):
    to = {"pickup_point": point.pk}
    ask(buyer_api, (kettle, 1), delivery=to, key="k-1")
    elsewhere = other if other is None or other is WRITTEN else {**to, **other}

    again = ask(buyer_api, (kettle, 1), delivery=elsewhere, key="k-1")

    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


def test_a_double_click_is_one_order(buyer, buyer_api, kettle, point, rates):
    places = [{"pickup_point": point.pk}, WRITTEN, {"address": AddressFactory(user=buyer).pk}]
    for to in places:
        first = ask(buyer_api, (kettle, 1), delivery=to)
        again = ask(buyer_api, (kettle, 1), delivery=to)

        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
    assert Order.objects.count() == 3


@pytest.mark.parametrize(
    "other", [None, {**WRITTEN, "area": "Ruiru"}, {**WRITTEN, "county": "embu"}]
)
def test_a_click_with_another_place_is_another_order(buyer_api, kettle, rates, other):
    ask(buyer_api, (kettle, 1), delivery=WRITTEN)

    again = ask(buyer_api, (kettle, 1), delivery=other and {**WRITTEN, **other})

    assert "Idempotent-Replayed" not in again
    assert Order.objects.count() == 2


def test_a_click_that_shows_another_fee_is_told(buyer_api, kettle, rates):
    ask(buyer_api, (kettle, 1), delivery=WRITTEN)

    again = ask(buyer_api, (kettle, 1), delivery={**WRITTEN, "fee": 250})

    assert again.json()["code"] == "price_changed"


def test_the_buyer_reads_on_the_line_where_it_goes(buyer, buyer_api, kettle):
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()

    told = buyer_api.get(f"/track/order/{line.pk}/").json()["delivery"]

    assert told["place"] == "Kilimani Pick-up, Argwings Kodhek Road, Nairobi City"
    assert "fee" not in told


def test_nobody_else_reads_it_there(buyer, seller_api, kettle):
    line = paid_delivery(buyer, (kettle, 1)).tracks.get()
    staff = signed_in(UserFactory(is_superuser=True))

    assert seller_api.get(f"/track/order/{line.pk}/").json()["delivery"] is None
    assert staff.get(f"/track/order/{line.pk}/").json()["delivery"] is None


def test_a_line_of_an_order_that_goes_nowhere_says_so(buyer, buyer_api, kettle):
    line = delivered_line(buyer, kettle)

    assert buyer_api.get(f"/track/order/{line.pk}/").json()["delivery"] is None


def test_recipient_and_place_are_erased_with_the_phone(buyer, kettle, rates):
    ask(signed_in(buyer), (kettle, 1), delivery=WRITTEN)
    cancel_order(Order.objects.get().pk, cancelled_by="staff")

    def kept():
        return OrderDelivery.objects.values_list(
            "recipient", "phone", "area", "directions", "county", "days"
        ).get()

    mask_old_phones(timezone.now() + timedelta(days=364))
    assert kept()[0] == "Njeri Mwangi"
    for _ in range(2):
        mask_old_phones(timezone.now() + timedelta(days=366))
    assert kept() == ("", "•••••••••111", "", "", "kiambu", 3)


def test_a_place_costs_five_queries_at_cash_out(
    buyer_api, kettle, point, rates, django_assert_num_queries
):
    buyer_api.get("/track/order/")

    # As without (test_query_counts.py); the point, the rate, the place, its parcels, their digest.
    with django_assert_num_queries(18):
        ask(buyer_api, (kettle, 1), delivery={"pickup_point": point.pk})


def test_a_place_costs_one_query_when_its_order_is_looked_at(
    buyer, buyer_api, kettle, django_assert_num_queries
):
    order = paid_delivery(buyer, (kettle, 1))
    buyer_api.get(f"/cashout/{order.order_token}/")

    # caller, order, its lines, its last attempt, what came for it and went back; the place
    with django_assert_num_queries(6):
        buyer_api.get(f"/cashout/{order.order_token}/")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="once is enough")
def test_the_fingerprint_tells_places_apart(buyer):
    def of(**to):
        asked = CashoutRequest(
            buyer,
            [LineRequest(1, 1)],
            "254712345678",
            "k",
            None,
            HoldRequest(1, ""),
            Destination(**to),
        )
        return asked.fingerprint()

    places = [{"pickup_point": 1}, {"address": 1}, {"pickup_point": 2}, {"county": "embu"}]
    assert len({of(**to) for to in places}) == 4
