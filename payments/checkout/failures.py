"""Why a prompt ended without money, as a buyer is told: in plain words, with what to do next."""

from __future__ import annotations

from orders.models import Order
from orders.models.notifications import Kind
from orders.notifications.notify import notify
from payments.daraja.result_codes import StkReason, stk_failure
from payments.models import OrderPayment

from .by_hand import manual_payment_options

#: Result codes of our own, for attempts that never reached M-Pesa.
NOT_SENT, PHONE_BUSY, RATE_LIMITED = "local.not_sent", "local.phone_busy", "local.too_many_prompts"
#: M-Pesa never spoke of the attempt, and its statement does not show it.
NOT_ON_STATEMENT = "local.not_on_statement"

_MISCONFIGURED = {
    "en": "M-Pesa cannot take payments for us right now. We are on it.",
    "sw": "M-Pesa haiwezi kutupokelea malipo kwa sasa. Tunalishughulikia.",
}
_REASONS = {
    StkReason.CANCELLED: {
        "en": "You cancelled on your phone. Try again when you are ready.",
        "sw": "Umeghairi kwenye simu yako. Jaribu tena ukiwa tayari.",
    },
    StkReason.NO_ANSWER: {
        "en": "Your phone did not answer. See that it is on and has signal, then try again.",
        "sw": "Simu yako haikujibu. Hakikisha imewashwa na ina mtandao, kisha ujaribu tena.",
    },
    StkReason.WRONG_PIN: {
        "en": "The M-Pesa PIN was wrong. Try again with the right one.",
        "sw": "PIN ya M-Pesa haikuwa sahihi. Jaribu tena kwa PIN sahihi.",
    },
    StkReason.NO_MONEY: {
        "en": "There was not enough money in M-Pesa. Top up and try again.",
        "sw": "Pesa kwenye M-Pesa hazikutosha. Ongeza pesa, kisha ujaribu tena.",
    },
    StkReason.LIMIT: {
        "en": "M-Pesa's limit does not allow this payment today. Try another number.",
        "sw": "Kikomo cha M-Pesa hakiruhusu malipo haya leo. Jaribu nambari nyingine.",
    },
    StkReason.BUSY: {
        "en": "M-Pesa was busy. Try again in a minute.",
        "sw": "M-Pesa ilikuwa na shughuli nyingi. Jaribu tena baada ya dakika moja.",
    },
    StkReason.REPEATED_TOO_SOON: {
        "en": (
            "M-Pesa takes the same amount from the same phone only once in two minutes. "
            "Wait two minutes and try again."
        ),
        "sw": (
            "M-Pesa hupokea kiasi kilekile kutoka simu moja mara moja tu kwa dakika mbili. "
            "Subiri dakika mbili, kisha ujaribu tena."
        ),
    },
    StkReason.PIN_LOCKED: {
        "en": "This M-Pesa PIN is locked. Call Safaricom on 100, or try another number.",
        "sw": "PIN hii ya M-Pesa imefungwa. Pigia Safaricom 100, au jaribu nambari nyingine.",
    },
    StkReason.EXPIRED: {
        "en": "The prompt ran out before a PIN was entered. Try again.",
        "sw": "Muda wa ombi uliisha kabla ya PIN kuwekwa. Jaribu tena.",
    },
    StkReason.MISCONFIGURED: _MISCONFIGURED,
    StkReason.OTHER: {
        "en": "M-Pesa could not finish the payment. Try again.",
        "sw": "M-Pesa haikuweza kukamilisha malipo. Jaribu tena.",
    },
}
_NEVER_RANG = {
    NOT_SENT: {
        "en": "We could not ring your phone in time. Try again.",
        "sw": "Hatukuweza kutuma ombi kwa simu yako kwa wakati. Jaribu tena.",
    },
    PHONE_BUSY: {
        "en": "This phone has another prompt open. Answer it, or try again in two minutes.",
        "sw": "Simu hii ina ombi lingine. Lijibu, au ujaribu tena baada ya dakika mbili.",
    },
    NOT_ON_STATEMENT: {
        "en": "M-Pesa has no payment from this prompt. Try again.",
        "sw": "M-Pesa haina malipo kutokana na ombi hili. Jaribu tena.",
    },
    RATE_LIMITED: {
        "en": "This phone was asked too often in the last hour. Try another number, or wait.",
        "sw": "Simu hii imeombwa mara nyingi mno saa hii. Jaribu nambari nyingine, au usubiri.",
    },
    "refused.busy_phone": {
        "en": "This phone has another M-Pesa prompt open. Close it and try again in a minute.",
        "sw": "Simu hii ina ombi lingine la M-Pesa. Lifunge, kisha ujaribu baada ya dakika moja.",
    },
    "refused.busy_gateway": {
        "en": "M-Pesa is very busy. Try again in a minute.",
        "sw": "M-Pesa ina shughuli nyingi sana. Jaribu tena baada ya dakika moja.",
    },
    "refused.unreachable": {
        "en": "M-Pesa cannot be reached right now. Try again in a minute.",
        "sw": "M-Pesa haipatikani kwa sasa. Jaribu tena baada ya dakika moja.",
    },
    "refused.bad_request": {
        "en": "M-Pesa did not accept this number. Check it and try again.",
        "sw": "M-Pesa haikukubali nambari hii. Ikague, kisha ujaribu tena.",
    },
    "refused.configuration": _MISCONFIGURED,
    "refused.other": {
        "en": "M-Pesa did not take the request. Try again in a minute.",
        "sw": "M-Pesa haikupokea ombi. Jaribu tena baada ya dakika moja.",
    },
}


def buyer_message(code: str) -> dict[str, str]:
    """What a result code means to a buyer and what they do next, by language (``en``, ``sw``)."""
    return _NEVER_RANG.get(code) or _REASONS[stk_failure(code) or StkReason.OTHER]


def notify_payment_failed(payment: OrderPayment, order: Order, code: str, *, live: bool) -> None:
    """Have the buyer told, once, that an attempt failed, unless nothing is left to be done.

    That is so when its order waits for no money, or another attempt rings.

    ``live`` is whether the phone was ringing for this one until now: then it rings for no other,
    which a constraint sees to. Call inside the transaction in which it failed.
    """
    others = OrderPayment.objects.filter(order=order, live=True).exclude(pk=payment.pk)
    if not order.is_unpaid or (not live and others.exists()):
        return
    ways = manual_payment_options(order, amount_due=payment.amount)
    notify(
        Kind.PROMPT_FAILED,
        key=f"prompt_failed:payment:{payment.pk}",
        order_id=order.pk,
        amount=payment.amount,
        why=buyer_message(code),
        by_hand=ways[0] if ways else None,
    )


#: The same for staff, who look at many of them.
_TOLD_STAFF = {
    StkReason.CANCELLED: "Cancelled on the phone",
    StkReason.NO_ANSWER: "The phone did not answer",
    StkReason.WRONG_PIN: "Wrong M-Pesa PIN",
    StkReason.NO_MONEY: "Not enough money in M-Pesa",
    StkReason.LIMIT: "Beyond M-Pesa’s limits",
    StkReason.BUSY: "M-Pesa was busy",
    StkReason.REPEATED_TOO_SOON: "The same amount twice within two minutes",
    StkReason.PIN_LOCKED: "M-Pesa PIN locked",
    StkReason.EXPIRED: "The prompt ran out",
    StkReason.MISCONFIGURED: "The shop’s own M-Pesa account or settings",
    StkReason.OTHER: "Another reason of M-Pesa’s",
}
_TOLD_STAFF_IT_NEVER_RANG = {
    NOT_SENT: "Not sent in time",
    PHONE_BUSY: "The phone had another prompt of ours open",
    NOT_ON_STATEMENT: "Not on M-Pesa’s statement",
    RATE_LIMITED: "The phone was asked too often",
    "refused.busy_phone": "Not taken: the phone had another prompt open",
    "refused.busy_gateway": "Not taken: M-Pesa was too busy",
    "refused.unreachable": "Not taken: M-Pesa could not be reached",
    "refused.bad_request": "Not taken: M-Pesa did not accept the number",
    "refused.configuration": "Not taken: the shop’s own M-Pesa account or settings",
    "refused.other": "Not taken, for another reason",
}


def staff_label(code: str) -> str:
    """Why an attempt failed, by its result code, in a few words."""
    return _TOLD_STAFF_IT_NEVER_RANG.get(code) or _TOLD_STAFF[stk_failure(code) or StkReason.OTHER]
