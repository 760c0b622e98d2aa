"""Meanings of Daraja's result codes, in one table per product, as the same code differs between
them.

A result code tells the outcome of an accepted request: an STK push (callback and status query), a
B2C payment or a reversal (result). Codes arrive as numbers or as text, so they are compared as
text, and never by their descriptions. Error codes of requests that were not accepted are in
error_codes.py.

Source: Daraja portal, M-Pesa Express, Business to Customer, Reversal, Transaction Status and, for
the codes of the core, Account Balance; recorded answers of the sandbox.
"""

from enum import StrEnum

SUCCESS = "0"


class StkReason(StrEnum):
    """Why an STK push was not paid."""

    CANCELLED = "cancelled"
    NO_ANSWER = "no_answer"
    WRONG_PIN = "wrong_pin"
    NO_MONEY = "no_money"
    #: The amount is outside M-Pesa's limits, per payment or per day.
    LIMIT = "limit"
    #: M-Pesa, or the payer's line, was busy.
    BUSY = "busy"
    #: The same amount was requested from the same payer less than two minutes before.
    REPEATED_TOO_SOON = "repeated_too_soon"
    PIN_LOCKED = "pin_locked"
    EXPIRED = "expired"
    #: Our fault: transaction type, receiving party, or a full merchant account.
    MISCONFIGURED = "misconfigured"
    OTHER = "other"


#: STK push. Deliberately complete: an unlisted code is not final, because treating "still in
#: progress" (4999) as a failure would release stock that is being paid for.
STK_FAILURES = {
    "1": StkReason.NO_MONEY,
    "2": StkReason.LIMIT,
    "3": StkReason.LIMIT,
    "4": StkReason.LIMIT,
    "8": StkReason.MISCONFIGURED,
    "17": StkReason.REPEATED_TOO_SOON,
    "26": StkReason.BUSY,
    "1001": StkReason.BUSY,
    "1019": StkReason.EXPIRED,
    "1025": StkReason.OTHER,
    "1031": StkReason.NO_ANSWER,
    "1032": StkReason.CANCELLED,
    "1037": StkReason.NO_ANSWER,
    "2001": StkReason.WRONG_PIN,
    "2028": StkReason.MISCONFIGURED,
    "8006": StkReason.PIN_LOCKED,
    "9999": StkReason.OTHER,
    "SFC_IC0003": StkReason.MISCONFIGURED,
}


def is_success(code: str) -> bool:
    """Whether this result code, of any product, means success."""
    return code == SUCCESS


def stk_failure(code: str) -> StkReason | None:
    """Why an STK push with this result code was not paid, or None if it may have been.

    A success that is reported later still overrides it: 1037 has been seen before a receipt.
    """
    return STK_FAILURES.get(code)


class TransferFailure(StrEnum):
    """Why a B2C payment or a reversal was not made."""

    NO_FUNDS = "no_funds"
    #: Outside M-Pesa's limits: per payment, or of the receiver's day or wallet.
    LIMIT = "limit"
    #: The receiver has no M-Pesa account.
    NOT_REGISTERED = "not_registered"
    #: The operator's name, password, lock or role. Stop: each further try may lock the operator.
    INITIATOR = "initiator"
    #: To be fixed by us with Safaricom: account, product, receiving number.
    MISCONFIGURED = "misconfigured"
    ALREADY_REVERSED = "already_reversed"
    NO_SUCH_PAYMENT = "no_such_payment"
    #: Not possible: the payment had another amount.
    NOT_REVERSIBLE = "not_reversible"
    #: Not made, for an unknown reason, as when only the transaction's status is known.
    OTHER = "other"


#: Codes of M-Pesa's core for B2C and reversals alike.
_CORE = {
    "1": TransferFailure.NO_FUNDS,
    "11": TransferFailure.MISCONFIGURED,
    "18": TransferFailure.INITIATOR,
    "20": TransferFailure.INITIATOR,
    "21": TransferFailure.INITIATOR,
    "2001": TransferFailure.INITIATOR,
    "2006": TransferFailure.MISCONFIGURED,
    "2028": TransferFailure.MISCONFIGURED,
    "8006": TransferFailure.INITIATOR,
}

#: B2C: the money certainly was not sent. Deliberately complete: an unlisted code is not final (15
#: is about an earlier request, 17 and 26 about the system), because treating it as a failure would
#: pay twice.
B2C_FAILURES = {
    **_CORE,
    "2": TransferFailure.LIMIT,
    "3": TransferFailure.LIMIT,
    "4": TransferFailure.LIMIT,
    "8": TransferFailure.LIMIT,
    "2040": TransferFailure.NOT_REGISTERED,
    "SFC_IC0003": TransferFailure.NOT_REGISTERED,
}

#: Reversal: it moved nothing. ALREADY_REVERSED: an earlier one did. 25 is a bad parameter in the
#: core's list; that it also means a different amount is a guess.
REVERSAL_FAILURES = {
    **_CORE,
    "25": TransferFailure.NOT_REVERSIBLE,
    "R000001": TransferFailure.ALREADY_REVERSED,
    "R000002": TransferFailure.NO_SUCH_PAYMENT,
}


def b2c_failure(code: str) -> TransferFailure | None:
    """Why a B2C payment with this result code was not made, or None if it may have been."""
    return B2C_FAILURES.get(code)


def reversal_failure(code: str) -> TransferFailure | None:
    """Why a reversal with this result code moved nothing, or None if it may have."""
    return REVERSAL_FAILURES.get(code)


class TransactionEnd(StrEnum):
    """The final status of a transaction."""

    COMPLETED = "completed"
    #: Cancelled, declined or expired: the money was not moved.
    NOT_DONE = "not_done"


_ENDS = {
    "Completed": TransactionEnd.COMPLETED,
    "Cancelled": TransactionEnd.NOT_DONE,
    "Declined": TransactionEnd.NOT_DONE,
    "Expired": TransactionEnd.NOT_DONE,
}


def transaction_end(status: str) -> TransactionEnd | None:
    """The final status of a transaction with this status, or None if it is not final or unknown."""
    return _ENDS.get(status)
