"""What staff may do is done by the services, and written down."""

import pytest
from django.contrib.admin.models import LogEntry

from orders.models import Order
from payments.models import GatewayEvent

from .test_pages import list_url

pytestmark = pytest.mark.django_db


def act(desk, name, *rows):
    return desk.post(
        list_url(type(rows[0])),
        {"action": name, "_selected_action": [row.pk for row in rows]},
        follow=True,
    )


def test_staff_cancel_an_unpaid_order_and_its_goods_are_free(desk, staff, unpaid, kettle):
    act(desk, "cancel", unpaid)

    unpaid.refresh_from_db()
    kettle.refresh_from_db()
    entry = LogEntry.objects.get()
    assert unpaid.payment_status == "cancelled"
    assert (kettle.item_number, kettle.held) == (5, 0)
    assert (entry.user, entry.get_change_message()) == (staff, "Cancelled.")


def test_a_paid_order_is_not_cancelled_and_staff_are_told_why(desk, sale):
    response = act(desk, "cancel", sale)

    sale.refresh_from_db()
    assert sale.payment_status == "paid"
    assert "no longer waiting" in response.content.decode()


def test_staff_ring_again(desk, unpaid):
    act(desk, "ring", unpaid)

    assert [payment.live for payment in unpaid.payments.order_by("pk")] == [False, True]


def test_a_message_that_could_not_be_read_is_acted_on_again(desk, sale):
    event = GatewayEvent.objects.create(body=b"not json", sha256="0" * 64, state="unreadable")

    act(desk, "reapply", event)

    event.refresh_from_db()
    assert event.state == "unreadable"
    assert event.note != ""


def test_asking_about_a_payment_that_has_ended_changes_nothing(desk, sale):
    act(desk, "ask", sale.payments.get())

    assert Order.objects.get().payment_status == "paid"
