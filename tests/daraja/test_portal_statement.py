"""Reading portal statements: completely, or not at all."""

from datetime import datetime

import pytest

from daraja_simulator import Simulator
from omachemainproj.dates import NAIROBI
from payments.daraja.portal_statement import UnreadableStatement, read_portal_file
from tests.payments.statements import HEAD, statement
from tests.runtime_growth import grows_linearly

PAID = {
    "receipt": "TKC0000001",
    "amount": 1500,
    "phone": "254712345678",
    "reason": "Pay Bill Online",
    "account": "SOFA22",
}
SENT = {"receipt": "TKS0000001", "amount": -700, "phone": "254722000000"}


def test_money_in_and_out_is_read_oldest_first():
    at = datetime(2026, 11, 28, 9, 30, tzinfo=NAIROBI)

    file = read_portal_file(statement({**PAID, "at": at}, SENT))

    paid, sent = file.movements
    assert (paid.receipt, paid.amount, paid.phone, paid.reference, paid.at) == (
        "TKC0000001",
        1500,
        "254712345678",
        "SOFA22",
        at,
    )
    assert (paid.is_payment, sent.is_payment, sent.came_in, sent.amount) == (
        True,
        False,
        False,
        700,
    )
    assert (file.shortcode, file.others) == ("600000", 0)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({**SENT, "status": "Declined"}, 0),
        ({**SENT, "reason": "Business Payment Charge"}, 0),
        ({**SENT, "reason": "", "details": "Business Payment Charge to 254722000000"}, 0),
        ({**SENT, "details": "Business Payment to 254722000000 - CHARGE OTIENO"}, 1),
        ({**SENT, "reason": "Chargeback"}, 1),
        ({**SENT, "phone": ""}, 0),
        ({**SENT, "phone": "2547****000"}, 1),
        ({**SENT, "phone": "", "reverses": "TKC0000001"}, 1),
    ],
)
def test_incomplete_and_internal_rows_are_ignored(row, kept):
    if row.get("status"):
        row = {**row, "amount": 0}
    assert len(read_portal_file(statement(row)).movements) == kept


def test_a_request_named_in_the_details_is_found():
    ours = "omache-" + "a1" * 16
    text = f"Business Payment. Original conversation ID is {ours}, AG_20261129_0000abcd1234."

    [movement] = read_portal_file(statement({**SENT, "details": f'"{text}"'})).movements

    assert movement.ids == (ours, "AG_20261129_0000abcd1234")


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_line_that_is_missing_is_noticed(missing):
    rows = [{**SENT, "receipt": f"TKS000000{n}", "amount": -100 * n} for n in range(1, 6)]
    lines = statement(*rows).split(b"\r\n")
    del lines[5 + missing]

    with pytest.raises(UnreadableStatement, match="the balance does not follow"):
        read_portal_file(b"\r\n".join(lines))


def test_oldest_first_is_read_too():
    lines = statement(PAID, SENT).split(b"\r\n")
    lines[5], lines[6] = lines[6], lines[5]

    assert len(read_portal_file(b"\r\n".join(lines)).movements) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no column .Receipt No."),
        (b"\xff\xfe", "no column .Receipt No."),
        (b"Receipt No.\0,", "not a text file"),
        (b"PK\x03\x04 xl/workbook.xml", "It is an Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "It is an Excel file"),
        (b"%PDF-1.7", "It is a PDF"),
        (HEAD.replace("Withdrawn,", "").encode(), "no column .Withdrawn"),
        (statement(SENT)[:-30], "is cut off"),
        (b"x" * 140_000, "Line 1 is not CSV: field larger"),
        (statement(SENT).replace(b"-700.00", b"seven"), "is not an amount"),
        (statement(SENT).replace(b"-700.00", b"NaN"), "is not an amount"),
        (statement(SENT).replace(b"-700.00", b"-700.50"), "not a whole number of shillings"),
        (statement(SENT).replace(b"TKS0000001", b"!"), "receipt number"),
    ],
)
def test_a_file_that_is_not_a_statement_is_refused(content, why):
    with pytest.raises(UnreadableStatement, match=why):
        read_portal_file(content)


def test_an_invalid_time_is_refused():
    content = statement(SENT)
    at = content.split(b"TKS0000001,")[1].split(b",")[0]

    with pytest.raises(UnreadableStatement, match="is not a time"):
        read_portal_file(content.replace(b"TKS0000001," + at, b"TKS0000001,yesterday"))


ALL = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,"
    "Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
LINE = (
    "TKC0000001,28-11-2026 09:30:00,28-11-2026 09:29:58,Pay Bill from 254712345678 - WANJIKU M "
    'Acc. SOFA22,Completed,"1,500.00",,"11,500.00",true,Pay Bill Online,'
    "254712345678 - WANJIKU M,,SOFA22"
)
AT = datetime(2026, 11, 28, 9, 30, tzinfo=NAIROBI)


def a_file(*lines, head=ALL, about=("Short Code:,174379", ""), newline="\r\n"):
    return newline.join([*about, head, *lines, ""]).encode()


def only(content):
    [movement] = read_portal_file(content).movements
    return movement


def facts(movement):
    return movement.receipt, movement.amount, movement.at, movement.phone, movement.reference


READ = ("TKC0000001", 1500, AT, "254712345678", "SOFA22")


@pytest.mark.parametrize(
    "content",
    [
        a_file(LINE),
        a_file(LINE, newline="\n"),
        a_file(LINE, about=()),
        b"\xef\xbb\xbf" + a_file(LINE, about=()),
        a_file(LINE).decode().encode("utf-16"),
        a_file(LINE.replace("WANJIKU", "ZOÉ").encode("cp1252").decode("latin-1"))
        .decode()
        .encode("latin-1"),
        a_file(LINE.replace("TKC0000001", "tkc0000001")),
        a_file(LINE + ",KES", head=ALL + ",Currency"),
        a_file(
            LINE, head=ALL.replace("Receipt No.", "Receipt No").replace("A/C No.", "Account No.")
        ),
        a_file(LINE, head=ALL.replace("Reason Type", "Transaction Type").upper()),
        a_file(LINE, head=ALL.replace("Completion Time", '"Completion\nTime"')),
        a_file(LINE, '"",,,Totals,,"1,500.00",0.00,,,,,,'),
        a_file(LINE, ",,,,,,,,,,,,"),
        a_file(LINE.replace('"1,500.00"', "1500")),
        a_file(LINE.replace('"1,500.00"', '"Ksh 1,500.00"')),
        a_file(LINE.replace("254712345678 - WANJIKU", "254712345678- WANJIKU")),
        a_file(LINE.replace("254712345678 - WANJIKU", "+254712345678 - WANJIKU")),
    ],
)
def test_a_payment_is_read_in_every_form_that_was_seen(content):
    paid = only(content)

    assert facts(paid) == READ
    assert paid.is_payment


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_file_that_a_spreadsheet_saved_with_other_signs_between_its_cells_is_read(delimiter):
    cells = LINE.replace('"1,500.00"', "1500.00").replace('"11,500.00"', "11500.00").split(",")
    content = "\n".join([delimiter.join(ALL.split(",")), delimiter.join(cells)]).encode()

    assert facts(only(content)) == READ


@pytest.mark.parametrize(
    ("shown", "at"),
    [
        ("28-11-2026 09:30:00", AT),
        ("2026-11-28 09:30:00", AT),
        ("28/11/2026 09:30:00", AT),
        ("28-11-2026 09:30", AT),
        ("28/11/2026 9:30", AT),
        ("28/11/26 09:30 AM", AT),
        ("28/11/2026 09:30:00 pm", AT.replace(hour=21)),
        ("28-11-2026  12:05:00 AM", AT.replace(hour=0, minute=5)),
        ("28 Nov 2026 09:30", AT),
    ],
)
def test_a_time_is_read_in_every_form_that_was_seen(shown, at):
    assert only(a_file(LINE.replace("28-11-2026 09:30:00", shown, 1))).at == at


@pytest.mark.parametrize(
    "shown", ["15:50", "28-11-2026", "", "11/28/2026 09:30", "28-11-2026 25:00"]
)
def test_an_incomplete_time_is_refused(shown):
    with pytest.raises(UnreadableStatement, match="is not a time"):
        read_portal_file(a_file(LINE.replace("28-11-2026 09:30:00", shown, 1)))


@pytest.mark.parametrize(
    "withdrawn", ["-700.00", "700.00", "700", "(700.00)", '"-700.00"', "−700.00"]
)
def test_outgoing_amounts_are_read_with_any_minus_sign(withdrawn):
    sent = (
        f"TKS0000001,28-11-2026 09:30:00,,Business Payment,Completed,,{withdrawn},300.00,true,"
        "Business Payment to Customer,254722000000 - AMINA,,"
    )

    movement = only(a_file(sent))

    assert (movement.came_in, movement.amount, movement.is_payment) == (False, 700, False)


@pytest.mark.parametrize(
    "shown",
    ['"1.500,00"', '"15,00"', '"1,5000.00"', "1 500.00", "1500.000", "1e3", "--5", "(5", "∞"],
)
def test_an_amount_that_may_mean_another_is_refused(shown):
    with pytest.raises(UnreadableStatement, match="is not an amount"):
        read_portal_file(a_file(LINE.replace('"1,500.00"', shown, 1)))


@pytest.mark.parametrize(
    "word",
    [
        "Pay Utility",
        "Pay Merchant",
        "PayBill_STK",
        "Customer Buy Goods Online",
        "Pay Bill",
        "Customer Payment",
    ],
)
def test_any_incoming_money_of_a_customer_is_a_payment(word):
    assert only(a_file(LINE.replace("Pay Bill Online", word))).is_payment


@pytest.mark.parametrize(
    ("party", "details", "phone"),
    [
        ("2547****0111 - MARY ATIENO", "x", "2547****0111"),
        ("0712****678 - JOHN DOE", "x", "0712****678"),
        ("25472****108 - VICTOR **** NGURE", "x", "25472****108"),
        ("254712***678", "x", "254712***678"),
        ("", "Pay Merchant from 2547****287 - FRIDAH M", "2547****287"),
        ("", "Pay Bill", ""),
        ("400200 - TIMSALES LTD", "Pay Bill from 254700000000", ""),
        ("KEVIN OKUMAYIA", "x", ""),
    ],
)
def test_a_payer_is_read_as_far_as_they_are_shown(party, details, phone):
    line = f"TKC0000001,28-11-2026 09:30:00,,{details},Completed,5.00,,9.00,true,Pay Bill,{party},,"

    paid = only(a_file(line))

    assert (paid.phone, paid.is_payment) == (phone, True)


def test_the_columns_that_not_every_file_has_may_be_missing():
    head = "Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Balance"
    head += ",Other Party Info"
    line = "TKC0000001,28-11-2026 09:30:00,Pay Bill Online,Completed,1500.00,,9000.00"
    line += ",2547****678 - ANN"

    paid = only(a_file(line, head=head))

    assert (paid.reason, paid.phone, paid.reference) == ("Pay Bill Online", "2547****678", "")
    assert paid.is_payment


#: Account numbers and names of payers.
TYPED = ["charger", "Phone charge", "school fee", "refund", "reversed", "withdraw 5", "salary"]


@pytest.mark.parametrize("typed", TYPED)
def test_text_typed_by_a_payer_does_not_change_the_kind_of_movement(typed):
    paid = only(a_file(LINE.replace("SOFA22", typed)))

    assert (paid.is_payment, paid.reason, paid.amount) == (True, "Pay Bill Online", 1500)


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize(
    "details",
    [
        "Pay Bill from 254712345678 - WANJIKU M Acc. {}",
        "Pay Bill from 2547****678 - {} Acc. 5",
        "Pay Bill Online Acc. {}",
        "Pay Bill 2547****678 {}",
    ],
)
def test_without_the_column_that_names_it_only_m_pesas_own_words_do(details, typed):
    head = ALL.replace("Reason Type,", "")
    line = LINE.replace("Pay Bill Online,", "").replace(
        "Pay Bill from 254712345678 - WANJIKU M Acc. SOFA22", details.format(typed)
    )

    paid = only(a_file(line, head=head))

    assert (paid.is_payment, paid.amount, paid.phone) == (True, 1500, "254712345678")
    assert paid.reason in ("Pay Bill", "Pay Bill Online")


def test_a_number_that_the_payer_typed_is_not_the_one_that_paid():
    details = "Pay Bill Online Acc. from 254711111111"
    line = f"TKC0000001,28-11-2026 09:30:00,,{details},Completed,5.00,,9.00,true,Pay Bill,,,"

    assert only(a_file(line)).phone == ""


def test_a_customers_money_that_is_called_a_charge_is_kept():
    assert not only(a_file(LINE.replace("Pay Bill Online", "Pay Bill Charge"))).is_payment


@pytest.mark.parametrize("linked", ["37941535", "", "-", "n/a"])
def test_a_number_that_is_no_receipt_links_a_line_with_nothing(linked):
    paid = only(a_file(LINE.replace(",,SOFA22", f",{linked},SOFA22")))

    assert (paid.reverses, paid.is_payment, paid.is_returned_transfer) == ("", True, False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (LINE.replace('"11,500.00"', ""), "Line 4 has no balance"),
        (LINE.rsplit(",", 1)[0], "Line 4 is cut off"),
        (LINE.replace('"1,500.00"', "1500.50"), "not a whole number of shillings"),
    ],
)
def test_a_line_that_is_not_whole_is_refused(line, why):
    with pytest.raises(UnreadableStatement, match=why):
        read_portal_file(a_file(line))


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (ALL.replace("Balance,", ""), "no column .Balance"),
        (ALL.replace("Reason Type,Other Party Info,", ""), "no column .Other Party Info"),
        (ALL + ",Account No.", "two columns .A/C No."),
    ],
)
def test_columns_that_leave_something_open_are_refused(head, why):
    with pytest.raises(UnreadableStatement, match=why):
        read_portal_file(a_file(LINE, head=head))


def test_another_currency_is_refused():
    with pytest.raises(UnreadableStatement, match="in USD, not in KES"):
        read_portal_file(a_file(LINE + ",USD", head=ALL + ",Currency"))


@pytest.mark.parametrize(
    ("about", "shortcode"),
    [
        ("Short Code:,174379", "174379"),
        ("Organization Short Code:,174379 - O-MACHE", "174379"),
        ("Paybill,174379", "174379"),
        ("Till Number:,174379", "174379"),
        ("Short Code: 174379", "174379"),
        ("Account Holder:,174379", ""),
        ("Short Code:,SHOP", ""),
    ],
)
def test_the_number_is_read_from_the_lines_before(about, shortcode):
    assert read_portal_file(a_file(LINE, about=(about,))).shortcode == shortcode


DAY = datetime(2026, 11, 28, tzinfo=NAIROBI)
LAST = datetime(2026, 11, 29, 23, 59, 59, 999_999, tzinfo=NAIROBI)


@pytest.mark.parametrize(
    ("about", "period"),
    [
        (
            "Time Period:,From 28-11-2026 09:30:00 To 29-11-2026 10:00:00",
            (AT, AT.replace(day=29, hour=10, minute=0)),
        ),
        ("Time Period:,28-11-2026 - 29-11-2026", (DAY, LAST)),
        ("Time Period:,28/11/2026 - 29/11/2026", (DAY, LAST)),
        ("Statement Period,28-11-2026 to 29-11-2026", (DAY, LAST)),
        ("Statement Period: 28-11-2026 to 29-11-2026", (DAY, LAST)),
        ("Time Period:,28-11-2026 09:30:00 - 29-11-2026", (AT, LAST)),
        ("Time Period:,last week", (None, None)),
        ("O-Mache - the shop,x", (None, None)),
    ],
)
def test_the_period_is_read_from_the_lines_before(about, period):
    file = read_portal_file(a_file(LINE, about=(about,)))

    assert (file.begins, file.ends) == period


def test_a_long_row_of_spaces_is_read_in_linear_time():
    def read(spaces):
        read_portal_file(a_file(LINE, about=(f"Period:,x{spaces}x",)))

    assert grows_linearly(read, lambda size: " " * size, 2_000)


def test_the_simulators_is_read():
    with Simulator(port=None) as simulator:
        simulator.pay_by_hand("254712345678", 1500, account="SOFA22")
        simulator.set_account("174379", utility=5000)
        text = simulator.portal_statement("174379")

    file = read_portal_file(text.encode())

    [paid] = file.movements
    assert (file.shortcode, file.others, paid.amount, paid.reference) == (
        "174379",
        1,
        1500,
        "SOFA22",
    )
    assert file.begins is not None
    assert file.ends is not None
    assert file.begins <= paid.at <= file.ends


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    whole = statement(PAID)
    monkeypatch.setattr("payments.daraja.portal_statement.LONGEST_FILE_BYTES", len(whole))
    assert len(read_portal_file(whole).movements) == 1

    with pytest.raises(UnreadableStatement, match="larger than 64 MB"):
        read_portal_file(whole + b"\n")
