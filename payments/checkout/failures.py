"""Explanations of failed attempts and of refunds, for buyers and for staff."""

from __future__ import annotations

from dataclasses import dataclass

from payments.daraja.result_codes import StkReason, stk_failure
from payments.models import RefundReason

#: Result codes of our own, for attempts that never reached M-Pesa.
NOT_SENT, PHONE_BUSY, RATE_LIMITED = "local.not_sent", "local.phone_busy", "local.too_many_prompts"
#: The account had too many phones prompted that have paid for none of its orders.
TOO_MANY_PHONES = "local.too_many_phones"
#: M-Pesa never reported a result for the attempt, and its statement does not show it.
NOT_ON_STATEMENT = "local.not_on_statement"
#: M-Pesa's refusal of a phone that has a prompt open, from any merchant.
BUSY_PHONE = "refused.busy_phone"


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason: the buyer's message in English and Swahili, and the label for staff."""

    en: str
    sw: str
    staff: str


_NOT_NOW = {
    "en": "We cannot send a prompt to this phone right now. Try again in a few minutes, or use "
    "another number.",
    "sw": "Hatuwezi kutuma ombi kwa simu hii sasa. Jaribu tena baadaye, au tumia nambari nyingine.",
}
#: By M-Pesa's reason, by a code of our own, or by the kind of refusal (``DarajaRefusal``).
FAILURES = {
    # M-Pesa accepted the request; its result code says how it ended.
    StkReason.CANCELLED: Failure(
        en="You cancelled on your phone. Try again when you are ready.",
        sw="Umeghairi kwenye simu yako. Jaribu tena ukiwa tayari.",
        staff="Cancelled on the phone",
    ),
    StkReason.NO_ANSWER: Failure(
        en="Your phone did not answer. Make sure it is on and has signal, then try again.",
        sw="Simu yako haikujibu. Hakikisha imewashwa na ina mtandao, kisha ujaribu tena.",
        staff="The phone did not answer",
    ),
    StkReason.WRONG_PIN: Failure(
        en="The M-Pesa PIN was wrong. Try again with the right one.",
        sw="PIN ya M-Pesa haikuwa sahihi. Jaribu tena kwa PIN sahihi.",
        staff="Wrong M-Pesa PIN",
    ),
    StkReason.NO_MONEY: Failure(
        en="There was not enough money in M-Pesa. Top up and try again.",
        sw="Pesa kwenye M-Pesa hazikutosha. Ongeza pesa, kisha ujaribu tena.",
        staff="Not enough money in M-Pesa",
    ),
    StkReason.LIMIT: Failure(
        en="M-Pesa's limit does not allow this payment today. Try another number.",
        sw="Kikomo cha M-Pesa hakiruhusu malipo haya leo. Jaribu nambari nyingine.",
        staff="Beyond M-Pesa’s limits",
    ),
    StkReason.BUSY: Failure(
        en="M-Pesa was busy. Try again in a minute.",
        sw="M-Pesa ilikuwa na shughuli nyingi. Jaribu tena baada ya dakika moja.",
        staff="M-Pesa was busy",
    ),
    StkReason.REPEATED_TOO_SOON: Failure(
        en=(
            "M-Pesa takes the same amount from the same phone only once in two minutes. Wait two "
            "minutes and try again."
        ),
        sw=(
            "M-Pesa hupokea kiasi kilekile kutoka simu moja mara moja tu kwa dakika mbili. "
            "Subiri dakika mbili, kisha ujaribu tena."
        ),
        staff="The same amount twice within two minutes",
    ),
    StkReason.PIN_LOCKED: Failure(
        en="This M-Pesa PIN is locked. Call Safaricom on 100, or try another number.",
        sw="PIN hii ya M-Pesa imefungwa. Pigia Safaricom 100, au jaribu nambari nyingine.",
        staff="M-Pesa PIN locked",
    ),
    StkReason.EXPIRED: Failure(
        en="The prompt expired before a PIN was entered. Try again.",
        sw="Muda wa ombi uliisha kabla ya PIN kuwekwa. Jaribu tena.",
        staff="The prompt ran out",
    ),
    StkReason.MISCONFIGURED: Failure(
        en="M-Pesa cannot take payments for us right now. We are on it.",
        sw="M-Pesa haiwezi kutupokelea malipo kwa sasa. Tunalishughulikia.",
        staff="The shop’s own M-Pesa account or settings",
    ),
    StkReason.OTHER: Failure(
        en="M-Pesa could not finish the payment. Try again.",
        sw="M-Pesa haikuweza kukamilisha malipo. Jaribu tena.",
        staff="Another M-Pesa reason",
    ),
    # The request was not sent, or M-Pesa did not accept it.
    NOT_SENT: Failure(
        en="We could not send the payment prompt in time. Try again.",
        sw="Hatukuweza kutuma ombi kwa simu yako kwa wakati. Jaribu tena.",
        staff="Not sent in time",
    ),
    # The same text as RATE_LIMITED, so as not to reveal that someone else had this phone prompted.
    PHONE_BUSY: Failure(
        **_NOT_NOW,
        staff="The phone had another prompt of ours open",
    ),
    NOT_ON_STATEMENT: Failure(
        en="M-Pesa has no payment from this prompt. Try again.",
        sw="M-Pesa haina malipo kutokana na ombi hili. Jaribu tena.",
        staff="Not on M-Pesa’s statement",
    ),
    RATE_LIMITED: Failure(
        **_NOT_NOW,
        staff="Too many prompts to this phone",
    ),
    TOO_MANY_PHONES: Failure(
        en="You asked too many different phones to pay. Use one you have paid with here before.",
        sw="Umeomba simu nyingi mno zilipe. Tumia ile uliyowahi kulipia hapa.",
        staff="Too many different phones for this account",
    ),
    BUSY_PHONE: Failure(
        en="This phone has another M-Pesa prompt open. Close it and try again in a minute.",
        sw="Simu hii ina ombi lingine la M-Pesa. Lifunge, kisha ujaribu baada ya dakika moja.",
        staff="Not accepted: the phone had another prompt open",
    ),
    "refused.busy_gateway": Failure(
        en="M-Pesa is very busy. Try again in a minute.",
        sw="M-Pesa ina shughuli nyingi sana. Jaribu tena baada ya dakika moja.",
        staff="Not accepted: M-Pesa was too busy",
    ),
    "refused.unreachable": Failure(
        en="M-Pesa cannot be reached right now. Try again in a minute.",
        sw="M-Pesa haipatikani kwa sasa. Jaribu tena baada ya dakika moja.",
        staff="Not sent: M-Pesa could not be reached",
    ),
    "refused.bad_request": Failure(
        en="M-Pesa did not accept this number. Check it and try again.",
        sw="M-Pesa haikukubali nambari hii. Ikague, kisha ujaribu tena.",
        staff="Not accepted: M-Pesa rejected the number",
    ),
    "refused.configuration": Failure(
        en="M-Pesa cannot take payments for us right now. We are on it.",
        sw="M-Pesa haiwezi kutupokelea malipo kwa sasa. Tunalishughulikia.",
        staff="Not accepted: the shop’s own M-Pesa account or settings",
    ),
    "refused.gateway": Failure(
        en="The connection to M-Pesa is blocked right now. Try again in a minute.",
        sw="Njia ya kufikia M-Pesa imezuiwa kwa sasa. Jaribu tena baada ya dakika moja.",
        staff="Not accepted: a proxy in front of M-Pesa answered",
    ),
    "refused.other": Failure(
        en="M-Pesa did not accept the request. Try again in a minute.",
        sw="M-Pesa haikupokea ombi. Jaribu tena baada ya dakika moja.",
        staff="Not accepted, for another reason",
    ),
}


#: Reasons for which an attempt may fail while another prompt is open on its phone.
_BY_ANOTHER_PROMPT = {
    PHONE_BUSY,
    BUSY_PHONE,
    StkReason.BUSY,
    StkReason.NO_ANSWER,
    StkReason.EXPIRED,
    StkReason.REPEATED_TOO_SOON,
}


def may_lose_to_another_prompt(code: str) -> bool:
    """Whether another prompt on the same phone may have caused this result code."""
    return code in _BY_ANOTHER_PROMPT or stk_failure(code) in _BY_ANOTHER_PROMPT


#: Reasons caused by M-Pesa or the shop, not by the buyer; waiting may help.
_NOT_THE_BUYERS = {
    NOT_SENT,
    StkReason.MISCONFIGURED,
    "refused.busy_gateway",
    "refused.unreachable",
    "refused.configuration",
    "refused.gateway",
}


def ends_hold(code: str) -> bool:
    """Whether a prompt that ended with this result code ends its order's reservation.

    It does, unless the prompt never reached a phone for a reason the buyer cannot fix.
    """
    return not {code, stk_failure(code)} & _NOT_THE_BUYERS


def buyer_message(code: str) -> dict[str, str]:
    """What a result code means and what to do next, for the buyer, by language (``en``, ``sw``)."""
    failure = _failure(code)
    return {"en": failure.en, "sw": failure.sw}


def failure_code(code: str) -> str:
    """Why an attempt failed, by its result code, for programs: ``wrong_pin``, ``no_answer``.

    A busy phone and a used-up budget share one code, so as not to reveal that someone else had the
    phone prompted.
    """
    if code in {PHONE_BUSY, RATE_LIMITED}:
        return "phone_not_now"
    known = code if code in FAILURES else stk_failure(code) or StkReason.OTHER
    return str(known).removeprefix("local.").replace("refused.", "refused_")


def staff_label(code: str) -> str:
    """Why an attempt failed, by its result code, in a few words for staff."""
    return _failure(code).staff


#: Why a late or incomplete payment is refunded, for the buyer.
GOES_BACK = {
    RefundReason.CANCELLED: {
        "en": "You had cancelled this order.",
        "sw": "Ulikuwa umeghairi oda hii.",
    },
    RefundReason.PAID_AGAIN: {
        "en": "You had paid for the same goods with another order.",
        "sw": "Ulikuwa umelipia bidhaa hizo hizo kwa oda nyingine.",
    },
    RefundReason.SHORT: {
        "en": "It did not cover the order in time.",
        "sw": "Hazikutosha kulipia oda kwa wakati.",
    },
    RefundReason.TOO_LATE: {
        "en": "It came more than a day after this order was closed.",
        "sw": "Zilifika zaidi ya siku moja baada ya oda hii kufungwa.",
    },
    RefundReason.OFF_SALE: {
        "en": "It came too late, and the goods are no longer on sale.",
        "sw": "Zilichelewa kufika, na bidhaa haziuzwi tena.",
    },
    RefundReason.REDUCED: {
        "en": "The price was reduced after your problem with the goods.",
        "sw": "Bei imepunguzwa baada ya tatizo lako na bidhaa.",
    },
    RefundReason.GOODS_GONE: {
        "en": "It came too late, and the goods are gone.",
        "sw": "Zilichelewa kufika, na bidhaa zimekwisha.",
    },
}


def refund_explanation(cause: str) -> dict[str, str]:
    """Why a payment for an order is refunded, for the buyer, by language (``en``, ``sw``)."""
    return GOES_BACK.get(RefundReason(cause), GOES_BACK[RefundReason.GOODS_GONE])


def _failure(code: str) -> Failure:
    return FAILURES.get(code) or FAILURES[stk_failure(code) or StkReason.OTHER]
