"""Concurrent restocks and sales, with threads on PostgreSQL: all of them count."""

from collections import Counter

import pytest

from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from products.models import Product, StockMovement
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.payments.fakes import FakeDaraja
from tests.shopping import an_order, cash_out, stock_of
from tests.threads import at_once, many_at_once

from .test_restock import restock

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("balanced_books"),
]


@pytest.fixture(autouse=True)
def _daraja(monkeypatch):
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)


def answers(responses):
    return Counter(getattr(response, "status_code", repr(response)) for response in responses)


def test_restocks_at_once_all_count(seller, kettle):
    apis = [signed_in(seller) for _ in range(12)]

    responses = at_once(*[lambda api=api: restock(api, kettle, 1) for api in apis])

    assert answers(responses) == {201: 12}
    assert stock_of(kettle) == (17, 0)


def test_one_key_twelve_times_counts_once(seller, kettle):
    apis = [signed_in(seller) for _ in range(12)]

    responses = at_once(*[lambda api=api: restock(api, kettle, 7, key="k") for api in apis])

    assert answers(responses) == {201: 12}
    assert Counter(r.get("Idempotent-Replayed") for r in responses) == {None: 1, "true": 11}
    assert stock_of(kettle) == (12, 0)


def test_one_key_eight_times_lists_once(seller, offer):
    apis = [signed_in(seller) for _ in range(8)]
    headers = {"Idempotency-Key": "k"}

    responses = at_once(
        *[lambda api=api: api.post("/create/", offer, headers=headers) for api in apis]
    )

    assert answers(responses) == {201: 8}
    assert Counter(r.get("Idempotent-Replayed") for r in responses) == {None: 1, "true": 7}
    assert Product.objects.owned_by(seller).count() == 1


def test_one_key_with_two_numbers_counts_one_of_them(seller, kettle):
    apis = [signed_in(seller) for _ in range(8)]

    responses = at_once(
        *[lambda api=api, n=n: restock(api, kettle, 1 + n % 2, key="k")
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert answers(responses) == {201: 4, 422: 4}
    assert StockMovement.objects.filter(reference__startswith="restock:").count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_taking_away_and_selling_share_what_is_free(seller, turn):
    pots = ProductFactory(seller=seller, item_number=10)
    sellers = [signed_in(seller) for _ in range(10)]
    buyers = [signed_in(UserFactory()) for _ in range(10)]

    taking = [lambda api=api: restock(api, pots, -1) for api in sellers]
    buying = [
        lambda api=api, n=n: cash_out(api, (pots, 1), phone=f"0712{n:06d}")
        for n, api in enumerate(buyers)
    ]
    responses = at_once(*[call for pair in zip(taking, buying, strict=True) for call in pair])

    told = answers(responses)
    taken = 10 - StockMovement.objects.filter(reference__startswith="restock:").count()
    assert told == {201: 10, 400: 10}
    assert stock_of(pots) == (taken, taken)


def test_a_restock_while_orders_are_paid_undoes_no_sale(seller):
    pots = ProductFactory(seller=seller, item_number=10)
    payments = [
        an_order(UserFactory(), (pots, 1), phone=f"2547120000{n:02d}").payments.get()
        for n in range(10)
    ]

    def pay(payment, number):
        told = AttemptOutcome(True, "0", "", "callback", payment.amount, f"SGL{number:07d}")
        record_outcome(payment.pk, told)

    paying = [lambda p=p, n=n: pay(p, n) for n, p in enumerate(payments)]
    apis = [signed_in(seller) for _ in range(10)]
    stocking = [lambda api=api: restock(api, pots, 3) for api in apis]
    results = many_at_once([call for pair in zip(paying, stocking, strict=True) for call in pair])

    assert [error for error in results if isinstance(error, Exception)] == []
    assert stock_of(pots) == (30, 0)
    assert pots.sold == 10
