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

#: Wrong collection codes for one line; after them only its buyer and staff can confirm delivery.
MAX_CODE_MISSES = 5


def new_collection_code() -> str:
    """Six digits the buyer reads out on delivery. Few guesses are allowed (orders.fulfilment)."""
    return f"{secrets.randbelow(10**6):06}"


def price_left() -> CombinedExpression:
    """What a line was sold for, KES: OrderTrack.rest, for the database. What a problem took off its
    price is no part of what was sold, whoever reads it."""
    return F("amount") - F("reduced")


class OrderTrackQuerySet(models.QuerySet["OrderTrack"]):
    def bought_by(self, user: User | int) -> OrderTrackQuerySet:
        """The buyer's own lines. Buyer views start here and nowhere else."""
        return self.filter(buyer=user)

    def sold_by(self, seller: User | int) -> OrderTrackQuerySet:
        """The seller's own lines. Sellers' views start here and nowhere else."""
        return self.filter(seller=seller)

    def to_fulfil(self) -> OrderTrackQuerySet:
        """Lines that are paid for and not delivered yet."""
        return self.filter(track_status__in=TO_FULFIL)

    def active(self) -> OrderTrackQuerySet:
        """Lines that were not cancelled by themselves."""
        return self.filter(returned=False)

    def sold_after(self, newest_before: int) -> OrderTrackQuerySet:
        """Lines with ids beyond this one that are paid for."""
        return self.filter(pk__gt=newest_before, track_status__in=SOLD_LINE_STATUSES)

    def repurchases_of(self, order: Order) -> OrderTrackQuerySet:
        """Lines of the order's products that its buyer has paid for in another order since it was
        placed, and that were not cancelled."""
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
        """Lines that have been shipping at least since then, the longest first.

        Not those of an order whose payment is in doubt, nor those their buyer has a problem with.
        None that goes to a pick-up point: it lies there, and not with its buyer, until they come.
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
        """Refuse changes on which payments act (orders.signals): ``update()`` sends no signal."""
        if kwargs.get("track_status") == TrackStatus.FETCHED or kwargs.get("returned"):
            raise TypeError("Move lines one by one, with orders.fulfilment.move_line().")
        if kwargs.keys() & {"disputed", "reduced"}:
            raise TypeError("Dispute and reduce lines one by one, with orders.problems.")
        return super().update(**kwargs)


class OrderTrack(models.Model):
    """One line of an order: one product, which its seller delivers independently of other lines.

    Name, price and the seller's number are those of the time of sale.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="tracks")
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tracks"
    )
    product = models.ForeignKey("products.Product", on_delete=models.PROTECT, related_name="tracks")
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="sales",
        db_index=False,  # track_of_seller_newest begins with it
    )
    #: What it is brought in; None where its order has no delivery.
    parcel = models.ForeignKey(
        "orders.Parcel", null=True, on_delete=models.PROTECT, related_name="lines", editable=False
    )
    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    price = models.PositiveIntegerField(help_text="Whole Kenyan shillings, each.")
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings: number × price.")
    commission = models.PositiveIntegerField(
        default=0, help_text="The shop's part of the amount, KES, as it was when it was sold."
    )
    payment_mpesa_number = models.CharField(max_length=12, help_text="Where the seller is paid.")
    #: Shown to the buyer once the line is paid; the person who delivers the goods types it.
    collection_code = models.CharField(max_length=6, default=new_collection_code, editable=False)
    #: How many wrong codes were typed.
    code_misses = models.PositiveSmallIntegerField(default=0, editable=False)
    #: Cancelled after it was paid: its price is refunded, and its order may go on.
    returned = models.BooleanField(default=False, editable=False)
    #: A problem about it is undecided: what its seller is owed for it is held back.
    disputed = models.BooleanField(default=False, db_default=False, editable=False)
    #: By how much its price was reduced since it was paid: what its reductions come to.
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
            # What would be reduced to nothing is cancelled.
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
            # Few of a busy seller's lines: without this they would be looked for in all the rest.
            models.Index(
                fields=["seller", "-id"],
                name="track_to_fulfil",
                condition=Q(track_status__in=TO_FULFIL),
            ),
            # What is still to be brought, the longest first, and in which parcel.
            models.Index(
                fields=["order", "parcel", "track_status"],
                name="track_to_bring",
                condition=Q(track_status__in=TO_FULFIL, parcel__isnull=False),
            ),
            # Agents see what they handed over for some days.
            models.Index(
                fields=["updated_at", "parcel"],
                name="track_handed_over",
                condition=Q(track_status=TrackStatus.DELIVERED, parcel__isnull=False),
            ),
            # What a seller sold in the last days, among all they ever sold.
            models.Index(
                fields=["seller", "created_at"],
                name="track_sold_by_time",
                condition=Q(track_status__in=SOLD_LINE_STATUSES),
            ),
            # What is held back of a seller's earnings: few lines of all they ever sold.
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
        """Refuse to save a line whole once it is there.

        ``updated_at`` is the time of its last step: until when a problem can be reported, and when
        silence counts as a delivery, are counted from it.
        """
        if not self._state.adding and kwargs.get("update_fields") is None:
            raise TypeError("Say in update_fields what of a line is saved.")
        super().save(**kwargs)

    @property
    def share(self) -> int:
        """The seller's earnings from the line, KES: the amount less the commission."""
        return self.amount - self.commission

    @property
    def rest(self) -> int:
        """What is left of its price, KES: the amount less what it was reduced by."""
        return self.amount - self.reduced

    @property
    def shown_code(self) -> str | None:
        """The collection code while the buyer, and nobody else, may be shown it."""
        return self.collection_code if self.track_status in CODE_SHOWN else None
