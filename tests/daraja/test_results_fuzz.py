"""Fuzzing: any body of a result is read or refused, and valid ones are read exactly."""

import json
from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from payments.daraja.c2b import C2bPayment, read_c2b_payment
from payments.daraja.results import (
    QueueTimeout,
    Result,
    is_transfer_callback,
    read_transfer_callback,
)
from payments.daraja.values import UnreadableCallback

from .test_callback_fuzz import anything, ids, nairobi_times, odd, quick, receipts

READERS = {read_transfer_callback: Result | QueueTimeout, read_c2b_payment: C2bPayment}


def read(reader, body):
    """The reader's result, or None if it refused. Any other exception fails the test."""
    try:
        found = reader(body)
    except UnreadableCallback:
        return None
    assert isinstance(found, READERS[reader])
    return found


def is_sound(message):
    """Whether the body was refused, or the message fulfils its guarantees."""
    if isinstance(message, QueueTimeout):
        return is_sound_timeout(message)
    return message is None or is_sound_result(message)


def is_sound_result(result):
    amount = result.amount
    facts = [text for fact in result.facts.items() for text in fact]
    told = [result.transaction_status, result.receipt, result.original_transaction_id, *facts]
    return (
        bool(result.originator_conversation_id or result.conversation_id)
        and (amount is None or (type(amount) is int and amount >= 1))
        and result.succeeded is (result.result_code == "0")
        and all(isinstance(text, str) and text.isprintable() for text in told)
    )


def is_sound_timeout(timeout):
    return timeout.command != "" and all(
        isinstance(text, str) and text.isprintable() for text in astuple(timeout)
    )


def is_sound_payment(payment):
    if payment is None:
        return True
    return (
        type(payment.amount) is int
        and payment.amount >= 1
        and 6 <= len(payment.receipt) <= 20
        and payment.shortcode.isdecimal()
        and (payment.paid_at is None or payment.paid_at.tzinfo is not None)
    )


def are_sound(body):
    """Whether each reader refuses the body or returns a valid message."""
    message = read(read_transfer_callback, body)
    return (
        is_sound(message)
        and is_sound_payment(read(read_c2b_payment, body))
        and is_transfer_callback(body) is (message is not None)
    )


@quick
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    assert are_sound(body)


@quick
@given(anything)
def test_any_json_is_read_or_refused(document):
    assert are_sound(json.dumps(document).encode())


NAMES = [
    "Amount",
    "TransactionAmount",
    "ReceiptNo",
    "TransactionReceipt",
    "TransactionStatus",
    "OriginalTransactionID",
    "DebitPartyName",
]
parameter = odd | st.fixed_dictionaries(
    {"Key": st.sampled_from(NAMES) | odd}, optional={"Value": odd}
)


@quick
@given(
    st.fixed_dictionaries(
        {"ResultCode": st.sampled_from([0, "0", 17, "R000001"]) | odd},
        optional={
            "OriginatorConversationID": ids | odd,
            "ConversationID": ids | odd,
            "TransactionID": receipts | odd,
            "ResultDesc": odd,
            "ResultParameters": odd
            | st.fixed_dictionaries(
                {"ResultParameter": parameter | st.lists(parameter, max_size=6)}
            ),
        },
    )
)
def test_anything_shaped_like_a_result_is_read_or_refused(result):
    assert is_sound(read(read_transfer_callback, json.dumps({"Result": result}).encode()))


@quick
@given(
    st.fixed_dictionaries(
        {"CommandID": st.sampled_from(["BusinessPayment", "AccountBalance"]) | odd},
        optional={
            "OriginatorConversationID": ids | odd,
            "TransactionID": receipts | odd,
            "OriginalConversationID": ids | odd,
        },
    )
)
def test_anything_shaped_like_a_request_is_read_or_refused(request):
    assert is_sound(read(read_transfer_callback, json.dumps(request).encode()))


@quick
@given(
    st.fixed_dictionaries(
        {
            "TransID": receipts | odd,
            "TransAmount": st.sampled_from(["5.00", "1500", 7, "5.50"]) | odd,
            "BusinessShortCode": st.sampled_from(["600966", 600966]) | odd,
        },
        optional={
            "TransTime": st.sampled_from(["20250131121325", "20250231121325"]) | odd,
            "BillRefNumber": odd,
            "MSISDN": odd,
            "FirstName": odd,
            "TransactionType": odd,
        },
    )
)
def test_anything_shaped_like_a_payment_is_read_or_refused(payment):
    assert is_sound_payment(read(read_c2b_payment, json.dumps(payment).encode()))


@quick
@given(
    ours=ids,
    theirs=ids,
    code=st.integers(0, 9999),
    typed=st.sampled_from([int, str]),
    amount=st.integers(1, 999_999_999),
    as_written=st.sampled_from([int, float, str, "{}.00".format]),
    receipt=receipts,
)
def test_a_result_is_read_back(ours, theirs, code, typed, amount, as_written, receipt):
    told = {"TransactionAmount": as_written(amount), "TransactionReceipt": receipt}
    rows = [{"Key": key, "Value": value} for key, value in told.items()]
    body = {
        "ResultCode": typed(code),
        "OriginatorConversationID": ours,
        "ConversationID": theirs,
        "TransactionID": receipt,
        "ResultParameters": {"ResultParameter": rows},
    }

    result = read(read_transfer_callback, json.dumps({"Result": body}).encode())

    assert result.result_code == str(code)
    assert (result.originator_conversation_id, result.conversation_id) == (ours, theirs)
    assert (result.amount, result.receipt, result.transaction_id) == (amount, receipt, receipt)


@quick
@given(
    receipt=receipts,
    amount=st.integers(1, 999_999_999),
    as_written=st.sampled_from(["{}", "{}.0", "{}.00"]),
    shortcode=st.from_regex(r"[0-9]{5,12}", fullmatch=True),
    paid_at=nairobi_times,
)
def test_a_payment_by_hand_is_read_back(receipt, amount, as_written, shortcode, paid_at):
    body = {
        "TransID": receipt,
        "TransAmount": as_written.format(amount),
        "BusinessShortCode": shortcode,
        "TransTime": paid_at.strftime("%Y%m%d%H%M%S"),
    }

    payment = read(read_c2b_payment, json.dumps(body).encode())

    assert payment == C2bPayment(receipt, amount, shortcode, paid_at=paid_at)
