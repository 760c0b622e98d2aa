"""Placing orders while the clock or the workers are down."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from omachemainproj import background, heartbeats
from omachemainproj.celery import run_in_worker
from omachemainproj.heartbeats import beat
from omachemainproj.models import Heartbeat
from payments.checkout.failures import PHONE_BUSY
from payments.checkout.stk_push import send_stk_push
from payments.models import AttemptStatus, OrderPayment
from tests.shopping import cash_out

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = (
    "We are slower than usual right now. Your payment may take some minutes to show here. It "
    "still counts; do not pay twice."
)


@pytest.fixture(autouse=True)
def _asked_after(settings, monkeypatch):
    """A process without a cached view of the heartbeats, which reads them every time."""
    monkeypatch.setattr(heartbeats, "_known", heartbeats._LastResult())
    monkeypatch.setattr("payments.watch.alerts.enqueue", lambda task, row_id: None)
    settings.HEARTBEATS_MAX_AGE = 0.0


def silence(process):
    beat(process)
    Heartbeat.objects.filter(process=process).update(at=timezone.now() - timedelta(seconds=70))


def stands(api, order):
    return api.get(f"/cashout/{order['order_token']}/").json()["prompt"]


def test_the_order_is_placed_and_its_phone_prompted_and_its_buyer_informed(
    buyer_api, kettle, daraja
):
    silence("clock")

    answer = cash_out(buyer_api, (kettle, 1))

    assert answer.status_code == 201
    assert len(daraja.pushes) == 1
    prompt = answer.json()["prompt"]
    assert (prompt["code"], prompt["live"]) == ("enter_pin", True)
    assert prompt["text"] == f"Look at your phone and enter your M-Pesa PIN. {SLOW}"
    assert prompt["message"] == prompt["text"]


def test_messages_about_paying_are_translated_into_swahili(buyer_api, kettle, daraja):
    silence("clock")

    order = cash_out(buyer_api, (kettle, 1)).json()
    address = f"/cashout/{order['order_token']}/"
    answer = buyer_api.get(address, headers={"Accept-Language": "sw"})

    assert answer.json()["prompt"]["text"].endswith("Yanahesabiwa vilevile; usilipe mara mbili.")


def test_once_the_clock_is_round_again_the_notice_is_gone(buyer_api, kettle, daraja):
    silence("clock")
    order = cash_out(buyer_api, (kettle, 1)).json()
    beat("clock")

    assert stands(buyer_api, order)["text"] == "Look at your phone and enter your M-Pesa PIN."


@pytest.mark.parametrize(
    ("code", "rung", "text"),
    [
        (
            "refused.unreachable",
            True,
            "M-Pesa has not accepted our request yet. Try again in a minute; we may be slow to "
            "retry.",
        ),
        (
            PHONE_BUSY,
            False,
            "Your phone has another prompt open. Close it there, then try again in a minute.",
        ),
    ],
)
def test_work_of_the_clock_is_not_promised_while_it_is_silent(
    buyer_api, kettle, daraja, code, rung, text
):
    silence("clock")
    order = cash_out(buyer_api, (kettle, 1)).json()
    OrderPayment.objects.update(
        status=AttemptStatus.REQUESTED,
        result_code=code,
        rung_at=timezone.now() if rung else None,
    )

    assert stands(buyer_api, order)["text"] == f"{text} {SLOW}"


def test_a_buyer_with_nothing_to_wait_for_gets_no_notice_of_delays(buyer_api, kettle, daraja):
    silence("clock")
    order = cash_out(buyer_api, (kettle, 1)).json()
    cancelled = buyer_api.post(f"/cashout/{order['order_token']}/cancel/").json()

    assert SLOW not in cancelled["prompt"]["text"]


def test_a_process_looks_once_in_a_while_and_not_at_every_cash_out(
    buyer_api, kettle, daraja, settings
):
    settings.HEARTBEATS_MAX_AGE = 5.0
    beat("clock")
    with CaptureQueriesContext(connection) as asked:
        for _ in range(3):
            heartbeats.silent_processes()

    assert len(asked) == 1


def test_a_database_that_does_not_say_keeps_nobody_from_cashing_out(
    buyer_api, kettle, daraja, monkeypatch
):
    def gone(now):
        raise OSError("gone")

    monkeypatch.setattr(heartbeats, "missing", gone)

    assert cash_out(buyer_api, (kettle, 1)).status_code == 201


def test_without_its_workers_a_shop_with_a_broker_prompts_phones_itself(
    order, daraja, settings, monkeypatch
):
    given = []
    monkeypatch.setattr(run_in_worker, "delay", lambda *args: given.append(args))
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    beat("clock")
    silence("worker")
    OrderPayment.objects.update(status=AttemptStatus.REQUESTED, live=True, rung_at=None)
    before = len(daraja.pushes)

    background.enqueue(send_stk_push, order.pk)

    assert (len(daraja.pushes) - before, given) == (1, [])
    beat("worker")
    background.enqueue(send_stk_push, order.pk)
    assert len(given) == 1
