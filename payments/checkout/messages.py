"""Messages to buyers about paying: the prompt's status, what to do next, how to pay manually."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from omachemainproj.heartbeats import CLOCK, silent_processes
from omachemainproj.languages import ENGLISH, fill_template, translate
from omachemainproj.money import format_kes
from orders.models import CancelledBy, Order, PaymentStatus
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments.banks import PayBill, registered_banks
from payments.models import AttemptStatus, OrderPayment, Provider

from .failures import PHONE_BUSY, buyer_message, failure_code, may_lose_to_another_prompt
from .timing import expires_in, ring_again_in

PAY_BILL = "CustomerPayBillOnline"
#: A prompt sent this long before an attempt may have made it fail: a phone shows a prompt for that
#: long, and M-Pesa accepts the same amount from it only once in that time.
OTHER_PROMPT = timedelta(minutes=2)


class Prompt(TypedDict):
    """The status of an order's last prompt, and what its buyer can do next.

    ``status`` is the last attempt's, ``none`` without one. ``code`` says why, for programs.
    ``message`` is for the buyer and includes how to pay manually; ``text`` is the same without
    that, and ``by_hand`` is that part alone, or "". ``live`` is whether the phone may be showing
    the prompt, ``rung_at`` since when. ``ring_again_in`` is the number of seconds until it can be
    prompted again (0: now, None: never), ``expires_in`` how many the prompt may still be shown for.
    """

    status: str
    message: str
    code: str
    text: str
    by_hand: str
    live: bool
    rung_at: datetime | None
    ring_again_in: int | None
    expires_in: int | None


class ManualPaymentOption(TypedDict):
    """A way to pay manually: ``account`` is the account number to enter, ``amount`` is in KES."""

    provider: str
    pay_bill: str
    account: str
    amount: int


class PromptText(NamedTuple):
    """A code for programs, and a sentence for the buyer that the catalogue translates."""

    code: str
    sentence: str


_CLOSED = {
    PaymentStatus.PAID: PromptText("paid", "Paid. Thank you!"),
    PaymentStatus.CANCELLED: PromptText("cancelled", "You cancelled this order. You owe nothing."),
    PaymentStatus.EXPIRED: PromptText(
        "expired",
        "The time to pay is over and the items are no longer reserved. Please place "
        "the order again.",
    ),
    PaymentStatus.REFUND_DUE: PromptText(
        "refund_due", "Your payment came too late or was not complete. You get all of it back."
    ),
    PaymentStatus.REFUNDED: PromptText("refunded", "Your money was sent back."),
}
_YIELDED = PromptText(
    "yielded",
    "The payment was not completed in time, and another buyer got the last items. Start a new "
    "order to see what is still available.",
)
_CANCELLED_BY_STAFF = PromptText(
    "cancelled_by_shop", "The shop cancelled this order. You owe nothing."
)
_GIVEN_UP_STILL_OPEN = PromptText(
    "cancelled_while_open",
    "You cancelled this order. You owe nothing. If your phone still shows the prompt, cancel it "
    "there: anything you pay for this order now is sent back to you.",
)
_GIVEN_UP_PAID = PromptText(
    "paid_after_cancelling",
    "You had cancelled this order, so the money you paid for it is sent back to you.",
)

_WAITING = {
    AttemptStatus.REQUESTED: PromptText(
        "about_to_ring", "We are about to send a prompt to your phone."
    ),
    AttemptStatus.SUBMITTED: PromptText(
        "enter_pin", "Look at your phone and enter your M-Pesa PIN."
    ),
    AttemptStatus.UNKNOWN: PromptText(
        "asking",
        "If your phone shows a prompt, enter your M-Pesa PIN. We are checking the payment with "
        "M-Pesa.",
    ),
}
_SENT_AGAIN = PromptText(
    "sent_again", "M-Pesa has not accepted our request yet. We will retry within a minute."
)
#: The same while the clock, which retries, is not running.
_NOT_SENT_AGAIN = PromptText(
    "sent_again",
    "M-Pesa has not accepted our request yet. Try again in a minute; we may be slow to retry.",
)
_WAITS_FOR_PHONE = PromptText(
    "waits_for_phone",
    "Your phone has another prompt open. Close it there, and ours follows within three minutes.",
)
_PHONE_TAKEN = PromptText(
    "waits_for_phone",
    "Your phone has another prompt open. Close it there, then try again in a minute.",
)
_SILENT = PromptText(
    "silent",
    "We have not heard from M-Pesa yet. If you entered your PIN, please wait while we check. If "
    "you did not, try again.",
)
_TRY_AGAIN = PromptText("try_again", "Try again.")
#: Added while the clock is not running: only the clock queries prompts whose callback was lost.
_SLOW = (
    "We are slower than usual right now. Your payment may take some minutes to show here. It "
    "still counts; do not pay twice."
)
_SHORT = PromptText(
    "short", "We received {came} of {amount}. Pay the remaining {due} before the time runs out."
)
_BY_HAND = "Or pay by hand: {provider} pay bill {pay_bill}, account {account}, {amount}."
_OR = "Or {provider} pay bill {pay_bill}, account {account}."


def manual_payment_options(order: Order, *, amount_due: int) -> list[ManualPaymentOption]:
    """The ways to pay what is still due for an order without a prompt; none if nothing is due.

    Only those that name the order: a till does not ask for an account number.
    """
    if not order.is_unpaid or amount_due <= 0:
        return []
    return [
        {
            "provider": provider,
            "pay_bill": pay_bill.number,
            "account": pay_bill.account,
            "amount": amount_due,
        }
        for provider, pay_bill in _pay_bills(order.reference)
    ]


def _pay_bills(reference: str) -> Iterator[tuple[str, PayBill]]:
    if settings.DARAJA_C2B_TOKEN and settings.DARAJA_TRANSACTION_TYPE == PAY_BILL:
        yield Provider.MPESA.label, PayBill(settings.DARAJA_SHORTCODE, reference)
    for bank in registered_banks():
        if pay_bill := bank.pay_bill(reference):
            yield bank.name, pay_bill


def notify_payment_failed(payment: OrderPayment, order: Order, code: str, *, live: bool) -> None:
    """Notify the buyer, once, that an attempt failed, unless there is nothing for them to do.

    There is nothing to do if the order is not waiting for money, if a prompt of another attempt is
    open, or if the prompt of another order of theirs made this one fail. This is checked again when
    the message is written and sent (orders.notifications.outdated).

    ``live`` is whether this attempt's prompt was open until now. If so, a constraint guarantees
    that no other is. Call inside the transaction in which it failed.
    """
    others = OrderPayment.objects.filter(order=order, live=True).exclude(pk=payment.pk)
    if not order.is_unpaid or (not live and others.exists()) or _lost_to_own(payment, order, code):
        return
    options = manual_payment_options(order, amount_due=payment.amount)
    notify(
        NotificationKind.PROMPT_FAILED,
        key=f"prompt_failed:payment:{payment.pk}",
        order_id=order.pk,
        amount=payment.amount,
        why=buyer_message(code),
        by_hand=options[0] if options else None,
    )


def _lost_to_own(payment: OrderPayment, order: Order, code: str) -> bool:
    """Whether an attempt failed because the phone was busy with another order of the same buyer,
    whose prompt is open or was paid."""
    if not may_lose_to_another_prompt(code):
        return False
    since = (payment.rung_at or timezone.now()) - OTHER_PROMPT
    own = OrderPayment.objects.filter(phone=payment.phone, order__buyer=order.buyer_id)
    rung = own.filter(Q(live=True, rung_at__isnull=False) | Q(rung_at__gte=since))
    return rung.exclude(order=order.pk).exclude(status=AttemptStatus.FAILED).exists()


def describe_prompt(
    order: Order,
    payment: OrderPayment | None,
    *,
    due: int,
    options: Sequence[ManualPaymentOption],
    language: str = ENGLISH,
    now: datetime | None = None,
) -> Prompt:
    """The status of an order's last attempt for its buyer; ``payment`` is that attempt, if any.

    ``due`` is the amount still to be paid, in KES. ``options``, the ways to pay it manually, are
    shown once the prompt has failed. While the clock is not running, its work is not promised.
    """
    now = now or timezone.now()
    is_slow = order.is_unpaid and CLOCK in silent_processes()
    is_live = payment is not None and payment.live
    code, text = _say(order, payment, due, language, is_slow=is_slow)
    if is_slow and payment is not None and payment.is_open:
        text = f"{text} {translate(_SLOW, language)}"
    by_hand = "" if is_live or not order.is_unpaid else _name_options(options, language)
    return {
        "status": payment.status if payment else "none",
        "message": f"{text} {by_hand}" if by_hand else text,
        "code": code,
        "text": text,
        "by_hand": by_hand,
        "live": is_live,
        "rung_at": payment.rung_at if payment else None,
        "ring_again_in": ring_again_in(order, payment, now),
        "expires_in": expires_in(payment, now),
    }


def _say(
    order: Order, payment: OrderPayment | None, due: int, language: str, *, is_slow: bool
) -> tuple[str, str]:
    """The code and the sentence that describe the status."""
    if not order.is_unpaid:
        closed = _closed_message(order, payment)
        return closed.code, translate(closed.sentence, language)
    if due < order.amount and (payment is None or not payment.live):
        came, amount = format_kes(order.amount - due), format_kes(order.amount)
        values = {"came": came, "amount": amount, "due": format_kes(due)}
        return _SHORT.code, fill_template(_SHORT.sentence, language, **values)
    if payment is not None and payment.status == AttemptStatus.FAILED:
        return failure_code(payment.result_code), buyer_message(payment.result_code)[language]
    shown = _message(payment, is_slow=is_slow) if payment else _TRY_AGAIN
    return shown.code, translate(shown.sentence, language)


def _closed_message(order: Order, payment: OrderPayment | None) -> PromptText:
    """The message for an order that is no longer waiting for money."""
    if order.payment_status == PaymentStatus.CANCELLED:
        if order.cancelled_by == CancelledBy.STAFF:
            return _CANCELLED_BY_STAFF
        if payment is not None and payment.is_open and payment.rung_at is not None:
            return _GIVEN_UP_STILL_OPEN
    if order.payment_status == PaymentStatus.EXPIRED and order.preempted:
        return _YIELDED
    if order.payment_status == PaymentStatus.REFUND_DUE and order.was_cancelled_by_buyer:
        return _GIVEN_UP_PAID
    return _CLOSED[PaymentStatus(order.payment_status)]


def _name_options(options: Sequence[ManualPaymentOption], language: str) -> str:
    if not options:
        return ""
    first, *others = [{**option, "amount": format_kes(option["amount"])} for option in options]
    ways = [
        fill_template(_BY_HAND, language, **first),
        *(fill_template(_OR, language, **each) for each in others),
    ]
    return " ".join(ways)


def _message(payment: OrderPayment, *, is_slow: bool) -> PromptText:
    if payment.is_open and not payment.live:
        return _SILENT
    if payment.status == AttemptStatus.REQUESTED and payment.result_code == PHONE_BUSY:
        return _PHONE_TAKEN if is_slow else _WAITS_FOR_PHONE
    if payment.status == AttemptStatus.REQUESTED and payment.rung_at is not None:
        return _NOT_SENT_AGAIN if is_slow else _SENT_AGAIN
    return _WAITING.get(AttemptStatus(payment.status), _SILENT)
