"""Reading STK callbacks, and refusing bodies that are none."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from payments.daraja.stk_callback import StkCallback, UnreadableCallback, read_stk_callback

EAT = timezone(timedelta(hours=3))

ITEMS = {
    "Amount": 1500.0,
    "MpesaReceiptNumber": "TAV1DE2FGH",
    "Balance": None,
    "TransactionDate": 20250131102115,
    "PhoneNumber": 254712345678,
}
PAID = StkCallback(
    merchant_request_id="29115-34620561-1",
    checkout_request_id="ws_CO_191220191020363925",
    result_code="0",
    description="The service request is processed successfully.",
    amount=1500,
    receipt="TAV1DE2FGH",
    paid_at=datetime(2025, 1, 31, 10, 21, 15, tzinfo=EAT),
    phone="254712345678",
)


def the_callback(items=None, **changes):
    """A success as a dict, with other fields or other items."""
    items = ITEMS | (items or {})
    callback = {
        "MerchantRequestID": "29115-34620561-1",
        "CheckoutRequestID": "ws_CO_191220191020363925",
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "CallbackMetadata": {
            "Item": [{"Name": name, "Value": value} for name, value in items.items()]
        },
    }
    return {"Body": {"stkCallback": callback | changes}}


def a_body(items=None, **changes):
    return json.dumps(the_callback(items, **changes)).encode()


def without(*names, **changes):
    document = the_callback(**changes)
    callback = document["Body"]["stkCallback"]
    for name in names:
        callback.pop(name, None)
    metadata = callback.get("CallbackMetadata")
    if metadata:
        metadata["Item"] = [item for item in metadata["Item"] if item["Name"] not in names]
    return json.dumps(document).encode()


def test_the_portals_success_is_read():
    body = b"""{ "Body": { "stkCallback": {
      "MerchantRequestID": "29115-34620561-1",
      "CheckoutRequestID": "ws_CO_191220191020363925",
      "ResultCode": 0,
      "ResultDesc": "The service request is processed successfully.",
      "CallbackMetadata": { "Item": [
        { "Name": "Amount", "Value": 1500.00 },
        { "Name": "MpesaReceiptNumber", "Value": "TAV1DE2FGH" },
        { "Name": "Balance" },
        { "Name": "TransactionDate", "Value": 20250131102115 },
        { "Name": "PhoneNumber", "Value": 254712345678 } ] } } } }"""

    assert read_stk_callback(body) == PAID
    assert read_stk_callback(body).succeeded is True


def test_the_portals_failure_is_read():
    body = b"""{ "Body": { "stkCallback": {
      "MerchantRequestID": "29115-34620561-1", "CheckoutRequestID": "ws_CO_191220191020363925",
      "ResultCode": 1032, "ResultDesc": "Request cancelled by user" } } }"""

    callback = read_stk_callback(body)

    assert callback == StkCallback(
        merchant_request_id="29115-34620561-1",
        checkout_request_id="ws_CO_191220191020363925",
        result_code="1032",
        description="Request cancelled by user",
        amount=None,
        receipt="",
        paid_at=None,
        phone="",
    )
    assert callback.succeeded is False


def test_a_body_from_the_database_may_be_a_memoryview():
    assert read_stk_callback(memoryview(a_body())) == PAID


def test_items_are_found_by_name_in_any_order():
    document = the_callback()
    document["Body"]["stkCallback"]["CallbackMetadata"]["Item"].reverse()

    assert read_stk_callback(json.dumps(document).encode()) == PAID


@pytest.mark.parametrize(
    "balance", [None, "{Amount={CurrencyCode=KES, MinimumAmount=1}}", 7, True, [], {"a": 1}]
)
def test_the_balance_is_ignored(balance):
    assert read_stk_callback(a_body({"Balance": balance})) == PAID
    assert read_stk_callback(without("Balance")) == PAID


def test_items_that_are_not_items_are_ignored():
    document = the_callback()
    items = document["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    items += [None, 7, "Amount", [], {}, {"Name": 5, "Value": 1}, {"Value": 1}]

    assert read_stk_callback(json.dumps(document).encode()) == PAID


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1", 1),
        ("1.0", 1),
        ("1.00", 1),
        ("1e2", 100),
        ("250000.00", 250_000),
        ('"1.00"', 1),
        ('"5"', 5),
        ('"250000"', 250_000),
        ("999999999", 999_999_999),
    ],
)
def test_an_amount_is_read_however_it_is_written(written, amount):
    body = a_body({"Amount": "HERE"}).replace(b'"HERE"', written.encode())

    read = read_stk_callback(body).amount

    assert read == amount
    assert type(read) is int


@pytest.mark.parametrize(
    "written",
    [
        "null", "true", "false", "[1]", '{"KES": 1}', '""', '" 1"', '"1 "', '"one"', '"1,000"',
        '"1e2"', '"+1"', '"-1"', '"NaN"', '"Infinity"', '"\\u0661"', '"1\\n"', '"0"', '"1.5"',
        '"9999999999"', "0", "-1", "-1.0", "0.99", "1.5", "1.00000000000000000001", "1e-400",
        "1000000000", "1e10", "1e308", "0e5",
    ],
)  # fmt: skip
def test_an_amount_that_is_not_whole_shillings_is_refused(written):
    body = a_body({"Amount": "HERE"}).replace(b'"HERE"', written.encode())

    with pytest.raises(UnreadableCallback, match=r"^Amount is "):
        read_stk_callback(body)


def test_a_success_without_an_amount_is_refused():
    with pytest.raises(UnreadableCallback, match=r"^Amount is missing or is not a number\.$"):
        read_stk_callback(without("Amount"))


@pytest.mark.parametrize("name", ["Amount", "MpesaReceiptNumber"])
def test_an_item_given_twice_is_refused(name):
    document = the_callback()
    items = document["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    items.append({"Name": name, "Value": ITEMS[name]})

    with pytest.raises(UnreadableCallback, match=r"^The same item is given twice\.$"):
        read_stk_callback(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("written", "receipt"),
    [("tav1de2fgh", "TAV1DE2FGH"), ("TAV1DE", "TAV1DE"), ("A" * 20, "A" * 20)],
)
def test_a_receipt_is_kept_in_upper_case(written, receipt):
    assert read_stk_callback(a_body({"MpesaReceiptNumber": written})).receipt == receipt


@pytest.mark.parametrize(
    "receipt",
    [None, "", "TAV1D", "A" * 21, "TAV1-E2FGH", "TAV1DE2FG ", "TAV1DE2FGH\n", "TAV1DE2Fß",
     "TAV1DE2Fı", "ＴＡＶ１ＤＥ２Ｆ", 1234567890, True, ["TAV1DE2FGH"]],
)  # fmt: skip
def test_a_success_without_a_receipt_number_is_refused(receipt):
    with pytest.raises(UnreadableCallback, match=r"^MpesaReceiptNumber is "):
        read_stk_callback(a_body({"MpesaReceiptNumber": receipt}))


@pytest.mark.parametrize("name", ["MerchantRequestID", "CheckoutRequestID"])
@pytest.mark.parametrize(
    "value", [None, "", 7, True, ["a"], {"a": "b"}, "a b", "a\n", "é", "w" * 65]
)
def test_an_id_that_is_no_id_is_refused(name, value):
    with pytest.raises(UnreadableCallback, match=f"^{name} is missing or is not 1 to 64 visible"):
        read_stk_callback(a_body(**{name: value}))


@pytest.mark.parametrize("name", ["MerchantRequestID", "CheckoutRequestID"])
def test_an_id_that_is_not_there_is_refused(name):
    with pytest.raises(UnreadableCallback, match=f"^{name} is missing"):
        read_stk_callback(without(name))


def test_ids_of_1_and_of_64_characters_are_read():
    callback = read_stk_callback(a_body(MerchantRequestID="-", CheckoutRequestID="~" * 64))

    assert callback.merchant_request_id == "-"
    assert callback.checkout_request_id == "~" * 64


@pytest.mark.parametrize(
    ("code", "text"), [(0, "0"), ("0", "0"), (1037, "1037"), ("1037", "1037"), ("E3008", "E3008")]
)
def test_a_result_code_is_text_however_it_was_typed(code, text):
    assert read_stk_callback(a_body(ResultCode=code)).result_code == text


@pytest.mark.parametrize("code", [None, "", True, False, 0.0, [0], {}, "0 ", "a b", "é", "9" * 65])
def test_a_result_code_that_is_no_code_is_refused(code):
    with pytest.raises(UnreadableCallback, match=r"^ResultCode is missing or is not a code\.$"):
        read_stk_callback(a_body(ResultCode=code))


@pytest.mark.parametrize("code", ["00", "-0", "0.0", 4999])
def test_a_code_that_is_not_exactly_0_is_no_success(code):
    callback = read_stk_callback(a_body(ResultCode=code))

    assert callback.succeeded is False
    assert (callback.amount, callback.receipt) == (None, "")


@pytest.mark.parametrize("metadata", [None, [], "x", {"Item": None}])
def test_the_metadata_of_a_failure_is_not_looked_at(metadata):
    callback = read_stk_callback(a_body(ResultCode=1032, CallbackMetadata=metadata))

    assert callback.result_code == "1032"


@pytest.mark.parametrize("metadata", [None, [], "x", {}, {"Item": None}, {"Item": {"Name": "a"}}])
def test_a_success_without_a_list_of_items_is_refused(metadata):
    with pytest.raises(UnreadableCallback, match="CallbackMetadata"):
        read_stk_callback(a_body(CallbackMetadata=metadata))


@pytest.mark.parametrize(
    ("value", "paid_at"),
    [
        ("20250131102115", datetime(2025, 1, 31, 10, 21, 15, tzinfo=EAT)),
        ("2025-01-31 10:21:15", datetime(2025, 1, 31, 10, 21, 15, tzinfo=EAT)),
        ("2025-01-31T07:21:15Z", datetime(2025, 1, 31, 10, 21, 15, tzinfo=EAT)),
        ("31.01.2025 10:21:15", None),
        ("yesterday", None),
        (20251331102115, None),
        (20250131246060, None),
        (202501311021, None),
        ("00010101000000", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
        ([], None),
    ],
)
def test_a_date_is_nairobis_and_an_odd_one_is_left_out(value, paid_at):
    callback = read_stk_callback(a_body({"TransactionDate": value}))

    # As text: equal times can still differ in their time zone.
    assert str(callback.paid_at) == str(paid_at)


@pytest.mark.parametrize(
    ("value", "phone"),
    [
        (254712345678, "254712345678"),
        ("254712345678", "254712345678"),
        ("2547 ***** 126", "2547 ***** 126"),
        ("2547\n***", "2547 ***"),
        ("x" * 100, "x" * 32),
        (None, ""),
        (True, ""),
        (2547.5, ""),
        ([], ""),
    ],
)
def test_a_phone_is_shown_as_it_comes(value, phone):
    assert read_stk_callback(a_body({"PhoneNumber": value})).phone == phone


def test_a_success_without_date_and_phone_is_still_a_success():
    callback = read_stk_callback(without("TransactionDate", "PhoneNumber"))

    assert (callback.succeeded, callback.paid_at, callback.phone) == (True, None, "")


@pytest.mark.parametrize(
    ("value", "description"),
    [
        ("Request cancelled\r\n\x1b[31m by user\u202e", "Request cancelled   [31m by user"),
        ("x" * 500, "x" * 200),
        ("Umeghairi 🛒", "Umeghairi 🛒"),
        (None, ""),
        (7, ""),
    ],
)
def test_a_description_is_one_printable_line(value, description):
    assert read_stk_callback(a_body(ResultDesc=value)).description == description


NESTED = '{"Body": {"stkCallback": {"x": ' + "[" * 25 + "]" * 25 + "}}}"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON."),
        (b"not json", "The body is not JSON."),
        (b"{'Body': 1}", "The body is not JSON."),
        (b'{"Body": 1} x', "The body is not JSON."),
        (b'{"Body": "\n"}', "The body is not JSON."),
        (b'{"Body": "\0"}', "The body is not JSON."),
        (b'\xef\xbb\xbf{"Body": 1}', "The body is not JSON."),
        (b'{"Body": "\xff"}', "The body is not UTF-8."),
        (b'{"Body": "\xed\xa0\x80"}', "The body is not UTF-8."),
        ('{"Body": 1}'.encode("utf-16"), "The body is not UTF-8."),
        (b'{"Body": 1, "Body": 2}', "The same key is given twice."),
        (b'{"Body": 1, "Bod\\u0079": 2}', "The same key is given twice."),
        (b'{"Body": {"a": [{"x": 1, "x": 1}]}}', "The same key is given twice."),
        (b'{"Body": NaN}', "NaN is not a number."),
        (b'{"Body": Infinity}', "Infinity is not a number."),
        (b'{"Body": -Infinity}', "-Infinity is not a number."),
        (b'{"Body": 1e400}', "A number is too large or too small."),
        (b'{"Body": -1e400}', "A number is too large or too small."),
        (b'{"Body": 1e999999999999999999999}', "A number is too large or too small."),
        (b'{"Body": 1e-99999999999999999999}', "A number is too large or too small."),
        (b'{"Body": ' + b"1" * 31 + b"}", "A number is too long."),
        (b'{"Body": ' + b"1" * 5000 + b"}", "A number is too long."),
        (b'{"Body": 0.' + b"1" * 30 + b"}", "A number is too long."),
        (b"[" * 60_000, "The body is nested too deeply."),
        (b'{"a":' * 12_000, "The body is nested too deeply."),
        (NESTED.encode(), "The body is nested too deeply."),
        (b'{"Body": "a\\u0000b"}', "A text holds a NUL character."),
        (b'{"Body\\u0000": 1}', "A text holds a NUL character."),
        (b'{"Body": [[{"x": ["\\u0000"]}]]}', "A text holds a NUL character."),
        (b'{"Body": "\\ud800"}', "A text holds half of a surrogate pair."),
        (b'{"Body": "\\udc00\\ud800"}', "A text holds half of a surrogate pair."),
        (b'{"\\udfff": 1}', "A text holds half of a surrogate pair."),
        (b'"' + b"x" * 65_536 + b'"', "The body is longer than 64 kB."),
        (b"null", "There is no Body object where a callback has one."),
        (b"[]", "There is no Body object where a callback has one."),
        (b"{}", "There is no Body object where a callback has one."),
        (b'{"Body": []}', "There is no Body object where a callback has one."),
        (b'{"Body": {}}', "There is no stkCallback object where a callback has one."),
        (
            b'{"Body": {"stkCallback": [1]}}',
            "There is no stkCallback object where a callback has one.",
        ),
        (b'{"Result": {"ResultCode": 0}}', "There is no Body object where a callback has one."),
        (b'{"Body": {"stkCallback": {}}}', "ResultCode is missing or is not a code."),
    ],
)
def test_a_body_that_is_no_callback_is_refused_in_a_sentence(body, sentence):
    with pytest.raises(UnreadableCallback) as unreadable:
        read_stk_callback(body)

    assert str(unreadable.value) == sentence


def test_a_surrogate_pair_is_a_character_like_any_other():
    assert read_stk_callback(a_body(ResultDesc="🛒")).description == "🛒"


def test_a_backslash_before_u0000_is_no_nul():
    assert read_stk_callback(a_body(ResultDesc="a\\u0000b")).description == "a\\u0000b"


def test_a_body_of_64_kb_is_read():
    padding = 65_536 - len(a_body(Padding=""))

    assert read_stk_callback(a_body(Padding="x" * padding)) == PAID
    with pytest.raises(UnreadableCallback):
        read_stk_callback(a_body(Padding="x" * (padding + 1)))


@pytest.mark.parametrize(
    "padding",
    [
        [1] * 20_000,
        [{}] * 15_000,
        {str(n): n for n in range(4_000)},
        ["é" * 10] * 900,
        [10**29] * 1_900,
        "\\" * 30_000,
    ],
)
def test_the_worst_64_kb_are_read(padding):
    body = a_body(Padding=padding)

    callback = read_stk_callback(body)

    assert len(body) <= 65_536
    assert callback.succeeded
