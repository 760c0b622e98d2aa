"""The closed list of codes that settle something."""

import pytest

from payments.daraja.result_codes import (
    TERMINAL_FAILURES,
    Reason,
    is_success,
    is_terminal_failure,
    reason_of,
)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1", Reason.NO_MONEY),
        ("2", Reason.LIMIT),
        ("3", Reason.LIMIT),
        ("4", Reason.LIMIT),
        ("8", Reason.MISCONFIGURED),
        ("17", Reason.REPEATED_TOO_SOON),
        ("26", Reason.BUSY),
        ("1001", Reason.BUSY),
        ("1019", Reason.EXPIRED),
        ("1025", Reason.OTHER),
        ("9999", Reason.OTHER),
        ("1031", Reason.NO_ANSWER),
        ("1032", Reason.CANCELLED),
        ("1037", Reason.NO_ANSWER),
        ("2001", Reason.WRONG_PIN),
        ("2028", Reason.MISCONFIGURED),
        ("8006", Reason.PIN_LOCKED),
        ("SFC_IC0003", Reason.MISCONFIGURED),
    ],
)
def test_a_known_failure_is_terminal_and_has_a_reason(code, reason):
    assert is_terminal_failure(code) is True
    assert is_success(code) is False
    assert reason_of(code) == reason


def test_the_list_of_failures_is_closed():
    assert len(TERMINAL_FAILURES) == 18


def test_0_is_the_only_success():
    assert is_success("0") is True
    assert is_terminal_failure("0") is False


@pytest.mark.parametrize("code", ["4999", "E3008", "", "00", "11", "500.001.1001", "sfc_ic0003"])
def test_any_other_code_settles_nothing(code):
    assert is_success(code) is False
    assert is_terminal_failure(code) is False
    assert reason_of(code) == Reason.OTHER
