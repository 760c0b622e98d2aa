"""Where an order's goods go, what bringing them costs, and its parcels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from accounts.counties import County
from accounts.models import User
from omachemainproj.mpesa_limits import MAX_PAYMENT

from .orders import MAX_CODE_MISSES, TO_FULFIL, Order, OrderTrack, TrackStatus

#: More than a rate says by mistake: KES for one parcel, and days.
MAX_FEE, MAX_DAYS = 20_000, 60


class DeliveryWay(models.TextChoices):
    HOME = "home", "to an address"
    PICKUP = "pickup", "to a pick-up point"


class PickupPointQuerySet(models.QuerySet["PickupPoint"]):
    def open(self) -> PickupPointQuerySet:
        """Points that take parcels."""
        return self.filter(is_open=True)


class PickupPoint(models.Model):
    """A shop or kiosk that takes parcels in, and hands them over to buyers."""

    name = models.CharField(max_length=60, unique=True)
    county = models.CharField(max_length=15, choices=County)
    area = models.CharField(max_length=100, help_text="Town, estate or street.")
    directions = models.CharField(max_length=300, blank=True, help_text="A landmark.")
    opening_hours = models.CharField(max_length=100, help_text="Like “Mon–Sat 8:00–19:00”.")
    phone = models.CharField(max_length=12, help_text="12 digits: 2547… or 2541….")
    is_open = models.BooleanField(
        "open", default=True, help_text="Whether new parcels may be sent to it."
    )
    agents = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="pickup_points",
        help_text="Who hands parcels over there.",
    )

    objects = PickupPointQuerySet.as_manager()

    class Meta:
        verbose_name = "pick-up point"
        constraints = [
            models.CheckConstraint(
                name="pickup_point_is_in_a_county_there_is",
                condition=Q(county__in=County.values),
            ),
        ]
        indexes = [
            models.Index(
                fields=["county", "name"], name="pickup_point_open", condition=Q(is_open=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DeliveryRate(models.Model):
    """What one parcel costs to a county, one way, and how long it takes.

    A rate without a county is the default for counties that have none of their own.
    """

    county = models.CharField(
        max_length=15,
        choices=County,
        blank=True,
        default="",
        help_text="Empty: every county without a rate of its own.",
    )
    way = models.CharField(max_length=6, choices=DeliveryWay)
    fee = models.PositiveIntegerField(
        validators=[MaxValueValidator(MAX_FEE)],
        help_text="Whole Kenyan shillings, for one parcel.",
    )
    days = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(MAX_DAYS)], help_text="How many days it takes, at most."
    )
    free_above = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_PAYMENT)],
        help_text="Whole Kenyan shillings: a parcel worth this or more costs nothing.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="county_has_one_rate_per_way",
                fields=["county", "way"],
                violation_error_message="This county has a rate for this way already.",
            ),
            models.CheckConstraint(
                name="delivery_rate_is_for_a_way_there_is",
                condition=Q(way__in=DeliveryWay.values),
            ),
            models.CheckConstraint(
                name="delivery_rate_is_for_a_county_there_is",
                condition=Q(county__in=["", *County.values]),
            ),
        ]

    def __str__(self) -> str:
        place = self.get_county_display() if self.county else "anywhere else"
        return f"{self.get_way_display()}, {place}"


class OrderDeliveryQuerySet(models.QuerySet["OrderDelivery"]):
    def received_at(self, phone: str) -> OrderDeliveryQuerySet:
        """Where who takes the goods in is called at this phone, 12 digits."""
        return self.exclude(recipient="").filter(phone=phone)

    def received_from(self, name: str) -> OrderDeliveryQuerySet:
        """In the order of who takes the goods in, from this name on; of one, the newest first.

        Each has ``lower_name``. No pattern is asked for: an index serves one in one collation only.
        """
        named = self.exclude(recipient="").annotate(lower_name=Lower("recipient"))
        return named.filter(lower_name__gte=name.lower()).order_by("lower_name", "-order")


class OrderDelivery(models.Model):
    """Where the goods of an order go, as it was agreed. An order without one has no such place:
    its buyer and its sellers arrange it between them.

    A copy: of the address, or of the point, as it was at the sale.
    """

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="delivery"
    )
    way = models.CharField(max_length=6, choices=DeliveryWay)
    pickup_point = models.ForeignKey(
        PickupPoint, null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    #: Who takes the goods in, and the number to call.
    recipient = models.CharField(max_length=100)
    phone = models.CharField(max_length=12)
    county = models.CharField(max_length=15, choices=County)
    #: Of a point, its name and area.
    area = models.CharField(max_length=200)
    directions = models.CharField(max_length=300, blank=True)
    days = models.PositiveSmallIntegerField(help_text="The estimate at the sale.")

    objects = OrderDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="delivery_to_a_point_names_it",
                condition=Q(way=DeliveryWay.PICKUP, pickup_point__isnull=False)
                | Q(way=DeliveryWay.HOME, pickup_point__isnull=True),
            ),
            models.CheckConstraint(
                name="delivery_is_to_a_county_there_is", condition=Q(county__in=County.values)
            ),
        ]
        # Who waits for goods that somebody else ordered says their own phone and name. Both are
        # forgotten at once (orders.retention).
        indexes = [
            models.Index(
                "phone", F("order").desc(), name="delivery_by_phone", condition=~Q(recipient="")
            ),
            models.Index(
                Lower("recipient"),
                F("order").desc(),
                name="delivery_by_recipient",
                condition=~Q(recipient=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area}, {self.get_county_display()}"


class FeeState(models.TextChoices):
    """Whose a parcel's fee is, once its order is paid."""

    HELD = "held"  # the buyer's, until the parcel is handed over
    EARNED = "earned"  # the shop's
    RETURNED = "returned"  # owed back to the buyer, or back already


class ParcelStatus(models.TextChoices):
    """How far a parcel is: as far as the line of it that is behind, cancelled ones apart."""

    TO_FETCH = "to_fetch", "to fetch"
    FETCHED = "fetched", "fetched"
    SHIPPING = "shipping", "on the way"
    ARRIVED = "arrived", "at the pick-up point"
    DELIVERED = "delivered", "handed over"


#: By the status of the line that is furthest behind, that of its parcel.
_STATUS_BY_LINE = {
    TrackStatus.PAID.value: ParcelStatus.TO_FETCH,
    TrackStatus.FETCHED.value: ParcelStatus.FETCHED,
    TrackStatus.SHIPPING.value: ParcelStatus.SHIPPING,
    TrackStatus.DELIVERED.value: ParcelStatus.DELIVERED,
}
_LINE_STATUS = {status: line_status for line_status, status in _STATUS_BY_LINE.items()}


def status_of_parcel(line_statuses: set[str], *, has_arrived: bool) -> ParcelStatus | None:
    """How far a parcel of lines at these statuses is; None where there is nothing to bring."""
    for line_status, status in _STATUS_BY_LINE.items():
        if line_status in line_statuses:
            waits = status == ParcelStatus.SHIPPING and has_arrived
            return ParcelStatus.ARRIVED if waits else status
    return None


def _with_line(*statuses: str, **columns: Any) -> Exists:
    """Whether a parcel, outside, has a line at one of these statuses."""
    # That they have a parcel is said for the indexes of lines that do (track_to_bring).
    lines = OrderTrack.objects.filter(parcel=OuterRef("pk"), parcel__isnull=False)
    return Exists(lines.filter(track_status__in=statuses, **columns))


class ParcelQuerySet(models.QuerySet["Parcel"]):
    def claimed_by(self, agent: User | int) -> ParcelQuerySet:
        """Parcels that this agent has taken on."""
        return self.filter(agent=agent)

    def others_than(self, agent: User | int) -> ParcelQuerySet:
        """Parcels that this agent has not taken on."""
        return self.filter(Q(agent__isnull=True) | ~Q(agent=agent))

    def free(self) -> ParcelQuerySet:
        """Parcels that no agent has taken on."""
        return self.filter(agent__isnull=True)

    def to_bring(self) -> ParcelQuerySet:
        """Parcels of which something is paid for and not handed over yet."""
        return self.filter(_with_line(*TO_FULFIL))

    def seen_since(self, since: datetime) -> ParcelQuerySet:
        """Parcels to bring, and those that were handed over since then."""
        return self.filter(
            _with_line(*TO_FULFIL) | _with_line(TrackStatus.DELIVERED, updated_at__gt=since)
        )

    def unfetched(self) -> ParcelQuerySet:
        """Parcels that are all still with their sellers."""
        return self.filter(
            _with_line(TrackStatus.PAID),
            ~_with_line(TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED),
        )

    def come(self) -> ParcelQuerySet:
        """Parcels of which something has left its seller."""
        return self.filter(
            _with_line(TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED)
        )

    def at_status(self, status: str) -> ParcelQuerySet:
        """Parcels that are as far as this (ParcelStatus)."""
        has_arrived = status == ParcelStatus.ARRIVED
        line_status = TrackStatus.SHIPPING if has_arrived else _LINE_STATUS[ParcelStatus(status)]
        found = self.filter(_with_line(line_status))
        statuses = list(_STATUS_BY_LINE)
        if behind := statuses[: statuses.index(line_status)]:
            found = found.filter(~_with_line(*behind))
        if line_status == TrackStatus.SHIPPING:
            found = found.filter(arrived_at__isnull=not has_arrived)
        return found

    def under_way(self) -> ParcelQuerySet:
        """Parcels that are fetched, on the way, or at their pick-up point, and no further."""
        # Not one or another of the three: for that every parcel there ever was is looked at.
        left = self.filter(_with_line(TrackStatus.FETCHED, TrackStatus.SHIPPING))
        return left.filter(~_with_line(TrackStatus.PAID))

    def at_points_of(self, agent: User | int) -> ParcelQuerySet:
        """Parcels that go to a pick-up point where this person hands over."""
        return self.filter(order__delivery__pickup_point__agents=agent)

    def with_fee(self, state: FeeState) -> ParcelQuerySet:
        """Parcels whose fee is in this state."""
        return self.filter(fee_state=state)


class Parcel(models.Model):
    """The lines of one order that come from one seller, brought together for one fee.

    Only orders with a delivery have parcels. Whose its fee is changes under the order's lock, by
    ``payments.delivery_fees`` alone.
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
    #: Which agent has taken it on, and since when.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="parcels",
        db_index=False,  # parcel_of_agent_newest begins with it
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    #: When its pick-up point took it in.
    arrived_at = models.DateTimeField(null=True, blank=True)
    #: How many wrong collection codes were typed for it or any of its lines.
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
        return f"parcel {self.pk}"


class ParcelStep(models.TextChoices):
    CLAIMED = "claimed"
    RELEASED = "released"  # by its agent, or by staff
    FREED = "freed"  # by the shop: not fetched in time, or its agent brings nothing any more
    ARRIVED = "arrived"  # at its pick-up point
    ATTEMPTED = "attempted"  # at its door, and not handed over


#: Steps that are about no claim.
_OF_NO_CLAIM = (ParcelStep.ARRIVED, ParcelStep.ATTEMPTED)


class AttemptReason(models.TextChoices):
    """Why a parcel that was brought to a door was not handed over."""

    NOBODY_THERE = "nobody_there", "Nobody was there."
    NOT_FOUND = "not_found", "The place was not found."
    ANOTHER_TIME = "another_time", "The buyer asked for another time."
    NO_CODE = "no_code", "The buyer had no code."


class ParcelEventQuerySet(models.QuerySet["ParcelEvent"]):
    def of_claims(self) -> ParcelEventQuerySet:
        """Who took a parcel on, and who gave it up."""
        return self.exclude(step__in=_OF_NO_CLAIM)

    def attempts(self) -> ParcelEventQuerySet:
        """When a parcel was brought to its door and not handed over."""
        return self.filter(step=ParcelStep.ATTEMPTED)


class ParcelEvent(models.Model):
    """Who took a parcel on or gave it up, who took it in, and who brought it in vain: when, and
    why. Only added to."""

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="events")
    step = models.CharField(max_length=9, choices=ParcelStep)
    #: Whose claim it is or was; None of an arrival.
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: None when the shop itself did it.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Of an attempt; empty of all else.
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
    """That staff gave a parcel's fee back: who, and why. Never changed or deleted."""

    parcel = models.OneToOneField(
        Parcel, on_delete=models.PROTECT, primary_key=True, related_name="fee_return"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "fee that was given back"
        verbose_name_plural = "fees that were given back"
        default_permissions = ()

    def __str__(self) -> str:
        return f"fee of {self.parcel_id} given back"
