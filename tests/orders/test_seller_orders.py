"""The lines that a seller has to fulfil, and the buyer's details they see."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import OrderTrack, TrackStatus
from orders.tracking.serializers import SaleOutput
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.products.conftest import walk
from tests.shopping import an_order

SOLD = "/seller/orders/"
KNOWN = {"paid", "fetched", "shipping", "delivered"}


def pay(order, receipt="SGL0000001"):
    payment = order.payments.get()
    record_outcome(payment.pk, AttemptOutcome(True, "0", "", "callback", payment.amount, receipt))
    return order


@pytest.fixture
def paid(buyer, kettle):
    """Two kettles, paid for."""
    buyer.first_name, buyer.last_name, buyer.email = "Wanjiku", "Kamau", "w@example.com"
    buyer.save()
    return pay(an_order(buyer, (kettle, 2)))


def put(line, status):
    """A line that came to a status, by a way that does not matter here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_ordertrack SET track_status = %s WHERE id = %s", [status, line.pk]
        )


@pytest.fixture
def at_status(paid):
    """The line at a status; it is put back before the books are checked."""
    line = paid.tracks.get()
    yield lambda status: put(line, status)
    put(line, "paid")


def test_a_seller_sees_the_line_the_first_name_and_the_number_to_call(seller_api, kettle, paid):
    line = paid.tracks.get()

    response = seller_api.get(SOLD)

    assert response.status_code == 200
    assert response.json() == [
        {
            "id": line.pk,
            "order": paid.reference,
            "reference": paid.reference,
            "product": kettle.pk,
            "name": "Kettle",
            "thumbnail": None,
            "number": 2,
            "price": 1500,
            "amount": 3000,
            "reduced": 0,
            "track_status": "paid",
            "buyer": "Wanjiku",
            "phone": "254712345678",
            "county": None,
            "delivery": None,
            "created_at": line.created_at.isoformat(),
            "updated_at": line.updated_at.isoformat(),
            "moves": ["cancelled", "delivered"],
            "code_tries": 5,
        }
    ]
    assert list(response.json()[0]) == list(SaleOutput().fields)


def test_nothing_else_of_the_buyer_is_told(seller_api, buyer, paid):
    told = seller_api.get(SOLD).content.decode()

    for secret in (
        buyer.username, "Kamau", "w@example.com", str(paid.order_token),
        paid.tracks.get().collection_code, "254722000000",
    ):  # fmt: skip
        assert secret.lower() not in told.replace("Wanjiku", "").lower()


def test_a_buyer_without_a_first_name_is_a_customer(seller_api, buyer, kettle):
    pay(an_order(buyer, (kettle, 1)))

    assert seller_api.get(SOLD).json()[0]["buyer"] == "customer"


def test_unpaid_lines_are_not_to_be_fulfilled(seller_api, buyer, kettle):
    an_order(buyer, (kettle, 1))

    assert seller_api.get(SOLD).json() == []


@pytest.mark.parametrize("status", TrackStatus.values)
def test_the_number_to_call_is_known_from_paid_to_delivered(seller_api, at_status, status):
    at_status(status)

    row = seller_api.get(f"{SOLD}?status={status}").json()[0]

    assert row["phone"] == ("254712345678" if status in KNOWN else None)


@pytest.mark.parametrize("status", TrackStatus.values)
def test_unless_told_the_list_is_what_is_to_be_done(seller_api, at_status, status):
    at_status(status)

    assert len(seller_api.get(SOLD).json()) == (status in {"paid", "fetched", "shipping"})


def test_a_status_asked_for_is_the_only_one_shown(seller_api, at_status, buyer, kettle):
    at_status("delivered")
    pay(an_order(buyer, (kettle, 1)), "SGL0000002")

    rows = seller_api.get(f"{SOLD}?status=delivered").json()

    assert [row["track_status"] for row in rows] == ["delivered"]


@pytest.mark.parametrize("query", ["status=lost", "status="])
def test_a_status_that_cannot_be_is_a_400(seller_api, query):
    response = seller_api.get(f"{SOLD}?{query}")

    assert (response.status_code, list(response.json())) == (400, ["status"])


def test_each_seller_sees_their_own_lines_of_one_order(seller, seller_api, buyer, kettle):
    pan = ProductFactory(name="Pan")
    pay(an_order(buyer, (kettle, 1), (pan, 1)))

    assert [row["name"] for row in seller_api.get(SOLD).json()] == ["Kettle"]
    assert [row["name"] for row in signed_in(pan.seller).get(SOLD).json()] == ["Pan"]
    assert signed_in(buyer).get(SOLD).json() == []


def test_pages_follow_one_another_newest_first(seller_api, seller):
    buyer = UserFactory()
    pay(an_order(buyer, *[(ProductFactory(seller=seller), 1) for _ in range(5)]))
    lines = list(OrderTrack.objects.order_by("-pk").values_list("pk", flat=True))

    pages = walk(seller_api, f"{SOLD}?page_size=2&status=paid")

    assert [[row["id"] for row in page] for page in pages] == [lines[:2], lines[2:4], lines[4:]]


def test_the_list_costs_two_queries_for_one_line_or_many(
    seller_api, seller, django_assert_num_queries
):
    pay(an_order(UserFactory(), *[(ProductFactory(seller=seller), 1) for _ in range(9)]))

    # caller; lines with their orders, products and buyers
    with django_assert_num_queries(2):
        assert len(seller_api.get(SOLD).json()) == 9


def test_a_stranger_is_asked_to_sign_in(api, db):
    assert api.get(SOLD).status_code == 401


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "index"),
    [("", "track_to_fulfil"), ("?status=delivered", "track_of_seller_newest")],
)
def test_the_list_walks_an_index(seller_api, paid, query, index):
    with CaptureQueriesContext(connection) as captured:
        seller_api.get(f"{SOLD}{query}")
    with connection.cursor() as cursor:
        # So small a table is read whole unless that is forbidden.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {captured[1]['sql']}")
        plan = "\n".join(row for (row,) in cursor.fetchall())

    assert f"using {index}" in plan
