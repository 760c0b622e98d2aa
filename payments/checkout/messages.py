"""What a buyer reads about paying: how the prompt stands, what to do next, how to pay by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from omachemainproj.heartbeats import CLOCK, silent
from omachemainproj.languages import ENGLISH, say, translate
from omachemainproj.money import format_kes
from orders.models import CancelledBy, Order, PaymentStatus
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments.banks import PayBill, registered_banks
from payments.models import AttemptStatus, OrderPayment, Provider

from .failures import PHONE_BUSY, buyer_message, failure_code, may_lose_to_another_prompt
from .timing import expires_in, ring_again_in

PAY_BILL = "CustomerPayBillOnline"
#: How long before an attempt another one may have been sent to which it lost: a phone shows a
#: prompt so long, and M-Pesa takes the same amount from it once in that time.
OTHER_PROMPT = timedelta(minutes=2)


class Prompt(TypedDict):
    """How an order's last prompt stands, and what its buyer does next.

    ``status`` is the last attempt's, ``none`` without one. ``code`` says why, for programs.
    ``message`` is for the buyer, with how to pay by hand; ``text`` is the same without that, and
    ``by_hand`` that alone, or "". ``live`` is whether the phone may be ringing, ``rung_at`` since
    when. Seconds: until it can be rung again (0: now, None: never), and for which it still rings.
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
    """A way to pay by hand: ``account`` is the account number to type, ``amount`` is in KES."""

    provider: str
    pay_bill: str
    account: str
    amount: int


class Said(NamedTuple):
    """A code for programs, and a sentence for the buyer, whose translation the catalogue has."""

    code: str
    sentence: str


_CLOSED = {
    PaymentStatus.PAID: Said("paid", "Paid. Thank you!"),
    PaymentStatus.CANCELLED: Said("cancelled", "You gave this order up. Nothing is owed."),
    PaymentStatus.EXPIRED: Said(
        "expired", "The time to pay is over and the goods are free again. Cash out anew."
    ),
    PaymentStatus.REFUND_DUE: Said(
        "refund_due", "Your money came too late, or not all of it came. You get all of it back."
    ),
    PaymentStatus.REFUNDED: Said("refunded", "Your money was sent back."),
}
_YIELDED = Said(
    "yielded",
    "No payment came while your phone rang, and another buyer took goods that were the last. Cash "
    "out anew to see what is left.",
)
_CANCELLED_BY_STAFF = Said("cancelled_by_shop", "The shop cancelled this order. Nothing is owed.")
_GIVEN_UP_STILL_OPEN = Said(
    "cancelled_while_open",
    "You gave this order up. Nothing is owed. If your phone still shows the prompt, cancel it "
    "there: what you pay for this order now is sent back to you.",
)
_GIVEN_UP_PAID = Said(
    "paid_after_cancelling",
    "You had given this order up, so the money that came for it is sent back to you.",
)

_WAITING = {
    AttemptStatus.REQUESTED: Said("about_to_ring", "We are about to ring your phone."),
    AttemptStatus.SUBMITTED: Said("enter_pin", "Look at your phone and enter your M-Pesa PIN."),
    AttemptStatus.UNKNOWN: Said(
        "asking",
        "If your phone rings, enter your M-Pesa PIN. We are asking M-Pesa what became of it.",
    ),
}
_SENT_AGAIN = Said(
    "sent_again", "M-Pesa did not take our request yet. We try again by ourselves within a minute."
)
#: The same while the clock, which tries again, is silent.
_NOT_SENT_AGAIN = Said(
    "sent_again", "M-Pesa did not take our request yet. Try again in a minute: we may be slow to."
)
_WAITS_FOR_PHONE = Said(
    "waits_for_phone",
    "Your phone has another prompt open. Close it there, and ours follows within three minutes.",
)
_PHONE_TAKEN = Said(
    "waits_for_phone",
    "Your phone has another prompt open. Close it there, then try again in a minute.",
)
_SILENT = Said(
    "silent",
    "We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. "
    "If you did not, try again.",
)
_TRY_AGAIN = Said("try_again", "Try again.")
#: Said behind what else there is to say while the clock is silent: it asks M-Pesa what became of a
#: prompt whose callback was lost, and nobody else does.
_SLOW = (
    "We are slower than usual right now: your payment may show here some minutes late. It counts "
    "all the same; do not pay twice."
)
_SHORT = Said("short", "{came} of {amount} came. Pay the missing {due} before the time is over.")
_BY_HAND = "Or pay by hand: {provider} pay bill {pay_bill}, account {account}, {amount}."
_OR = "Or {provider} pay bill {pay_bill}, account {account}."


def manual_payment_options(order: Order, *, amount_due: int) -> list[ManualPaymentOption]:
    """The ways to pay what is still due for an order, without a prompt; none once nothing is due.

    Only ways whose payments name their order: a till asks for no account number.
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
    """Notify the buyer, once, that an attempt failed, unless they have nothing left to do.

    That is so when the order waits for no money, or a prompt of another attempt is open, or the
    attempt lost to the prompt of another order of theirs. Whether it still is so when the message
    is written and sent is asked again (orders.notifications.outdated).

    ``live`` is whether the prompt of this attempt was open until now: then no other is, which a
    constraint guarantees. Call inside the transaction in which it failed.
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
    """Whether an attempt failed as the phone was busy with another order of the same buyer, whose
    prompt is open or was paid."""
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
    """How an order's last attempt stands; ``payment`` is that attempt, if there is one.

    ``due`` is what is still to come, in KES; ``options``, the ways to pay it by hand, are named
    once the prompt has failed. While the clock is silent, nothing it does is promised.
    """
    now = now or timezone.now()
    is_slow = order.is_unpaid and CLOCK in silent()
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
    """The code and the sentence of how it stands."""
    if not order.is_unpaid:
        closed = _closed_message(order, payment)
        return closed.code, translate(closed.sentence, language)
    if due < order.amount and (payment is None or not payment.live):
        came, amount = format_kes(order.amount - due), format_kes(order.amount)
        values = {"came": came, "amount": amount, "due": format_kes(due)}
        return _SHORT.code, say(_SHORT.sentence, language, **values)
    if payment is not None and payment.status == AttemptStatus.FAILED:
        return failure_code(payment.result_code), buyer_message(payment.result_code)[language]
    said = _message(payment, is_slow=is_slow) if payment else _TRY_AGAIN
    return said.code, translate(said.sentence, language)


def _closed_message(order: Order, payment: OrderPayment | None) -> Said:
    """What to tell the buyer of an order that waits for nothing any more."""
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
    ways = [say(_BY_HAND, language, **first), *(say(_OR, language, **each) for each in others)]
    return " ".join(ways)


def _message(payment: OrderPayment, *, is_slow: bool) -> Said:
    if payment.is_open and not payment.live:
        return _SILENT
    if payment.status == AttemptStatus.REQUESTED and payment.result_code == PHONE_BUSY:
        return _PHONE_TAKEN if is_slow else _WAITS_FOR_PHONE
    if payment.status == AttemptStatus.REQUESTED and payment.rung_at is not None:
        return _NOT_SENT_AGAIN if is_slow else _SENT_AGAIN
    return _WAITING.get(AttemptStatus(payment.status), _SILENT)
