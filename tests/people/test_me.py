"""GET /me/: who asks, and what waits for them, in one request."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import MessagePreferences
from orders.models import InboxNotice, Order
from orders.notices.services import count_unread
from orders.problems.services import add_message, open_problem
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory, give_role
from tests.orders.parcels import a_point
from tests.shopping import an_order, delivered_line, fetched_line, paid_line

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
        "is_at_point": False,
        "counts": {"unpaid_orders": 0, "to_hand_over": 0, "unread_notices": 0, "to_answer": 0},
    }


def test_the_users_own_details_are_included(db):
    amina = UserFactory(
        first_name="Amina", last_name="Ali", avatar="avatars/1.webp", phone="254712345678"
    )
    MessagePreferences.objects.create(user=amina, language="sw")

    shown = me(amina)

    assert shown["avatar"] == "http://testserver/media/avatars/1.webp"
    assert (shown["first_name"], shown["last_name"]) == ("Amina", "Ali")
    assert (shown["phone"], shown["language"]) == ("254712345678", "sw")


def test_signing_in_is_required(api, db):
    assert api.get("/me/").status_code == 401


def test_roles_are_named_and_other_groups_are_not(db):
    clerk = give_role(UserFactory(is_superuser=True), "support")
    give_role(clerk, "finance")
    clerk.groups.add(Group.objects.create(name="choir"))

    assert me(clerk)["roles"] == ["finance", "support", "superuser"]


def test_a_user_who_ever_listed_a_product_is_a_seller(seller, kettle):
    type(kettle).objects.update(listed=False)

    assert me(seller)["is_seller"] is True


def test_a_pick_up_points_staff_are_marked(buyer):
    a_point(buyer)

    assert (me(buyer)["is_at_point"], me(UserFactory())["is_at_point"]) == (True, False)


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


def test_the_unread_count_is_that_of_notices(buyer, kettle, monkeypatch):
    for _ in range(2):
        line = paid_line(buyer, kettle)
        notice = line.order.notices.filter(kind="paid").get()
        InboxNotice.objects.create(
            notice=notice, user=buyer, kind="paid", order=line.order, said={"en": {}}
        )
    assert me(buyer)["counts"]["unread_notices"] == 2

    InboxNotice.objects.filter(pk=InboxNotice.objects.first().pk).update(read_at=timezone.now())
    assert me(buyer)["counts"]["unread_notices"] == count_unread(buyer) == 1


def test_problems_are_counted_while_they_wait_for_their_buyer(buyer, seller, kettle):
    line = delivered_line(buyer, kettle)
    problem = open_problem(line.pk, buyer=buyer, kind="damaged", text="It leaks.").problem
    assert me(buyer)["counts"]["to_answer"] == 0

    add_message(problem.pk, author=seller, party="seller", text="Where?")
    assert me(buyer)["counts"]["to_answer"] == 1
    assert me(seller)["counts"]["to_answer"] == 0

    add_message(problem.pk, author=buyer, party="buyer", text="At the spout.")
    assert me(buyer)["counts"]["to_answer"] == 0


def test_reading_the_profile_takes_three_statements(buyer, django_assert_num_queries):
    api = signed_in(buyer)
    api.get("/me/")

    # the caller, what waits for them, their roles
    with django_assert_num_queries(3):
        api.get("/me/")


def test_the_profile_is_not_cached(buyer):
    assert signed_in(buyer).get("/me/")["Cache-Control"] == "no-store"
