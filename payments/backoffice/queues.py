"""The console's queues, in the order in which the page shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from .goods_queues import (
    CLOSED_POINTS,
    CLOSED_SELLERS,
    LATE_PROBLEMS,
    OPEN_PROBLEMS,
    UNCOLLECTED,
)
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
    CLOSED_SELLERS,
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


def queues_for(viewer: Any) -> list[Queue]:
    """The queues that this user may view."""
    return [queue for queue in QUEUES if viewer.has_perm(queue.view_permission)]


def load_queues(
    viewer: Any, now: datetime | None = None
) -> tuple[list[QueueView], list[QueueView]]:
    """The queues a user may view: those that need action, and those for information.

    One or two queries per queue.
    """
    now = now or timezone.now()
    views = [
        QueueView(queue, now, may_act=viewer.has_perm(queue.act_permission))
        for queue in queues_for(viewer)
    ]
    return (
        [view for view in views if not view.queue.for_information],
        [view for view in views if view.queue.for_information],
    )


def count_open(viewer: Any, now: datetime | None = None) -> int:
    """The number of rows that need action and that this user may view.

    Each queue counts for at most COUNT_AT_MOST. One query per queue.
    """
    now = now or timezone.now()
    return sum(queue.count(now) for queue in queues_for(viewer) if not queue.for_information)
