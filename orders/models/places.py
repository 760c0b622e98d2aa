"""Where the goods of an order go: pick-up points, delivery rates and the agreed destination."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.counties import County
from omachemainproj.mpesa_limits import MAX_PAYMENT

from .orders import Order

#: Upper bounds against typing errors in rates: KES per parcel, and days.
MAX_FEE, MAX_DAYS = 20_000, 60


class DeliveryWay(models.TextChoices):
    HOME = "home", "to an address"
    PICKUP = "pickup", "to a pick-up point"


class PickupPointQuerySet(models.QuerySet["PickupPoint"]):
    def open(self) -> PickupPointQuerySet:
        """Points that accept new parcels."""
        return self.filter(is_open=True)


class PickupPoint(models.Model):
    """A shop or kiosk that receives parcels and hands them over to buyers."""

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
        help_text="The agents who hand parcels over there.",
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
    """The price and duration of delivering a parcel to a county, by one delivery method.

    A rate without a county is the default for counties without their own.
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
        help_text="Whole Kenyan shillings: delivery of a parcel worth this or more is free.",
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
        """Deliveries whose recipient has this phone, 12 digits."""
        return self.exclude(recipient="").filter(phone=phone)

    def received_from(self, name: str) -> OrderDeliveryQuerySet:
        """Deliveries ordered by recipient, from this name on, newest first per name.

        Annotated with ``lower_name``. It does not filter by prefix: LIKE could use the index in
        the C collation only.
        """
        named = self.exclude(recipient="").annotate(lower_name=Lower("recipient"))
        return named.filter(lower_name__gte=name.lower()).order_by("lower_name", "-order")


class OrderDelivery(models.Model):
    """The destination agreed for an order, copied from the address or pick-up point at the sale.

    For an order without one, buyer and sellers arrange the handover between them.
    """

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="delivery"
    )
    way = models.CharField(max_length=6, choices=DeliveryWay)
    pickup_point = models.ForeignKey(
        PickupPoint, null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    #: The person who receives the goods, and the number to call.
    recipient = models.CharField(max_length=100)
    phone = models.CharField(max_length=12)
    county = models.CharField(max_length=15, choices=County)
    #: For a pick-up point, its name and area.
    area = models.CharField(max_length=200)
    directions = models.CharField(max_length=300, blank=True)
    days = models.PositiveSmallIntegerField(help_text="The estimate given at the sale.")

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
        # Recipients who did not place the order give their own phone and name to support. Both are
        # deleted together (orders.retention).
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
