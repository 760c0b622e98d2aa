"""The story of an order as its page in the admin tells it: one sentence a step, oldest first."""

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

from .timeline import MOST, STEPS, TimelineEntry, by_staff, entries_of

#: Steps of lines that are told: four each of a hundred lines.
MOST_STEPS = 400
#: Steps at the same time by the same person are told in one sentence.
_AT_ONCE = timedelta(seconds=5)
#: Lines that a sentence names before it counts them.
_NAMED = 2

_CAUSES = {
    StepCause.CANCELLED_BY_BUYER: "Cancelled by its buyer",
    StepCause.CANCELLED_BY_STAFF: "Cancelled by the shop",
    StepCause.EXPIRED: "Free again, as the money did not come in time",
}
_PARCEL_STEPS = {
    ParcelStep.CLAIMED: "taken on by {agent}",
    ParcelStep.RELEASED: "freed by {actor}, and no longer with {agent}",
    ParcelStep.FREED: "freed by the shop, and no longer with {agent}",
    ParcelStep.ARRIVED: "at the pick-up point, said {actor}",
    ParcelStep.ATTEMPTED: "not handed over at the door, said {actor}",
}
_TOLD = {
    MessageState.SENT: "told by",
    MessageState.FAILED: "not reached by",
    MessageState.UNKNOWN: "perhaps told by",
    MessageState.DUE: "about to be told by",
}


def tell_order(order: Order, *, sees_money: bool) -> list[TimelineEntry]:
    """What happened to an order, earliest first; its payments and refunds for who sees money.

    A constant number of queries, however many lines it has. The books and M-Pesa's own messages
    are on the console (``timeline.build_timeline``).
    """
    lines = list(order.tracks.all())
    steps = _newest(TrackEvent.objects.filter(track__in=lines).select_related("actor"), MOST_STEPS)
    problems = list(Problem.objects.filter(track__in=lines).order_by("pk")[:MOST])
    entries = [*_tell_steps(lines, steps)]
    entries += _tell_parcels(order)
    entries += entries_of(problems)
    entries += _tell_messages(order)
    if sees_money:
        for model in (OrderPayment, Receipt, Refund):
            entries += entries_of(model._default_manager.filter(order=order.pk).order_by("pk"))
    # What somebody did with a line is told by the line's own steps.
    entries += by_staff([order, *problems])
    entries += _other_deeds(lines, steps)
    # First, whatever M-Pesa's clock says of a payment at once.
    return [_placed(order), *sorted(entries, key=lambda entry: entry.at)]


def _newest(rows: Any, most: int) -> list[Any]:
    return list(reversed(rows.order_by("-pk")[:most]))


def _placed(order: Order) -> TimelineEntry:
    who = "A guest" if order.is_of_guest else str(order.buyer)
    what = f"{who} ordered for {kes(order.amount)}, to be paid from {dial(order.mpesa_number)}."
    return TimelineEntry(order.created_at, what, order, "order")


def _tell_steps(
    lines: Sequence[OrderTrack], steps: Sequence[TrackEvent]
) -> Iterator[TimelineEntry]:
    """Steps of lines; those at once, to the same status and by the same person in one sentence."""
    names = {line.pk: line for line in lines}
    alike = sorted(
        (step for step in steps if step.track_status != TrackStatus.CREATED),
        key=lambda step: (step.track_status, step.actor_id or 0, step.note, step.cause, step.pk),
    )
    for _, same in groupby(
        alike, key=lambda step: (step.track_status, step.actor_id, step.note, step.cause)
    ):
        for together in _at_once(list(same)):
            first = together[0]
            cause = StepCause(first.cause) if first.cause else None
            did = _CAUSES.get(cause) if cause else None
            did = did or STEPS[TrackStatus(first.track_status)]
            by = f", by {first.actor}" if first.actor else ""
            moved = [names[step.track_id] for step in together]
            what = f"{did}{by}: {_name(moved, of=len(lines))}."
            yield TimelineEntry(first.created_at, what, moved[0], "order", first.note)


def _at_once(steps: list[TrackEvent]) -> Iterator[list[TrackEvent]]:
    together: list[TrackEvent] = []
    for step in steps:
        if together and step.created_at - together[-1].created_at > _AT_ONCE:
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


def _tell_parcels(order: Order) -> Iterator[TimelineEntry]:
    events = ParcelEvent.objects.filter(parcel__order=order.pk).select_related("agent", "actor")
    for event in _newest(events, MOST):
        said = _PARCEL_STEPS[ParcelStep(event.step)]
        told = said.format(agent=event.agent, actor=event.actor or "the shop")
        what = f"Parcel {event.parcel_id} is {told}."
        detail = " ".join(filter(None, [event.get_reason_display(), event.note]))
        yield TimelineEntry(event.created_at, what, event, "order", detail)


def _tell_messages(order: Order) -> Iterator[TimelineEntry]:
    messages = Message.objects.filter(notice__order=order.pk).select_related("user")
    for message in _newest(messages, MOST):
        told = _TOLD[MessageState(message.state)]
        how = f"{message.get_channel_display()} at {dial(message.contact)}"
        what = f"{message.user} was {told} {how}: {message.get_kind_display()}."
        if message.state == MessageState.DUE:
            what = what.replace(" was ", " is ", 1)
        at = message.sent_at or message.tried_at or message.created_at
        yield TimelineEntry(at, what, message, "message", message.reason)


def _other_deeds(
    lines: Sequence[OrderTrack], steps: Sequence[TrackEvent]
) -> Iterator[TimelineEntry]:
    """What staff did with lines that is no step of theirs: refused, proposed, a fee given back."""
    moved = [(str(step.track_id), step.actor_id, step.created_at) for step in steps]
    for entry in by_staff(lines):
        deed = entry.row
        is_step = isinstance(deed, LogEntry) and any(
            (deed.object_id, deed.user_id) == (line, by) and abs(deed.action_time - at) < _AT_ONCE
            for line, by, at in moved
        )
        if not is_step:
            yield entry
