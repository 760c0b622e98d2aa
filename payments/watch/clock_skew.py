"""Corrects stored times that a wrong clock put too far ahead, once it is right again.

A host's clock has been seen days off. What was planned then would otherwise wait for days: queries
of payments and transfers, messages, alerts, the statement, the claim on the access token. Records
of what happened keep the time they were given; ``prove`` names those that lie in the future.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from orders.models.notifications import Message
from payments.models import (
    AccessToken,
    AlertMail,
    NightlyProof,
    OrderPayment,
    Payout,
    ReceiptQuestion,
    Refund,
)

logger = logging.getLogger(__name__)

#: Nothing is planned further ahead: a transfer is retried within a day, and waits for the next one.
_LONGEST_WAIT = timedelta(hours=25)
#: A claim lasts minutes; and the clocks of two hosts differ by less than this.
_LONGEST_CLAIM = timedelta(minutes=15)
_CLOCKS_DIFFER = timedelta(minutes=5)

#: A time, and how far ahead it may be.
_TIMES: tuple[tuple[type[Model], str, timedelta], ...] = (
    (OrderPayment, "next_check_at", _LONGEST_WAIT),
    (Refund, "next_check_at", _LONGEST_WAIT),
    (Payout, "next_check_at", _LONGEST_WAIT),
    (ReceiptQuestion, "next_check_at", _LONGEST_WAIT),
    (Message, "next_try_at", _LONGEST_WAIT),
    (AlertMail, "next_try_at", _LONGEST_WAIT),
    (AccessToken, "claimed_until", _LONGEST_CLAIM),
    (NightlyProof, "claimed_until", _LONGEST_CLAIM),
)


def correct_times_ahead(now: datetime) -> int:
    """Set times that are too far ahead to ``now``; return how many. Safe to repeat.

    While the clock is wrong, this makes what is planned due early: another query, another retry.
    """
    corrected = sum(_correct(model, name, now, within) for model, name, within in _TIMES)
    # A prompt must not keep its phone and its order for days. It was sent before now.
    live = OrderPayment.objects.filter(live=True, rung_at__gt=now + _CLOCKS_DIFFER)
    return corrected + live.update(rung_at=now)


def _correct(model: type[Model], name: str, now: datetime, within: timedelta) -> int:
    ahead = model._default_manager.filter(**{f"{name}__gt": now + within})
    values: dict[str, Any] = {name: now}
    corrected = ahead.update(**values)
    if corrected:
        logger.error("%d times (%s %s) were too far ahead", corrected, model.__name__, name)
    return corrected
