"""What the result codes of payouts and reversals mean, and the words of a transaction's status.

Beside codes.py, because the same number means another thing here: 17 is a known end of a prompt and
no end at all of a payout. Source: Daraja portal, Business to Customer, Reversal, Transaction Status
and, for the codes of the core, Account Balance.
"""

from enum import StrEnum


class PayoutReason(StrEnum):
    """Why money did not go out."""

    NO_FUNDS = "no_funds"
    #: Outside what M-Pesa allows: per payment, or for the receiver's day or wallet.
    LIMIT = "limit"
    #: The receiver has no M-Pesa.
    NOT_REGISTERED = "not_registered"
    #: The operator's name, password, lock or role. Stop: each further try brings the lock nearer.
    INITIATOR = "initiator"
    #: Ours to put right with Safaricom: account, product, receiving number.
    MISCONFIGURED = "misconfigured"
    ALREADY_REVERSED = "already_reversed"
    NO_SUCH_PAYMENT = "no_such_payment"
    #: Not like this: the payment had another amount.
    NOT_REVERSIBLE = "not_reversible"
    #: It did not happen, and nothing says why, as when only the transaction's status is known.
    OTHER = "other"


_OURS = {
    "1": PayoutReason.NO_FUNDS,
    "11": PayoutReason.MISCONFIGURED,
    "18": PayoutReason.INITIATOR,
    "20": PayoutReason.INITIATOR,
    "21": PayoutReason.INITIATOR,
    "2001": PayoutReason.INITIATOR,
    "2006": PayoutReason.MISCONFIGURED,
    "2028": PayoutReason.MISCONFIGURED,
    "8006": PayoutReason.INITIATOR,
}

#: The ends of a payout at which the money certainly stayed. Closed on purpose: what is not here
#: settles nothing (15 speaks of an earlier request, 17 and 26 of the system), because reading it as
#: a failure would pay twice.
PAYOUT_FAILURES = {
    **_OURS,
    "2": PayoutReason.LIMIT,
    "3": PayoutReason.LIMIT,
    "4": PayoutReason.LIMIT,
    "8": PayoutReason.LIMIT,
    "2040": PayoutReason.NOT_REGISTERED,
    "SFC_IC0003": PayoutReason.NOT_REGISTERED,
}

#: The ends of a reversal that moved nothing. ALREADY_REVERSED: an earlier one did. 25 is a bad
#: parameter in the core's list; that another amount ends so is a guess.
REVERSAL_FAILURES = {
    **_OURS,
    "25": PayoutReason.NOT_REVERSIBLE,
    "R000001": PayoutReason.ALREADY_REVERSED,
    "R000002": PayoutReason.NO_SUCH_PAYMENT,
}


def payout_failure(code: str) -> PayoutReason | None:
    """Why a payout with this result code certainly did not happen, or None when it may have."""
    return PAYOUT_FAILURES.get(code)


def reversal_failure(code: str) -> PayoutReason | None:
    """Why a reversal with this result code moved nothing, or None when it may have."""
    return REVERSAL_FAILURES.get(code)


class TransactionEnd(StrEnum):
    """How a transaction ended, once it did."""

    COMPLETED = "completed"
    #: Cancelled, declined or expired: the money stayed.
    NOT_DONE = "not_done"


_ENDS = {
    "Completed": TransactionEnd.COMPLETED,
    "Cancelled": TransactionEnd.NOT_DONE,
    "Declined": TransactionEnd.NOT_DONE,
    "Expired": TransactionEnd.NOT_DONE,
}


def transaction_end(status: str) -> TransactionEnd | None:
    """How a transaction with this status ended, or None while it has not, or cannot be told."""
    return _ENDS.get(status)
