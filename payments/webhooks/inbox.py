"""The inbox of the webhooks: messages are stored first, answered, then processed.

Daraja neither signs its callbacks nor resends them, so the raw bytes are committed before anything
parses them, and no later error can lose them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping

from django.db import transaction

from omachemainproj.locking import lock_row
from omachemainproj.task_registry import background_task
from payments.banks import find_bank
from payments.daraja.results import is_transfer_callback
from payments.models import EventState, GatewayEvent, Source
from payments.reconciliation.statement_rows import record_stored_reversal

from . import bank_notification, c2b, receipt_status, stk_callback, transfer_result

logger = logging.getLogger(__name__)

#: After this many failures a message is left for staff.
MAX_TRIES = 10


def store_event(
    *,
    body: bytes,
    token: str,
    remote_address: str | None,
    headers: Mapping[str, str],
    source: str = Source.CALLBACK,
) -> int:
    """Commit a posted message without parsing it. Returns the event's id."""
    event = GatewayEvent.objects.create(
        source=source,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        token=token,
        remote_address=remote_address,
        headers=dict(headers),
    )
    return event.pk


@background_task()
def process_event(event_id: int) -> None:
    """Process a stored event in one transaction. Safe to repeat, anywhere, concurrently. Never
    raises.

    Any error, a bug of ours or a lost database, is recorded on its row, and the clock retries it;
    after ten failures staff have to look.
    """
    try:
        with transaction.atomic():
            event = lock_row(GatewayEvent, event_id)
            if event.state == EventState.NEW:
                _handle(event)
    except Exception as error:
        logger.exception("message %s is stored but not applied", event_id)
        _write_failure(event_id, error)


@transaction.atomic
def replay_event(event_id: int) -> str:
    """Process a stored event once more, whatever its state. Returns the note on what it did now.

    Safe to repeat: an event that was applied before changes nothing, and keeps its own note.
    """
    event = lock_row(GatewayEvent, event_id)
    before = {"state": event.state, "note": event.note, "applied_at": event.applied_at}
    _handle(event)
    note = event.note
    if before["state"] == EventState.APPLIED:
        GatewayEvent.objects.filter(pk=event_id).update(**before)
    return note


def reprocess_event(event_id: int) -> GatewayEvent:
    """Process an event again for staff, as if it had just arrived. Safe to repeat.

    One that was applied stays as it is.
    """
    again = GatewayEvent.objects.filter(pk=event_id).exclude(state=EventState.APPLIED)
    if again.update(state=EventState.NEW, tries=0):
        process_event(event_id)
    return GatewayEvent.objects.get(pk=event_id)


def process_waiting_event(event_id: int) -> None:
    """Process a reversal again whose payment is recorded by now, once. Safe to repeat."""
    waiting = GatewayEvent.objects.filter(pk=event_id).exclude(awaited="")
    if waiting.update(awaited="", state=EventState.NEW, tries=0):
        process_event(event_id)


def _handle_callback(event: GatewayEvent) -> None:
    """Dispatch a message by the secret in its URL.

    A message to an unknown URL may still be about a prompt of ours: its request id says so, and
    M-Pesa is queried. For outgoing money only the URL is trusted.
    """
    payment = stk_callback.lock_payment(event.token)
    transfer = None if payment else transfer_result.find_transfer(event.token)
    schedule = None if payment or transfer else receipt_status.find_receipt_query(event.token)
    if transfer is not None:
        transfer_result.handle(event, transfer)
    elif schedule is not None:
        receipt_status.handle(event, schedule)
    elif payment is None and is_transfer_callback(bytes(event.body)):
        event.set_state(EventState.UNMATCHED, "No refund or payout of ours has this address.")
    else:
        stk_callback.handle(event, payment)


def _handle_statement_row(event: GatewayEvent) -> None:
    """A row of the statement: a reversal of a payment that is recorded by now, or one that could
    not be parsed, which staff have to read."""
    event.receipt, note = record_stored_reversal(event)
    event.set_state(EventState.FAILED if event.receipt is None else EventState.APPLIED, note)


#: The handler for messages of each source that is not a bank's.
HANDLERS: dict[str, Callable[[GatewayEvent], None]] = {
    Source.CALLBACK: _handle_callback,
    Source.C2B: c2b.handle,
    Source.STATEMENT: _handle_statement_row,
}


def _handle(event: GatewayEvent) -> None:
    """Handle a message by its source; one of a source nobody knows is kept for staff."""
    handle, bank = HANDLERS.get(event.source), find_bank(event.source)
    if handle is not None:
        handle(event)
    elif bank is not None:
        bank_notification.handle(event, bank)
    else:
        logger.error("message %s is from an unknown source: %s", event.pk, event.source)
        event.set_state(EventState.FAILED, f"No bank {event.source} is registered.")


def _write_failure(event_id: int, error: Exception) -> None:
    try:
        with transaction.atomic():
            event = lock_row(GatewayEvent, event_id)
            if event.state != EventState.NEW:
                return
            event.tries += 1
            event.note = repr(error)[:200]
            if event.tries >= MAX_TRIES:
                event.state = EventState.FAILED
            event.save(update_fields=["tries", "note", "state"])
    except Exception:
        logger.exception("message %s: its failure could not be recorded", event_id)
