"""The retention of buyers' data."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from orders.lifecycle import cancel_order
from orders.models import Order
from orders.models.notifications import Message, Notice
from orders.retention import delete_old_messages, mask_old_phones
from tests.batches import ids_in_a_statement
from tests.shopping import an_order, delivered_line, fetched_line

pytestmark = pytest.mark.django_db

PHONE = "254712345678"


def in_days(days):
    return timezone.now() + timedelta(days=days)


def phones():
    return list(Order.objects.order_by("pk").values_list("mpesa_number", flat=True))


@pytest.fixture
def delivered(buyer, kettle):
    line = delivered_line(buyer, kettle)
    Order.objects.filter(pk=line.order_id).update(mpesa_number=PHONE)
    return line


def test_the_phone_of_an_order_that_is_over_is_masked_after_a_year(delivered):
    assert mask_old_phones(in_days(364)) == 0
    assert mask_old_phones(in_days(366)) == 1
    assert mask_old_phones(in_days(366)) == 0

    assert phones() == ["•••••••••678"]


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_the_phones_of_all_old_orders_are_masked_however_many(buyer, kettle, monkeypatch, number):
    """Among them one of an order under way, which stays."""
    monkeypatch.setattr("orders.retention.BATCH", 2)
    fetched_line(buyer, kettle)
    for _ in range(number):
        order = an_order(buyer, (kettle, 1), phone=PHONE)
        cancel_order(order.pk, cancelled_by="buyer")

    with ids_in_a_statement(2):
        assert mask_old_phones(in_days(366)) == number
    assert phones() == [PHONE, *["•••••••••678"] * number]


@pytest.mark.postgres
def test_no_phone_is_masked_for_ever_where_a_collation_passes_over_the_mask(delivered):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE COLLATION passing (provider = icu, locale = 'und-u-ka-shifted')")
        cursor.execute(
            "ALTER TABLE orders_order ALTER COLUMN mpesa_number TYPE varchar(12) COLLATE passing"
        )
        cursor.execute("SELECT '•••678' COLLATE passing BETWEEN '0' AND 'a'")
        assert cursor.fetchone() == (True,)
    sent = []

    def at_most_ten(execute, sql, *rest):
        sent.append(sql)
        assert len(sent) <= 10
        return execute(sql, *rest)

    with connection.execute_wrapper(at_most_ten):
        assert mask_old_phones(in_days(366)) == 1

    assert phones() == ["•••••••••678"]


def test_a_phone_is_kept_while_goods_are_on_their_way(buyer, kettle):
    fetched_line(buyer, kettle)

    assert mask_old_phones(in_days(4000)) == 0


@pytest.mark.parametrize("status", ["requested", "refund_due"])
def test_a_phone_is_kept_while_money_is_to_come_or_to_go_back(buyer, kettle, status):
    order = an_order(buyer, (kettle, 1), phone=PHONE)
    Order.objects.filter(pk=order.pk).update(payment_status=status)

    assert mask_old_phones(in_days(4000)) == 0
    # Back to what the books say of it.
    Order.objects.update(payment_status="requested")


def test_a_seller_sees_the_buyers_phone_until_a_week_after_the_delivery(delivered, seller_api):
    def shown():
        (line,) = seller_api.get("/seller/orders/?status=delivered").json()
        return line["phone"]

    assert shown() == PHONE
    seller_api.force_authenticate(delivered.seller)  # the token itself ends before
    with time_machine.travel(in_days(7) - timedelta(minutes=1)):
        assert shown() == PHONE
    with time_machine.travel(in_days(7) + timedelta(minutes=1)):
        assert shown() is None


def a_message(user, **columns):
    if columns["state"] == "sent":
        at = timezone.now()
        columns |= {"tries": 1, "tried_at": at, "sent_at": at, "provider_id": columns["channel"]}
    notice = Notice.objects.create(key=columns["channel"], kind="paid", composed_at=timezone.now())
    return Message.objects.create(
        notice=notice,
        user=user,
        kind="paid",
        language="en",
        text="Paid.",
        subject="Paid",
        **columns,
    )


def test_texts_and_contacts_of_old_messages_are_erased(buyer):
    a_message(buyer, channel="sms", contact=PHONE, state="sent")
    a_message(buyer, channel="email", contact="wanjiku@example.com", state="sent")

    assert delete_old_messages(in_days(179)) == 0
    assert delete_old_messages(in_days(181)) == 2
    assert delete_old_messages(in_days(181)) == 0

    kept = Message.objects.order_by("pk").values_list("contact", "subject", "text", "state")
    assert list(kept) == [("•••••••••678", "", "", "sent"), ("", "", "", "sent")]


def test_a_message_that_a_person_may_send_again_stays_whole(buyer):
    a_message(buyer, channel="sms", contact=PHONE, state="failed")

    assert delete_old_messages(in_days(4000)) == 0
