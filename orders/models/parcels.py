"""Parcels: the lines of one order from one seller, their delivery and their fee."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import User

from .line_status import TO_FULFIL, TrackStatus
from .lines import MAX_CODE_MISSES, OrderTrack
from .orders import Order


class FeeState(models.TextChoices):
    """Whether a parcel's fee has been earned, once its order is paid."""

    HELD = "held"  # still the buyer's, until delivery
    EARNED = "earned"  # the shop's
    RETURNED = "returned"  # refunded to the buyer, or due to be


class ParcelStatus(models.TextChoices):
    """The status of a parcel: that of its least advanced line, ignoring cancelled ones."""

    TO_FETCH = "to_fetch", "to fetch"
    FETCHED = "fetched", "fetched"
    SHIPPING = "shipping", "on the way"
    ARRIVED = "arrived", "at the pick-up point"
    DELIVERED = "delivered", "handed over"


#: By status of the least advanced line: the status of the parcel.
_STATUS_BY_LINE = {
    TrackStatus.PAID.value: ParcelStatus.TO_FETCH,
    TrackStatus.FETCHED.value: ParcelStatus.FETCHED,
    TrackStatus.SHIPPING.value: ParcelStatus.SHIPPING,
    TrackStatus.DELIVERED.value: ParcelStatus.DELIVERED,
}


_LINE_STATUS = {status: line_status for line_status, status in _STATUS_BY_LINE.items()}


def status_of_parcel(line_statuses: set[str], *, has_arrived: bool) -> ParcelStatus | None:
    """Return the status of a parcel with lines in these statuses; None if nothing to deliver."""
    for line_status, status in _STATUS_BY_LINE.items():
        if line_status in line_statuses:
            waits = status == ParcelStatus.SHIPPING and has_arrived
            return ParcelStatus.ARRIVED if waits else status
    return None


def _with_line(*statuses: str, **columns: Any) -> Exists:
    """Whether a parcel of the outer query has a line in one of these statuses."""
    # parcel__isnull=False lets PostgreSQL use the partial indexes (track_to_bring).
    lines = OrderTrack.objects.filter(parcel=OuterRef("pk"), parcel__isnull=False)
    return Exists(lines.filter(track_status__in=statuses, **columns))


class ParcelQuerySet(models.QuerySet["Parcel"]):
    def claimed_by(self, agent: User | int) -> ParcelQuerySet:
        """Parcels claimed by this agent."""
        return self.filter(agent=agent)

    def others_than(self, agent: User | int) -> ParcelQuerySet:
        """Parcels not claimed by this agent."""
        return self.filter(Q(agent__isnull=True) | ~Q(agent=agent))

    def free(self) -> ParcelQuerySet:
        """Unclaimed parcels."""
        return self.filter(agent__isnull=True)

    def to_deliver(self) -> ParcelQuerySet:
        """Parcels with paid lines that are not delivered yet."""
        return self.filter(_with_line(*TO_FULFIL))

    def not_delivered_before(self, since: datetime) -> ParcelQuerySet:
        """Parcels to deliver, and those delivered since then."""
        return self.filter(
            _with_line(*TO_FULFIL) | _with_line(TrackStatus.DELIVERED, updated_at__gt=since)
        )

    def unfetched(self) -> ParcelQuerySet:
        """Parcels of which nothing has been fetched from the seller."""
        return self.filter(
            _with_line(TrackStatus.PAID),
            ~_with_line(TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED),
        )

    def in_transit(self) -> ParcelQuerySet:
        """Parcels with lines that are fetched or on their way, up to their pick-up point."""
        return self.filter(_with_line(TrackStatus.FETCHED, TrackStatus.SHIPPING))

    def delivered_since(self, since: datetime) -> ParcelQuerySet:
        """Parcels of which something was delivered since then."""
        return self.filter(_with_line(TrackStatus.DELIVERED, updated_at__gt=since))

    def at_status(self, status: str) -> ParcelQuerySet:
        """Parcels with this ParcelStatus."""
        has_arrived = status == ParcelStatus.ARRIVED
        line_status = TrackStatus.SHIPPING if has_arrived else _LINE_STATUS[ParcelStatus(status)]
        parcels = self.filter(_with_line(line_status))
        statuses = list(_STATUS_BY_LINE)
        if behind := statuses[: statuses.index(line_status)]:
            parcels = parcels.filter(~_with_line(*behind))
        if line_status == TrackStatus.SHIPPING:
            parcels = parcels.filter(arrived_at__isnull=not has_arrived)
        return parcels

    def under_way(self) -> ParcelQuerySet:
        """Parcels of which every line is fetched, on its way, or at the pick-up point."""
        return self.in_transit().filter(~_with_line(TrackStatus.PAID))

    def at_points_of(self, agent: User | int) -> ParcelQuerySet:
        """Parcels that go to a pick-up point of which this user is an agent."""
        return self.filter(order__delivery__pickup_point__agents=agent)

    def with_fee(self, state: FeeState) -> ParcelQuerySet:
        """Parcels whose fee is in this state."""
        return self.filter(fee_state=state)


class Parcel(models.Model):
    """The lines of one order from one seller, delivered together for one fee.

    Only orders with a delivery have parcels. ``fee_state`` is changed under the order's lock, only
    by ``payments.delivery_fees``.
    """

    order = models.ForeignKey(
        Order,
        on_delete=models.PROTECT,
        related_name="parcels",
        db_index=False,  # parcel_is_of_one_seller begins with it
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="parcels_sold"
    )
    fee = models.PositiveIntegerField(help_text="Whole Kenyan shillings, as agreed.")
    fee_state = models.CharField(max_length=8, choices=FeeState, default=FeeState.HELD)
    #: The agent who has claimed it, and since when.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="parcels",
        db_index=False,  # parcel_of_agent_newest begins with it
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    #: When its pick-up point received it.
    arrived_at = models.DateTimeField(null=True, blank=True)
    #: Number of wrong collection codes entered for it or any of its lines.
    code_misses = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = ParcelQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(name="parcel_is_of_one_seller", fields=["order", "seller"]),
            models.CheckConstraint(
                name="parcel_fee_state_is_one_there_is",
                condition=Q(fee_state__in=FeeState.values),
            ),
            models.CheckConstraint(
                name="claimed_parcel_names_its_agent",
                condition=Q(agent__isnull=True, claimed_at__isnull=True)
                | Q(agent__isnull=False, claimed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="parcel_has_no_more_misses_than_are_allowed",
                condition=Q(code_misses__gte=0, code_misses__lte=MAX_CODE_MISSES),
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "-id"], name="parcel_of_agent_newest"),
        ]

    def __str__(self) -> str:
        # Without a query for the order: the audit and messages have it at hand.
        order = self._state.fields_cache.get("order")
        return f"parcel {self.pk} of {order.reference}" if order else f"parcel {self.pk}"


class ParcelStep(models.TextChoices):
    CLAIMED = "claimed"
    RELEASED = "released"  # by its agent, or by staff
    FREED = "freed"  # automatically: not fetched in time, or its agent is no longer one
    ARRIVED = "arrived"  # at its pick-up point
    ATTEMPTED = "attempted"  # a failed delivery to an address


#: Steps that do not change the claim.
_OF_NO_CLAIM = (ParcelStep.ARRIVED, ParcelStep.ATTEMPTED)


class AttemptReason(models.TextChoices):
    """The reason for a failed delivery to an address."""

    NOBODY_THERE = "nobody_there", "Nobody was there."
    NOT_FOUND = "not_found", "The place was not found."
    ANOTHER_TIME = "another_time", "The buyer asked for another time."
    NO_CODE = "no_code", "The buyer had no code."


class ParcelEventQuerySet(models.QuerySet["ParcelEvent"]):
    def of_claims(self) -> ParcelEventQuerySet:
        """Claims and releases."""
        return self.exclude(step__in=_OF_NO_CLAIM)

    def attempts(self) -> ParcelEventQuerySet:
        """Failed deliveries."""
        return self.filter(step=ParcelStep.ATTEMPTED)


class ParcelEvent(models.Model):
    """A claim, release, arrival or failed delivery of a parcel: when, by whom, why. Append-only."""

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="events")
    step = models.CharField(max_length=9, choices=ParcelStep)
    #: The agent with the claim; None for an arrival.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: None for an automatic step.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Set for a failed delivery only.
    reason = models.CharField(
        max_length=12, choices=AttemptReason, blank=True, default="", db_default=""
    )
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ParcelEventQuerySet.as_manager()

    class Meta:
        verbose_name = "step of a parcel"
        verbose_name_plural = "steps of parcels"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="parcel_step_is_one_there_is", condition=Q(step__in=ParcelStep.values)
            ),
            models.CheckConstraint(
                name="parcel_step_about_a_claim_names_its_agent",
                condition=Q(step=ParcelStep.ARRIVED, agent__isnull=True)
                | Q(step=ParcelStep.ATTEMPTED)
                | Q(~Q(step=ParcelStep.ARRIVED), agent__isnull=False),
            ),
            models.CheckConstraint(
                name="parcel_attempt_says_why",
                condition=Q(step=ParcelStep.ATTEMPTED, reason__in=AttemptReason.values)
                | Q(~Q(step=ParcelStep.ATTEMPTED), reason=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.step)


class FeeReturn(models.Model):
    """A refund of a parcel's fee decided by staff: who, and why. Never changed or deleted."""

    parcel = models.OneToOneField(
        Parcel, on_delete=models.PROTECT, primary_key=True, related_name="fee_return"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "refunded delivery fee"
        verbose_name_plural = "refunded delivery fees"
        default_permissions = ()

    def __str__(self) -> str:
        return f"fee of {self.parcel_id} given back"
