"""What a person may decide about each kind of row, and when it is offered."""

from __future__ import annotations

from django.db.models import Model

from orders.models import Order
from payments.models import (
    EventState,
    GatewayEvent,
    MoneyOut,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    TransferStatus,
    Way,
)

from . import console_deeds
from .forms import Decision, GiveToOrder, Numbered, SendTo


def _is_unmatched(receipt: Receipt) -> bool:
    return Receipt.objects.unmatched().filter(pk=receipt.pk).exists()


def _is_refused(refund: Refund) -> bool:
    return Refund.objects.refused().filter(pk=refund.pk).exists()


def _is_silent(row: MoneyOut) -> bool:
    return row.is_under_way and row.next_check_at is None


def _is_refused_payout(payout: Payout) -> bool:
    return payout.status == TransferStatus.REFUSED


def _may_be_acted_on(event: GatewayEvent) -> bool:
    return event.state not in {EventState.APPLIED, EventState.NEW}


#: By kind of row, as its address names it.
KINDS: dict[str, tuple[type[Model], tuple[Decision, ...]]] = {
    #: To read only: an order is acted on where it is listed.
    "order": (Order, ()),
    "stop": (
        PayoutStop,
        (
            Decision(
                "end",
                "Let money leave again",
                "Only once M-Pesa accepts the initiator: a wrong password locks it.",
                lambda stop: stop.is_open,
                console_deeds.end_stop,
            ),
        ),
    ),
    "receipt": (
        Receipt,
        (
            Decision(
                "give",
                "Give it to an order",
                "The order is paid if this covers it. What is too much goes back by itself.",
                _is_unmatched,
                console_deeds.give,
                GiveToOrder,
            ),
            Decision(
                "back",
                "Send it back",
                "To whoever paid it.",
                _is_unmatched,
                console_deeds.send_back,
            ),
            Decision(
                "name",
                "Name its number",
                "As the portal shows it for this payment.",
                lambda receipt: not receipt.number,
                console_deeds.name_it,
                Numbered,
            ),
            Decision(
                "seen",
                "Acknowledge it",
                "It leaves the list. Nothing else changes.",
                lambda receipt: receipt.unseen,
                console_deeds.acknowledge_receipt,
            ),
        ),
    ),
    "attempt": (
        OrderPayment,
        (
            Decision(
                "ask",
                "Ask M-Pesa now",
                "At most once in ten seconds.",
                lambda payment: payment.is_open and bool(payment.checkout_request_id),
                console_deeds.ask,
                asks=True,
            ),
            Decision(
                "paid",
                "Say that it was paid",
                "Name the receipt the portal shows for this phone, amount and time.",
                lambda payment: payment.is_open,
                console_deeds.it_was_paid,
                Numbered,
            ),
            Decision(
                "unpaid",
                "Say that no money came",
                "After looking on the portal. A success that comes late still counts.",
                lambda payment: payment.is_open and not payment.live,
                console_deeds.no_money_came,
            ),
        ),
    ),
    "refund": (
        Refund,
        (
            Decision(
                "again",
                "Try again the same way",
                "Under an id of its own: M-Pesa has definitely refused this one.",
                lambda refund: refund.way != Way.PORTAL and _is_refused(refund),
                console_deeds.try_again,
            ),
            Decision(
                "send",
                "Send it to another number",
                "By a payment to that phone.",
                _is_refused,
                console_deeds.try_again,
                SendTo,
            ),
            Decision(
                "portal",
                "It was given back on the portal",
                "Name the receipt the portal shows for it.",
                _is_refused,
                console_deeds.by_portal,
                Numbered,
            ),
            Decision(
                "done",
                "It went",
                "Name the receipt the portal shows for it.",
                _is_silent,
                console_deeds.it_went,
                Numbered,
            ),
            Decision(
                "not-done",
                "It never went",
                "After looking on the portal. The money is still owed.",
                _is_silent,
                console_deeds.it_never_went,
            ),
            Decision(
                "seen",
                "Acknowledge it",
                "It leaves the list. Nothing else changes.",
                lambda refund: refund.unseen and not refund.is_under_way,
                console_deeds.acknowledge_refund,
            ),
        ),
    ),
    "payout": (
        Payout,
        (
            Decision(
                "approve",
                "Let it leave",
                "You have looked at what was sold, to whom, and at the number it goes to.",
                lambda payout: Payout.objects.to_approve().filter(pk=payout.pk).exists(),
                console_deeds.approve,
            ),
            Decision(
                "again",
                "Try again at the same number",
                "Under an id of its own: M-Pesa has definitely refused this one.",
                _is_refused_payout,
                console_deeds.pay_again,
            ),
            Decision(
                "send",
                "Send it to another number",
                "Only one its seller has given you, and you have called back.",
                _is_refused_payout,
                console_deeds.pay_again,
                SendTo,
            ),
            Decision(
                "portal",
                "It was sent on the portal",
                "Name the receipt the portal shows for it.",
                _is_refused_payout,
                console_deeds.paid_by_portal,
                Numbered,
            ),
            Decision(
                "done",
                "It went",
                "Name the receipt the portal shows for it.",
                _is_silent,
                console_deeds.payout_went,
                Numbered,
            ),
            Decision(
                "not-done",
                "It never went",
                "After looking on the portal. The money is still owed.",
                _is_silent,
                console_deeds.payout_never_went,
            ),
            Decision(
                "seen",
                "Acknowledge it",
                "It leaves the list. Nothing else changes.",
                lambda payout: payout.unseen and not payout.is_under_way,
                console_deeds.acknowledge_payout,
            ),
        ),
    ),
    "message": (
        GatewayEvent,
        (
            Decision(
                "again",
                "Act on it again",
                "As if it had just come. What was counted is not counted again.",
                _may_be_acted_on,
                console_deeds.act_again,
                asks=True,
            ),
            Decision(
                "aside",
                "Set it aside",
                "It leaves the list and is kept. Nothing else changes.",
                lambda event: (
                    event.state in {EventState.FAILED, EventState.UNMATCHED, EventState.UNREADABLE}
                ),
                console_deeds.set_aside,
            ),
        ),
    ),
}
