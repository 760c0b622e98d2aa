"""Admin lists never count a whole table."""

import pytest
from django.contrib import admin

from accounts.backoffice import change_list
from accounts.backoffice.admin import ShopAdmin
from accounts.backoffice.change_list import BoundedPaginator
from accounts.models import User
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, paid_line

pytestmark = pytest.mark.django_db


def test_a_short_list_is_counted(django_assert_num_queries):
    UserFactory.create_batch(3)

    with django_assert_num_queries(1):
        assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 3


def test_a_long_list_is_counted_no_further_than_the_bound(monkeypatch):
    monkeypatch.setattr(change_list, "COUNT_AT_MOST", 2)
    UserFactory.create_batch(3)

    assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 2


def test_the_count_asks_for_no_order_and_no_more_than_the_bound(django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        _ = BoundedPaginator(User.objects.order_by("username"), 50).count

    assert "LIMIT 1000" in queries.captured_queries[0]["sql"]
    assert "ORDER BY" not in queries.captured_queries[0]["sql"]


def test_every_list_of_the_shops_own_is_bounded():
    ours = [
        site_admin
        for model, site_admin in admin.site._registry.items()
        if model._meta.app_label in {"accounts", "products", "orders", "payments"}
    ]

    assert ours
    for site_admin in ours:
        assert isinstance(site_admin, ShopAdmin), site_admin
        assert site_admin.paginator is BoundedPaginator
        assert not site_admin.show_full_result_count


def test_no_list_of_the_shops_own_is_sorted_by_a_column_or_counted_by_filter():
    for model, site_admin in admin.site._registry.items():
        if model._meta.app_label in {"accounts", "products", "orders", "payments"}:
            assert site_admin.show_facets is admin.ShowFacets.NEVER, site_admin
            assert site_admin.sortable_by == (), site_admin


def test_a_list_keeps_its_order_whatever_the_address_asks_for(admin_client):
    ProductFactory(price=100)
    ProductFactory(price=50)

    answer = admin_client.get("/admin/products/product/?o=-4")

    assert [product.price for product in answer.context["cl"].result_list] == [50, 100]
    assert "sorttoggle" not in answer.content.decode()


def test_a_receipt_is_looked_for_by_the_whole_of_its_index(
    admin_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20) as queries:
        admin_client.get("/admin/payments/receipt/?q=TKB1234567")

    looked = [query["sql"] for query in queries if "TKB1234567" in query["sql"]]
    by_number = [sql for sql in looked if '"payments_receipt"."number" =' in sql]
    assert by_number
    assert all('"provider" IN' in sql for sql in by_number)


def test_a_phone_is_looked_for_by_the_attempts_that_rang_it(
    admin_client, django_assert_max_num_queries
):
    order = an_order(UserFactory(), (ProductFactory(), 1), phone="254712345678")
    an_order(UserFactory(), (ProductFactory(), 1), phone="254712345679")
    attempt = order.payments.get()
    attempt.live = False
    attempt.save()
    order.payments.create(phone="254712345678", amount=1500)

    with django_assert_max_num_queries(20) as queries:
        answer = admin_client.get("/admin/orders/order/?q=0712345678")

    assert list(answer.context["cl"].result_list) == [order]
    assert not any('"orders_order"."mpesa_number" =' in query["sql"] for query in queries)


def test_new_lines_are_looked_for_among_unpaid_orders(admin_client, django_assert_max_num_queries):
    order = an_order(UserFactory(), (ProductFactory(), 1), phone="254712345678")
    paid_line(UserFactory(), ProductFactory())

    with django_assert_max_num_queries(20) as queries:
        answer = admin_client.get("/admin/orders/ordertrack/?track_status__exact=created")

    assert list(answer.context["cl"].result_list) == [order.tracks.get()]
    assert any("\"payment_status\" = 'requested'" in query["sql"] for query in queries)


FAR = 10**25


@pytest.mark.parametrize(
    "address",
    [
        "accounts/audit/?at__year=0",
        "accounts/audit/?at__year=-1",
        f"accounts/audit/?at__year__gte={FAR}",
        f"products/product/?price__in={FAR}",
        f"products/product/export/?price__in={FAR}",
        "products/product/export/?listed__exact=abc",
        "accounts/user/?last_login=0001-01-01",
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_filter_that_no_database_can_compare_leads_to_the_list(admin_client, address):
    answer = admin_client.get(f"/admin/{address}")

    assert answer.status_code in {200, 302}
    if answer.status_code == 302:
        assert answer["Location"].endswith("?e=1")


@pytest.mark.parametrize("chosen", ["abc", "1.5", str(FAR), "-9999999999999999999", ""])
def test_an_action_on_a_row_that_cannot_be_is_said_to_have_none(admin_client, chosen):
    form = {"action": "sign_out", "_selected_action": chosen}
    answer = admin_client.post("/admin/accounts/user/", form, follow=True)

    assert answer.status_code == 200
    assert "One of the chosen rows does not exist. Choose again." in answer.content.decode()


@pytest.mark.parametrize("number", ["abc", "1.5", str(FAR)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_of_nobody_has_no_page(admin_client, method, number):
    answer = getattr(admin_client, method)(f"/admin/accounts/user/{number}/password/", follow=True)

    assert answer.status_code in {200, 404}
