"""Receipts in doubt: no money of them leaves, and no goods bought with them are handed over.

Locks: the order first, then the receipt.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from omachemainproj.locking import lock_row

from .evidence import (
    SourceReport,
    is_shown_since,
    lock_receipt,
    names_another_order,
    schedule_waiting_transfers,
    update_order_doubt,
)
from .models import Receipt, Verification
from .models.evidence import is_enough

logger = logging.getLogger(__name__)


@transaction.atomic
def put_in_doubt(receipt_id: int, why: str, *, heard_at: datetime | None = None) -> bool:
    """Record that a provider does not know a payment, knows it differently, or took it back.

    No money of it leaves, and no goods bought with it are handed over, until staff decide or the
    gateway shows it after all. ``heard_at`` is when the report of this was received, now if it is
    None: what has confirmed the payment since outweighs it. Returns whether it is in doubt. Safe to
    repeat.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.verification == Verification.NEVER_CAME or is_shown_since(receipt, heard_at):
        return False
    receipt.verification, receipt.doubt = Verification.DOUBTED, why[:200]
    receipt.doubted_at = receipt.doubted_at or heard_at or timezone.now()
    receipt.save(update_fields=["verification", "doubt", "doubted_at"])
    update_order_doubt(receipt)
    logger.critical("receipt %s is in doubt: %s", receipt.number or receipt.pk, why)
    return True


def end_doubt(receipt: Receipt, verification: Verification) -> None:
    """End the doubt about a receipt as staff decided.

    Call inside a transaction that holds the locks of its order and of the receipt.
    """
    receipt.verification, receipt.doubted_at = verification, None
    receipt.save(update_fields=["verification", "doubted_at"])
    update_order_doubt(receipt)
    schedule_waiting_transfers([receipt.pk])


def end_doubt_if_reported_again(receipt: Receipt, report: SourceReport) -> None:
    """End the doubt about a receipt if M-Pesa, queried again, repeats an earlier report of it.

    Call inside a transaction that holds the lock of its order, if it has one.
    """
    locked = lock_row(Receipt, receipt.pk)
    agrees = (report.amount, report.number) == (locked.amount, locked.number)
    is_sure = is_enough(locked, list(locked.evidence.all())) and not names_another_order(locked)
    if locked.is_in_doubt and agrees and is_sure:
        end_doubt(locked, Verification.CONFIRMED)
        receipt.verification = locked.verification
