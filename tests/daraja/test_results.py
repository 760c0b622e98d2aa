"""Reading results and queue timeouts, and refusing bodies that are neither."""

import json

import pytest

from payments.daraja.results import (
    DECISIVE,
    QueueTimeout,
    Result,
    is_transfer_callback,
    read_transfer_callback,
)
from payments.daraja.values import UnreadableCallback


def the_result(parameters=None, **changes):
    """A result as a dict, with these parameters and other fields; a field of ... is left out."""
    fields = {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": "payout-7-0",
        "ConversationID": "AG_20250131_00004e48cf7e3533f581",
        "TransactionID": "TAV1DE2FGH",
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://a.ke/"}},
    }
    if parameters is not None:
        fields["ResultParameters"] = {"ResultParameter": parameters}
    fields |= changes
    return {"Result": {name: value for name, value in fields.items() if value is not ...}}


def read(parameters=None, **changes):
    return read_transfer_callback(json.dumps(the_result(parameters, **changes)).encode())


def parameters(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_the_portals_payout_is_read():
    body = b"""{ "Result": { "ResultType": 0, "ResultCode": 0,
      "ResultDesc": "The service request is processed successfully.",
      "OriginatorConversationID": "10571-7910404-1",
      "ConversationID": "AG_20191219_00004e48cf7e3533f581", "TransactionID": "NLJ41HAY6Q",
      "ResultParameters": { "ResultParameter": [
        { "Key": "TransactionAmount", "Value": 10 },
        { "Key": "TransactionReceipt", "Value": "NLJ41HAY6Q" },
        { "Key": "ReceiverPartyPublicName", "Value": "254708374149 - John Doe" },
        { "Key": "TransactionCompletedDateTime", "Value": "19.12.2019 11:45:50" },
        { "Key": "B2CUtilityAccountAvailableFunds", "Value": 10116.00 },
        { "Key": "B2CWorkingAccountAvailableFunds", "Value": 900000.00 },
        { "Key": "B2CRecipientIsRegisteredCustomer", "Value": "Y" },
        { "Key": "B2CChargesPaidAccountAvailableFunds", "Value": -4510.00 } ] },
      "ReferenceData": { "ReferenceItem": { "Key": "QueueTimeoutURL", "Value": "https:" } } } }"""

    result = read_transfer_callback(body)

    assert result == Result(
        result_code="0",
        description="The service request is processed successfully.",
        originator_conversation_id="10571-7910404-1",
        conversation_id="AG_20191219_00004e48cf7e3533f581",
        transaction_id="NLJ41HAY6Q",
        facts={
            "TransactionAmount": "10",
            "TransactionReceipt": "NLJ41HAY6Q",
            "ReceiverPartyPublicName": "254708374149 - John Doe",
            "TransactionCompletedDateTime": "19.12.2019 11:45:50",
            "B2CUtilityAccountAvailableFunds": "10116.00",
            "B2CWorkingAccountAvailableFunds": "900000.00",
            "B2CRecipientIsRegisteredCustomer": "Y",
            "B2CChargesPaidAccountAvailableFunds": "-4510.00",
        },
    )
    assert (result.succeeded, result.amount, result.receipt) == (True, 10, "NLJ41HAY6Q")
    assert (result.transaction_status, result.original_transaction_id) == ("", "")


def test_the_portals_failure_is_read():
    result = read(ResultCode=2001, ResultDesc="The initiator information is invalid.")

    assert (result.succeeded, result.result_code) == (False, "2001")
    assert result.description == "The initiator information is invalid."
    assert result.facts == {}
    assert (result.amount, result.receipt) == (None, "")


def test_a_body_from_the_database_may_be_a_memoryview():
    assert read_transfer_callback(memoryview(json.dumps(the_result()).encode())).succeeded


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "0"), ("0", "0"), (17, "17"), ("R000001", "R000001"), ("SFC_IC0003", "SFC_IC0003")],
)
def test_a_result_code_may_be_a_number_or_a_text(code, text):
    assert read(ResultCode=code).result_code == text
    assert read(ResultCode=code).succeeded is (text == "0")


@pytest.mark.parametrize("code", [..., None, "", True, False, 0.0, [0], {}, "not a code", "0\n"])
def test_a_result_without_a_code_is_refused(code):
    with pytest.raises(UnreadableCallback, match="ResultCode is missing or is not a code"):
        read(ResultCode=code)


@pytest.mark.parametrize("nothing", [..., None, "", 7, "w" * 65, "two words"])
def test_one_id_of_a_conversation_is_enough(nothing):
    assert read(OriginatorConversationID=nothing).originator_conversation_id == ""
    assert read(ConversationID=nothing).conversation_id == ""
    with pytest.raises(UnreadableCallback, match="There is no id of a conversation"):
        read(OriginatorConversationID=nothing, ConversationID=nothing)


@pytest.mark.parametrize("odd", [..., None, "", 7, ["TAV1DE2FGH"], "two words", "x" * 21])
def test_a_transaction_id_that_is_no_receipt_is_left_out(odd):
    assert read(TransactionID=odd).transaction_id == ""


def test_a_single_parameter_may_come_without_a_list():
    assert read({"Key": "ReceiptNo", "Value": "TAV1DE2FGH"}).receipt == "TAV1DE2FGH"


@pytest.mark.parametrize("odd", [..., None, "", [], 7, {}, {"ResultParameter": None}, [[]]])
def test_parameters_may_be_missing(odd):
    assert read(ResultParameters=odd).facts == {}


def test_invalid_parameters_are_ignored():
    odd = [7, None, "Amount", {}, {"Key": None}, {"Key": ["Amount"]}, {"Value": 1}, {"Key": " "}]

    assert read([*odd, *parameters(Amount=5)]).facts == {"Amount": "5"}


def test_of_a_name_that_comes_twice_the_first_counts():
    twice = parameters(DebitPartyName="600310 - O-Mache") + parameters(DebitPartyName="254708 - A")

    assert read(twice).facts == {"DebitPartyName": "600310 - O-Mache"}


@pytest.mark.parametrize("name", sorted(DECISIVE))
def test_of_what_decides_about_money_two_are_one_too_many(name):
    with pytest.raises(UnreadableCallback, match=f"{name} is given twice"):
        read(parameters(**{name: "1"}) + parameters(**{name: "1"}))


@pytest.mark.parametrize("value", [None, True, False, [], {}, ["a"]])
def test_a_value_that_is_no_text_and_no_number_is_empty(value):
    assert read(parameters(TransactionReason=value)).facts == {"TransactionReason": ""}


def test_a_parameter_without_a_value_is_empty():
    assert read([{"Key": "TransactionReason"}]).facts == {"TransactionReason": ""}


def test_a_long_value_is_told_in_full():
    balance = "&".join(f"Account {n}|KES|700000.00|700000.00|0.00|0.00" for n in range(9))

    assert read(parameters(AccountBalance=balance)).facts["AccountBalance"] == balance


def test_a_number_of_any_size_is_no_burden():
    body = json.dumps(the_result(parameters(Amount="!"))).replace('"!"', "1e-999999999999").encode()

    result = read_transfer_callback(body)

    assert len(result.facts["Amount"]) < 30
    assert result.amount is None


@pytest.mark.parametrize("name", ["Amount", "TransactionAmount"])
@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (1500, 1500),
        (1500.0, 1500),
        ("1500", 1500),
        ("1500.00", 1500),
        ("1500.50", None),
        (1500.5, None),
        (0, None),
        (-5, None),
        ("1,500", None),
        ("1e3", None),
        (" 1500 KES", None),
        ("", None),
        (None, None),
        (True, None),
        (10**9, None),
    ],
)
def test_an_amount_is_whole_or_none(name, value, amount):
    assert read(parameters(**{name: value})).amount == amount


def test_a_reversal_names_the_payment_it_gave_back():
    result = read(parameters(OriginalTransactionID="sjl0abcdef", Amount="200"))

    assert result.original_transaction_id == "SJL0ABCDEF"
    assert result.amount == 200


@pytest.mark.parametrize("odd", ["", "no receipt", None, 7])
def test_an_invalid_receipt_is_none(odd):
    result = read(parameters(ReceiptNo=odd, OriginalTransactionID=odd))

    assert (result.receipt, result.original_transaction_id) == ("", "")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON."),
        (b"\xff", "The body is not UTF-8."),
        (b"[" * 60_000, "The body is nested too deeply."),
        (b"null", "There is no Result object where a callback has one."),
        (b'{"Result": []}', "There is no Result object where a callback has one."),
        (b'{"Result": {}, "Result": {}}', "The same key is given twice."),
        (b'"' + b"x" * 65_536 + b'"', "The body is longer than 64 kB."),
    ],
)
def test_a_body_that_is_no_result_is_refused_with_a_message(body, sentence):
    with pytest.raises(UnreadableCallback) as unreadable:
        read_transfer_callback(body)

    assert str(unreadable.value) == sentence


def test_a_queue_timeout_is_our_request_without_the_credential():
    request = {
        "OriginatorConversationID": "payout-7-0",
        "InitiatorName": "operator",
        "SecurityCredential": "c2VjcmV0",
        "CommandID": "BusinessPayment",
        "Amount": 1500,
    }

    timeout = read_transfer_callback(json.dumps(request).encode())

    assert timeout == QueueTimeout("BusinessPayment", originator_conversation_id="payout-7-0")
    assert "c2VjcmV0" not in repr(timeout)


@pytest.mark.parametrize("odd", [None, 7, [], "two words", "w" * 65])
def test_an_odd_id_in_a_queue_timeout_is_left_out(odd):
    names = ("OriginatorConversationID", "TransactionID", "OriginalConversationID")
    request = dict.fromkeys(names, odd) | {"CommandID": "BusinessPayment"}

    assert read_transfer_callback(json.dumps(request).encode()) == QueueTimeout("BusinessPayment")


def test_at_one_address_for_both_a_result_and_a_queue_timeout_are_told_apart():
    result, request = the_result(), {"CommandID": "BusinessPayment"}

    found = [read_transfer_callback(json.dumps(body).encode()) for body in (result, request)]

    assert isinstance(found[0], Result)
    assert found[1] == QueueTimeout("BusinessPayment")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[]", "There is no Result object where a callback has one."),
        (b"{}", "CommandID is missing or is not a command."),
        (b'{"CommandID": ["BusinessPayment"]}', "CommandID is missing or is not a command."),
        (b'{"Body": {"stkCallback": {}}}', "CommandID is missing or is not a command."),
        (
            b'{"Result": {}, "CommandID": "BusinessPayment"}',
            "ResultCode is missing or is not a code.",
        ),
    ],
)
def test_a_body_that_is_neither_a_result_nor_a_queue_timeout_is_refused_with_a_message(
    body, sentence
):
    with pytest.raises(UnreadableCallback) as unreadable:
        read_transfer_callback(body)

    assert str(unreadable.value) == sentence
    assert is_transfer_callback(body) is False
