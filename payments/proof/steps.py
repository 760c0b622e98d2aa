"""The steps of lines, replayed against the tables of what may follow what."""

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
    Window,
)
from django.db.models.fields import CharField, DateTimeField
from django.db.models.functions import Coalesce, Concat, Lag

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

#: Clocks differ, and the hosts' were seen to be a day off.
_CLOCKS_APART = timedelta(days=1)
#: Between the times that one transaction writes.
_APART = timedelta(minutes=1)

#: Steps that nothing but a person takes.
_TAKEN = (TrackStatus.FETCHED, TrackStatus.SHIPPING)


def _allowed() -> Q:
    """What may follow ``before``: with its order, as lines follow it, or by itself."""
    allowed = Q()
    for status, from_statuses in LINE_STATUS_AFTER.values():
        allowed |= Q(before__in=from_statuses, track_status=status) & ~Q(cause="")
    for before, ways in TRANSITIONS.items():
        if ways:
            allowed |= Q(before=before, track_status__in=list(ways), cause="")
    return allowed


def _with_what_came_before() -> QuerySet[Any]:
    """Steps with the status and the time before each: those of the step before, or of the sale."""
    of_its_line: dict[str, Any] = {"partition_by": "track", "order_by": "pk"}
    return TrackEvent.objects.annotate(
        before=Coalesce(
            Window(Lag("track_status"), **of_its_line),
            Value(TrackStatus.CREATED),
            output_field=CharField(),
        ),
        since=Coalesce(
            Window(Lag("created_at"), **of_its_line),
            F("track__created_at"),
            output_field=DateTimeField(),
        ),
    )


@rule("Each step of a line is one that may follow the step before")
def _follows(now: datetime) -> QuerySet[TrackEvent]:
    return _with_what_came_before().exclude(_allowed())


@rule("The steps of a line come one after the other, none before the sale and none in the future")
def _in_time(now: datetime) -> QuerySet[TrackEvent]:
    early = Q(created_at__lt=F("since") - _CLOCKS_APART)
    return _with_what_came_before().filter(early | Q(created_at__gt=now + _CLOCKS_APART))


@rule("A step that somebody takes names them, and one that follows the order names nobody")
def _by_whom(now: datetime) -> QuerySet[TrackEvent]:
    taken = Q(track_status__in=_TAKEN) | Q(track_status=TrackStatus.CANCELLED, cause="")
    return TrackEvent.objects.filter(
        (taken & Q(actor__isnull=True)) | (~Q(cause="") & Q(actor__isnull=False))
    )


@rule("A line was last changed when its last step was taken")
def _changed(now: datetime) -> QuerySet[OrderTrack]:
    steps = TrackEvent.objects.filter(track=OuterRef("pk")).order_by("-pk")
    last = Coalesce(
        Subquery(steps.values("created_at")[:1]), F("created_at"), output_field=DateTimeField()
    )
    return OrderTrack.objects.annotate(last=last).exclude(
        updated_at__gte=F("last") - _APART, updated_at__lte=F("last") + _APART
    )


@rule("A line is returned if it was cancelled by itself, and not if it went with its order")
def _returned(now: datetime) -> QuerySet[OrderTrack]:
    by_itself = TrackEvent.objects.filter(
        track=OuterRef("pk"), track_status=TrackStatus.CANCELLED, cause=""
    )
    return OrderTrack.objects.annotate(by_itself=Exists(by_itself)).exclude(returned=F("by_itself"))


def _closed(cause: Any) -> Exists:
    return Exists(TrackEvent.objects.filter(track__order=OuterRef("pk"), cause=cause))


@rule("An order expired, or was cancelled by whom it says, as its lines were")
def _closed_as_told(now: datetime) -> QuerySet[Order]:
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
