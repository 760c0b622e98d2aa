"""A guest costs what a buyer costs, but for who they are."""

import pytest
from rest_framework.test import APIClient

from tests.factories import ProductFactory
from tests.shopping import cash_out

from .conftest import as_guest, path_of

pytestmark = pytest.mark.django_db
#: The look for a double click among them.
QUERIES = 14


def test_a_guests_cash_out_costs_what_a_buyers_does(seller, buyer_api, django_assert_num_queries):
    product = ProductFactory(seller=seller, item_number=50)
    as_guest((product, 1))
    cash_out(buyer_api, (product, 1))

    # Who they are by their token, or by their phone; the rest is the same.
    with django_assert_num_queries(QUERIES):
        cash_out(buyer_api, (product, 2))
    with django_assert_num_queries(QUERIES):
        as_guest((product, 2))


def test_a_guests_poll_costs_what_a_buyers_costs_but_for_their_token(
    kettle, django_assert_num_queries
):
    path = path_of(as_guest((kettle, 1)))
    APIClient().get(path)

    # the order, its last attempt, what was credited, its lines
    with django_assert_num_queries(4):
        APIClient().get(path)
