"""The console's queues, in the order in which the page shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from .goods_queues import CLOSED_POINTS, LATE_PROBLEMS, OPEN_PROBLEMS, UNCOLLECTED
from .money_in_queues import (
    BANK_RECEIPTS,
    CORRECTED_RECEIPTS,
    DOUBTED_RECEIPTS,
    FAILED_MESSAGES,
    RECEIPTS_WITHOUT_NUMBER,
    SHORT_PAYMENTS,
    UNCONFIRMED_RECEIPTS,
    UNMATCHED_RECEIPTS,
    UNRESOLVED_ATTEMPTS,
)
from .money_out_queues import (
    PAYOUT_STOPS,
    PAYOUTS_ON_HOLD,
    PAYOUTS_TO_APPROVE,
    POSTPONED_PAYOUTS,
    POSTPONED_REFUNDS,
    REFUNDS_TO_APPROVE,
    REFUSED_PAYOUTS,
    REFUSED_REFUNDS,
    UNEXPECTED_PAYOUTS,
    UNEXPECTED_REFUNDS,
    UNRESOLVED_PAYOUTS,
    UNRESOLVED_REFUNDS,
    WITHDRAWALS,
    WITHHELD_EARNINGS,
)
from .proposal_queues import PROBLEM_PROPOSALS, PROPOSALS
from .queue import Queue, QueueView

QUEUES = (
    PAYOUT_STOPS,
    WITHDRAWALS,
    PROPOSALS,
    PROBLEM_PROPOSALS,
    LATE_PROBLEMS,
    UNCOLLECTED,
    UNMATCHED_RECEIPTS,
    DOUBTED_RECEIPTS,
    UNCONFIRMED_RECEIPTS,
    BANK_RECEIPTS,
    UNRESOLVED_ATTEMPTS,
    REFUSED_REFUNDS,
    UNRESOLVED_REFUNDS,
    UNEXPECTED_REFUNDS,
    REFUNDS_TO_APPROVE,
    PAYOUTS_TO_APPROVE,
    PAYOUTS_ON_HOLD,
    WITHHELD_EARNINGS,
    REFUSED_PAYOUTS,
    UNRESOLVED_PAYOUTS,
    UNEXPECTED_PAYOUTS,
    RECEIPTS_WITHOUT_NUMBER,
    CORRECTED_RECEIPTS,
    FAILED_MESSAGES,
    SHORT_PAYMENTS,
    POSTPONED_REFUNDS,
    POSTPONED_PAYOUTS,
    OPEN_PROBLEMS,
    CLOSED_POINTS,
)


def queues_for(person: Any) -> list[Queue]:
    """The queues that a person of the staff may see."""
    return [queue for queue in QUEUES if person.has_perm(queue.looking)]


def load_queues(
    person: Any, now: datetime | None = None
) -> tuple[list[QueueView], list[QueueView]]:
    """The queues a person may see: those that need one, and those for information.

    One query a queue, or two.
    """
    now = now or timezone.now()
    views = [
        QueueView(queue, now, may_act=person.has_perm(queue.acting)) for queue in queues_for(person)
    ]
    return (
        [view for view in views if not view.queue.for_information],
        [view for view in views if view.queue.for_information],
    )


def count_open(person: Any, now: datetime | None = None) -> int:
    """How many rows need somebody that a person may see; no queue counts for more than 1000.

    One query a queue.
    """
    now = now or timezone.now()
    return sum(queue.count(now) for queue in queues_for(person) if not queue.for_information)
