"""What the gateway posts: kept first, answered, then acted on.

Daraja neither signs its callbacks nor sends one again, so the raw bytes are committed before
anything reads them, and nothing that goes wrong later can lose them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping

from django.db import transaction

from omachemainproj.background import background_task
from omachemainproj.compiled_queries import locked_row
from payments.models import EventState, GatewayEvent, Source

from . import c2b as paybill
from . import equity
from . import stk_callback as prompt

logger = logging.getLogger(__name__)

#: After so many failures a message is put before a person and tried no more.
MAX_TRIES = 10

#: Who reads the messages of an address. Another bank is another module, and a line here.
HANDLERS: dict[Source, Callable[[GatewayEvent], None]] = {
    Source.PROMPT: prompt.handle,
    Source.C2B: paybill.handle,
    Source.EQUITY: equity.handle,
    # A row that could not be read: a person has to.
    Source.STATEMENT: lambda event: event.set_state(EventState.FAILED, event.note),
}


def store_event(
    *,
    body: bytes,
    token: str,
    remote_address: str | None,
    headers: Mapping[str, str],
    source: Source = Source.PROMPT,
) -> int:
    """Commit what was posted, unread, and return the id it is kept under."""
    event = GatewayEvent.objects.create(
        source=source,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        token=token,
        remote_address=remote_address,
        headers=dict(headers),
    )
    return event.pk


@background_task
def process_event(event_id: int) -> None:
    """Act on a kept message. Safe to repeat, anywhere, at once. Never raises.

    Whatever stops it, a bug of ours or a database gone away, is written on its row, and the
    clock tries again; after ten failures a person has to look.
    """
    try:
        with transaction.atomic():
            _process(event_id)
    except Exception as error:
        logger.exception("message %s is kept but not applied", event_id)
        _write_failure(event_id, error)


@transaction.atomic
def replay_event(event_id: int) -> str:
    """Act on a kept message once more, whatever became of it. Returns what was made of it now.

    Safe to repeat: what was acted on before changes nothing, and keeps the note it has.
    """
    event = locked_row(GatewayEvent, event_id)
    before = {"state": event.state, "note": event.note, "applied_at": event.applied_at}
    HANDLERS[Source(event.source)](event)
    note = event.note
    if before["state"] == EventState.APPLIED:
        GatewayEvent.objects.filter(pk=event_id).update(**before)
    return note


def reprocess_event(event_id: int) -> GatewayEvent:
    """Act on a message again at a person's word, as if it had just come. Safe to repeat.

    What was acted on stays as it is.
    """
    again = GatewayEvent.objects.filter(pk=event_id).exclude(state=EventState.APPLIED)
    if again.update(state=EventState.NEW, tries=0):
        process_event(event_id)
    return GatewayEvent.objects.get(pk=event_id)


def _write_failure(event_id: int, error: Exception) -> None:
    try:
        with transaction.atomic():
            event = locked_row(GatewayEvent, event_id)
            if event.state != EventState.NEW:
                return
            event.tries += 1
            event.note = repr(error)[:200]
            if event.tries >= MAX_TRIES:
                event.state = EventState.FAILED
            event.save(update_fields=["tries", "note", "state"])
    except Exception:
        logger.exception("message %s: its failure could not be written down", event_id)


def _process(event_id: int) -> None:
    event = locked_row(GatewayEvent, event_id)
    if event.state == EventState.NEW:
        HANDLERS[Source(event.source)](event)
