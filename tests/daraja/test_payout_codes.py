"""The closed lists of ends at which money certainly stayed."""

import pytest

from payments.daraja.payout_codes import (
    PAYOUT_FAILURES,
    REVERSAL_FAILURES,
    PayoutReason,
    TransactionEnd,
    payout_failure,
    reversal_failure,
    transaction_end,
)

OF_BOTH = [
    ("1", PayoutReason.NO_FUNDS),
    ("11", PayoutReason.MISCONFIGURED),
    ("18", PayoutReason.INITIATOR),
    ("20", PayoutReason.INITIATOR),
    ("21", PayoutReason.INITIATOR),
    ("2001", PayoutReason.INITIATOR),
    ("2006", PayoutReason.MISCONFIGURED),
    ("2028", PayoutReason.MISCONFIGURED),
    ("8006", PayoutReason.INITIATOR),
]
OF_PAYOUTS = [
    ("2", PayoutReason.LIMIT),
    ("3", PayoutReason.LIMIT),
    ("4", PayoutReason.LIMIT),
    ("8", PayoutReason.LIMIT),
    ("2040", PayoutReason.NOT_REGISTERED),
    ("SFC_IC0003", PayoutReason.NOT_REGISTERED),
]
OF_REVERSALS = [
    ("25", PayoutReason.NOT_REVERSIBLE),
    ("R000001", PayoutReason.ALREADY_REVERSED),
    ("R000002", PayoutReason.NO_SUCH_PAYMENT),
]


@pytest.mark.parametrize(("code", "reason"), OF_BOTH + OF_PAYOUTS)
def test_a_known_end_of_a_payout_has_a_reason(code, reason):
    assert payout_failure(code) == reason


@pytest.mark.parametrize(("code", "reason"), OF_BOTH + OF_REVERSALS)
def test_a_known_end_of_a_reversal_has_a_reason(code, reason):
    assert reversal_failure(code) == reason


def test_both_lists_are_closed():
    assert len(PAYOUT_FAILURES) == len(OF_BOTH + OF_PAYOUTS)
    assert len(REVERSAL_FAILURES) == len(OF_BOTH + OF_REVERSALS)


@pytest.mark.parametrize("code", ["0", "15", "17", "26", "1037", "", "R000001", "25", "2001 "])
def test_any_other_end_of_a_payout_settles_nothing(code):
    assert payout_failure(code) is None


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
