"""Admin lists never count a whole table."""

import pytest
from django.contrib import admin

from accounts.models import User
from omachemainproj import admin as shop_admin
from omachemainproj.admin import BoundedPaginator, ShopAdmin
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_short_list_is_counted(django_assert_num_queries):
    UserFactory.create_batch(3)

    with django_assert_num_queries(1):
        assert BoundedPaginator(User.objects.order_by("pk"), 2).count == 3


def test_a_long_list_is_counted_no_further_than_the_bound(monkeypatch):
    monkeypatch.setattr(shop_admin, "COUNT_AT_MOST", 2)
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
