"""B2C payouts: accepted, then reported by a result, and never paid twice for one id."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .caller import PHONE, error_of
from .waiting import PATIENCE, wait_until


def codes(shop):
    return [outcome["ResultCode"] for outcome in shop.outcomes]


def test_a_payout_is_accepted_with_the_client_s_id(daraja):
    said = daraja.pay_out().json()

    assert re.fullmatch(r"AG_20[0-9]{6}_[0-9a-f]{20}", said.pop("ConversationID"))
    assert said == {
        "OriginatorConversationID": "ours-1",
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


def test_the_result_has_daraja_s_format_and_types(daraja, shop):
    accepted = daraja.pay_out().json()

    [result] = shop.outcomes
    [entry] = daraja.simulator.books()["entries"]
    told = shop.parameters()
    assert re.fullmatch(
        r"[0-9]{2}\.[0-9]{2}\.20[0-9]{2} [0-9:]{8}", told.pop("TransactionCompletedDateTime")
    )
    assert re.fullmatch(rf"{PHONE} - [A-Z]+ [A-Z]+", told.pop("ReceiverPartyPublicName"))
    assert told == {
        "TransactionAmount": 1500,
        "TransactionReceipt": entry["receipt"],
        "B2CUtilityAccountAvailableFunds": 998_500.0,
        "B2CWorkingAccountAvailableFunds": 0.0,
        "B2CRecipientIsRegisteredCustomer": "Y",
        "B2CChargesPaidAccountAvailableFunds": 0.0,
    }
    del result["ResultParameters"]
    assert result == {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": "ours-1",
        "ConversationID": accepted["ConversationID"],
        "TransactionID": entry["receipt"],
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": shop.at("timeout")}},
    }


def test_the_money_reaches_the_phone_with_an_sms_and_the_books(daraja):
    daraja.pay_out()

    phone, books = daraja.simulator.phone(PHONE), daraja.simulator.books()
    [entry] = books["entries"]
    assert phone["balance"] == 101_500
    assert "You have received KES 1,500.00 from O-MACHE" in phone["inbox"][0]["text"]
    assert (books["received"], books["paid_out"]) == (0, 1500)
    assert books["accounts"]["600000"]["utility"] == 998_500
    assert (entry["kind"], entry["direction"]) == ("b2c", "out")
    assert entry["originator_conversation_id"] == "ours-1"


def test_an_id_used_before_is_refused_and_pays_nothing(daraja, shop):
    daraja.pay_out()

    refused = error_of(daraja.pay_out())

    assert refused == (500, "500.002.1001", "Duplicate OriginatorConversationID.")
    assert len(shop.outcomes) == 1
    assert daraja.simulator.books()["paid_out"] == 1500


def test_an_id_whose_payout_failed_is_refused_too(daraja):
    daraja.simulator.script(operation="b2c", outcome="17")
    daraja.pay_out()

    assert error_of(daraja.pay_out())[1] == "500.002.1001"


def test_an_id_that_was_refused_before_processing_can_be_used_again(daraja):
    daraja.simulator.script(operation="b2c", refuse="spike_arrest")

    assert error_of(daraja.pay_out())[1] == "500.003.02"
    assert daraja.pay_out().status_code == 200


def test_a_payout_whose_answer_was_lost_is_known_when_sent_again(daraja, shop):
    daraja.simulator.script(operation="b2c", answer="nothing")
    with pytest.raises(requests.ConnectionError):
        daraja.pay_out()

    assert error_of(daraja.pay_out())[1] == "500.002.1001"
    assert codes(shop) == [0]
    assert daraja.simulator.books()["paid_out"] == 1500


def test_v1_has_no_id_of_the_client_and_pays_a_repeated_request_twice(daraja):
    first = daraja.pay_out(version=1).json()
    second = daraja.pay_out(version=1).json()

    assert len({first["OriginatorConversationID"], second["OriginatorConversationID"]}) == 2
    assert daraja.simulator.books()["paid_out"] == 3000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"OriginatorConversationID": ""}, "OriginatorConversationID"),
        ({"InitiatorName": None}, "InitiatorName"),
        ({"SecurityCredential": None}, "SecurityCredential"),
        ({"CommandID": "BusinessPayBill"}, "CommandID"),
        ({"Amount": "10.50"}, "Amount"),
        ({"Amount": 0}, "Amount"),
        ({"PartyA": "shop"}, "PartyA"),
        ({"PartyB": "0712345678"}, "PartyB"),
        ({"Remarks": "x"}, "Remarks"),
        ({"Remarks": "x" * 101}, "Remarks"),
        ({"ResultURL": "https://shop.example/mpesa/"}, "ResultURL"),
        ({"QueueTimeOutURL": None}, "QueueTimeOutURL"),
        ({"Occassion": "x" * 101}, "Occassion"),
    ],
)
def test_an_invalid_field_is_named_in_the_error(daraja, shop, changes, field):
    refused = error_of(daraja.pay_out(**changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert shop.heard == []


def test_a_bad_token_is_refused_in_b2c_s_own_code(daraja):
    assert daraja.token
    daraja.simulator.revoke_tokens()

    assert error_of(daraja.pay_out()) == (401, "401.002.01", "Invalid Access Token")


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({}, {"Amount": 9}, 2),
        ({}, {"Amount": 250_001}, 3),
        ({}, {"PartyA": "174379"}, 2028),
        ({}, {"PartyB": "254710002040"}, 2040),
        ({}, {"InitiatorName": "nobody"}, 2001),
        ({"utility": 1499}, {}, 1),
        ({"daily_limit": 1499}, {}, 4),
        ({"wallet_limit": 101_499}, {}, 8),
        ({"initiator_roles": ("reversal",)}, {}, 21),
    ],
)
def test_a_payout_can_fail_by_its_result(daraja_with, shop, settings, changes, code):
    daraja = daraja_with(**settings)

    accepted = daraja.pay_out(**changes)

    [result] = shop.outcomes
    assert accepted.status_code == 200
    assert result["ResultCode"] == code
    assert "ResultParameters" not in result
    assert re.fullmatch(r"[A-Z0-9]{10}", result["TransactionID"])
    assert daraja.simulator.books()["entries"] == []


@pytest.mark.parametrize("amount", [10, 250_000])
def test_the_least_and_the_most_can_be_paid(daraja, shop, amount):
    daraja.pay_out(Amount=str(amount))

    assert codes(shop) == [0]


def test_a_phone_without_mpesa_is_not_paid_until_it_registers(daraja, shop):
    daraja.simulator.set_registered(PHONE, False)
    daraja.pay_out(originator="first")
    daraja.simulator.set_registered(PHONE, True)
    daraja.pay_out(originator="second")

    assert codes(shop) == [2040, 0]


def test_a_short_utility_account_can_be_filled(daraja, shop):
    daraja.simulator.set_account("600000", utility=1499)
    daraja.pay_out(originator="first")
    daraja.simulator.set_account("600000", utility=1500)
    daraja.pay_out(originator="second")

    assert codes(shop) == [1, 0]
    assert daraja.simulator.books()["accounts"]["600000"] == {"utility": 0, "working": 0}


def test_a_queue_timeout_echoes_the_request_and_the_result_still_comes(daraja, shop):
    daraja.simulator.script(operation="b2c", queue_timeout="with_result")
    daraja.pay_out()

    [echo] = shop.posted_to("timeout")
    assert (echo["OriginatorConversationID"], echo["Amount"]) == ("ours-1", 1500)
    assert [path.rsplit("/", 1)[1] for path in shop.paths] == ["timeout", "result"]


@pytest.mark.parametrize(
    ("how", "paid_out", "status"),
    [("without_result", 1500, "Completed"), ("not_done", 0, "Expired")],
)
def test_a_queue_timeout_can_come_without_a_result(daraja, shop, how, paid_out, status):
    daraja.simulator.script(operation="b2c", queue_timeout=how)
    daraja.pay_out()

    assert len(shop.posted_to("timeout")) == 1
    assert shop.outcomes == []
    assert daraja.simulator.books()["paid_out"] == paid_out
    assert daraja.simulator.conversations()[0]["status"] == status


def test_a_result_can_come_before_the_answer(daraja, shop):
    daraja.simulator.script(operation="b2c", callback_before_answer=True, answer_delay=0.05)
    daraja.pay_out()

    kinds = [event["kind"] for event in daraja.simulator.events]
    assert codes(shop) == [0]
    assert kinds == ["token_issued", "request_accepted", "request_ended", "callback"]


def test_a_result_can_come_twice_or_never(daraja, shop):
    daraja.pay_out(originator="twice", PartyB="254710009002")
    daraja.pay_out(originator="never", PartyB="254710009000")

    assert [o["OriginatorConversationID"] for o in shop.outcomes] == ["twice", "twice"]
    assert daraja.simulator.books()["paid_out"] == 3000


def test_a_result_can_be_late(daraja, shop):
    daraja.simulator.script(operation="b2c", callback_delay=600)
    daraja.pay_out(wait=False)
    wait_until(lambda: daraja.simulator.books()["paid_out"] == 1500)
    assert not daraja.simulator.wait_until_quiet(0.2)
    assert shop.heard == []

    daraja.simulator.advance(600)

    assert daraja.simulator.wait_until_quiet()
    assert codes(shop) == [0]


def test_a_result_can_name_another_id_and_come_in_another_order(daraja, shop):
    daraja.simulator.script(operation="b2c", originator="other", shuffle=True)
    accepted = daraja.pay_out().json()

    [result] = shop.outcomes
    assert result["OriginatorConversationID"] != "ours-1"
    assert result["ConversationID"] == accepted["ConversationID"]
    assert shop.parameters()["TransactionAmount"] == 1500


def test_a_success_and_a_failure_can_both_be_sent(daraja, shop):
    daraja.simulator.script(operation="b2c", reorder="failure_then_success")
    daraja.pay_out()

    assert codes(shop) == [17, 0]
    assert daraja.simulator.books()["paid_out"] == 1500


def test_a_forged_result_moves_no_money(daraja, shop):
    daraja.simulator.script(operation="b2c", outcome="2040", forge="right_token")
    daraja.pay_out()

    assert codes(shop) == [0, 2040]
    assert daraja.simulator.books()["entries"] == []
    assert [call["what"] for call in daraja.simulator.callbacks] == ["forged", "genuine"]


def test_no_credential_is_in_the_log(daraja):
    credential = daraja.simulator.security_credential()
    daraja.pay_out(SecurityCredential=credential)

    assert credential not in str(daraja.simulator.events)
    assert credential not in str(daraja.simulator.conversations())


def test_one_id_sent_many_times_at_once_pays_once(daraja):
    assert daraja.token
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: daraja.pay_out(wait=False), range(8)))

    assert daraja.simulator.wait_until_quiet()
    assert sorted(answer.status_code for answer in answers) == [200] + [500] * 7
    assert daraja.simulator.books()["paid_out"] == 1500


@pytest.fixture
def paid_out(daraja, shop):
    """The receipt of a payout of KES 1,500."""
    daraja.pay_out()
    return shop.outcomes[0]["TransactionID"]


def test_a_payout_is_taken_back_and_the_merchant_is_not_told(daraja, shop, paid_out):
    told = daraja.simulator.take_payout_back(paid_out)

    books = daraja.simulator.books()
    entry = books["entries"][-1]
    assert (len(shop.outcomes), told["balance"]) == (1, 100_000)
    assert (entry["receipt"], entry["reverses"]) == (told["receipt"], paid_out)
    assert (entry["direction"], entry["amount"], entry["phone"]) == ("in", 1500, PHONE)
    assert books["accounts"]["600000"]["utility"] == 1_000_000


def test_the_portal_statement_shows_a_payout_that_was_taken_back(daraja, paid_out):
    told = daraja.simulator.take_payout_back(paid_out)

    [line] = [
        line
        for line in daraja.simulator.portal_statement("600000").splitlines()
        if line.startswith(told["receipt"])
    ]
    assert f'Reversal of {paid_out} from {PHONE}.,Completed,"1,500.00",,' in line
    assert f",Transaction Reversal,{PHONE} - " in line
    assert line.endswith(f",{paid_out},")


def test_a_payout_that_was_taken_back_is_found_reversed(daraja, shop, paid_out):
    daraja.simulator.take_payout_back(paid_out)

    daraja.ask_status(OriginalConversationID="ours-1")

    assert shop.parameters(1)["TransactionStatus"] == "Reversed"


def test_a_payout_is_taken_back_once_and_the_return_is_not_a_payment(daraja, shop, paid_out):
    told = daraja.simulator.take_payout_back(paid_out)

    with pytest.raises(ValueError, match="already been reversed"):
        daraja.simulator.take_payout_back(paid_out)
    with pytest.raises(ValueError, match="no payment"):
        daraja.simulator.reverse_for_customer(told["receipt"])


def test_money_that_the_phone_has_spent_is_not_taken_back(daraja, paid_out):
    daraja.simulator.set_wallet(PHONE, 1499)

    with pytest.raises(ValueError, match="balance is insufficient"):
        daraja.simulator.take_payout_back(paid_out)


def test_the_control_api_takes_a_payout_back(daraja, paid_out):
    url = f"{daraja.simulator.url}/control/payouts"
    answers = [
        requests.post(f"{url}/{number}/take-back", json={}, timeout=PATIENCE)
        for number in (paid_out, "TKB0000000")
    ]

    assert answers[0].json()["receipt"] == daraja.simulator.books()["entries"][-1]["receipt"]
    assert (answers[1].status_code, answers[1].json()) == (
        400,
        {"error": "There is no payout with this receipt."},
    )


def test_a_phone_paid_by_hand_on_the_portal_is_in_the_books_without_a_request(daraja, shop):
    told = daraja.simulator.pay_on_portal(PHONE, 700)

    [entry] = daraja.simulator.books()["entries"]
    assert (entry["receipt"], entry["direction"], entry["amount"]) == (told["receipt"], "out", 700)
    assert (entry["originator_conversation_id"], shop.outcomes) == ("", [])
    with pytest.raises(ValueError, match="balance is insufficient"):
        daraja.simulator.pay_on_portal(PHONE, 10_000_000)
