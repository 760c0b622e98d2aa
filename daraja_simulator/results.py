"""Result codes and Safaricom's descriptions of them.

Source: Daraja portal, M-Pesa Express and its FAQ, Business to Customer, Reversal. Both texts of
1037 were recorded for the same payment.
"""

DESCRIPTIONS = {
    "0": "The service request is processed successfully.",
    "1": "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    "3": "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "11": "The DebitParty is in an invalid state.",
    "15": "Duplicate Detected.",
    "17": "Rule limited.",
    "21": "The initiator is not allowed to initiate this request.",
    "25": "Invalid request parameter.",
    "26": "Traffic blocking condition in place.",
    "1001": (
        "Unable to lock subscriber, a transaction is already in process for the current subscriber."
    ),
    "1019": "Transaction has expired.",
    "1025": "An error occurred while sending a push request.",
    "1031": "Request timed out.",
    "1032": "Request cancelled by user",
    "1037": "No response from user.",
    "2001": "The initiator information is invalid.",
    "2006": "Declined due to account rule: the account status does not allow this transaction.",
    "2028": "The request is not permitted according to product assignment.",
    "2040": (
        "Credit Party customer type (Unregistered or Registered Customer) can't be supported by "
        "the service."
    ),
    "4999": "The transaction is still under processing",
    "8006": "The security credential is locked.",
    "9999": "An error occurred while sending a push request.",
    "R000001": "The transaction has already been reversed.",
    "R000002": "The OriginalTransactionID is invalid.",
    "SFC_IC0003": "The operator does not exist.",
}

_IN_THE_QUERY = {"1037": "DS timeout user cannot be reached."}

#: The meaning of result codes, in plain language for the payer.
NOTICES = {
    "1": "you do not have enough money in your M-PESA account",
    "4": "you would go over your daily limit",
    "17": "you were asked for the same amount less than two minutes ago",
    "1032": "you cancelled the request",
    "1037": "the request was not answered in time",
    "2001": "the PIN you entered is wrong",
    "2028": "the shop's till or pay bill number does not match its request",
    "8006": "your M-PESA PIN is locked",
}


class Declined(Exception):
    """The request was declined with this result code, and nothing was done."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def describe(code: str, *, in_query: bool = False) -> str:
    """Return the description of a result code. A few differ in query responses."""
    usual = DESCRIPTIONS.get(code, "The service request failed.")
    return _IN_THE_QUERY.get(code, usual) if in_query else usual


def typed(code: str) -> int | str:
    """Return a result code with its type in callbacks: an int if it is numeric."""
    return int(code) if code.isdecimal() else code
