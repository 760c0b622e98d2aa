"""How an attempt ends, and what came in: the one place that writes either down."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from omachemainproj.statements import locked_row
from orders.services import mark_order_paid

from . import ledger
from .models import AttemptStatus, Door, OrderPayment, Provider, Receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, in our words.

    ``amount`` (whole KES) is None where the news does not tell, as in a status query; ``receipt``
    is empty then too.
    """

    succeeded: bool
    code: str
    text: str
    door: str
    amount: int | None = None
    receipt: str = ""
    paid_at: datetime | None = None


@transaction.atomic
def settle(payment_id: int, outcome: Outcome) -> str:
    """Write down how an attempt ended, and what came in. Safe to repeat, in any order.

    Only a confirmation is final: a success that comes late overturns a failure, never the other
    way round. Saving a confirmed attempt pays its order inside this transaction.

    Returns what it made of the news, as a note for the one who keeps it.
    """
    payment = locked_row(OrderPayment, payment_id)
    if outcome.succeeded:
        return _credit(payment, outcome)
    if not payment.is_open:
        if payment.next_check_at is not None:
            payment.next_check_at = None
            payment.save(update_fields=["next_check_at"])
        return f"A failure after the end: still {payment.status}."
    payment.status = AttemptStatus.FAILED
    _close(payment, outcome)
    return "The attempt failed."


@transaction.atomic
def pay_unheard_order(order_id: int) -> None:
    """Pay an order whose money is confirmed but who did not hear of it. Safe to repeat."""
    mark_order_paid(order_id)
    ledger.post_refund_due(order_id)


def is_counted(number: str) -> bool:
    """Whether M-Pesa's receipt of this number is written down. Never true of an empty number."""
    receipts = Receipt.objects.filter(provider=Provider.MPESA)
    return bool(number) and receipts.filter(number=number).exists()


def _credit(payment: OrderPayment, outcome: Outcome) -> str:
    kept = Receipt.objects.filter(payment=payment).first()
    if kept is not None:
        return _complete(kept, outcome)
    if is_counted(outcome.receipt):
        logger.error("payment %s: receipt %s is counted already", payment.pk, outcome.receipt)
        return f"Receipt {outcome.receipt} is counted already; nothing was credited."
    receipt = Receipt(
        number=outcome.receipt,
        amount=payment.amount if outcome.amount is None else outcome.amount,
        payment=payment,
        door=outcome.door,
        paid_at=outcome.paid_at,
    )
    if receipt.amount != payment.amount:
        receipt.note = f"KES {receipt.amount} came, KES {payment.amount} was asked."
        receipt.save()
        ledger.post_receipt(receipt)
        payment.status = AttemptStatus.FAILED
        _close(payment, outcome)
        logger.error("payment %s: %s In suspense.", payment.pk, receipt.note)
        return receipt.note
    receipt.order_id = payment.order_id
    receipt.save()
    payment.status = AttemptStatus.CONFIRMED
    payment.confirmed_at = timezone.now()
    _close(payment, outcome)
    # After the order has heard of it, and under its lock: whose money it is depends on that.
    ledger.post_receipt(receipt)
    return "The money is credited."


def _complete(kept: Receipt, outcome: Outcome) -> str:
    """Add what a later word tells of money that is counted already."""
    if outcome.receipt in {"", kept.number}:
        return "Counted already."
    if is_counted(outcome.receipt):
        return f"Receipt {outcome.receipt} is counted elsewhere; nothing changed."
    if kept.number and (kept.door == Door.CALLBACK or outcome.door != Door.CALLBACK):
        note = f"A second receipt for the attempt behind {kept.number}."
        second = Receipt.objects.create(
            number=outcome.receipt,
            amount=outcome.amount or 0,
            door=outcome.door,
            paid_at=outcome.paid_at,
            note=note,
        )
        ledger.post_receipt(second)
        logger.error("receipt %s: %s In suspense.", outcome.receipt, note)
        return note
    # A number heard at the attempt's own address outranks none, and one from elsewhere.
    kept.number, kept.paid_at, kept.door = outcome.receipt, outcome.paid_at, outcome.door
    if outcome.amount not in {None, kept.amount}:
        # The query that proved the payment had named no amount, and the goods are gone. The amount
        # stays as it was counted, here and in the ledger, until a person has found out.
        kept.note = f"Counted as KES {kept.amount}, but M-Pesa says KES {outcome.amount}."
        logger.error("receipt %s: %s", kept.number, kept.note)
    kept.save(update_fields=["number", "paid_at", "door", "note"])
    return kept.note or "Counted already; its receipt number is known now."


def _close(payment: OrderPayment, outcome: Outcome) -> None:
    payment.live = False
    payment.next_check_at = None
    payment.result_code = outcome.code
    payment.result_text = outcome.text[:200]
    payment.save(
        update_fields=[
            "status",
            "live",
            "next_check_at",
            "result_code",
            "result_text",
            "confirmed_at",
        ]
    )
