"""POST /cashout/ by nobody: a phone is all that is known."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.contacts import has_paid_from, may_be_written_to
from accounts.models import Guest, PhoneLogin, User
from orders.allowance import MAX_UNPAID_ORDERS
from orders.fulfilment import move_line
from orders.models import Order
from payments.checkout.prompt_budget import reserve_prompt
from payments.models import OrderPayment
from payments.people.erasure import erase_old_guests
from tests.conftest import signed_in
from tests.factories import AddressFactory, ProductFactory, UserFactory, proven
from tests.shopping import PHONE, body, cash_out, stock_of

from .conftest import as_guest, path_of
from .paying import pay

pytestmark = pytest.mark.django_db


def keys_of(answer):
    return answer.status_code, sorted(answer.json()), sorted(answer.json()["order"][0])


def code_of(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def goods(seller):
    return [ProductFactory(seller=seller, item_number=50) for _ in range(8)]


def test_a_guest_orders_and_their_phone_rings(kettle, daraja, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_guest((kettle, 2))

    order = Order.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["mpesa_number"], answer.json()["amount"]) == (PHONE, 3000)
    assert (order.guest_id, Guest.objects.get().phone) == (order.buyer_id, PHONE)
    assert [push["phone"] for push in daraja.pushes] == [PHONE]
    assert stock_of(kettle) == (5, 2)


def test_the_answer_has_what_a_buyers_has(kettle, buyer_api):
    assert keys_of(as_guest((kettle, 1))) == keys_of(cash_out(buyer_api, (kettle, 1)))


def test_a_shop_that_does_not_sell_to_guests_asks_them_to_sign_in(kettle, settings):
    settings.GUEST_CHECKOUT = False

    assert code_of(as_guest((kettle, 1))) == (401, "not_authenticated")
    assert not User.objects.filter(guest__isnull=False).exists()


@pytest.mark.parametrize("said", ["Bearer nonsense", "Bearer", "Basic YTpi", "Token abc"])
def test_who_says_in_vain_who_they_are_is_no_guest(kettle, said):
    assert as_guest((kettle, 1), HTTP_AUTHORIZATION=said).status_code == 401
    assert not Order.objects.exists()


def test_an_address_of_an_account_is_no_guests(kettle, buyer):
    address = AddressFactory(user=buyer)
    asked = {**body((kettle, 1)), "delivery": {"address": address.pk}}

    answer = APIClient().post("/cashout/", asked)

    assert answer.status_code == 400
    assert answer.json() == {"delivery": {"address": ["Sign in to choose one of your addresses."]}}


def test_an_idempotency_key_places_one_order(kettle):
    first = as_guest((kettle, 1), key="a-key-of-their-own")
    again = as_guest((kettle, 1), key="a-key-of-their-own")

    assert again.status_code == 201
    assert again.json()["order_token"] == first.json()["order_token"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert OrderPayment.objects.count() == 1


def test_a_key_with_another_body_is_another_request(kettle):
    as_guest((kettle, 1), key="a-key-of-their-own")

    refused = as_guest((kettle, 2), key="a-key-of-their-own")
    assert code_of(refused) == (422, "idempotency_key_reused")


def test_two_phones_may_use_the_same_key(kettle):
    first = as_guest((kettle, 1), key="1")
    other = as_guest((kettle, 1), key="1", phone="0722000111")

    assert first.json()["order_token"] != other.json()["order_token"]


def test_a_replay_shows_no_code_though_the_order_is_paid(kettle):
    pay(as_guest((kettle, 1), key="a-key-of-their-own"))

    replayed = as_guest((kettle, 1), key="a-key-of-their-own").json()
    assert replayed["payment_status"] == "paid"
    assert replayed["order"][0]["collection_code"] is None


def test_a_double_click_is_one_order(kettle):
    first, again = as_guest((kettle, 1)), as_guest((kettle, 1))

    assert again.json()["order_token"] == first.json()["order_token"]
    assert OrderPayment.objects.count() == 1


def test_the_same_from_another_network_is_no_double_click(kettle, settings):
    settings.UNPAID_GOODS_PER_NETWORK = 200
    first = as_guest((kettle, 1))
    stranger = as_guest((kettle, 1), REMOTE_ADDR="203.0.113.9")

    assert stranger.json()["order_token"] != first.json()["order_token"]


def test_a_phone_has_at_most_three_unpaid_orders_and_a_refusal_names_none(goods):
    for product in goods[:MAX_UNPAID_ORDERS]:
        assert as_guest((product, 1)).status_code == 201

    refused = as_guest((goods[-1], 1))
    assert code_of(refused) == (409, "too_many_unpaid_orders")
    assert refused.json().keys() == {"detail", "code"}
    assert refused.headers["Retry-After"] == "300"


def test_a_shortage_does_not_lead_a_guest_to_an_order(seller):
    rare = ProductFactory(seller=seller, item_number=2)
    as_guest((rare, 2))

    refused = as_guest((rare, 1))
    assert refused.json() == {"order": [{"number": ["Sold out."]}]}


def test_what_a_phone_paid_before_makes_no_customer_of_who_types_it(seller, goods):
    pay(as_guest((goods[0], 1)))
    many = [ProductFactory(seller=seller, item_number=50) for _ in range(11)]

    refused = as_guest(*((product, 1) for product in many))
    assert code_of(refused) == (409, "too_many_unpaid_goods")
    assert refused.json()["most"] == 10


def test_a_phone_that_paid_for_a_guest_is_no_more_theirs_to_ring_than_a_strangers(kettle):
    order = pay(as_guest((kettle, 1)))

    assert may_be_written_to(order.buyer_id, PHONE, timezone.now())
    assert not has_paid_from(order.buyer_id, PHONE, timezone.now())


def test_guests_of_one_network_hold_together_what_newcomers_may(goods, settings):
    settings.UNPAID_GOODS_PER_NETWORK = 2
    for number, product in enumerate(goods[:2]):
        assert as_guest((product, 1), phone=f"072200000{number}").status_code == 201

    refused = as_guest((goods[2], 1), phone="0722000009")
    assert code_of(refused) == (409, "network_holds_too_much")


def test_strangers_share_a_phones_prompts_with_its_guests(
    kettle, daraja, django_capture_on_commit_callbacks
):
    now = timezone.now()
    for account in range(10):
        reserve_prompt(account + 1000, PHONE, now, is_own=False)

    with django_capture_on_commit_callbacks(execute=True):
        placed = as_guest((kettle, 1))
    shown = APIClient().get(path_of(placed)).json()
    assert (shown["prompt"]["status"], daraja.pushes) == ("failed", [])


def test_guests_take_no_room_of_the_accounts_of_their_phone(goods):
    owner = UserFactory()
    PhoneLogin.objects.create(
        user=owner, phone=PHONE, linked_at=timezone.now(), proved_at=timezone.now()
    )
    for product in goods[:3]:
        as_guest((product, 1))

    api = signed_in(owner)
    assert [cash_out(api, (product, 2)).status_code for product in goods[3:6]] == [201] * 3


def test_an_account_behind_the_phone_is_not_told_of(goods, buyer):
    PhoneLogin.objects.create(
        user=buyer, phone=PHONE, linked_at=timezone.now(), proved_at=timezone.now()
    )
    proven(buyer, PHONE)
    known, unknown = as_guest((goods[0], 1)), as_guest((goods[0], 1), phone="0722000111")

    def told(answer):
        shown = answer.json()
        fixed = ("order_token", "reference", "mpesa_number", "created_at", "expires_at", "by_hand")
        ids = [line.pop("id") for line in shown["order"]]
        prompt = {k: v for k, v in shown["prompt"].items() if k != "rung_at"}
        assert ids
        return {k: v for k, v in shown.items() if k not in fixed} | {"prompt": prompt}

    assert told(known) == told(unknown)


def test_a_guest_who_let_orders_lapse_holds_less(goods):
    for product in goods[:3]:
        APIClient().post(path_of(as_guest((product, 1)), "cancel/"))

    as_guest((goods[3], 1))
    assert code_of(as_guest((goods[4], 1))) == (409, "too_many_unpaid_orders")


def test_the_admin_tells_guests_from_accounts(kettle, buyer, client):
    as_guest((kettle, 1))
    client.force_login(
        UserFactory(is_superuser=True, is_staff=True),
        backend="accounts.backends.UsernameOrEmailBackend",
    )

    guests = client.get("/admin/accounts/user/?kind=guest").content.decode()
    accounts = client.get("/admin/accounts/user/?kind=account").content.decode()

    assert ("guest:" in guests, "wanjiku" in guests) == (True, False)
    assert ("guest:" in accounts, "wanjiku" in accounts) == (False, True)
    # A phone finds nobody: what is asked for is not offered.
    assert client.get(f"/admin/accounts/user/?guest__phone={PHONE}").status_code in {302, 400}


def test_guests_nobody_knows_any_more_are_forgotten(kettle):
    line = pay(as_guest((kettle, 1))).tracks.get()
    staff = UserFactory(is_superuser=True)
    move_line(line.pk, "fetched", actor=staff)
    move_line(line.pk, "delivered", actor=staff, note="Seen.")
    with time_machine.travel(timezone.now() + timedelta(days=119)):
        assert erase_old_guests(timezone.now()) == 0
    with time_machine.travel(timezone.now() + timedelta(days=121)):
        assert erase_old_guests(timezone.now()) == 1

    order = Order.objects.get()
    assert (order.mpesa_number, order.buyer.username) == ("•••••••••678", f"#{order.buyer_id}")
    assert not Guest.objects.exists()


def test_guests_whose_goods_are_under_way_are_not_forgotten(kettle):
    pay(as_guest((kettle, 1)))

    with time_machine.travel(timezone.now() + timedelta(days=121)):
        assert erase_old_guests(timezone.now()) == 0


def refused_guests(kettle, number):
    for n in range(number):
        as_guest((kettle, 9), phone=f"07110000{n:02}")
    return list(Guest.objects.order_by("pk"))


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_all_guests_who_are_over_are_forgotten_however_many(kettle, monkeypatch, number):
    monkeypatch.setattr("payments.people.erasure.BATCH", 2)
    refused_guests(kettle, number)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert erase_old_guests(timezone.now()) == number
    assert not Guest.objects.exists()


def test_guests_who_stay_keep_none_behind_them_from_being_forgotten(kettle, monkeypatch):
    """Three in two batches: one has something under way, another breaks, a third too."""
    monkeypatch.setattr("payments.people.erasure.BATCH", 2)
    guests = refused_guests(kettle, 4)

    def under_way(user_id, now):
        if user_id in {guest.pk for guest in guests[1:3]}:
            raise ZeroDivisionError
        return [{"what": "refund"}] if user_id == guests[0].pk else []

    monkeypatch.setattr("payments.people.erasure.find_deletion_blockers", under_way)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert erase_old_guests(timezone.now()) == 1
    assert list(Guest.objects.order_by("pk")) == guests[:3]


def test_no_statement_looks_at_more_guests_than_a_batch(kettle, monkeypatch):
    """Most guests stay: looking for the next few who do not would go through all of them."""
    monkeypatch.setattr("payments.people.erasure.BATCH", 2)
    guests = [guest.pk for guest in refused_guests(kettle, 5)]

    with CaptureQueriesContext(connection) as captured:
        assert erase_old_guests(timezone.now()) == 0

    looked = [query["sql"] for query in captured.captured_queries if "EXISTS" in query["sql"]]
    assert [re.findall(r"user_id\W* <= (\d+)", sql) for sql in looked] == [
        [str(guests[1])], [str(guests[3])], [str(guests[4])]
    ]  # fmt: skip


def test_a_guest_who_was_refused_is_forgotten_the_next_day(kettle):
    as_guest((kettle, 9))

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert erase_old_guests(timezone.now()) == 1
    assert User.objects.get(erased_at__isnull=False).username.startswith("#")
