"""A list refuses what it does not know, and says what there is."""

import pytest

from tests.shopping import delivered_line, fetched_line, paid_line

PAGED = "cursor, page_size"


@pytest.fixture
def clients(api, buyer_api, seller_api):
    return {"anyone": api, "buyer": buyer_api, "seller": seller_api}


@pytest.mark.parametrize(
    ("who", "path", "there_are"),
    [
        ("buyer", "/orders/", PAGED),
        ("buyer", "/track/order/", "cursor, order, page_size, status"),
        ("buyer", "/notices/", "cursor, page_size, unread"),
        ("seller", "/seller/orders/", "cursor, page_size, status"),
        ("seller", "/seller/statement/", PAGED),
        ("seller", "/seller/payouts/", PAGED),
        ("seller", "/seller/problems/", PAGED),
        ("anyone", "/pickup-points/", "county, cursor, page_size"),
    ],
)
def test_a_page_number_is_refused_and_tells_how_pages_are_walked(clients, who, path, there_are):
    answer = clients[who].get(f"{path}?page=2&utm_source=a&fbclid=b")

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "page": [
                "Pages have no numbers: the Link header of each has the address of the next. Its"
                f" size is page_size. There are: {there_are}."
            ]
        },
    )


@pytest.mark.parametrize(
    ("who", "path"),
    [("anyone", "/counties/"), ("buyer", "/account/addresses/"), ("buyer", "/account/sessions/")],
)
def test_a_list_without_parameters_says_that_there_are_none(clients, who, path):
    answer = clients[who].get(f"{path}?limit=1")

    assert answer.json() == {"limit": ["There is no such parameter here. There are none."]}


def test_a_status_that_is_none_is_told_which_there_are(clients):
    named = "created, paid, fetched, shipping, delivered, cancelled, refunded"

    for who, path in (("buyer", "/track/order/"), ("seller", "/seller/orders/")):
        answer = clients[who].get(f"{path}?status=lost")

        assert answer.json() == {"status": [f"“lost” is none of: {named}."]}


def test_a_move_that_is_none_is_told_which_there_are(buyer, buyer_api, kettle):
    line = paid_line(buyer, kettle)

    answer = buyer_api.post(f"/track/{line.pk}/move/", {"to": "sent"}, format="json")

    assert answer.json() == {"to": ["“sent” is none of: fetched, shipping, delivered, cancelled."]}


def test_a_seller_lists_lines_of_several_statuses_at_once(buyer, seller_api, kettle):
    paid, fetched = paid_line(buyer, kettle), fetched_line(buyer, kettle)
    delivered_line(buyer, kettle)

    for asked in ("status=paid&status=fetched", "status=paid,fetched"):
        answer = seller_api.get(f"/seller/orders/?{asked}")

        assert [row["id"] for row in answer.json()] == [fetched.pk, paid.pk]
