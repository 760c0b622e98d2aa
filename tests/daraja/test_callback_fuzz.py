"""Fuzzing: any body is read as a callback or refused, and valid callbacks are read exactly."""

import json
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from payments.daraja.stk_callback import StkCallback, UnreadableCallback, read_stk_callback

quick = settings(max_examples=100)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
odd = anything | st.sampled_from(["0", 0, "1e400", "TAV1DE2FGH", 20250131102115, "1.00", -1, 1.5])
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
receipts = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=6, max_size=20)
nairobi_times = st.datetimes(
    min_value=datetime(2007, 1, 1),  # noqa: DTZ001
    max_value=datetime(2999, 12, 31),  # noqa: DTZ001
    timezones=st.just(timezone(timedelta(hours=3))),
).map(lambda time: time.replace(microsecond=0))


def read(body):
    """The callback, or None if it was refused. Any other exception fails the test."""
    try:
        return read_stk_callback(body)
    except UnreadableCallback:
        return None


def is_sound(callback):
    """Whether the body was refused, or the callback fulfils its guarantees."""
    if callback is None:
        return True
    assert isinstance(callback, StkCallback)
    if callback.succeeded:
        money = type(callback.amount) is int and callback.amount >= 1
        found = money and 6 <= len(callback.receipt) <= 20
    else:
        found = (callback.amount, callback.receipt) == (None, "")
    return found and not any("\0" in text for text in (callback.description, callback.phone))


@quick
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    assert is_sound(read(body))


@quick
@given(anything)
def test_any_json_is_read_or_refused(document):
    assert is_sound(read(json.dumps(document).encode()))


@quick
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "MerchantRequestID": ids | odd,
            "CheckoutRequestID": ids | odd,
            "ResultCode": st.sampled_from([0, "0", 1032, "E3008"]) | odd,
            "ResultDesc": odd,
            "CallbackMetadata": odd
            | st.fixed_dictionaries(
                {
                    "Item": odd
                    | st.lists(
                        odd
                        | st.fixed_dictionaries(
                            {
                                "Name": st.sampled_from(
                                    [
                                        "Amount",
                                        "MpesaReceiptNumber",
                                        "TransactionDate",
                                        "PhoneNumber",
                                        "Balance",
                                    ]
                                )
                                | odd
                            },
                            optional={"Value": odd},
                        ),
                        max_size=6,
                    )
                }
            ),
        },
    )
)
def test_anything_shaped_like_a_callback_is_read_or_refused(callback):
    assert is_sound(read(json.dumps({"Body": {"stkCallback": callback}}).encode()))


@quick
@given(
    merchant=ids,
    checkout=ids,
    amount=st.integers(1, 999_999_999),
    as_written=st.sampled_from(["{}", "{}.0", "{}.00", '"{}"', '"{}.00"']),
    receipt=receipts,
    paid_at=nairobi_times,
    order=st.permutations(range(4)),
)
def test_a_success_is_read_back(merchant, checkout, amount, as_written, receipt, paid_at, order):
    items = [
        '{"Name": "Amount", "Value": ' + as_written.format(amount) + "}",
        json.dumps({"Name": "MpesaReceiptNumber", "Value": receipt.lower()}),
        json.dumps({"Name": "TransactionDate", "Value": int(paid_at.strftime("%Y%m%d%H%M%S"))}),
        json.dumps({"Name": "PhoneNumber", "Value": 254712345678}),
    ]
    metadata = '{"Item": [' + ",".join(items[n] for n in order) + "]}"
    callback = json.dumps(
        {"MerchantRequestID": merchant, "CheckoutRequestID": checkout, "ResultCode": 0}
    )
    body = f'{{"Body": {{"stkCallback": {callback[:-1]}, "CallbackMetadata": {metadata}}}}}}}'

    assert read(body.encode()) == StkCallback(
        merchant_request_id=merchant,
        checkout_request_id=checkout,
        result_code="0",
        description="",
        amount=amount,
        receipt=receipt,
        paid_at=paid_at,
        phone="254712345678",
    )


@quick
@given(merchant=ids, checkout=ids, code=st.integers(1, 99999), typed=st.sampled_from([int, str]))
def test_a_failure_is_read_back(merchant, checkout, code, typed):
    callback = {
        "MerchantRequestID": merchant,
        "CheckoutRequestID": checkout,
        "ResultCode": typed(code),
        "ResultDesc": "It did not work.",
    }

    assert read(json.dumps({"Body": {"stkCallback": callback}}).encode()) == StkCallback(
        merchant_request_id=merchant,
        checkout_request_id=checkout,
        result_code=str(code),
        description="It did not work.",
    )
