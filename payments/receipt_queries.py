"""Status queries of receipts that are not confirmed and that something waits for."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from .doubt import put_in_doubt
from .models import PayoutStop, ReceiptQuestion
from .models.evidence import RECEIPT_QUERIES
from .shortcodes import paid_shortcode
from .transaction_status import query_transaction_status

logger = logging.getLogger(__name__)

#: Delay until a stop of payouts is checked again.
RECHECK_DELAY = timedelta(minutes=1)


def query_receipt(schedule_id: int) -> None:
    """Query M-Pesa about a payment by its number, if it is time to.

    Safe to repeat, on any worker, concurrently: one caller claims the schedule by setting its next
    time. Does nothing if the payment is confirmed by now, or while M-Pesa rejects the initiator,
    whose credential queries use too.
    """
    now = timezone.now()
    schedule = ReceiptQuestion.objects.select_related("receipt").get(pk=schedule_id)
    receipt, this_one = schedule.receipt, ReceiptQuestion.objects.due(now).filter(pk=schedule_id)
    if receipt.is_confirmed or not receipt.number:
        this_one.update(next_check_at=None)
        return
    if PayoutStop.objects.queries_are_stopped():
        this_one.update(next_check_at=now + RECHECK_DELAY)
        return
    is_last = schedule.queries >= len(RECEIPT_QUERIES)
    later = None if is_last else now + RECEIPT_QUERIES[schedule.queries]
    claimed = this_one.filter(queries=schedule.queries)
    if not claimed.update(next_check_at=later, queries=F("queries") + (0 if is_last else 1)):
        return
    if not is_last:
        _query_receipt(schedule)


def _query_receipt(schedule: ReceiptQuestion) -> None:
    receipt = schedule.receipt
    try:
        query_transaction_status(
            token=schedule.token,
            name=f"receipt {receipt.pk}",
            receipt=receipt.number,
            shortcode=paid_shortcode(receipt.number),
        )
    except ValueError:
        # Not in M-Pesa's format: it cannot be one of its payments.
        put_in_doubt(receipt.pk, f"{receipt.number} is not an M-Pesa receipt number.")
