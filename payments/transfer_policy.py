"""What refunds and payouts share: when a refused one is tried again, and what stops them all."""

from __future__ import annotations

import logging
from datetime import timedelta

from .daraja.result_codes import PayoutReason
from .models import PayoutStop

logger = logging.getLogger(__name__)

#: After so many refusals a person decides.
MAX_TRIES = 8
#: Refusals that may be over later, and how long the first wait is. It doubles from try to try.
RETRY_DELAYS = {
    # The stop keeps it back; a person ends that.
    PayoutReason.INITIATOR: timedelta(0),
    PayoutReason.NO_FUNDS: timedelta(hours=1),
    PayoutReason.LIMIT: timedelta(hours=12),
}
MAX_RETRY_DELAY = timedelta(hours=24)


def retry_after(reason: PayoutReason, tries: int) -> timedelta | None:
    """How long after a refusal the same may be tried again, after ``tries`` refusals before it.

    None when it may not: waiting mends nothing, or it was refused too often.
    """
    if reason not in RETRY_DELAYS or tries >= MAX_TRIES:
        return None
    return min(RETRY_DELAYS[reason] * 2**tries, MAX_RETRY_DELAY)


def stop_payouts(reason: str) -> None:
    """Let nothing leave the shop until a person says so. Safe to repeat."""
    made = PayoutStop.objects.bulk_create([PayoutStop(reason=reason[:200])], ignore_conflicts=True)
    logger.critical("payouts are stopped: %s", made[0].reason)


def are_payouts_stopped() -> bool:
    """Whether nothing may leave the shop until a person says so."""
    return PayoutStop.objects.filter(is_open=True).exists()
