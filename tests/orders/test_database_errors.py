"""A database in trouble: the buyer may try again, and nothing is half done."""

import threading
from contextlib import contextmanager

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from orders.models import Order
from products.models import Product
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import cash_out, stock_of
from tests.threads import PATIENCE, many_at_once


@contextmanager
def lock_timeout(value):
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{value}'")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("deadlock detected"), 503, "busy"),
        (OperationalError("database is locked"), 503, "busy"),
        (IntegrityError("duplicate key"), 409, "conflict"),
    ],
)
def test_a_request_the_database_refused_can_be_retried(
    buyer_api, kettle, monkeypatch, error, status, code
):
    def trouble(lines):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("products.stock.hold", trouble)
        refused = cash_out(buyer_api, (kettle, 1), key="k-1")
    again = cash_out(buyer_api, (kettle, 1), key="k-1")

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert again.status_code == 201
    assert (Order.objects.count(), stock_of(kettle)) == (1, (5, 1))


def test_a_value_the_database_cannot_keep_is_a_400(buyer_api, kettle, monkeypatch):
    def trouble(lines):
        raise DataError("out of range")

    monkeypatch.setattr("products.stock.hold", trouble)

    assert cash_out(buyer_api, (kettle, 1)).status_code == 400


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_shelf_somebody_sits_on_is_busy_and_not_a_hanging_request(buyer_api, kettle):
    locked, done = threading.Event(), threading.Event()

    def sit_on_it():
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=kettle.pk)
            locked.set()
            assert done.wait(PATIENCE)
        connection.close()

    sitter = threading.Thread(target=sit_on_it)
    sitter.start()
    assert locked.wait(PATIENCE)

    with lock_timeout("300ms"):
        refused = cash_out(buyer_api, (kettle, 1))

    done.set()
    sitter.join()
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert refused["Retry-After"] == "2"
    assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_crowd_on_any_database_buys_what_is_there(seller):
    product = ProductFactory(seller=seller, item_number=5)
    buyers = [signed_in(UserFactory()) for _ in range(16)]

    responses = many_at_once(
        [
            lambda api=api, n=n: cash_out(api, (product, 1), phone=f"0712{n:06d}")
            for n, api in enumerate(buyers)
        ],
        at_a_time=8,
    )

    assert sorted(response.status_code for response in responses) == [201] * 5 + [400] * 11
    assert stock_of(product) == (5, 5)
