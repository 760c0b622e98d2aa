"""What a buyer is told about a prompt: how it stands, and what to do next, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from orders.models import Order, PaymentStatus
from payments.models import AttemptStatus, OrderPayment

from .by_hand import ManualPaymentOption
from .failures import buyer_message


class Prompt(TypedDict):
    """``status`` is the attempt's, ``none`` before the first; ``message`` is for the buyer."""

    status: str
    message: str


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
    order: Order, payment: OrderPayment | None, *, due: int, ways: Sequence[ManualPaymentOption]
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


def _name_ways(ways: Sequence[ManualPaymentOption]) -> str:
    if not ways:
        return ""
    first, *others = ways
    return _BY_HAND.format(**first) + "".join(_OR.format(**way) for way in others)


def _message(payment: OrderPayment) -> str:
    if payment.status == AttemptStatus.FAILED:
        return buyer_message(payment.result_code)["en"]
    if payment.is_open and not payment.live:
        return _SILENT
    return _WAITING.get(AttemptStatus(payment.status), _SILENT)
