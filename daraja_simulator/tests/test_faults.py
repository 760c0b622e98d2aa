"""Scripted faults of STK pushes."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .caller import PHONE, error_of
from .waiting import PATIENCE, wait_until


def test_no_callback_though_paid(daraja, shop):
    daraja.simulator.script(callbacks=0)
    checkout_id = daraja.pay()

    assert shop.heard == []
    assert daraja.query(checkout_id).json()["ResultCode"] == "0"
    assert daraja.simulator.books()["received"] == 1500


def test_a_late_callback(daraja, shop):
    daraja.simulator.script(callback_delay=600)
    daraja.push()
    wait_until(lambda: daraja.simulator.books()["received"] == 1500)
    assert not daraja.simulator.wait_until_quiet(0.2)
    assert shop.heard == []

    daraja.simulator.advance(600)

    assert daraja.simulator.wait_until_quiet()
    assert [r["ResultCode"] for r in shop.results] == [0]


def test_duplicate_callbacks_are_the_same_to_the_letter(daraja, shop):
    daraja.simulator.script(callbacks=5)
    daraja.pay()

    assert len(shop.results) == 5
    assert all(result == shop.results[0] for result in shop.results)
    assert daraja.simulator.books()["received"] == 1500


def test_duplicate_callbacks_can_come_at_the_same_moment(daraja, shop):
    shop.seconds = PATIENCE
    daraja.simulator.script(callbacks=6, together=True)

    daraja.push()
    # None of them is answered.
    wait_until(lambda: len(shop.results) == 6)
    shop.delay.set()

    assert daraja.simulator.wait_until_quiet()
    assert len(shop.results) == 6


def test_a_callback_before_the_answer(daraja, shop):
    daraja.simulator.script(callback_before_answer=True)

    accepted = daraja.push().json()

    assert [r["CheckoutRequestID"] for r in shop.results] == [accepted["CheckoutRequestID"]]


def test_a_lost_answer_to_a_push_that_pays(daraja, shop):
    daraja.simulator.script(answer="nothing")

    with pytest.raises(requests.ConnectionError):
        daraja.push()

    assert daraja.simulator.wait_until_quiet()
    assert [r["ResultCode"] for r in shop.results] == [0]
    assert daraja.simulator.books()["received"] == 1500


def test_an_answer_cut_in_half_to_a_push_that_pays(daraja, shop):
    daraja.simulator.script(answer="half")

    with pytest.raises(requests.RequestException):
        daraja.push()

    assert daraja.simulator.wait_until_quiet()
    assert daraja.simulator.books()["received"] == 1500


def test_an_answer_after_the_client_gave_up(daraja, shop):
    daraja.simulator.script(answer_delay=30)

    with pytest.raises(requests.ReadTimeout):
        daraja.push(timeout=0.2)

    wait_until(lambda: shop.heard)
    assert daraja.simulator.wait_until_quiet()
    assert [r["ResultCode"] for r in shop.results] == [0]


def test_a_web_page_for_an_answer_to_a_push_that_pays(daraja):
    daraja.simulator.script(answer="html")

    answer = daraja.push()

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.text.startswith("<html>")
    assert daraja.simulator.wait_until_quiet()
    assert daraja.simulator.books()["received"] == 1500


def test_an_error_for_an_answer_to_a_push_that_pays(daraja):
    daraja.simulator.script(answer="error")

    assert error_of(daraja.push())[:2] == (500, "500.003.02")
    assert daraja.simulator.wait_until_quiet()
    assert daraja.simulator.books()["received"] == 1500


def test_a_scripted_amount_is_paid_and_reported(daraja, shop):
    daraja.simulator.script(paid_amount=1)
    daraja.pay()

    assert shop.items()["Amount"] == 1.0
    assert daraja.simulator.books()["received"] == 1
    assert daraja.simulator.phone(PHONE)["balance"] == 99_999


@pytest.mark.parametrize(
    ("how", "address"),
    [
        ("right_token", "/safwebhook/f00dfeed/"),
        ("no_token", "/safwebhook/"),
        ("wrong_token", r"/safwebhook/(?!f00dfeed)[0-9a-f]{8}/"),
    ],
)
def test_a_forged_success_comes_before_the_truth_and_moves_no_money(daraja, shop, how, address):
    daraja.simulator.script(forge=how, outcome="1032")
    daraja.pay()

    assert [r["ResultCode"] for r in shop.results] == [0, 1032]
    assert re.fullmatch(address, shop.paths[0])
    assert shop.paths[1] == "/safwebhook/f00dfeed/"
    assert shop.items()["Amount"] == 1500.0
    assert [c["what"] for c in daraja.simulator.callbacks] == ["forged", "genuine"]
    assert daraja.simulator.books()["entries"] == []


@pytest.mark.parametrize(
    ("reorder", "told"), [("failure_then_success", [1037, 0]), ("success_then_failure", [0, 1037])]
)
def test_a_payment_reported_as_failure_and_as_success(daraja, shop, reorder, told):
    daraja.simulator.script(reorder=reorder)
    daraja.pay()

    assert [r["ResultCode"] for r in shop.results] == told
    assert len({r["CheckoutRequestID"] for r in shop.results}) == 1
    assert daraja.simulator.books()["received"] == 1500


def test_a_masked_phone(daraja, shop):
    daraja.simulator.script(payer="masked")
    daraja.pay()

    assert shop.items()["PhoneNumber"] == "2547*****678"


def test_an_absent_phone(daraja, shop):
    daraja.simulator.script(payer="absent")
    daraja.pay()

    assert "PhoneNumber" not in shop.items()


def test_shuffled_items(daraja, shop):
    daraja.simulator.script(shuffle=True)
    daraja.pay()

    names = list(shop.items())
    in_order = ["Amount", "MpesaReceiptNumber", "Balance", "TransactionDate", "PhoneNumber"]
    assert names != in_order
    assert sorted(names) == sorted(in_order)


@pytest.mark.parametrize(("written", "value"), [("text", "1500.00"), ("int", 1500)])
def test_an_amount_of_another_type(daraja, shop, written, value):
    daraja.simulator.script(amount_as=written)
    daraja.pay()

    amount = shop.items()["Amount"]
    assert (type(amount), amount) == (type(value), value)


def test_no_balance_item(daraja, shop):
    daraja.simulator.script(balance="absent")
    daraja.pay()

    assert "Balance" not in shop.items()


def test_a_balance_as_text(daraja, shop):
    daraja.simulator.script(balance="text")
    daraja.pay()

    assert shop.items()["Balance"] == (
        "{Amount={CurrencyCode=KES, MinimumAmount=9850000, BasicAmount=98500.00}}"
    )


@pytest.mark.parametrize(
    ("refuse", "refused"),
    [
        ("busy", (500, "500.003.02", "System is busy. Please try again in few minutes.")),
        ("spike_arrest", (500, "500.003.02", "Spike Arrest Violation")),
        ("no_merchant", (500, "500.001.1001", "Merchant does not exist")),
        ("error_in_200", (200, "500.001.1001", "")),
        (
            {"status": 403, "code": "403.1", "message": "Never"},
            (403, "403.1", "Never"),
        ),
    ],
)
def test_a_push_refused_by_script_opens_no_prompt(daraja, refuse, refused):
    daraja.simulator.script(refuse=refuse)

    assert error_of(daraja.push()) == refused
    assert daraja.simulator.prompts() == []
    assert daraja.push().status_code == 200


@pytest.mark.parametrize(
    ("refuse", "status", "content_type", "begins"),
    [
        ("too_many_requests", 429, "application/json", '{"fault":{"faultstring":"Spike arrest'),
        ("unavailable", 503, "text/html", "<html>"),
        ("empty", 400, "application/json", ""),
        ("refused_in_200", 200, "application/json", '{"MerchantRequestID":"","Check'),
    ],
)
def test_a_push_refused_in_a_shape_of_its_own(daraja, refuse, status, content_type, begins):
    daraja.simulator.script(refuse=refuse)

    answer = daraja.push()

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert answer.text.startswith(begins)
    assert daraja.simulator.prompts() == []


def test_a_burst_of_refusals_ends(daraja):
    daraja.simulator.script(refuse="unavailable", times=3)

    assert [daraja.push().status_code for _ in range(4)] == [503, 503, 503, 200]


def test_pushes_that_saw_a_free_phone_together_open_one_prompt(daraja_with, monkeypatch):
    daraja = daraja_with(default="person")
    assert daraja.token
    scripts, pick = daraja.simulator.world.scripts, daraja.simulator.world.scripts.pick
    all_have_looked = threading.Barrier(4, timeout=PATIENCE)

    def pick_when_all_have_looked(*args, **kwargs):
        all_have_looked.wait()
        return pick(*args, **kwargs)

    monkeypatch.setattr(scripts, "pick", pick_when_all_have_looked)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: daraja.push(amount=n).status_code, range(1, 5)))

    assert sorted(answers) == [200, 500, 500, 500]
    assert len(daraja.simulator.prompts()) == 1


def test_a_stopped_simulator_refuses_connections(daraja):
    assert daraja.token
    daraja.simulator.stop()

    with pytest.raises(requests.ConnectionError):
        daraja.push()
