"""C2B payments: registration, validation, confirmation, and confirmations of STK payments."""

import hashlib
import re

import pytest

from .caller import PHONE, error_of


def confirmations(shop):
    return shop.posted_to("confirm")


def test_addresses_are_registered_and_answered_in_safaricom_s_spelling(daraja):
    answer = daraja.register()

    said = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f-]{31}", said.pop("OriginatorCoversationID"))
    assert said == {"ResponseCode": "0", "ResponseDescription": "Success"}


def test_the_sandbox_lets_addresses_be_registered_again(daraja, shop):
    daraja.register(ConfirmationURL=shop.at("old"))
    daraja.register()
    daraja.simulate()

    assert shop.posted_to("old") == []
    assert len(confirmations(shop)) == 1


def test_production_registers_addresses_once(daraja_with):
    daraja = daraja_with(production=True)
    daraja.register()

    refused = error_of(daraja.register())

    assert refused == (500, "500.003.1001", "Urls are already registered.")
    daraja.simulator.forget_urls()
    assert daraja.register().status_code == 200


def test_simulate_is_unavailable_in_production(daraja_with):
    assert error_of(daraja_with(production=True).simulate())[:2] == (404, "404.001.01")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ShortCode": "999999"}, "ShortCode"),
        ({"ResponseType": "completed"}, "ResponseType"),
        ({"ResponseType": None}, "ResponseType"),
        ({"ConfirmationURL": "https://shop.example/mpesa/confirm"}, "ConfirmationURL"),
        ({"ValidationURL": "ftp://shop.example/validate"}, "ValidationURL"),
    ],
)
def test_an_invalid_field_of_a_registration_is_named_in_the_error(daraja, changes, field):
    refused = error_of(daraja.register(**changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")


@pytest.mark.parametrize("call", ["register", "simulate"])
def test_c2b_refuses_a_bad_token_in_its_own_code(daraja, call):
    assert daraja.token
    daraja.simulator.revoke_tokens()

    assert error_of(getattr(daraja, call)()) == (400, "400.003.01", "Invalid Access Token")


def test_a_simulated_payment_is_validated_and_confirmed_in_text_throughout(daraja, shop):
    daraja.register()

    said = daraja.simulate().json()

    [question], [told] = shop.posted_to("validate"), confirmations(shop)
    [entry] = daraja.simulator.books()["entries"]
    assert said["ResponseDescription"] == "Accept the service request successfully."
    assert re.fullmatch(r"20[0-9]{12}", told["TransTime"])
    assert told == {
        "TransactionType": "Pay Bill",
        "TransID": entry["receipt"],
        "TransTime": str(entry["transaction_date"]),
        "TransAmount": "1500.00",
        "BusinessShortCode": "174379",
        "BillRefNumber": "SOFA22",
        "InvoiceNumber": "",
        "OrgAccountBalance": "1500.00",
        "ThirdPartyTransID": "",
        "MSISDN": "2547 ***** 678",
        "FirstName": told["FirstName"],
        "MiddleName": "",
        "LastName": "",
    }
    assert question["OrgAccountBalance"] == ""
    assert question["TransID"] == told["TransID"]
    assert (entry["kind"], entry["direction"], entry["amount"]) == ("c2b", "in", 1500)


def test_the_first_version_shows_the_payer_as_a_hash(daraja, shop):
    daraja.register(version=1)
    daraja.simulate(version=1)

    [told] = confirmations(shop)
    assert told["MSISDN"] == hashlib.sha256(PHONE.encode()).hexdigest()


def test_a_till_takes_goods_money_without_an_account(daraja, shop):
    daraja.register(ShortCode="600111")
    daraja.simulate(ShortCode=600111, CommandID="CustomerBuyGoodsOnline", BillRefNumber=None)

    [told] = confirmations(shop)
    assert (told["TransactionType"], told["BillRefNumber"]) == ("Buy Goods", "")
    assert told["BusinessShortCode"] == "600111"
    assert daraja.simulator.books()["accounts"]["600111"]["utility"] == 1500


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ShortCode": 999999}, "ShortCode"),
        ({"CommandID": "CustomerBuyGoodsOnline"}, "CommandID"),
        ({"Amount": 0}, "Amount"),
        ({"Amount": 250_001}, "Amount"),
        ({"Msisdn": "0712345678"}, "Msisdn"),
        ({"BillRefNumber": ""}, "BillRefNumber"),
        ({"BillRefNumber": "X" * 21}, "BillRefNumber"),
    ],
)
def test_an_invalid_field_of_a_simulation_is_named_in_the_error(daraja, changes, field):
    refused = error_of(daraja.simulate(**changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert daraja.simulator.books()["entries"] == []


def test_without_registered_urls_a_payment_completes_without_callbacks(daraja, shop):
    daraja.simulate()

    assert shop.heard == []
    assert daraja.simulator.books()["received"] == 1500


def test_the_third_party_id_of_the_validation_is_in_the_confirmation(daraja, shop):
    shop.answer = {"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": "ours-7"}
    daraja.register()
    daraja.simulate()

    assert confirmations(shop)[0]["ThirdPartyTransID"] == "ours-7"


@pytest.mark.parametrize("code", [f"C2B000{n}" for n in range(11, 17)])
def test_a_rejected_payment_moves_nothing(daraja, shop, code):
    shop.answer = {"ResultCode": code, "ResultDesc": "Rejected"}
    daraja.register()

    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")

    assert (paid["result_code"], paid["receipt"], paid["balance"]) == (code, None, 100_000)
    assert daraja.simulator.wait_until_quiet()
    assert confirmations(shop) == []
    assert daraja.simulator.books()["received"] == 0


@pytest.mark.parametrize(("response_type", "received"), [("Completed", 1500), ("Cancelled", 0)])
@pytest.mark.parametrize("trouble", ["slow", "failing", "senseless", "gone"])
def test_without_a_validation_response_the_registered_response_type_decides(
    daraja_with, shop, response_type, received, trouble
):
    daraja = daraja_with(validation_timeout=0.1)
    changes = {}
    if trouble == "slow":
        shop.seconds = 0.3
    elif trouble == "failing":
        shop.status = 500
    elif trouble == "senseless":
        shop.answer = ["?"]
    else:
        changes = {"ValidationURL": "http://127.0.0.1:9/validate"}
    daraja.register(ResponseType=response_type, **changes)

    daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")

    assert daraja.simulator.books()["received"] == received


def test_validation_is_given_eight_seconds(simulator):
    assert simulator.config.validation_timeout == 8.0


def test_validation_can_be_switched_off(daraja_with, shop):
    daraja = daraja_with(external_validation=False)
    daraja.register()
    daraja.simulate()

    assert shop.posted_to("validate") == []
    assert len(confirmations(shop)) == 1


def test_a_simulation_can_be_done_and_its_answer_lost(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", answer="error")

    assert daraja.simulate().status_code == 500
    assert len(confirmations(shop)) == 1


def test_a_payment_by_hand_gives_a_receipt_and_an_sms(simulator):
    paid = simulator.pay_by_hand("0712 345 678", 200, " SOFA22 ")

    phone = simulator.phone(PHONE)
    assert (paid["result_code"], paid["balance"]) == ("0", 99_800)
    assert phone["balance"] == 99_800
    assert phone["inbox"][0]["text"].startswith(
        f"{paid['receipt']} Confirmed. KES 200.00 paid to O-MACHE, Account no. SOFA22, on "
    )


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({"wallet": 199}, {}, "1"),
        ({"daily_limit": 199}, {}, "4"),
        ({}, {"pin": "0000"}, "2001"),
    ],
)
def test_a_payment_by_hand_can_fail(make_simulator, settings, changes, code):
    simulator = make_simulator(**settings)

    paid = simulator.pay_by_hand(PHONE, 200, "SOFA22", **changes)

    assert (paid["result_code"], paid["receipt"]) == (code, None)
    assert simulator.phone(PHONE)["inbox"][0]["text"].startswith("Failed: ")
    assert simulator.books()["entries"] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"business": "123456"}, "There is no business with the number 123456"),
        ({"account": ""}, "A pay bill needs an account number"),
        ({"account": "X" * 21}, "A pay bill needs an account number"),
        ({"amount": 0}, "amount must be whole KES, 1 to 250000"),
        ({"amount": "200"}, "amount must be whole KES, 1 to 250000"),
    ],
)
def test_an_invalid_c2b_payment_is_refused(simulator, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        simulator.pay_by_hand(**{"number": PHONE, "amount": 200, "account": "SOFA22", **changes})

    assert simulator.books()["entries"] == []


def test_three_wrong_pins_lock_a_phone_until_it_is_unlocked(make_simulator):
    simulator = make_simulator(pin_tries=3)
    tries = ["0", "0", "0", "1234"]

    codes = [simulator.pay_by_hand(PHONE, 1, "A", pin=pin)["result_code"] for pin in tries]

    assert codes == ["2001", "2001", "2001", "8006"]
    assert simulator.phone(PHONE)["pin_locked"]
    simulator.unlock_pin(PHONE)
    assert simulator.pay_by_hand(PHONE, 1, "A")["result_code"] == "0"


def test_a_statement_lists_what_moved(daraja):
    daraja.pay(AccountReference="SOFA22")
    daraja.simulator.pay_by_hand(PHONE, 200, business="600111")

    by_hand, by_prompt = daraja.simulator.statement(PHONE)
    assert (by_hand["amount"], by_hand["balance"]) == (-200, 98_300)
    assert by_hand["text"] == "Paid to O-MACHE"
    assert (by_prompt["amount"], by_prompt["text"]) == (-1500, "Paid to O-MACHE, account SOFA22")
