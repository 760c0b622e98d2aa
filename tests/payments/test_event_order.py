"""The outcome depends on what happened, not on the order of the reports."""

import random
from contextlib import suppress
from datetime import UTC, datetime
from itertools import permutations

import pytest
from django.db import transaction
from django.db.models import Sum

from orders.lifecycle import NotUnpaid, cancel_order, expire_order
from orders.models import Order
from payments import ledger
from payments.daraja.client import StatementRow
from payments.models import Account, GatewayEvent, OrderPayment, Receipt, Refund
from payments.reconciliation.incoming import record_receipt
from payments.reconciliation.statement_pull import _incoming_payment
from payments.reconciliation.status_query import query_now, query_status
from products.models import Product
from tests.invariants import what_is_broken
from tests.shopping import stock_of

from .bodies import by_hand, failure, post, post_c2b, success
from .fakes import CANCELLED, PAID


def _told(said):
    return lambda client, payment, daraja: post(client, payment, said(payment))


def _forged(client, payment, daraja):
    post(client, payment, success(payment, receipt="FORGED1234"), token="")


def _unreadable(client, payment, daraja):
    post(client, payment, b"{")


def _expiry(client, payment, daraja):
    expire_order(payment.order_id, now=payment.order.expires_at)


def _cancel(client, payment, daraja):
    with suppress(NotUnpaid):
        cancel_order(payment.order_id, cancelled_by="staff")


def _query(says):
    def query(client, payment, daraja):
        daraja.answer = says
        OrderPayment.objects.filter(next_check_at__isnull=False).update(
            next_check_at=payment.created_at
        )
        query_status(payment.pk)

    return query


def _asked_by_a_person(client, payment, daraja):
    daraja.answer = PAID
    query_now(payment.pk)


def _c2b(receipt, amount=3000):
    def told(client, payment, daraja):
        post_c2b(client, by_hand(payment.order.reference, amount, receipt=receipt))

    return told


def _statement(client, payment, daraja):
    row = StatementRow("SGL7654321", 3000, None, "", payment.order.reference, "Pay Bill")
    record_receipt(_incoming_payment(row, "174379"))


#: What happens to an order of two kettles. The prompt was paid under SGL7654321.
NEWS = {
    "success": _told(lambda payment: success(payment, receipt="SGL7654321")),
    "failure": _told(failure),
    "forged": _forged,
    "unreadable": _unreadable,
    "expiry": _expiry,
    "cancel": _cancel,
    "query paid": _query(PAID),
    "query failed": _query(CANCELLED),
    "asked, paid": _asked_by_a_person,
    "c2b": _c2b("SGL7654321"),
    "other c2b": _c2b("SGL0000002"),
    "short c2b": _c2b("SGL0000003", 1000),
    "statement": _statement,
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize(
    "events",
    [
        *permutations(["success", "failure", "success", "expiry"]),
        *permutations(["success", "success", "forged", "cancel"]),
        *permutations(["success", "query paid", "unreadable", "expiry"]),
        *permutations(["success", "query failed", "failure", "forged"]),
    ],
    ids=", ".join,
)
def test_money_that_came_pays_whatever_else_is_heard(client, payment, kettle, daraja, events):
    for name in events:
        NEWS[name](client, payment, daraja)

    payment.refresh_from_db()
    receipt = Receipt.objects.get()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")
    assert (receipt.number, receipt.amount, receipt.order_id) == (
        "SGL7654321",
        3000,
        payment.order_id,
    )
    assert [track.track_status for track in payment.order.tracks.all()] == ["paid"]
    assert (stock_of(kettle), kettle.movements.count()) == ((3, 0), 2)
    assert not GatewayEvent.objects.filter(state__in=["new", "checking"]).exists()


@pytest.mark.sampled(12)
@pytest.mark.parametrize(
    "events", list(permutations(["failure", "failure", "query failed", "expiry"])), ids=", ".join
)
def test_money_that_did_not_come_ends_in_an_expired_order(client, payment, kettle, daraja, events):
    for name in events:
        NEWS[name](client, payment, daraja)

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("failed", "expired")
    assert (stock_of(kettle), Receipt.objects.count()) == ((5, 0), 0)


def fingerprint():
    """All that money and goods came to; how an order was closed without money does not matter."""
    balances = {
        (order_id, account.value): ledger.balance(account, order_id=order_id)
        for account in Account
        for order_id in (None, *Order.objects.values_list("pk", flat=True))
    }
    owed = Refund.objects.owed().values("order").annotate(total=Sum("amount"))
    return {
        "orders": [
            "closed" if status in {"cancelled", "expired"} else status
            for status in Order.objects.order_by("pk").values_list("payment_status", flat=True)
        ],
        "receipts": sorted(Receipt.objects.values_list("number", "amount", "order")),
        "balances": {which: amount for which, amount in balances.items() if amount},
        "owed back": sorted(owed.values_list("order", "total")),
        "goods": list(Product.objects.order_by("pk").values_list("item_number", "held")),
    }


def ends_of(orders, hear, *, heard_before=()):
    """Each of these orders of news: the end it came to, each beginning heard once."""
    heard = len(heard_before)
    if heard_before in orders:
        yield heard_before, fingerprint(), what_is_broken()
    for name in sorted({order[heard] for order in orders if len(order) > heard}):
        before = transaction.savepoint()
        hear(name)
        begun = {order for order in orders if order[heard] == name}
        yield from ends_of(begun, hear, heard_before=(*heard_before, name))
        transaction.savepoint_rollback(before)


#: What happened, by all the news of it there is; each is heard in every order.
HAPPENED = [
    ("asked, paid", "c2b", "success", "expiry"),
    ("asked, paid", "other c2b", "success", "cancel"),
    ("asked, paid", "other c2b", "statement", "failure"),
    ("asked, paid", "other c2b", "other c2b", "expiry"),
    ("other c2b", "c2b", "success", "failure"),
    ("short c2b", "c2b", "success", "statement"),
]
#: The same with so much news that some of its 120 orders have to do.
MUCH, SOME = ("asked, paid", "other c2b", "c2b", "success", "expiry"), 24


@pytest.fixture
def same_end(client, payment, daraja):
    """Checks that each of some orders of news comes to the same."""

    def hear(name):
        NEWS[name](client, OrderPayment.objects.get(pk=payment.pk), daraja)

    def check(orders):
        orders = set(orders)

        ends = list(ends_of(orders, hear))

        _, end, _ = ends[0]
        assert [heard for heard, other, broken in ends if other != end or broken] == []
        assert sorted(heard for heard, _, _ in ends) == sorted(orders)

    return check


@pytest.mark.sampled(12)
@pytest.mark.parametrize("events", HAPPENED, ids=", ".join)
def test_whatever_is_heard_first_money_and_goods_come_to_the_same(same_end, events):
    same_end(permutations(events))


#: Another sample every day. Its seed is in the test's id, and the same in every worker.
@pytest.mark.long
@pytest.mark.parametrize("seed", [datetime.now(UTC).date().toordinal()])
def test_in_whatever_order_much_is_heard_money_and_goods_come_to_the_same(same_end, seed):
    same_end(random.Random(seed).sample(list(permutations(MUCH)), SOME))


@pytest.mark.slow
def test_in_every_order_much_is_heard_money_and_goods_come_to_the_same(same_end):
    same_end(permutations(MUCH))
