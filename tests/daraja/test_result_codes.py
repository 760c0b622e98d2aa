"""The complete lists of final result codes, by API."""

import pytest

from payments.daraja.result_codes import (
    B2C_FAILURES,
    REVERSAL_FAILURES,
    STK_FAILURES,
    StkReason,
    TransactionEnd,
    TransferFailure,
    b2c_failure,
    is_success,
    reversal_failure,
    stk_failure,
    transaction_end,
)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1", StkReason.NO_MONEY),
        ("2", StkReason.LIMIT),
        ("3", StkReason.LIMIT),
        ("4", StkReason.LIMIT),
        ("8", StkReason.MISCONFIGURED),
        ("17", StkReason.REPEATED_TOO_SOON),
        ("26", StkReason.BUSY),
        ("1001", StkReason.BUSY),
        ("1019", StkReason.EXPIRED),
        ("1025", StkReason.OTHER),
        ("9999", StkReason.OTHER),
        ("1031", StkReason.NO_ANSWER),
        ("1032", StkReason.CANCELLED),
        ("1037", StkReason.NO_ANSWER),
        ("2001", StkReason.WRONG_PIN),
        ("2028", StkReason.MISCONFIGURED),
        ("8006", StkReason.PIN_LOCKED),
        ("SFC_IC0003", StkReason.MISCONFIGURED),
    ],
)
def test_a_known_failure_of_an_stk_push_has_a_reason(code, reason):
    assert is_success(code) is False
    assert stk_failure(code) == reason


def test_the_list_of_stk_failures_is_closed():
    assert len(STK_FAILURES) == 18


def test_0_is_the_only_success():
    assert is_success("0") is True
    assert stk_failure("0") is None


@pytest.mark.parametrize("code", ["4999", "E3008", "", "00", "11", "500.001.1001", "sfc_ic0003"])
def test_any_other_code_of_an_stk_push_settles_nothing(code):
    assert is_success(code) is False
    assert stk_failure(code) is None


OF_BOTH = [
    ("1", TransferFailure.NO_FUNDS),
    ("11", TransferFailure.MISCONFIGURED),
    ("18", TransferFailure.INITIATOR),
    ("20", TransferFailure.INITIATOR),
    ("21", TransferFailure.INITIATOR),
    ("2001", TransferFailure.INITIATOR),
    ("2006", TransferFailure.MISCONFIGURED),
    ("2028", TransferFailure.MISCONFIGURED),
    ("8006", TransferFailure.INITIATOR),
]
OF_PAYOUTS = [
    ("2", TransferFailure.LIMIT),
    ("3", TransferFailure.LIMIT),
    ("4", TransferFailure.LIMIT),
    ("8", TransferFailure.LIMIT),
    ("2040", TransferFailure.NOT_REGISTERED),
    ("SFC_IC0003", TransferFailure.NOT_REGISTERED),
]
OF_REVERSALS = [
    ("25", TransferFailure.NOT_REVERSIBLE),
    ("R000001", TransferFailure.ALREADY_REVERSED),
    ("R000002", TransferFailure.NO_SUCH_PAYMENT),
]


@pytest.mark.parametrize(("code", "reason"), OF_BOTH + OF_PAYOUTS)
def test_a_known_end_of_a_payout_has_a_reason(code, reason):
    assert b2c_failure(code) == reason


@pytest.mark.parametrize(("code", "reason"), OF_BOTH + OF_REVERSALS)
def test_a_known_end_of_a_reversal_has_a_reason(code, reason):
    assert reversal_failure(code) == reason


def test_no_failure_code_is_missing_from_this_test():
    assert len(B2C_FAILURES) == len(OF_BOTH + OF_PAYOUTS)
    assert len(REVERSAL_FAILURES) == len(OF_BOTH + OF_REVERSALS)


@pytest.mark.parametrize("code", ["0", "15", "17", "26", "1037", "", "R000001", "25", "2001 "])
def test_any_other_end_of_a_payout_settles_nothing(code):
    assert b2c_failure(code) is None


@pytest.mark.parametrize("code", ["0", "15", "17", "26", "2", "2040", "SFC_IC0003", "", "r000001"])
def test_any_other_end_of_a_reversal_settles_nothing(code):
    assert reversal_failure(code) is None


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("Completed", TransactionEnd.COMPLETED),
        ("Cancelled", TransactionEnd.NOT_DONE),
        ("Declined", TransactionEnd.NOT_DONE),
        ("Expired", TransactionEnd.NOT_DONE),
        ("Initiated", None),
        ("Authorized", None),
        ("Pending Authorized", None),
        ("Reversed", None),
        ("completed", None),
        ("", None),
    ],
)
def test_only_a_final_status_is_an_end(status, end):
    assert transaction_end(status) == end
