"""Whoever proves the phone has the guest's orders, and nobody else."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.contacts import has_paid_from, may_be_written_to
from accounts.models import PhoneLogin, User
from accounts.phone_login import link
from orders.joining import join_orders
from orders.lifecycle import expire_unpaid_orders
from orders.models import InboxNotice, JoinedOrder, Notice, Order
from payments.models import OrderPayment
from payments.proof.prove import prove as prove_books
from tests.accounts.browser_client import later
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import PHONE, an_order, body, cash_out

from .conftest import as_guest, path_of
from .paying import pay

pytestmark = pytest.mark.django_db


def tokens(client):
    return [row["order_token"] for row in client.get("/orders/").json()]


def linked(user, phone=PHONE):
    link(user, phone, timezone.now())
    return user


@pytest.fixture
def goods(seller):
    return [ProductFactory(seller=seller, item_number=50) for _ in range(8)]


def test_a_newcomer_has_what_they_ordered(kettle, prove):
    placed = as_guest((kettle, 1))
    order = pay(placed)

    newcomer = prove()

    assert tokens(newcomer) == [placed.json()["order_token"]]
    [line] = newcomer.get("/track/order/").json()
    assert line["collection_code"] == order.tracks.get().collection_code
    shown = newcomer.get(path_of(placed)).json()
    assert shown["mpesa_number"] == PHONE


def test_a_newcomer_is_spoken_to_as_the_guest_was(kettle, prove, api):
    api.post("/cashout/", body((kettle, 1)), headers={"Accept-Language": "sw"})

    assert prove().get("/me/").json()["language"] == "sw"


def test_orders_awaiting_payment_join_the_account_too(kettle, prove):
    placed = as_guest((kettle, 1))

    assert tokens(prove()) == [placed.json()["order_token"]]
    assert pay(placed).is_paid


def test_an_account_of_the_phone_gets_them_when_its_person_proves_it_again(kettle, prove, buyer):
    linked(buyer)
    placed = as_guest((kettle, 1))
    pay(placed)
    assert not Order.objects.filter(buyer=buyer).exists()

    assert tokens(prove()) == [placed.json()["order_token"]]
    assert Order.objects.get().buyer == buyer


def test_an_account_that_links_the_phone_later_gets_them(kettle, buyer):
    placed = as_guest((kettle, 1))
    pay(placed)

    linked(buyer)

    assert tokens(signed_in(buyer)) == [placed.json()["order_token"]]


def test_a_phone_that_was_only_written_into_an_account_gets_nothing(kettle, buyer):
    User.objects.filter(pk=buyer.pk).update(phone=PHONE)
    pay(as_guest((kettle, 1)))

    assert tokens(signed_in(buyer)) == []
    assert join_orders(PHONE, timezone.now()) == 0


def test_having_paid_from_the_phone_does_not_take_over_guest_orders(kettle, buyer, goods):
    order = an_order(buyer, (goods[0], 1))
    pay(cash_out(signed_in(buyer), (goods[1], 1)))
    pay(as_guest((kettle, 1)))

    assert Order.objects.filter(buyer=buyer).count() == 2
    assert order.buyer == buyer


def test_another_phones_orders_stay_where_they_are(kettle, prove):
    as_guest((kettle, 1), phone="0722000111")

    assert tokens(prove()) == []


def test_orders_of_before_the_number_may_have_had_another_owner_stay(kettle, prove):
    with later(days=-121):
        pay(as_guest((ProductFactory(), 1)))
    Notice.objects.update(composed_at=timezone.now())
    young = as_guest((kettle, 1))
    pay(young)

    assert tokens(prove()) == [young.json()["order_token"]]


def test_orders_that_lapsed_are_nobodys_history(kettle, prove, api):
    api.post(path_of(as_guest((kettle, 1)), "cancel/"))

    assert tokens(prove()) == []


def test_money_that_comes_late_brings_the_order_along(kettle, prove):
    placed = as_guest((kettle, 1))
    with later(hours=1):
        expire_unpaid_orders()
        newcomer = prove()
        assert tokens(newcomer) == []

        assert pay(placed).is_paid
        assert tokens(newcomer) == [placed.json()["order_token"]]


def test_a_proof_of_before_the_order_is_none(kettle, prove):
    newcomer = prove()
    with later(minutes=2):
        pay(as_guest((kettle, 1)))

        assert tokens(newcomer) == []


def test_the_token_alone_opens_a_joined_order_no_more(kettle, prove, api):
    placed = as_guest((kettle, 1))
    pay(placed)
    prove()

    assert api.get(path_of(placed)).status_code == 401
    assert api.post(path_of(placed, "cancel/")).status_code == 401


def test_a_repeated_request_finds_the_order_that_joined(kettle, prove):
    placed = as_guest((kettle, 1), key="a-key-of-their-own")
    client = prove()

    again = as_guest((kettle, 1), key="a-key-of-their-own")
    signed = cash_out(client, (kettle, 1), key="a-key-of-their-own")
    assert {again.json()["order_token"], signed.json()["order_token"]} == {
        placed.json()["order_token"]
    }
    assert OrderPayment.objects.count() == 1


def test_an_account_may_have_used_the_same_key(goods, buyer):
    cash_out(signed_in(buyer), (goods[0], 1), key="1")
    as_guest((goods[1], 1), key="1")

    linked(buyer)

    assert Order.objects.filter(buyer=buyer, idempotency_key="1").count() == 2


def test_what_strangers_ordered_with_the_phone_takes_no_room_of_its_owner(goods, prove, api):
    for product in goods[:3]:
        as_guest((product, 1))
    owner = prove()

    placed = [cash_out(owner, (product, 2)).status_code for product in goods[3:7]]
    assert placed == [201, 201, 201, 409]


def test_what_strangers_let_lapse_does_not_speak_against_its_owner(goods, prove):
    pay(cash_out(prove(), (goods[3], 1)))
    owner = PhoneLogin.objects.get().user
    with later(minutes=2):
        for product in goods[:3]:
            as_guest((product, 1))
        prove()
    with later(hours=1):
        expire_unpaid_orders()

        api = signed_in(owner)
        assert [cash_out(api, (goods[n], 1)).status_code for n in (4, 5, 6)] == [201] * 3


def test_joining_makes_no_room_for_more_guests(goods, prove):
    for product in goods[:3]:
        as_guest((product, 1))
    prove()

    assert as_guest((goods[3], 1)).status_code == 409


def test_a_customer_is_who_proved_what_they_paid(kettle, prove, seller):
    pay(as_guest((kettle, 1)))
    client = prove()
    many = [(ProductFactory(seller=seller, item_number=50), 1) for _ in range(11)]

    assert cash_out(client, *many).status_code == 201


def test_the_shop_may_write_to_and_ring_the_phone_for_the_account(kettle, buyer):
    pay(as_guest((kettle, 1)))
    now = timezone.now()
    assert not has_paid_from(buyer.pk, PHONE, now)

    linked(buyer)

    assert has_paid_from(buyer.pk, PHONE, timezone.now())
    assert may_be_written_to(buyer.pk, PHONE, timezone.now())


def test_what_the_guest_was_told_waits_for_the_account(
    kettle, buyer, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        pay(as_guest((kettle, 1)))
    assert InboxNotice.objects.filter(user__guest__isnull=False).exists()

    linked(buyer)

    assert InboxNotice.objects.filter(user=buyer, kind="paid").count() == 1


def test_joining_twice_changes_nothing(kettle, buyer):
    pay(as_guest((kettle, 1)))
    linked(buyer)

    assert join_orders(PHONE, timezone.now()) == 0
    assert JoinedOrder.objects.get().account == buyer


def test_a_second_account_of_the_phone_gets_what_came_after(goods, buyer):
    pay(as_guest((goods[0], 1)))
    linked(buyer)
    PhoneLogin.objects.all().delete()
    pay(as_guest((goods[1], 1)))
    other = linked(UserFactory())

    assert Order.objects.filter(buyer=buyer).count() == 1
    assert Order.objects.filter(buyer=other).count() == 1


def test_a_closed_account_gets_nothing(kettle, buyer):
    linked(buyer)
    User.objects.filter(pk=buyer.pk).update(is_active=False)
    pay(as_guest((kettle, 1)))

    assert join_orders(PHONE, timezone.now()) == 0


def test_signing_in_goes_on_where_joining_fails(kettle, prove, monkeypatch):
    def fails(phone, now):
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("orders.signals.join_orders", fails)
    assert prove().get("/me/").status_code == 200


def test_an_order_that_joined_is_what_was_agreed(kettle, buyer):
    pay(as_guest((kettle, 1)))
    linked(buyer)

    assert not prove_books().broken


def test_a_guests_order_that_somebody_gave_away_is_seen(kettle, buyer):
    order = pay(as_guest((kettle, 1)))
    Order.objects.filter(pk=order.pk).update(buyer=buyer)
    order.tracks.update(buyer=buyer)

    assert [str(found) for found in prove_books().broken if "A guest's order, with" in str(found)]
    Order.objects.filter(pk=order.pk).update(buyer=order.guest_id)
    order.tracks.update(buyer=order.guest_id)


def test_an_accounts_order_made_a_guests_is_seen(kettle, buyer):
    order = an_order(buyer, (kettle, 1))
    Order.objects.filter(pk=order.pk).update(guest=UserFactory())

    seen = " ".join(str(found) for found in prove_books().broken)
    assert "An order and its lines match the agreement made when it was placed" in seen
    assert "A guest's order, with all its lines, belongs to the guest or to the account" in seen


def test_whose_it_became_is_kept(kettle, buyer):
    pay(as_guest((kettle, 1)))
    linked(buyer)

    with pytest.raises(IntegrityError), transaction.atomic():
        JoinedOrder.objects.update(account=UserFactory())


def test_a_guest_user_cannot_sign_in(kettle, api):
    as_guest((kettle, 1))
    guest = User.objects.get(guest__isnull=False)

    answer = APIClient().post("/login/", {"username": guest.username, "password": "!"})
    assert answer.status_code == 400
    guest.set_password("a long enough secret")
    guest.save()
    assert any("A guest account cannot be signed" in str(found) for found in prove_books().broken)
