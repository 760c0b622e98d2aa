"""Asks M-Pesa about receipts that are not confirmed and that something waits for."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from .doubt import put_in_doubt
from .models import (
    PayoutStop,
    ReceiptQuestion,
    Verification,
)
from .models.evidence import RECEIPT_QUERIES
from .shortcodes import paid_shortcode
from .transaction_status import query_transaction_status

logger = logging.getLogger(__name__)

#: Until it is seen again whether payouts are still stopped.
LOOK_AGAIN = timedelta(minutes=1)


def query_receipt(question_id: int) -> None:
    """Ask M-Pesa about a payment that something waits for, by its number, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims the question by setting the next. Nothing
    is asked about what is confirmed meanwhile, nor while the initiator is not accepted: a question
    is signed by it too.
    """
    now = timezone.now()
    question = ReceiptQuestion.objects.select_related("receipt").get(pk=question_id)
    receipt, this_one = question.receipt, ReceiptQuestion.objects.due(now).filter(pk=question_id)
    if (
        receipt.is_confirmed
        or receipt.verification == Verification.NEVER_CAME
        or not receipt.number
    ):
        this_one.update(next_check_at=None)
        return
    if PayoutStop.objects.questions_are_stopped():
        this_one.update(next_check_at=now + LOOK_AGAIN)
        return
    is_last = question.asked >= len(RECEIPT_QUERIES)
    later = None if is_last else now + RECEIPT_QUERIES[question.asked]
    claimed = this_one.filter(asked=question.asked)
    if not claimed.update(next_check_at=later, asked=F("asked") + (0 if is_last else 1)):
        return
    if not is_last:
        _query_receipt(question)


def _query_receipt(question: ReceiptQuestion) -> None:
    receipt = question.receipt
    try:
        query_transaction_status(
            token=question.token,
            name=f"receipt {receipt.pk}",
            receipt=receipt.number,
            shortcode=paid_shortcode(receipt.number),
        )
    except ValueError:
        # Not a number as M-Pesa writes them: it cannot be one of its payments.
        put_in_doubt(receipt.pk, f"{receipt.number} is not an M-Pesa receipt number.")
