"""A statement of M-Pesa's portal is read whole, or not at all."""

from datetime import datetime

import pytest

from daraja_simulator import Simulator
from omachemainproj.dates import NAIROBI
from payments.daraja.portal_statement import UnreadableStatement, read_portal_file
from tests.payments.statements import HEAD, statement

PAID = {
    "receipt": "TKC0000001",
    "amount": 1500,
    "phone": "254712345678",
    "reason": "Pay Bill Online",
    "account": "SOFA22",
}
SENT = {"receipt": "TKS0000001", "amount": -700, "phone": "254722000000"}


def test_both_ways_are_read_oldest_first():
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
        ({**SENT, "phone": ""}, 0),
        ({**SENT, "phone": "2547****000"}, 1),
        ({**SENT, "phone": "", "reverses": "TKC0000001"}, 1),
    ],
)
def test_what_is_no_completed_movement_of_a_customers_is_left_out(row, kept):
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
        (b"\xff\xfe", "no text file"),
        (HEAD.replace("Withdrawn,", "").encode(), "no column .Withdrawn"),
        (statement(SENT)[:-30], "is cut off"),
        (statement(SENT).replace(b"-700.00", b"seven"), "is no amount"),
        (statement(SENT).replace(b"-700.00", b"NaN"), "is no amount"),
        (statement(SENT).replace(b"-700.00", b"-700.50"), "no whole shillings"),
        (statement(SENT).replace(b"TKS0000001", b"!"), "receipt number"),
    ],
)
def test_what_is_not_one_is_refused(content, why):
    with pytest.raises(UnreadableStatement, match=why):
        read_portal_file(content)


def test_a_time_that_is_none_is_refused():
    content = statement(SENT)
    at = content.split(b"TKS0000001,")[1].split(b",")[0]

    with pytest.raises(UnreadableStatement, match="is no time"):
        read_portal_file(content.replace(b"TKS0000001," + at, b"TKS0000001,yesterday"))


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
