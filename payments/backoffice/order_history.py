"""The history of an order on its page in the admin: one sentence per step, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib.admin.models import LogEntry

from accounts.backoffice.formats import dial, kes
from orders.models import (
    Order,
    OrderTrack,
    ParcelEvent,
    ParcelStep,
    Problem,
    StepCause,
    TrackEvent,
    TrackStatus,
)
from orders.models.notifications import Message, MessageState
from payments.models import OrderPayment, Receipt, Refund

from .timeline import MAX_ROWS, STEPS, TimelineEntry, by_staff, entries_of

#: Steps of lines that are shown: four each for a hundred lines.
_MAX_STEPS = 400
#: Steps of one person within this time share a sentence.
_SAME_SENTENCE_WITHIN = timedelta(seconds=5)
#: Lines that a sentence names; the others are counted.
_NAMED = 2

_CAUSES = {
    StepCause.CANCELLED_BY_BUYER: "Cancelled by the buyer",
    StepCause.CANCELLED_BY_STAFF: "Cancelled by the shop",
    StepCause.EXPIRED: "Released, as the order was not paid in time",
}
_PARCEL_STEPS = {
    ParcelStep.CLAIMED: "claimed by {agent}",
    ParcelStep.RELEASED: "released by {actor}, no longer with {agent}",
    ParcelStep.FREED: "released by the shop, no longer with {agent}",
    ParcelStep.ARRIVED: "at the pick-up point, reported by {actor}",
    ParcelStep.ATTEMPTED: "not handed over at the address, reported by {actor}",
}
_MESSAGE_STATES = {
    MessageState.SENT: "notified by",
    MessageState.FAILED: "not reached by",
    MessageState.UNKNOWN: "perhaps notified by",
    MessageState.DUE: "about to be notified by",
}


def build_order_history(order: Order, *, sees_money: bool) -> list[TimelineEntry]:
    """The events of an order, earliest first; payments and refunds only for viewers of money.

    A constant number of queries, however many lines it has. Ledger postings and M-Pesa's messages
    are on the console (``timeline.build_timeline``).
    """
    lines = list(order.tracks.all())
    steps = _newest(TrackEvent.objects.filter(track__in=lines).select_related("actor"), _MAX_STEPS)
    problems = list(Problem.objects.filter(track__in=lines).order_by("pk")[:MAX_ROWS])
    entries = [*_step_entries(lines, steps)]
    entries += _parcel_entries(order)
    entries += entries_of(problems)
    entries += _message_entries(order)
    if sees_money:
        for model in (OrderPayment, Receipt, Refund):
            entries += entries_of(model._default_manager.filter(order=order.pk).order_by("pk"))
    # Staff actions that moved a line are already among its steps.
    entries += by_staff([order, *problems])
    entries += _other_actions(lines, steps)
    # Always first, even if M-Pesa's clock dates a payment earlier.
    return [_placed(order), *sorted(entries, key=lambda entry: entry.at)]


def _newest(rows: Any, most: int) -> list[Any]:
    return list(reversed(rows.order_by("-pk")[:most]))


def _placed(order: Order) -> TimelineEntry:
    who = "A guest" if order.is_of_guest else str(order.buyer)
    what = f"{who} ordered for {kes(order.amount)}, to be paid from {dial(order.mpesa_number)}."
    return TimelineEntry(order.created_at, what, order, "order")


def _step_entries(
    lines: Sequence[OrderTrack], steps: Sequence[TrackEvent]
) -> Iterator[TimelineEntry]:
    """Steps of lines. One sentence for steps of one person to the same status at the same time."""
    names = {line.pk: line for line in lines}
    alike = sorted(
        (step for step in steps if step.track_status != TrackStatus.CREATED),
        key=lambda step: (step.track_status, step.actor_id or 0, step.note, step.cause, step.pk),
    )
    for _, same in groupby(
        alike, key=lambda step: (step.track_status, step.actor_id, step.note, step.cause)
    ):
        for together in _split_by_time(list(same)):
            first = together[0]
            cause = StepCause(first.cause) if first.cause else None
            action = _CAUSES.get(cause) if cause else None
            action = action or STEPS[TrackStatus(first.track_status)]
            by = f", by {first.actor}" if first.actor else ""
            moved = [names[step.track_id] for step in together]
            what = f"{action}{by}: {_name(moved, of=len(lines))}."
            yield TimelineEntry(first.created_at, what, moved[0], "order", first.note)


def _split_by_time(steps: list[TrackEvent]) -> Iterator[list[TrackEvent]]:
    together: list[TrackEvent] = []
    for step in steps:
        if together and step.created_at - together[-1].created_at > _SAME_SENTENCE_WITHIN:
            yield together
            together = []
        together.append(step)
    if together:
        yield together


def _name(moved: Sequence[OrderTrack], *, of: int) -> str:
    if len(moved) > _NAMED and len(moved) == of:
        return f"all {of} goods"
    named = ", ".join(str(line) for line in moved[:_NAMED])
    rest = len(moved) - _NAMED
    return f"{named} and {rest} more" if rest > 0 else named


def _parcel_entries(order: Order) -> Iterator[TimelineEntry]:
    events = ParcelEvent.objects.filter(parcel__order=order.pk).select_related("agent", "actor")
    for event in _newest(events, MAX_ROWS):
        step = _PARCEL_STEPS[ParcelStep(event.step)]
        done = step.format(agent=event.agent, actor=event.actor or "the shop")
        what = f"Parcel {event.parcel_id} is {done}."
        detail = " ".join(filter(None, [event.get_reason_display(), event.note]))
        yield TimelineEntry(event.created_at, what, event, "order", detail)


def _message_entries(order: Order) -> Iterator[TimelineEntry]:
    messages = Message.objects.filter(notice__order=order.pk).select_related("user")
    for message in _newest(messages, MAX_ROWS):
        state = _MESSAGE_STATES[MessageState(message.state)]
        how = f"{message.get_channel_display()} at {dial(message.contact)}"
        what = f"{message.user} was {state} {how}: {message.get_kind_display()}."
        if message.state == MessageState.DUE:
            what = what.replace(" was ", " is ", 1)
        at = message.sent_at or message.tried_at or message.created_at
        yield TimelineEntry(at, what, message, "message", message.reason)


def _other_actions(
    lines: Sequence[OrderTrack], steps: Sequence[TrackEvent]
) -> Iterator[TimelineEntry]:
    """Staff actions on lines that moved none: refused, proposed, or a fee refunded."""
    moved = [(str(step.track_id), step.actor_id, step.created_at) for step in steps]
    for entry in by_staff(lines):
        action = entry.row
        is_step = isinstance(action, LogEntry) and any(
            (action.object_id, action.user_id) == (line, by)
            and abs(action.action_time - at) < _SAME_SENTENCE_WITHIN
            for line, by, at in moved
        )
        if not is_step:
            yield entry
