"""Stores rows of M-Pesa's statements that credit nothing, some of them for staff to review."""

from __future__ import annotations

import hashlib
import logging

from payments.models import EventState, GatewayEvent, Source

logger = logging.getLogger(__name__)


def store_row(row: str, state: str, note: str) -> None:
    """Store a row once, however often it is read."""
    body = row.encode()
    digest = hashlib.sha256(body).hexdigest()
    if GatewayEvent.objects.filter(source=Source.STATEMENT, sha256=digest).exists():
        return
    if state == EventState.FAILED:
        logger.error("a row of the statement is kept for staff: %s", note)
    GatewayEvent.objects.create(
        source=Source.STATEMENT, body=body, sha256=digest, state=state, note=note[:200]
    )
