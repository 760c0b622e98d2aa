"""What each decision of the console does: one call of decisions.py, and a sentence about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omachemainproj.money import format_kes
from payments.models import GatewayEvent, OrderPayment, Payout, PayoutStop, Receipt, Refund, Way

from . import resolve_money_in as decisions
from . import resolve_money_out as payout_decisions


def give(receipt: Receipt, given: Mapping[str, Any]) -> str:
    credited = decisions.match_receipt_to_order(
        receipt.pk, reference=given["reference"], why=given["why"]
    )
    return f"{format_kes(credited.amount)} is given to order {credited.order}."


def send_back(receipt: Receipt, given: Mapping[str, Any]) -> str:
    refund = decisions.refund_receipt(receipt.pk)
    if refund.way == Way.PORTAL:
        return (
            f"{format_kes(refund.amount)} is owed back. No way is known: decide about the refund."
        )
    return f"{format_kes(refund.amount)} goes back by {refund.get_way_display()}."


def name_it(receipt: Receipt, given: Mapping[str, Any]) -> str:
    return (
        f"Its number is {decisions.set_receipt_number(receipt.pk, number=given['number']).number}."
    )


def acknowledge_receipt(receipt: Receipt, given: Mapping[str, Any]) -> str:
    decisions.acknowledge_receipt(receipt.pk)
    return "Acknowledged."


def ask(payment: OrderPayment, given: Mapping[str, Any]) -> str:
    asked = decisions.query_attempt(payment.pk)
    if asked.is_open:
        return "M-Pesa was asked and does not say yet. Ask again later."
    return f"M-Pesa says: {asked.result_text} The attempt is {asked.status} now."


def it_was_paid(payment: OrderPayment, given: Mapping[str, Any]) -> str:
    paid = decisions.mark_attempt_paid(payment.pk, number=given["number"])
    return f"{format_kes(paid.amount)} is credited to order {paid.order}."


def no_money_came(payment: OrderPayment, given: Mapping[str, Any]) -> str:
    decisions.mark_attempt_unpaid(payment.pk)
    return "The attempt has ended without money."


def try_again(refund: Refund, given: Mapping[str, Any]) -> str:
    following = payout_decisions.retry_refund(refund.pk, phone=given.get("phone", ""))
    to = f" to {following.phone}" if following.phone else ""
    return f"{format_kes(following.amount)} goes back by {following.get_way_display()}{to}."


def by_portal(refund: Refund, given: Mapping[str, Any]) -> str:
    by_person = payout_decisions.record_refund_on_portal(refund.pk, number=given["number"])
    return f"{format_kes(by_person.amount)} went back under {by_person.number}."


def it_went(refund: Refund, given: Mapping[str, Any]) -> str:
    done = payout_decisions.record_refund_outcome(refund.pk, number=given["number"])
    return f"{format_kes(done.amount)} went back under {done.number}."


def it_never_went(refund: Refund, given: Mapping[str, Any]) -> str:
    payout_decisions.record_refund_outcome(refund.pk)
    return "The money never went, and is still owed."


def acknowledge_refund(refund: Refund, given: Mapping[str, Any]) -> str:
    payout_decisions.acknowledge_refund(refund.pk)
    return "Acknowledged."


def end_stop(stop: PayoutStop, given: Mapping[str, Any]) -> str:
    payout_decisions.lift_payout_stop(stop.pk)
    return "Money may leave again."


def act_again(event: GatewayEvent, given: Mapping[str, Any]) -> str:
    acted = decisions.reprocess_message(event.pk)
    return f"{acted.get_state_display()}: {acted.note}"


def set_aside(event: GatewayEvent, given: Mapping[str, Any]) -> str:
    decisions.set_message_aside(event.pk)
    return "Set aside."


def approve(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.approve_payout(payout.pk, by=given["by"])
    return f"{format_kes(payout.amount)} goes to {payout.phone}."


def pay_again(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.retry_refused_payout(payout.pk, phone=given.get("phone", ""))
    return f"Another payout goes to {given.get('phone') or payout.phone}."


def paid_by_portal(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.record_payout_on_portal(payout.pk, number=given["number"])
    return "It is written down as sent."


def payout_went(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.record_payout_outcome(payout.pk, number=given["number"])
    return "It is written down as sent."


def payout_never_went(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.record_payout_outcome(payout.pk)
    return "It never went: try it again, or send it to another number."


def acknowledge_payout(payout: Payout, given: Mapping[str, Any]) -> str:
    payout_decisions.acknowledge_payout(payout.pk)
    return "Acknowledged."
