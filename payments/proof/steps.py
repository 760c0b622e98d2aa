"""The steps of lines, checked against the tables of transitions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.fields import CharField, DateTimeField
from django.db.models.functions import Coalesce, Concat

from orders.lifecycle import LINE_STATUS_AFTER
from orders.line_moves import TRANSITIONS
from orders.models import (
    CancelledBy,
    Order,
    OrderTrack,
    PaymentStatus,
    StepCause,
    TrackEvent,
    TrackStatus,
)

from .rule import rule

#: Clocks differ; hosts have been seen a day off.
_CLOCKS_APART = timedelta(days=1)
#: The most that times written by one transaction may differ.
_APART = timedelta(minutes=1)

#: Steps that only people take.
_BY_PEOPLE = (TrackStatus.FETCHED, TrackStatus.SHIPPING)


def _allowed() -> Q:
    """Allowed steps after ``before``: those that follow the order, and those of the line itself."""
    allowed = Q()
    for status, from_statuses in LINE_STATUS_AFTER.values():
        allowed |= Q(before__in=from_statuses, track_status=status) & ~Q(cause="")
    for before, ways in TRANSITIONS.items():
        if ways:
            allowed |= Q(before=before, track_status__in=list(ways), cause="")
    return allowed


def _with_previous() -> QuerySet[Any]:
    """Steps annotated with the status and time of the previous step, or of the sale."""
    # Not by window functions, which would not see past the key range that is checked.
    previous = TrackEvent.objects.filter(track=OuterRef("track"), pk__lt=OuterRef("pk"))
    previous = previous.order_by("-pk")
    return TrackEvent.objects.annotate(
        before=Coalesce(
            Subquery(previous.values("track_status")[:1]),
            Value(TrackStatus.CREATED),
            output_field=CharField(),
        ),
        since=Coalesce(
            Subquery(previous.values("created_at")[:1]),
            F("track__created_at"),
            output_field=DateTimeField(),
        ),
    )


@rule("Each step of a line may follow the step before it")
def step_is_allowed(now: datetime) -> QuerySet[TrackEvent]:
    return _with_previous().exclude(_allowed())


@rule("The steps of a line are in order of time, not before the sale and not in the future")
def steps_are_in_order(now: datetime) -> QuerySet[TrackEvent]:
    early = Q(created_at__lt=F("since") - _CLOCKS_APART)
    return _with_previous().filter(early | Q(created_at__gt=now + _CLOCKS_APART))


@rule("A person's step names them, and a step that follows the order names nobody")
def step_names_its_actor(now: datetime) -> QuerySet[TrackEvent]:
    taken = Q(track_status__in=_BY_PEOPLE) | Q(track_status=TrackStatus.CANCELLED, cause="")
    return TrackEvent.objects.filter(
        (taken & Q(actor__isnull=True)) | (~Q(cause="") & Q(actor__isnull=False))
    )


@rule("A line was last changed at its last step")
def line_changed_with_last_step(now: datetime) -> QuerySet[OrderTrack]:
    steps = TrackEvent.objects.filter(track=OuterRef("pk")).order_by("-pk")
    last = Coalesce(
        Subquery(steps.values("created_at")[:1]), F("created_at"), output_field=DateTimeField()
    )
    return OrderTrack.objects.annotate(last=last).exclude(
        updated_at__gte=F("last") - _APART, updated_at__lte=F("last") + _APART
    )


@rule("A line is returned exactly if it was cancelled by itself, not with its order")
def returned_line_was_cancelled_alone(now: datetime) -> QuerySet[OrderTrack]:
    by_itself = TrackEvent.objects.filter(
        track=OuterRef("pk"), track_status=TrackStatus.CANCELLED, cause=""
    )
    return OrderTrack.objects.annotate(by_itself=Exists(by_itself)).exclude(returned=F("by_itself"))


def _closed(cause: Any) -> Exists:
    return Exists(TrackEvent.objects.filter(track__order=OuterRef("pk"), cause=cause))


@rule("An order expired, or was cancelled by the named party, as its lines were")
def order_closed_like_its_lines(now: datetime) -> QuerySet[Order]:
    by_whom = Concat(Value("cancelled_by_"), OuterRef("cancelled_by"), output_field=CharField())
    closed_by = {by: _closed(f"cancelled_by_{by}") for by in CancelledBy.values}
    is_cancelled = Q(payment_status=PaymentStatus.CANCELLED)
    return Order.objects.filter(
        (Q(payment_status=PaymentStatus.EXPIRED) & ~Q(_closed(StepCause.EXPIRED)))
        | (is_cancelled & Q(cancelled_by="") & ~Q(_closed(StepCause.CANCELLED)))
        | (~Q(cancelled_by="") & ~Q(_closed(by_whom)))
        | (~Q(cancelled_by=CancelledBy.BUYER) & Q(closed_by[CancelledBy.BUYER]))
        | (~Q(cancelled_by=CancelledBy.STAFF) & Q(closed_by[CancelledBy.STAFF]))
    )
