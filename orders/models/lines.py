"""The lines of an order: one product each, delivered by its seller."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression

from accounts.models import User

from .line_status import (
    CANCELLED_LINE_STATUSES,
    CODE_SHOWN,
    SOLD_LINE_STATUSES,
    TO_FULFIL,
    TrackStatus,
)
from .orders import Order

#: After this many wrong collection codes only the buyer and staff can confirm delivery.
MAX_CODE_MISSES = 5


def new_collection_code() -> str:
    """Return six digits for the buyer to read out on delivery (orders.collection_codes)."""
    return f"{secrets.randbelow(10**6):06}"


def price_left() -> CombinedExpression:
    """Database expression for OrderTrack.net_amount: a line's price after reductions, in KES.

    Reductions because of problems do not count as sold, in any report.
    """
    return F("amount") - F("reduced")


class OrderTrackQuerySet(models.QuerySet["OrderTrack"]):
    def bought_by(self, user: User | int) -> OrderTrackQuerySet:
        """The buyer's own lines. All buyer views start from this queryset."""
        return self.filter(buyer=user)

    def sold_by(self, seller: User | int) -> OrderTrackQuerySet:
        """The seller's own lines. All seller views start from this queryset."""
        return self.filter(seller=seller)

    def to_fulfil(self) -> OrderTrackQuerySet:
        """Lines paid for and not delivered yet."""
        return self.filter(track_status__in=TO_FULFIL)

    def active(self) -> OrderTrackQuerySet:
        """Lines not cancelled after payment."""
        return self.filter(returned=False)

    def sold_after(self, newest_before: int) -> OrderTrackQuerySet:
        """Paid lines with an id above this one."""
        return self.filter(pk__gt=newest_before, track_status__in=SOLD_LINE_STATUSES)

    def repurchases_of(self, order: Order) -> OrderTrackQuerySet:
        """Lines of the same products that the buyer paid for in another order since.

        Without cancelled ones.
        """
        products = OrderTrack.objects.filter(order=order.pk).values("product")
        paid_since = self.filter(
            buyer=order.buyer_id,
            product__in=products,
            track_status__in=SOLD_LINE_STATUSES,
            events__track_status=TrackStatus.PAID,
            events__created_at__gte=order.created_at,
        )
        return paid_since.exclude(order=order.pk)

    def on_the_road_since(self, since: datetime) -> OrderTrackQuerySet:
        """Lines that have been shipping at least since then, oldest first.

        Without disputed lines and orders whose payment is in doubt, and without lines for pick-up
        points, which may be waiting there for their buyer.
        """
        on_the_road = self.filter(
            track_status=TrackStatus.SHIPPING,
            updated_at__lte=since,
            order__in_doubt=False,
            order__delivery__pickup_point__isnull=True,
            disputed=False,
        )
        return on_the_road.order_by("updated_at")

    def update(self, **kwargs: Any) -> int:
        """Refuse changes that payments react to (orders.signals): ``update()`` sends no signal."""
        if kwargs.get("track_status") == TrackStatus.FETCHED or kwargs.get("returned"):
            raise TypeError("Move lines one by one, with orders.fulfilment.move_line().")
        if kwargs.keys() & {"disputed", "reduced"}:
            raise TypeError("Dispute and reduce lines one by one, with orders.problems.")
        return super().update(**kwargs)


class OrderTrack(models.Model):
    """An order line: one product, delivered by its seller independently of the other lines.

    Name, price and the seller's number are copied at the time of sale.
    """

    order = models.ForeignKey(
        Order,
        on_delete=models.PROTECT,
        related_name="tracks",
        db_index=False,  # order_lists_a_product_once begins with it
    )
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="tracks",
        db_index=False,  # track_of_buyer_newest begins with it
    )
    product = models.ForeignKey("products.Product", on_delete=models.PROTECT, related_name="tracks")
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="sales",
        db_index=False,  # track_of_seller_newest begins with it
    )
    #: None if its order has no delivery.
    parcel = models.ForeignKey(
        "orders.Parcel", null=True, on_delete=models.PROTECT, related_name="lines", editable=False
    )
    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    price = models.PositiveIntegerField(help_text="Whole Kenyan shillings, each.")
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings: number × price.")
    commission = models.PositiveIntegerField(
        default=0, help_text="The shop's commission, KES, as agreed at the sale."
    )
    payment_mpesa_number = models.CharField(
        max_length=12, help_text="The phone the seller is paid at."
    )
    #: Shown to the buyer once the line is paid; entered by the person who hands over the goods.
    collection_code = models.CharField(max_length=6, default=new_collection_code, editable=False)
    #: Number of wrong codes entered.
    code_misses = models.PositiveSmallIntegerField(default=0, editable=False)
    #: Cancelled after payment: its price is refunded, and the other lines continue.
    returned = models.BooleanField(default=False, editable=False)
    #: It has an undecided problem: the seller's earnings for it are held.
    disputed = models.BooleanField(default=False, db_default=False, editable=False)
    #: The sum of its price reductions since it was paid, in KES.
    reduced = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    track_status = models.CharField(max_length=9, choices=TrackStatus, default=TrackStatus.CREATED)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderTrackQuerySet.as_manager()

    class Meta:
        verbose_name = "order line"
        constraints = [
            models.UniqueConstraint(name="order_lists_a_product_once", fields=["order", "product"]),
            models.CheckConstraint(name="track_is_for_one_or_more", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="track_amount_is_number_times_price",
                condition=Q(amount=F("number") * F("price")),
            ),
            models.CheckConstraint(
                name="commission_is_part_of_the_amount", condition=Q(commission__lte=F("amount"))
            ),
            models.CheckConstraint(
                name="returned_track_is_cancelled_or_refunded",
                condition=Q(returned=False) | Q(track_status__in=[*CANCELLED_LINE_STATUSES]),
            ),
            # A line whose whole price is refunded is cancelled instead.
            models.CheckConstraint(
                name="track_is_reduced_by_less_than_its_amount",
                condition=Q(reduced=0) | Q(reduced__lt=F("amount")),
            ),
            models.CheckConstraint(
                name="disputed_track_is_sold",
                condition=Q(disputed=False) | Q(track_status__in=SOLD_LINE_STATUSES),
            ),
            models.CheckConstraint(
                name="track_status_is_one_there_is",
                condition=Q(track_status__in=TrackStatus.values),
            ),
            models.CheckConstraint(
                name="track_has_no_more_misses_than_are_allowed",
                condition=Q(code_misses__gte=0, code_misses__lte=MAX_CODE_MISSES),
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "-id"], name="track_of_buyer_newest"),
            models.Index(fields=["seller", "-id"], name="track_of_seller_newest"),
            # Few of a busy seller's lines: without this index all of them would be read.
            models.Index(
                fields=["seller", "-id"],
                name="track_to_fulfil",
                condition=Q(track_status__in=TO_FULFIL),
            ),
            # Undelivered lines, oldest first, with their parcels.
            models.Index(
                fields=["order", "parcel", "track_status"],
                name="track_to_bring",
                condition=Q(track_status__in=TO_FULFIL, parcel__isnull=False),
            ),
            # Agents see delivered parcels for some days.
            models.Index(
                fields=["updated_at", "parcel"],
                name="track_handed_over",
                condition=Q(track_status=TrackStatus.DELIVERED, parcel__isnull=False),
            ),
            # A seller's recent sales among all of them.
            models.Index(
                fields=["seller", "created_at"],
                name="track_sold_by_time",
                condition=Q(track_status__in=SOLD_LINE_STATUSES),
            ),
            # A seller's held earnings: few among all their lines.
            models.Index(fields=["seller"], name="track_disputed", condition=Q(disputed=True)),
            models.Index(
                fields=["updated_at"],
                name="track_on_the_road",
                condition=Q(track_status=TrackStatus.SHIPPING),
            ),
        ]
        permissions = [
            ("move_track", "Can collect and deliver goods"),
            ("decide_lines", "Can move and cancel any line, with a reason"),
        ]

    def __str__(self) -> str:
        return f"{self.number} × {self.name}"

    def save(self, **kwargs: Any) -> None:
        """Save a line; an existing one only with ``update_fields``.

        ``updated_at`` has to be the time of its last step: the time to report a problem and the
        automatic confirmation of a delivery are counted from it.
        """
        if not self._state.adding and kwargs.get("update_fields") is None:
            raise TypeError("Say in update_fields what of a line is saved.")
        super().save(**kwargs)

    @property
    def share(self) -> int:
        """The seller's earnings from the line, KES: the amount less the commission."""
        return self.amount - self.commission

    @property
    def net_amount(self) -> int:
        """The price after reductions, KES."""
        return self.amount - self.reduced

    @property
    def shown_code(self) -> str | None:
        """The collection code, while it may be shown to the buyer (and nobody else)."""
        return self.collection_code if self.track_status in CODE_SHOWN else None
