"""Attacks: filling the shop's disk by posting to unknown webhook URLs."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import transaction

from payments import gateway
from payments.models import (
    GatewayEvent,
    Payout,
    ReceiptQuestion,
    Refund,
    StrangersPosts,
    new_callback_token,
)
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.webhooks import strangers
from payments.webhooks.strangers import OF_A_NETWORK, OF_ALL
from tests.threads import many_at_once

from .bodies import post, success

pytestmark = pytest.mark.django_db

BIG = b"x" * (60 * 1024)


#: Seconds; ten minutes after noon of a day, since 1970.
DAY, HOUR = 24 * 3600, 3600
NOON = 20_000 * DAY + 12 * HOUR + 600


@pytest.fixture(autouse=True)
def at(settings, monkeypatch):
    """Limits on; sets what time the counts think it is."""
    settings.BOUND_STRANGERS = True

    def set_time(seconds):
        monkeypatch.setattr(strangers, "time", SimpleNamespace(time=lambda: seconds))

    set_time(NOON)
    return set_time


@pytest.fixture
def few(monkeypatch):
    """Three messages an hour of a network, five a day of all."""
    monkeypatch.setattr(strangers, "OF_A_NETWORK", OF_A_NETWORK._replace(messages=3))
    monkeypatch.setattr(strangers, "OF_ALL", OF_ALL._replace(messages=5))


def from_network(client, address, path="/safwebhook/", body=b"{}"):
    return client.generic(
        "POST", path, body, content_type="application/json", REMOTE_ADDR=address
    ).status_code


def test_a_stranger_fills_no_disk_with_large_bodies(client):
    statuses = [post(client, None, BIG, token="nobodys").status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert GatewayEvent.objects.count() == 2


def test_a_stranger_fills_no_table_with_small_ones(client, few):
    statuses = [from_network(client, "41.90.1.2") for _ in range(5)]

    assert statuses == [200, 200, 200, 429, 429]
    assert from_network(client, "41.90.1.3") == 200


def test_a_refusal_says_that_nothing_was_kept(client, few):
    for _ in range(3):
        post(client, None, b"{}", token="")

    answer = post(client, None, b"{}", token="")

    assert (answer.status_code, answer["Retry-After"]) == (429, str(50 * 60))
    assert answer.json() == {
        "detail": "Too much was posted to unknown addresses. Nothing was stored.",
        "code": "throttled",
    }


def test_beyond_a_days_limit_it_says_when_the_day_ends(client, few):
    for number in range(5):
        from_network(client, f"41.90.1.{number}")

    told = [
        client.post("/safwebhook/", b"{}", "application/json", REMOTE_ADDR=f"41.90.2.{number}")
        for number in range(2)
    ]

    assert [answer["Retry-After"] for answer in told] == [str(12 * HOUR - 600)] * 2


def test_the_pay_bills_address_with_a_wrong_secret_is_nobodys_too(client, few):
    path = "/safwebhook/c2b/wrong/confirmation/"

    assert [from_network(client, "41.90.1.2", path) for _ in range(4)] == [200, 200, 200, 429]


def test_the_addresses_of_one_ipv6_site_count_as_one(client, few):
    statuses = [from_network(client, f"2001:db8:7:{number}::1") for number in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_a_crowd_of_networks_fills_neither_the_messages_nor_the_counts(client, few):
    statuses = [from_network(client, f"41.90.1.{number}") for number in range(9)]

    assert statuses == [200] * 5 + [429] * 4
    # One for each network that was let in, and one for all.
    assert StrangersPosts.objects.count() == 6


def test_the_next_hour_has_a_new_limit(client, few, at):
    for _ in range(4):
        from_network(client, "41.90.1.2")

    at(NOON + 49 * 60)
    assert from_network(client, "41.90.1.2") == 429
    at(NOON + 50 * 60)
    assert from_network(client, "41.90.1.2") == 200


def test_no_flood_keeps_m_pesa_out_of_an_attempts_own_address(client, payment, few):
    for number in range(9):
        from_network(client, f"41.90.1.{number}")
        from_network(client, "127.0.0.1")

    assert post(client, payment, success(payment)).status_code == 200
    payment.refresh_from_db()
    assert payment.status == "confirmed"


@pytest.fixture
def addresses(payment, buyer):
    """Every secret address that a row has, by the name of its field. The rows are taken back: no
    story led to them."""
    with transaction.atomic():
        receipt, _ = record_receipt(IncomingPayment("mpesa", "SGA0000001", 700, "c2b"))
        rows = [
            payment,
            ReceiptQuestion.objects.create(receipt=receipt),
            Refund.objects.create(receipt=receipt, amount=700, way="b2c", phone="254712345678"),
            Payout.objects.create(
                seller=buyer, phone="254722000000", gross=0, amount=700, approval_above=9000
            ),
        ]
        yield {
            str(field): getattr(row, field.name)
            for row in rows
            for field in row._meta.concrete_fields
            if field.default is new_callback_token
        }
        transaction.set_rollback(True)


def test_no_flood_keeps_m_pesa_out_of_any_address_that_we_gave_it(client, addresses, few):
    for number in range(9):
        from_network(client, f"41.90.1.{number}")

    told = {
        name: from_network(client, "41.90.1.2", f"/safwebhook/{token}/")
        for name, token in addresses.items()
    }

    assert told == {
        str(field): 200
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.default is new_callback_token
    }


def test_no_flood_keeps_out_what_m_pesa_says_that_our_numbers_hold(client, few):
    for number in range(9):
        from_network(client, f"41.90.1.{number}")
    ours = gateway.new_balance_token()

    statuses = [
        from_network(client, "41.90.1.2", f"/safwebhook/{token}/")
        for token in (ours, ours[:-1] + "g", ours[::-1], ours[:16])
    ]

    assert statuses == [200, 429, 429, 429]


def test_no_flood_keeps_out_a_payment_to_the_pay_bill(client, settings, few):
    for number in range(9):
        from_network(client, f"41.90.1.{number}")

    path = f"/safwebhook/c2b/{settings.DARAJA_C2B_TOKEN}/confirmation/"
    assert from_network(client, "41.90.1.2", path) == 200


def test_no_flood_keeps_out_safaricoms_own_addresses(client, settings, few):
    settings.DARAJA_CALLBACK_IPS = ["196.201.212.0/23"]

    assert {from_network(client, "196.201.213.9") for _ in range(7)} == {200}
    assert not StrangersPosts.objects.exists()


def test_an_attempts_own_message_costs_one_query_more(
    client, payment, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("payments.webhooks.views.enqueue", lambda *_: None)

    # whose address it is, and the message
    with django_assert_num_queries(2):
        post(client, payment, success(payment))


@pytest.mark.django_db(transaction=True)
def test_of_a_crowd_at_once_exactly_the_limit_is_kept(client, few):
    statuses = many_at_once([lambda: from_network(client, "41.90.1.2")] * 8, at_a_time=8)

    assert sorted(statuses) == [200] * 3 + [429] * 5
    assert GatewayEvent.objects.count() == 3


def test_old_counts_are_deleted(client, at):
    from_network(client, "41.90.1.2")

    assert strangers.delete_old_posts() == 0
    at(NOON + 3 * DAY)
    assert strangers.delete_old_posts() == 2
