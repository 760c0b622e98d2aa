"""The history of an order line: one row for each change of its status."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .line_status import TrackStatus


class StepCause(models.TextChoices):
    """The change of its order that a line followed; empty for a change of the line alone."""

    PAID = "paid"
    CANCELLED = "cancelled"  # legacy: actor not recorded
    CANCELLED_BY_BUYER = "cancelled_by_buyer"
    CANCELLED_BY_STAFF = "cancelled_by_staff"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class TrackEvent(models.Model):
    """A change of a line's status: when, by whom and why. Never changed or deleted.

    Written in the transaction that changes the line, under the order's lock.
    """

    track = models.ForeignKey("orders.OrderTrack", on_delete=models.PROTECT, related_name="events")
    track_status = models.CharField(max_length=9, choices=TrackStatus)
    #: None for an automatic change.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True)
    cause = models.CharField(
        max_length=18, choices=StepCause, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "step of an order line"
        verbose_name_plural = "steps of order lines"
        constraints = [
            models.CheckConstraint(
                name="step_is_to_a_status_there_is",
                condition=Q(track_status__in=TrackStatus.values),
            ),
            models.CheckConstraint(
                name="step_has_a_cause_there_is", condition=Q(cause__in=["", *StepCause.values])
            ),
        ]

    def __str__(self) -> str:
        return str(self.track_status)
