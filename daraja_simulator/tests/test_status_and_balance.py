"""Transaction status and account balance."""

import re

import pytest

from .caller import PHONE, error_of


def status(shop, n=-1):
    return shop.parameters(n)["TransactionStatus"]


def test_a_payment_is_found_by_its_receipt_with_every_oddity_of_the_sample(daraja, shop):
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    daraja.ask_status(TransactionID=paid["receipt"])

    [result] = shop.outcomes
    rows = result["ResultParameters"]["ResultParameter"]
    told = shop.parameters()
    assert [row["Key"] for row in rows].count("DebitPartyName") == 2
    assert {"Key": "TransactionReason"} in rows
    assert result["ReferenceData"] == {"ReferenceItem": {"Key": "Occasion"}}
    assert re.fullmatch(r"[A-Z0-9]{3}0000000", result["TransactionID"])
    assert re.fullmatch(r"20[0-9]{12}", str(told["FinalisedTime"]))
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert (told["ReceiptNo"], told["Amount"]) == (paid["receipt"], "1500")
    assert told["TransactionStatus"] == "Completed"
    assert told["CreditPartyName"] == "174379 - O-MACHE"
    assert rows[0]["Value"].startswith(f"{PHONE} - ")


def test_a_payout_is_found_by_our_id_and_by_its_receipt(daraja, shop):
    daraja.pay_out()
    daraja.ask_status(OriginalConversationID="ours-1", PartyA="600000")
    daraja.ask_status(TransactionID=shop.outcomes[0]["TransactionID"], PartyA="600000")

    by_id, by_receipt = shop.parameters(1), shop.parameters(2)
    assert by_id == by_receipt
    assert by_id["OriginatorConversationID"] == "ours-1"
    assert by_id["TransactionStatus"] == "Completed"
    assert by_id["ReceiptNo"] == shop.outcomes[0]["TransactionID"]


def test_a_payout_on_its_way_is_initiated(daraja, shop):
    daraja.simulator.script(operation="b2c", decide_after=600)
    daraja.pay_out(wait=False)
    daraja.simulator.script(operation="transaction_status", callback_before_answer=True)
    daraja.ask_status(wait=False, OriginalConversationID="ours-1")

    assert status(shop) == "Initiated"
    assert shop.parameters()["FinalisedTime"] == ""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"outcome": "2040"}, "Declined"),
        ({"queue_timeout": "not_done"}, "Expired"),
        ({"queue_timeout": "without_result"}, "Completed"),
        ({"callbacks": 0}, "Completed"),
    ],
)
def test_a_payout_whose_end_was_lost_can_be_asked_about(daraja, shop, script, expected):
    daraja.simulator.script(operation="b2c", **script)
    daraja.pay_out()
    daraja.ask_status(OriginalConversationID="ours-1")

    assert status(shop) == expected


def test_a_reversal_is_found(daraja, shop):
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    accepted = daraja.reverse(paid["receipt"]).json()
    daraja.ask_status(OriginalConversationID=accepted["OriginatorConversationID"])

    assert status(shop) == "Completed"
    assert shop.parameters(1)["ReasonType"] == "Transaction Reversal via API"


def test_an_unknown_transaction_is_a_failed_result(daraja, shop):
    accepted = daraja.push().json()
    assert daraja.simulator.wait_until_quiet()
    daraja.ask_status(TransactionID="ABC1DE2FGH")
    daraja.ask_status(OriginalConversationID=accepted["MerchantRequestID"])

    assert [o["ResultCode"] for o in shop.outcomes] == ["SFC_IC0003"] * 2
    assert "ResultParameters" not in shop.outcomes[0]


@pytest.mark.parametrize(
    ("party", "kind", "code"),
    [(PHONE, "1", 0), ("254722000111", "1", "SFC_IC0003"), ("999999", "4", "SFC_IC0003")],
)
def test_only_a_party_to_a_transaction_may_query_it(daraja, shop, party, kind, code):
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    daraja.ask_status(TransactionID=paid["receipt"], PartyA=party, IdentifierType=kind)

    assert shop.outcomes[0]["ResultCode"] == code


def test_a_status_can_be_scripted(daraja, shop):
    paid = daraja.simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    daraja.simulator.script(operation="transaction_status", status="Pending Authorized")
    daraja.ask_status(TransactionID=paid["receipt"])

    assert status(shop) == "Pending Authorized"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "TransactionID"),
        ({"TransactionID": 7}, "TransactionID"),
        ({"TransactionID": "A", "CommandID": "Status"}, "CommandID"),
        ({"TransactionID": "A", "IdentifierType": "3"}, "IdentifierType"),
        ({"TransactionID": "A", "Initiator": ""}, "Initiator"),
    ],
)
def test_an_invalid_field_is_named_in_the_error(daraja, changes, field):
    refused = error_of(daraja.ask_status(**changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")


def test_each_question_refuses_a_bad_token_in_its_own_code(daraja):
    assert daraja.token
    daraja.simulator.revoke_tokens()

    assert error_of(daraja.ask_status(TransactionID="A"))[:2] == (400, "400.003.01")
    assert error_of(daraja.ask_balance())[:2] == (401, "401.002.01")


def test_a_balance_result_is_text_throughout(daraja, shop):
    daraja.pay()
    daraja.simulator.set_account("174379", working=700_000)
    daraja.ask_balance()

    [result] = shop.outcomes
    told = shop.parameters()
    assert (result["ResultType"], result["ResultCode"]) == ("0", "0")
    assert re.fullmatch(r"20[0-9]{12}", told["BOCompletedTime"])
    assert told["AccountBalance"] == (
        "Working Account|KES|700000.00|700000.00|0.00|0.00"
        "&Utility Account|KES|1500.00|1500.00|0.00|0.00"
        "&Charges Paid Account|KES|0.00|0.00|0.00|0.00"
    )


def test_each_number_has_a_balance_of_its_own(daraja, shop):
    daraja.pay_out()
    daraja.ask_balance(PartyA="600000")

    assert "Utility Account|KES|998500.00|" in shop.parameters(1)["AccountBalance"]


def test_the_balance_of_another_shortcode_is_refused(daraja, shop):
    daraja.ask_balance(PartyA="999999")

    assert shop.outcomes[0]["ResultCode"] == "SFC_IC0003"


def test_a_balance_asked_with_a_bad_password_is_2001_in_text(daraja, shop):
    daraja.ask_balance(SecurityCredential=daraja.simulator.security_credential("wrong"))

    assert shop.outcomes[0]["ResultCode"] == "2001"


def test_the_lock_applies_to_all_apis_of_the_initiator(daraja, shop):
    bad = daraja.simulator.security_credential("wrong")
    for _ in range(3):
        daraja.ask_balance(SecurityCredential=bad)
    daraja.pay_out()

    assert shop.outcomes[-1]["ResultCode"] == 8006


def test_a_query_is_not_a_transaction(daraja, shop):
    accepted = daraja.ask_balance().json()
    daraja.ask_status(OriginalConversationID=accepted["OriginatorConversationID"])

    assert shop.outcomes[-1]["ResultCode"] == "SFC_IC0003"
