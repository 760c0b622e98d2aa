"""Where an order's goods go, what bringing them costs, and its parcels."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.counties import County
from accounts.models import User

from .orders import Order


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
    fee = models.PositiveIntegerField(help_text="Whole Kenyan shillings, for one parcel.")
    days = models.PositiveSmallIntegerField(help_text="How many days it takes, at most.")
    free_above = models.PositiveIntegerField(
        null=True,
        blank=True,
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

    class Meta:
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

    def __str__(self) -> str:
        return f"{self.area}, {self.get_county_display()}"


class FeeState(models.TextChoices):
    """Whose a parcel's fee is, once its order is paid."""

    HELD = "held"  # the buyer's, until the parcel is handed over
    EARNED = "earned"  # the shop's
    RETURNED = "returned"  # owed back to the buyer, or back already


class ParcelQuerySet(models.QuerySet["Parcel"]):
    def claimed_by(self, agent: User | int) -> ParcelQuerySet:
        """Parcels that this agent has taken on."""
        return self.filter(agent=agent)

    def free(self) -> ParcelQuerySet:
        """Parcels that no agent has taken on."""
        return self.filter(agent__isnull=True)

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
    )
    claimed_at = models.DateTimeField(null=True, blank=True)

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
        ]

    def __str__(self) -> str:
        return f"parcel {self.pk}"


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
        default_permissions = ()

    def __str__(self) -> str:
        return f"fee of {self.parcel_id} given back"
