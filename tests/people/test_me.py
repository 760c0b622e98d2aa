"""GET /me/: who asks, and what waits for them, in one request."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group

from accounts.models import MessagePreferences
from orders.models import Order
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role
from tests.shopping import an_order, fetched_line, paid_line

pytestmark = pytest.mark.django_db


def me(user):
    return signed_in(user).get("/me/").json()


def test_a_newcomer_is_told_all_of_themselves(buyer):
    assert me(buyer) == {
        "id": buyer.pk,
        "username": "wanjiku",
        "email": buyer.email,
        "first_name": "",
        "last_name": "",
        "avatar": None,
        "phone": "",
        "language": "en",
        "roles": [],
        "is_seller": False,
        "counts": {"unpaid_orders": 0, "to_hand_over": 0},
    }


def test_what_they_said_of_themselves_is_there(db):
    amina = UserFactory(
        first_name="Amina", last_name="Ali", avatar="avatars/1.webp", phone="254712345678"
    )
    MessagePreferences.objects.create(user=amina, language="sw")

    shown = me(amina)

    assert shown["avatar"] == "http://testserver/media/avatars/1.webp"
    assert (shown["first_name"], shown["last_name"]) == ("Amina", "Ali")
    assert (shown["phone"], shown["language"]) == ("254712345678", "sw")


def test_who_is_not_signed_in_is_told_to(api, db):
    assert api.get("/me/").status_code == 401


def test_roles_are_named_and_other_groups_are_not(db):
    clerk = give_role(UserFactory(is_superuser=True), "support")
    give_role(clerk, "finance")
    clerk.groups.add(Group.objects.create(name="choir"))

    assert me(clerk)["roles"] == ["finance", "support", "superuser"]


def test_who_listed_anything_is_a_seller_also_once_it_is_off_sale(seller, kettle):
    type(kettle).objects.update(listed=False)

    assert me(seller)["is_seller"] is True


def test_unpaid_orders_are_counted_while_they_hold(buyer, kettle):
    first = an_order(buyer, (kettle, 1))
    an_order(buyer, (ProductFactory(), 1), phone="254712000009")
    an_order(UserFactory(), (kettle, 1), phone="254712000008")
    paid_line(buyer, kettle)

    assert me(buyer)["counts"]["unpaid_orders"] == 2
    with time_machine.travel(Order.objects.get(pk=first.pk).expires_at + timedelta(hours=1)):
        assert me(buyer)["counts"]["unpaid_orders"] == 0


def test_lines_to_hand_over_are_counted_until_they_are_fetched(buyer, seller, kettle):
    line = paid_line(buyer, kettle)
    paid_line(buyer, kettle)
    fetched_line(buyer, kettle)
    an_order(UserFactory(), (kettle, 1), phone="254712000008")

    assert me(seller)["counts"]["to_hand_over"] == 2
    Order.objects.filter(pk=line.order_id).update(in_doubt=True)
    assert me(seller)["counts"]["to_hand_over"] == 1
    assert me(buyer)["counts"]["to_hand_over"] == 0


def test_it_costs_three_statements(buyer, django_assert_num_queries):
    api = signed_in(buyer)
    api.get("/me/")

    # the caller, what waits for them, their roles
    with django_assert_num_queries(3):
        api.get("/me/")


def test_no_cache_keeps_it(buyer):
    assert signed_in(buyer).get("/me/")["Cache-Control"] == "no-store"
