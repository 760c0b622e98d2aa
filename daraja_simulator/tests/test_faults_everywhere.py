"""Scripted faults common to all APIs."""

import pytest
import requests

from .caller import error_of
from .waiting import PATIENCE

CALLS = {
    "c2b_register": (lambda daraja: daraja.register(), (400, "400.003.01")),
    "c2b": (lambda daraja: daraja.simulate(), (400, "400.003.01")),
    "b2c": (lambda daraja: daraja.pay_out(), (401, "401.002.01")),
    "reversal": (lambda daraja: daraja.reverse("ABC1DE2FGH"), (404, "404.001.03")),
    "transaction_status": (
        lambda daraja: daraja.ask_status(TransactionID="ABC1DE2FGH"),
        (400, "400.003.01"),
    ),
    "account_balance": (lambda daraja: daraja.ask_balance(), (401, "401.002.01")),
}

each_api = pytest.mark.parametrize("operation", CALLS)


@each_api
def test_every_api_can_refuse_a_request_before_doing_anything(daraja, shop, operation):
    call, _ = CALLS[operation]
    daraja.simulator.script(operation=operation, refuse="busy")

    assert error_of(call(daraja))[1] == "500.003.02"
    assert shop.heard == []
    assert daraja.simulator.books()["entries"] == []
    assert call(daraja).status_code == 200


@each_api
def test_every_api_can_revoke_the_token_of_a_request(daraja, operation):
    call, refused = CALLS[operation]
    daraja.simulator.script(operation=operation, invalidate_token=True)

    assert error_of(call(daraja))[:2] == refused
    assert error_of(call(daraja))[:2] == refused


@each_api
def test_every_api_can_lose_the_response_to_an_executed_request(daraja, operation):
    call, _ = CALLS[operation]
    daraja.simulator.script(operation=operation, answer="nothing")

    with pytest.raises(requests.ConnectionError):
        call(daraja)

    assert daraja.simulator.wait_until_quiet()
    kinds = {event["kind"] for event in daraja.simulator.events}
    assert kinds & {"urls_registered", "paid_by_hand", "request_ended"}


@each_api
def test_every_api_needs_a_json_body(daraja, operation):
    paths = {
        "c2b_register": "c2b/v2/registerurl",
        "c2b": "c2b/v2/simulate",
        "b2c": "b2c/v3/paymentrequest",
        "reversal": "reversal/v1/request",
        "transaction_status": "transactionstatus/v1/query",
        "account_balance": "accountbalance/v1/query",
    }
    answer = requests.post(
        f"{daraja.simulator.url}/mpesa/{paths[operation]}",
        data="[",
        headers={"Authorization": f"Bearer {daraja.token}", "Content-Type": "application/json"},
        timeout=PATIENCE,
    )

    assert error_of(answer) == (400, "400.002.05", "Invalid Request Payload")


def test_a_repeated_payout_does_not_use_up_the_script_of_the_next(daraja, shop):
    daraja.pay_out(originator="first")
    daraja.simulator.script(operation="b2c", outcome="17")
    daraja.pay_out(originator="first")
    daraja.pay_out(originator="second")

    assert [outcome["ResultCode"] for outcome in shop.outcomes] == [0, 17]


def test_a_reset_forgets_ids_addresses_and_bad_passwords(daraja, shop):
    daraja.register()
    for n in range(3):
        daraja.pay_out(originator=f"n-{n}", SecurityCredential="bad")
    daraja.simulator.set_registered("254712345678", False)
    daraja.simulator.reset()
    shop.heard.clear()

    daraja.simulate()
    assert daraja.pay_out(originator="n-0").status_code == 200
    assert [outcome["ResultCode"] for outcome in shop.outcomes] == [0]
    assert shop.posted_to("confirm") == []
    assert len(daraja.simulator.conversations()) == 1
