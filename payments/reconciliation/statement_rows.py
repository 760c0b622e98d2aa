"""Stores rows of M-Pesa's statements that credit nothing, some of them for staff to review, and
processes reversals that were reported before their payments."""

from __future__ import annotations

import hashlib
import json
import logging

from payments.models import EventState, GatewayEvent, Receipt, Source

from .receipts import find_receipt
from .returns import record_reversal_row

logger = logging.getLogger(__name__)


def store_row(row: str, state: str, note: str) -> int | None:
    """Store a row once, however often it is read. Returns its id if it is new."""
    body = row.encode()
    digest = hashlib.sha256(body).hexdigest()
    if GatewayEvent.objects.filter(source=Source.STATEMENT, sha256=digest).exists():
        return None
    if state == EventState.FAILED:
        logger.error("a row of the statement is kept for staff: %s", note)
    event = GatewayEvent.objects.create(
        source=Source.STATEMENT, body=body, sha256=digest, state=state, note=note[:200]
    )
    return event.pk


def store_reversal(*, number: str, reverses: str, amount: int, kind: str, note: str) -> None:
    """Store a reversal that could not be recorded, for staff and until its payment is recorded."""
    facts = {"number": number, "reverses": reverses, "amount": amount, "kind": kind}
    event_id = store_row(json.dumps(facts), EventState.FAILED, note)
    if event_id is not None:
        await_payment(event_id, number=number, reverses=reverses)


def await_payment(event_id: int, *, number: str, reverses: str) -> None:
    """Remember which payment a stored reversal is of, if that payment is not recorded yet."""
    if find_receipt(reverses) is None and find_receipt(number) is None:
        GatewayEvent.objects.filter(pk=event_id).update(awaited=reverses or number)


def record_stored_reversal(event: GatewayEvent) -> tuple[Receipt | None, str]:
    """Record a reversal of the statement that was stored before. Safe to repeat.

    Returns its payment, None if that is not recorded, and a note: the present one for a row that is
    no reversal, or that an earlier version stored.
    """
    try:
        facts = json.loads(bytes(event.body))
        row = {"number": facts["number"], "reverses": facts["reverses"]}
        amount = facts["amount"]
    except (ValueError, KeyError, TypeError):
        return None, event.note
    receipt, note = record_reversal_row(amount=amount, **row)
    if receipt is None:
        await_payment(event.pk, **row)
    return receipt, note
