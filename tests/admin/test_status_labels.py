"""A status has the same label in lists, filters and pages."""

import pytest
from django.db.models import QuerySet

from orders.models import Order, OrderTrack, PaymentStatus, TrackStatus

from .browsers import list_url
from .pages import content, facts
from .test_lists import cells

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


@pytest.mark.parametrize("in_doubt", [False, True])
@pytest.mark.parametrize("status", PaymentStatus)
def test_the_list_of_orders_says_what_an_order_s_page_says(support, unpaid, status, in_doubt):
    Order.objects.update(payment_status=status, in_doubt=in_doubt)

    listed = cells(support.get(list_url(Order)))["Status"]

    words = "Payment in doubt" if in_doubt else status.label.capitalize()
    assert listed.endswith(words)
    assert f"{words}</span>" in facts(support, unpaid, "summary")["lead"]


@pytest.mark.parametrize("status", TrackStatus)
def test_a_line_is_called_the_same_in_the_list_on_its_page_and_on_its_order_s(
    support, unpaid, status
):
    QuerySet(OrderTrack).update(track_status=status)
    line = unpaid.tracks.get()

    listed = cells(support.get(list_url(OrderTrack)))["Status"]
    (group,) = content(support, unpaid, "goods").of["groups"]

    assert listed.endswith(status.label.capitalize())
    assert group["lines"][0]["status"] == facts(support, line, "summary")["lead"]
    assert f"{status.label.capitalize()}</span>" in group["lines"][0]["status"]


def test_a_filter_is_called_what_its_column_is_called(support, unpaid):
    page = support.get(list_url(Order)).content.decode()

    assert "<summary>Status: <strong>All</strong></summary>" in page
    assert ">Not paid</a>" in page
