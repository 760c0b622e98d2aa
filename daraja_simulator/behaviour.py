"""The behaviour of requests: scripts, named refusals, and magic phone numbers."""

from dataclasses import dataclass, fields
from typing import Any

from .results import DESCRIPTIONS

#: Named outcomes. Any other outcome is a result code of Daraja's.
NAMED_OUTCOMES = {
    "success": "0",
    "no_money": "1",
    "cancelled": "1032",
    "timeout": "1037",
    "wrong_pin": "2001",
}

#: The outcome that waits for a person at the phone page.
PERSON = "person"

OPERATIONS = (
    "oauth",
    "stk_push",
    "stk_query",
    "c2b_register",
    "c2b",
    "b2c",
    "reversal",
    "transaction_status",
    "account_balance",
    "pull",
    "sms",
)

#: The statuses of Transaction Status. Source: Daraja portal, Transaction Status.
STATUSES = (
    "Initiated",
    "Authorized",
    "Pending Authorized",
    "Completed",
    "Cancelled",
    "Declined",
    "Expired",
)

_HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An immediate error response.

    If ``body`` is None, it is ``code`` and ``message`` in Daraja's error envelope.
    """

    status: int = 500
    code: str = "500.003.1001"
    message: str = "Internal Server Error"
    body: str | None = None
    content_type: str = "application/json"


#: Named refusals: every kind of error response that has been seen from the real service.
NAMED_REFUSALS = {
    "busy": Refusal(code="500.003.02", message="System is busy. Please try again in few minutes."),
    "locked": Refusal(
        code="500.001.1001",
        message=DESCRIPTIONS["1001"].rstrip("."),
    ),
    "no_merchant": Refusal(code="500.001.1001", message="Merchant does not exist"),
    "internal_error": Refusal(),
    "spike_arrest": Refusal(code="500.003.02", message="Spike Arrest Violation"),
    "too_many_requests": Refusal(
        status=429,
        body='{"fault":{"faultstring":"Spike arrest violation. Allowed rate : 5pm",'
        '"detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
    ),
    "unavailable": Refusal(status=503, body=_HTML, content_type="text/html"),
    "empty": Refusal(status=400, body=""),
    "error_in_200": Refusal(status=200, code="500.001.1001", message=""),
    "refused_in_200": Refusal(
        status=200,
        body='{"MerchantRequestID":"","CheckoutRequestID":"","ResponseCode":"1",'
        '"ResponseDescription":"Rejected","CustomerMessage":"Rejected"}',
    ),
}


@dataclass(frozen=True, kw_only=True)
class Script:
    """The behaviour of one request. Omitted fields have their default. Seconds and whole KES.

    ``README.md`` describes each field.
    """

    outcome: str | None = None
    desc: str | None = None
    decide_after: float | None = None
    paid_amount: int | None = None

    refuse: Refusal | None = None
    invalidate_token: bool = False
    answer: str = "whole"
    answer_delay: float = 0.0

    callbacks: int = 1
    together: bool = False
    callback_delay: float = 0.0
    callback_before_answer: bool = False
    reorder: str | None = None
    forge: str | None = None

    payer: str = "full"
    balance: str = "empty"
    amount_as: str = "float"
    shuffle: bool = False

    query: str = "truth"
    report: str | None = None

    account: str | None = None
    confirmation_first: bool = False

    queue_timeout: str | None = None
    originator: str = "ours"
    status: str | None = None


#: Phone numbers with these last digits have a fixed outcome, so that a test needs no script.
MAGIC = {
    "0001": Script(outcome="1"),
    "1032": Script(outcome="1032"),
    "1037": Script(outcome="1037"),
    "2001": Script(outcome="2001"),
    "9000": Script(outcome="0", callbacks=0),
    "9002": Script(outcome="0", callbacks=2),
}

#: The same for payouts.
MAGIC_PAYOUTS = {
    "2040": Script(outcome="2040"),
    "9000": Script(callbacks=0),
    "9002": Script(callbacks=2),
}

_MAGIC = {"stk_push": MAGIC, "b2c": MAGIC_PAYOUTS}


def magic(operation: str, phone: str) -> Script | None:
    """Return the script for the last four digits of a number, if they are magic."""
    return _MAGIC.get(operation, {}).get(phone[-4:])


@dataclass
class Rule:
    """A script, the requests it applies to (None: any), and how often (None: always)."""

    script: Script
    operation: str
    phone: str | None
    amount: int | None
    remaining: int | None

    def matches(self, operation: str, phone: str, amount: int) -> bool:
        """Return whether the script applies to a request."""
        return (
            self.operation == operation
            and self.phone in (None, phone)
            and self.amount in (None, amount)
        )


def changes(script: Script) -> dict[str, Any]:
    """Return the fields of a script that differ from the defaults."""
    changed = {f.name: getattr(script, f.name) for f in fields(Script)}
    usual = Script()
    return {
        name: vars(value) if isinstance(value, Refusal) else value
        for name, value in changed.items()
        if value != getattr(usual, name)
    }
