"""Proofs, payments and cash-outs at the same moment, with real threads on PostgreSQL."""

import time
from datetime import timedelta
from functools import partial
from threading import Event
from types import SimpleNamespace

import pytest
from django.utils import timezone

from accounts.models import Guest, PhoneLogin, User
from accounts.phone_login import link, sign_in
from orders import lifecycle
from orders.joining import join_orders
from orders.lifecycle import expire_unpaid_orders
from orders.models import JoinedOrder, Order
from payments.people.erasure import erase_account
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import PHONE, cash_out
from tests.threads import PATIENCE, at_once

from .conftest import as_guest
from .paying import pay

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
TURNS = pytest.mark.parametrize("turn", range(2))


@pytest.fixture
def goods(seller):
    return [ProductFactory(seller=seller, item_number=50) for _ in range(14)]


@pytest.fixture
def account(buyer):
    link(buyer, PHONE, timezone.now())
    return buyer


def prove():
    """What a code that was typed leads to."""
    sign_in(SimpleNamespace(META={}, session=None), PHONE, timezone.now())


def raised(results):
    return [each for each in results if isinstance(each, Exception)]


def test_twelve_cash_outs_of_one_phone_are_one_guest_with_three_orders(goods):
    answers = at_once(*(partial(as_guest, (product, 1)) for product in goods[:12]))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 9
    assert (Guest.objects.count(), Order.objects.count()) == (1, 3)


def test_twelve_concurrent_uses_of_a_key_place_one_order(kettle):
    answers = at_once(*[partial(as_guest, (kettle, 1), key="a-key-of-their-own")] * 12)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert Order.objects.count() == 1


@TURNS
def test_proofs_at_once_give_each_order_once(goods, account, turn):
    for product in goods[:3]:
        pay(as_guest((product, 1)))

    results = at_once(*[lambda: join_orders(PHONE, timezone.now() + timedelta(seconds=1))] * 4)
    assert raised(results) == []
    # Proved before they were placed, so far.
    assert sum(results) == 0

    assert raised(at_once(*[prove] * 4)) == []
    assert JoinedOrder.objects.filter(account=account).count() == 3
    assert Order.objects.filter(buyer=account).count() == 3


@TURNS
def test_a_proof_and_the_payment_at_once_leave_the_order_with_the_account(kettle, account, turn):
    placed = as_guest((kettle, 1))

    assert raised(at_once(prove, lambda: pay(placed))) == []
    order = Order.objects.get()
    assert (order.payment_status, order.buyer) == ("paid", account)


def test_a_proof_finds_an_order_that_lapsed_and_is_being_paid(kettle, account, monkeypatch):
    placed = as_guest((kettle, 1))
    expire_unpaid_orders(timezone.now() + timedelta(hours=1))
    looked = Event()

    def slowly(order, hold_again=lifecycle._reserve_again):
        # That nobody has proved the phone was seen, and is not so any more when this goes on.
        looked.set()
        time.sleep(0.3)
        return hold_again(order)

    def prove_then():
        assert looked.wait(PATIENCE)
        prove()

    monkeypatch.setattr(lifecycle, "_reserve_again", slowly)
    assert raised(at_once(prove_then, lambda: pay(placed))) == []
    order = Order.objects.get()
    assert (order.payment_status, order.buyer) == ("paid", account)


@TURNS
def test_an_order_placed_at_the_moment_of_a_proof_is_theirs_by_the_next(kettle, account, turn):
    placed, _ = at_once(lambda: as_guest((kettle, 1)), prove)
    pay(placed)
    prove()

    assert Order.objects.get().buyer == account


@TURNS
def test_proofs_payments_and_the_accounts_own_orders_wait_for_each_other_no_longer(
    goods, account, turn
):
    placed = [as_guest((product, 1)) for product in goods[:3]]
    api = signed_in(account)

    results = at_once(
        prove,
        prove,
        *(partial(pay, each) for each in placed),
        *(lambda n=n: cash_out(api, (goods[n], 1), (goods[3 - n], 1)) for n in range(3)),
    )
    assert raised(results) == []
    assert Order.objects.filter(buyer=account, guest__isnull=False).count() == 3


@TURNS
def test_who_leaves_at_the_moment_of_a_payment_takes_nothing_along(kettle, account, turn):
    placed = as_guest((kettle, 1))
    prove_later = timezone.now() + timedelta(minutes=1)
    PhoneLogin.objects.update(proved_at=prove_later)

    results = at_once(lambda: erase_account(account, timezone.now()), lambda: pay(placed))
    order, left = Order.objects.get(), User.objects.get(pk=account.pk)
    assert order.payment_status == "paid"
    # Either they were gone, or their order keeps them.
    assert (order.buyer == account) == (left.erased_at is None), results


def test_an_account_that_links_the_phone_while_a_newcomer_joins_with_it(kettle, buyer):
    pay(as_guest((kettle, 1)))

    at_once(prove, lambda: link(buyer, PHONE, timezone.now()))
    assert Order.objects.get().buyer == PhoneLogin.objects.get().user
    assert UserFactory._meta.model.objects.filter(phone_login__isnull=False).count() == 1
