"""What a buyer is told about a prompt: how it stands, and what to do next, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from orders.models import Order, PaymentStatus

from .by_hand import ByHand
from .daraja.codes import Reason, reason_of
from .models import AttemptStatus, OrderPayment
from .prompts import NOT_SENT, PESTERED, PHONE_BUSY
from .settlement import NOT_ON_STATEMENT


class Prompt(TypedDict):
    """``status`` is the attempt's, ``none`` before the first; ``message`` is for the buyer."""

    status: str
    message: str


_REASONS = {
    Reason.CANCELLED: "You cancelled on your phone. Try again when you are ready.",
    Reason.NO_ANSWER: (
        "Your phone did not answer. See that it is on and has signal, then try again."
    ),
    Reason.WRONG_PIN: "The M-Pesa PIN was wrong. Try again with the right one.",
    Reason.NO_MONEY: "There was not enough money in M-Pesa. Top up and try again.",
    Reason.LIMIT: "M-Pesa's limit does not allow this payment today. Try another number.",
    Reason.BUSY: "M-Pesa was busy. Try again in a minute.",
    Reason.REPEATED_TOO_SOON: (
        "M-Pesa takes the same amount from the same phone only once in two minutes. "
        "Wait two minutes and try again."
    ),
    Reason.PIN_LOCKED: "This M-Pesa PIN is locked. Call Safaricom on 100, or try another number.",
    Reason.EXPIRED: "The prompt ran out before a PIN was entered. Try again.",
    Reason.MISCONFIGURED: "M-Pesa cannot take payments for us right now. We are on it.",
    Reason.OTHER: "M-Pesa could not finish the payment. Try again.",
}

_NEVER_RANG = {
    NOT_SENT: "We could not ring your phone in time. Try again.",
    PHONE_BUSY: "This phone has another prompt open. Answer it, or try again in two minutes.",
    NOT_ON_STATEMENT: "M-Pesa has no payment from this prompt. Try again.",
    PESTERED: "This phone was asked too often in the last hour. Try another number, or wait.",
    "refused.busy_phone": (
        "This phone has another M-Pesa prompt open. Close it and try again in a minute."
    ),
    "refused.busy_gateway": "M-Pesa is very busy. Try again in a minute.",
    "refused.unreachable": "M-Pesa cannot be reached right now. Try again in a minute.",
    "refused.bad_request": "M-Pesa did not accept this number. Check it and try again.",
    "refused.configuration": "M-Pesa cannot take payments for us right now. We are on it.",
    "refused.other": "M-Pesa did not take the request. Try again in a minute.",
}

#: The same for staff, who look at many of them.
_TOLD_STAFF = {
    Reason.CANCELLED: "Cancelled on the phone",
    Reason.NO_ANSWER: "The phone did not answer",
    Reason.WRONG_PIN: "Wrong M-Pesa PIN",
    Reason.NO_MONEY: "Not enough money in M-Pesa",
    Reason.LIMIT: "Beyond M-Pesa’s limits",
    Reason.BUSY: "M-Pesa was busy",
    Reason.REPEATED_TOO_SOON: "The same amount twice within two minutes",
    Reason.PIN_LOCKED: "M-Pesa PIN locked",
    Reason.EXPIRED: "The prompt ran out",
    Reason.MISCONFIGURED: "The shop’s own M-Pesa account or settings",
    Reason.OTHER: "Another reason of M-Pesa’s",
}
_TOLD_STAFF_IT_NEVER_RANG = {
    NOT_SENT: "Not sent in time",
    PHONE_BUSY: "The phone had another prompt of ours open",
    NOT_ON_STATEMENT: "Not on M-Pesa’s statement",
    PESTERED: "The phone was asked too often",
    "refused.busy_phone": "Not taken: the phone had another prompt open",
    "refused.busy_gateway": "Not taken: M-Pesa was too busy",
    "refused.unreachable": "Not taken: M-Pesa could not be reached",
    "refused.bad_request": "Not taken: M-Pesa did not accept the number",
    "refused.configuration": "Not taken: the shop’s own M-Pesa account or settings",
    "refused.other": "Not taken, for another reason",
}

_CLOSED = {
    PaymentStatus.PAID: "Paid. Thank you!",
    PaymentStatus.CANCELLED: "You gave this order up. Nothing is owed.",
    PaymentStatus.EXPIRED: "The time to pay is over and the goods are free again. Cash out anew.",
    PaymentStatus.REFUND_DUE: (
        "Your money came too late, or not all of it came. You get all of it back."
    ),
    PaymentStatus.REFUNDED: "Your money was sent back.",
}

_WAITING = {
    AttemptStatus.REQUESTED: "We are about to ring your phone.",
    AttemptStatus.SUBMITTED: "Look at your phone and enter your M-Pesa PIN.",
    AttemptStatus.UNKNOWN: (
        "If your phone rings, enter your M-Pesa PIN. We are asking M-Pesa what became of it."
    ),
}
_SILENT = (
    "We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. "
    "If you did not, try again."
)
_SHORT = "KES {came} of KES {amount} came. Pay the missing KES {due} before the time is over."
_BY_HAND = " Or pay by hand: {provider} pay bill {pay_bill}, account {account}, KES {amount}."
_OR = " Or {provider} pay bill {pay_bill}, account {account}."


def describe_prompt(
    order: Order, payment: OrderPayment | None, *, due: int, ways: Sequence[ByHand]
) -> Prompt:
    """Say how an order's last attempt stands; ``payment`` is that attempt, if there is one.

    ``due`` is what is still to come, KES; ``ways`` is where it can be paid without a prompt, which
    the buyer is told once the prompt has failed.
    """
    status = payment.status if payment else "none"
    if not order.is_unpaid:
        return {"status": status, "message": _CLOSED[PaymentStatus(order.payment_status)]}
    message = _message(payment) if payment else "Try again."
    if due < order.amount and (payment is None or not payment.live):
        message = _SHORT.format(came=order.amount - due, amount=order.amount, due=due)
    elif payment is not None and payment.live:
        return {"status": status, "message": message}
    return {"status": status, "message": message + _name_ways(ways)}


def tell_staff_why(code: str) -> str:
    """Why an attempt failed, by its result code, in a few words."""
    return _TOLD_STAFF_IT_NEVER_RANG.get(code) or _TOLD_STAFF[reason_of(code)]


def _name_ways(ways: Sequence[ByHand]) -> str:
    if not ways:
        return ""
    first, *others = ways
    return _BY_HAND.format(**first) + "".join(_OR.format(**way) for way in others)


def _message(payment: OrderPayment) -> str:
    if payment.status == AttemptStatus.FAILED:
        never_rang = _NEVER_RANG.get(payment.result_code)
        return never_rang or _REASONS[reason_of(payment.result_code)]
    if payment.is_open and not payment.live:
        return _SILENT
    return _WAITING.get(AttemptStatus(payment.status), _SILENT)
