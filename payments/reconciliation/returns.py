"""Money that had left and came back: a payout, or a refund to a phone, that M-Pesa took back.

Only the statement of M-Pesa's portal shows it, among what came in. It lies in suspense, whose it is
being a person's to say: sent back, it goes to the same phone, or to a number they type.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from omachemainproj.money import format_kes
from payments.daraja.portal_statement import Movement
from payments.evidence import Told, lock_receipt, record
from payments.models import MoneyOut, Payout, Receipt, ReceiptSource, Refund, TransferStatus

from .receipts import create_receipt, find_receipt

logger = logging.getLogger(__name__)


@transaction.atomic
def take_in_returned(movement: Movement, *, shortcode: str) -> bool:
    """Record money that came back to ``shortcode``; whether it is new to us. Safe to repeat.

    Two at once: the database refuses the later, which is to be read again.
    """
    told = Told(ReceiptSource.STATEMENT, movement.amount, movement.receipt, shortcode)
    known = find_receipt(movement.receipt)
    if known is not None:
        return _say_what_it_is(known, movement, told)
    receipt = Receipt(
        number=movement.receipt, amount=movement.amount, paid_at=movement.at, **_facts(movement)
    )
    create_receipt(receipt, told)
    logger.error("receipt %s: %s In suspense.", receipt.number, receipt.note)
    return True


def _say_what_it_is(known: Receipt, movement: Movement, told: Told) -> bool:
    """Say of money in suspense, which a person wrote down by its number alone, that it came back;
    whether that is new. Nothing, where it is on its way somewhere or was given to an order."""
    receipt = lock_receipt(known.pk)
    is_idle = receipt.order_id is None and not receipt.refunds.owed().exists()
    if receipt.came_back or not is_idle or receipt.amount != movement.amount:
        return False
    for name, value in _facts(movement).items():
        setattr(receipt, name, value)
    receipt.phone_by = None
    receipt.save(update_fields=["door", "phone", "phone_by", "note"])
    record(receipt, told)
    return True


def _facts(movement: Movement) -> dict[str, Any]:
    row = _sent_as(movement.reverses)
    return {
        "door": ReceiptSource.RETURNED,
        "phone": row.phone if row is not None else movement.phone[:64],
        "note": _what_came_back(movement, row)[:200],
    }


def _sent_as(number: str) -> MoneyOut | None:
    """The payout or refund that left under this number."""
    for model in (Payout, Refund):
        done = model._default_manager.filter(number=number, status=TransferStatus.DONE)
        row: MoneyOut | None = done.exclude(number="").first()
        if row is not None:
            return row
    return None


def _what_came_back(movement: Movement, row: MoneyOut | None) -> str:
    if row is None:
        of = movement.reverses or "it does not say what"
        return f"M-Pesa took {of} back from where it had gone: no payout and no refund of ours."
    rest = "" if row.amount == movement.amount else f" of {format_kes(row.amount)}"
    return (
        f"{row.kind.capitalize()} {row.pk}{rest}, sent under {movement.reverses}, came back: "
        "M-Pesa took it from that phone. Ask whose it is; sent back, it goes there again."
    )
