"""Reversals."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .caller import PHONE, error_of
from .waiting import PATIENCE


@pytest.fixture
def receipt(daraja, shop):
    """A payment of KES 1,500 by prompt."""
    daraja.pay()
    return shop.items()["MpesaReceiptNumber"]


def codes(shop):
    return [outcome["ResultCode"] for outcome in shop.outcomes]


def test_a_reversal_gives_the_money_back_with_an_sms_and_a_receipt_of_its_own(
    daraja, shop, receipt
):
    accepted = daraja.reverse(receipt).json()

    books, phone = daraja.simulator.books(), daraja.simulator.phone(PHONE)
    paid, returned = books["entries"]
    assert accepted["ResponseCode"] == "0"
    assert codes(shop) == [0]
    assert shop.outcomes[0]["TransactionID"] == returned["receipt"] != receipt
    assert (returned["kind"], returned["direction"]) == ("reversal", "out")
    assert (returned["reverses"], returned["reference"]) == (receipt, paid["reference"])
    assert (books["received"], books["paid_out"]) == (1500, 1500)
    assert books["accounts"]["174379"]["utility"] == 0
    assert phone["balance"] == 100_000
    assert f"Your payment {receipt} to O-MACHE was reversed" in phone["inbox"][0]["text"]


def test_the_result_has_daraja_s_parameters_and_types(daraja, shop, receipt):
    daraja.reverse(receipt)

    told = shop.parameters()
    assert re.fullmatch(r"20[0-9]{12}", str(told.pop("TransCompletedTime")))
    assert re.fullmatch(rf"{PHONE} - [A-Z ]+", told.pop("CreditPartyPublicName"))
    assert told == {
        "DebitAccountBalance": "Utility Account|KES|0.00|0.00|0.00|0.00",
        "Amount": 1500,
        "OriginalTransactionID": receipt,
        "Charge": 0,
        "DebitPartyPublicName": "174379 - O-MACHE",
    }


def test_a_second_reversal_ends_with_r000001(daraja, shop, receipt):
    daraja.reverse(receipt)
    daraja.reverse(receipt)

    assert codes(shop) == [0, "R000001"]
    assert daraja.simulator.books()["paid_out"] == 1500


def test_a_payment_by_hand_to_the_till_can_be_reversed(daraja, shop):
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, business="600111")
    daraja.reverse(paid["receipt"], ReceiverParty="600111")

    assert codes(shop) == [0]
    assert daraja.simulator.phone(PHONE)["balance"] == 100_000


def test_a_transaction_nobody_knows_cannot_be_reversed(daraja, shop):
    daraja.reverse("ABC1DE2FGH")

    assert codes(shop) == ["R000002"]


def test_a_payout_cannot_be_reversed(daraja, shop):
    daraja.pay_out()
    daraja.reverse(shop.outcomes[0]["TransactionID"])

    assert codes(shop) == [0, "R000002"]
    assert daraja.simulator.phone(PHONE)["balance"] == 101_500


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Amount": "1499"}, 25),
        ({"ReceiverParty": "600111"}, 2028),
        ({"Initiator": "nobody"}, 2001),
    ],
)
def test_a_reversal_that_does_not_fit_moves_nothing(daraja, shop, receipt, changes, code):
    daraja.reverse(receipt, **changes)

    assert codes(shop) == [code]
    assert daraja.simulator.books()["paid_out"] == 0


def test_a_role_not_held_is_21(daraja_with, shop):
    daraja = daraja_with(initiator_roles=("b2c",))
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    daraja.reverse(paid["receipt"])

    assert codes(shop) == [21]


def test_money_that_was_withdrawn_cannot_be_given_back(daraja, shop, receipt):
    daraja.simulator.set_account("174379", utility=1499)
    daraja.reverse(receipt)
    daraja.simulator.set_account("174379", utility=1500)
    daraja.reverse(receipt)

    assert codes(shop) == [1, 0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CommandID": "Reverse"}, "CommandID"),
        ({"TransactionID": ""}, "TransactionID"),
        ({"Amount": None}, "Amount"),
        ({"ReceiverParty": None}, "ReceiverParty"),
        ({"RecieverIdentifierType": "4"}, "RecieverIdentifierType"),
        ({"Remarks": ""}, "Remarks"),
        ({"ResultURL": "nowhere"}, "ResultURL"),
    ],
)
def test_an_invalid_field_is_named_in_the_error(daraja, receipt, changes, field):
    refused = error_of(daraja.reverse(receipt, **changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")


def test_a_bad_token_is_refused_in_reversal_s_own_code(daraja):
    assert daraja.token
    daraja.simulator.revoke_tokens()

    assert error_of(daraja.reverse("ABC1DE2FGH")) == (404, "404.001.03", "Invalid Access Token")


def test_a_reversal_can_be_scripted_for_the_phone_that_paid(daraja, shop, receipt):
    daraja.simulator.script(operation="reversal", phone=PHONE, outcome="11", callbacks=2)
    daraja.reverse(receipt)

    assert codes(shop) == [11, 11]


def test_a_reversal_may_time_out_in_the_queue_and_be_done(daraja, shop, receipt):
    daraja.simulator.script(operation="reversal", queue_timeout="without_result")
    daraja.reverse(receipt)

    assert shop.outcomes == []
    assert shop.posted_to("timeout")[0]["TransactionID"] == receipt
    assert daraja.simulator.books()["paid_out"] == 1500


def test_one_payment_reversed_many_times_at_once_is_given_back_once(daraja, shop, receipt):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: daraja.reverse(receipt), range(6)))

    assert sorted(map(str, codes(shop))) == ["0"] + ["R000001"] * 5
    assert daraja.simulator.books()["paid_out"] == 1500


def test_money_given_back_does_not_count_as_received_that_day(daraja_with, shop):
    daraja = daraja_with(daily_limit=1500)
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    daraja.reverse(paid["receipt"])
    daraja.pay_out()

    assert codes(shop) == [0, 0]


def test_a_reversal_for_a_customer_does_not_notify_the_merchant(daraja, shop, receipt):
    told = daraja.simulator.reverse_for_customer(receipt)

    books, phone = daraja.simulator.books(), daraja.simulator.phone(PHONE)
    returned = books["entries"][-1]
    assert (shop.outcomes, phone["balance"], told["balance"]) == ([], 100_000, 100_000)
    assert (returned["receipt"], returned["reverses"]) == (told["receipt"], receipt)
    assert (returned["direction"], returned["amount"]) == ("out", 1500)
    assert f"Your payment {receipt} to O-MACHE was reversed" in phone["inbox"][0]["text"]


def test_a_payment_reversed_for_its_customer_cannot_be_reversed_again(daraja, shop, receipt):
    daraja.simulator.reverse_for_customer(receipt)

    daraja.reverse(receipt)

    assert codes(shop) == ["R000001"]
    with pytest.raises(ValueError, match="already been reversed"):
        daraja.simulator.reverse_for_customer(receipt)


def test_a_payment_may_be_reversed_for_its_customer_in_parts(daraja, shop, receipt):
    daraja.simulator.reverse_for_customer(receipt, 500)
    daraja.reverse(receipt)
    with pytest.raises(ValueError, match="Invalid request parameter"):
        daraja.simulator.reverse_for_customer(receipt, 1001)
    daraja.simulator.reverse_for_customer(receipt, 1000)
    daraja.reverse(receipt)

    # What is left of it cannot be reversed whole; and then nothing is left.
    assert codes(shop) == [25, "R000001"]
    assert daraja.simulator.books()["paid_out"] == 1500


@pytest.mark.parametrize("number", ["TKB0000000", "x"])
def test_only_a_payment_can_be_reversed_for_its_customer(daraja, number):
    answer = requests.post(
        f"{daraja.simulator.url}/control/payments/{number}/reverse", json={}, timeout=PATIENCE
    )

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "There is no payment with this receipt."},
    )


def test_the_control_api_reverses_a_payment(daraja, receipt):
    answer = requests.post(
        f"{daraja.simulator.url}/control/payments/{receipt}/reverse", json={}, timeout=PATIENCE
    )

    assert answer.json()["receipt"] == daraja.simulator.books()["entries"][-1]["receipt"]
