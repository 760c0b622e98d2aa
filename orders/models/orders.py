"""Orders, their lines, and the history of each line."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from accounts.models import User
from omachemainproj.mpesa_limits import MAX_PAYMENT, MIN_PAYMENT

#: No I, O, 0, 1, and no pair that sounds or looks alike on a bad screen: a buyer types it.
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
REFERENCE_LENGTH = 8
#: Wrong collection codes for one line; after them only its buyer and staff can confirm delivery.
MAX_CODE_MISSES = 5


def new_collection_code() -> str:
    """Six digits the buyer reads out on delivery. Few guesses are allowed (orders.fulfilment)."""
    return f"{secrets.randbelow(10**6):06}"


def new_reference() -> str:
    """A short code a buyer can type into M-Pesa; one in 200 billion, and unique in the table."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))


class PaymentStatus(models.TextChoices):
    """How an order stands, and what people call it on every page."""

    REQUESTED = "requested", "not paid"  # waiting for its money; its goods are held
    PAID = "paid", "paid"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"
    # Money came, and the goods are not to be had; it is refunded.
    REFUND_DUE = "refund_due", "refund due"
    REFUNDED = "refunded", "refunded"


#: From each status of an order: those that may follow. All else is refused.
NEXT_PAYMENT_STATUSES: dict[str, set[str]] = {
    PaymentStatus.REQUESTED: {
        PaymentStatus.PAID,
        PaymentStatus.CANCELLED,
        PaymentStatus.EXPIRED,
    },
    # Late money buys the goods if they are still free and its buyer neither gave the order up nor
    # bought them otherwise, and is refunded if not (orders.lifecycle).
    PaymentStatus.CANCELLED: {PaymentStatus.PAID, PaymentStatus.REFUND_DUE},
    PaymentStatus.EXPIRED: {PaymentStatus.PAID, PaymentStatus.REFUND_DUE},
    PaymentStatus.PAID: {PaymentStatus.REFUND_DUE},
    PaymentStatus.REFUND_DUE: {PaymentStatus.REFUNDED},
    # Money may come again for an order that was refunded.
    PaymentStatus.REFUNDED: {PaymentStatus.REFUND_DUE},
}


class CancelledBy(models.TextChoices):
    BUYER = "buyer"
    STAFF = "staff"


class TrackStatus(models.TextChoices):
    """How far a line is, and what people call it on every page."""

    CREATED = "created", "not paid"
    PAID = "paid", "to fetch"
    FETCHED = "fetched", "fetched"
    SHIPPING = "shipping", "on the way"
    DELIVERED = "delivered", "handed over"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "cancelled, money back"


#: Paid for, and the goods are still to be handed over.
TO_FULFIL = (TrackStatus.PAID, TrackStatus.FETCHED, TrackStatus.SHIPPING)
#: Paid for, and neither cancelled nor refunded since.
SOLD_LINE_STATUSES = (*TO_FULFIL, TrackStatus.DELIVERED)
#: Neither bought nor to be: cancelled by itself or with its order.
CANCELLED_LINE_STATUSES = (TrackStatus.CANCELLED, TrackStatus.REFUNDED)
#: While the buyer is shown the collection code.
CODE_SHOWN = frozenset(TO_FULFIL)
#: While the seller is shown the buyer's number.
PHONE_SHOWN = frozenset(SOLD_LINE_STATUSES)


class StepCause(models.TextChoices):
    """What of its order a line followed; a step of its own has none."""

    PAID = "paid"
    CANCELLED = "cancelled"  # before it was written down by whom
    CANCELLED_BY_BUYER = "cancelled_by_buyer"
    CANCELLED_BY_STAFF = "cancelled_by_staff"
    EXPIRED = "expired"
    REFUNDED = "refunded"


#: Where an order may stand that its buyer cancelled.
_GIVEN_UP_STATUSES = (
    PaymentStatus.CANCELLED,
    PaymentStatus.REFUND_DUE,
    PaymentStatus.REFUNDED,
)


class OrderQuerySet(models.QuerySet["Order"]):
    def placed_by(self, user: User | int) -> OrderQuerySet:
        """The buyer's own orders. Buyer views start here and nowhere else."""
        return self.filter(buyer=user)

    def of_guests(self) -> OrderQuerySet:
        """Orders of guests whose phone nobody has proved since: followed by their tokens alone."""
        return self.filter(guest=F("buyer"))

    def shown_to(self, user: User) -> OrderQuerySet:
        """The buyer's own orders, and those of guests, which whoever has their token may follow."""
        return self.filter(Q(buyer=user) | Q(guest=F("buyer")))

    def unpaid(self) -> OrderQuerySet:
        """Orders waiting for their money, whose goods are held."""
        return self.filter(payment_status=PaymentStatus.REQUESTED)

    def overdue(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders whose time is over."""
        return self.unpaid().filter(expires_at__lte=now)

    def holding(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders whose time is not over."""
        return self.unpaid().filter(expires_at__gt=now)

    def yielding(self, now: datetime) -> OrderQuerySet:
        """Those of them whose goods anybody else may have: no prompt for them is open."""
        return self.holding(now).filter(preemptible_after__lte=now)

    def lapsed(self) -> OrderQuerySet:
        """Orders that held goods for nothing: no money came, or their buyer gave them up."""
        expired = Q(payment_status=PaymentStatus.EXPIRED)
        return self.filter(
            expired | Q(payment_status=PaymentStatus.CANCELLED, cancelled_by=CancelledBy.BUYER)
        )

    def closed_since(self, since: datetime) -> OrderQuerySet:
        """Orders that were closed since then, as their lines tell; without a step of theirs, whose
        time has ended since.

        Not whose time ended: what was to close them may have been down.
        """
        closed = TrackEvent.objects.filter(
            track__order=OuterRef("pk"), track_status=TrackStatus.CANCELLED
        )
        in_time = Exists(closed) & ~Exists(closed.filter(created_at__lt=since))
        return self.filter(in_time | (~Exists(closed) & Q(expires_at__gte=since)))

    def paid_since(self, since: datetime) -> OrderQuerySet:
        """Paid orders that were placed since then."""
        return self.filter(payment_status=PaymentStatus.PAID, created_at__gte=since)


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

    def bought_instead_of(self, order: Order) -> OrderTrackQuerySet:
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


class Order(models.Model):
    """One cash-out of a buyer: the amount agreed, until when it may be paid, and its status."""

    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders"
    )
    #: The guest who placed it (accounts.guests): its buyer, until somebody proves the phone.
    guest = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,  # guest_order_is_placed_once_per_key begins with it
    )
    order_token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=12, default=new_reference, unique=True, editable=False)
    mpesa_number = models.CharField(max_length=12, help_text="The phone that is asked to pay.")
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    payment_status = models.CharField(
        max_length=10, choices=PaymentStatus, default=PaymentStatus.REQUESTED
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="Unpaid by then, its goods are free again.")
    #: A retried payment moves expires_at, but never beyond this.
    held_until = models.DateTimeField()
    #: While a prompt is open: nobody else can have its goods before this (orders.lifecycle).
    preemptible_after = models.DateTimeField(
        db_default=Now(), editable=False, db_column="firm_until"
    )
    #: It expired before its time, as its prompt was over and somebody else wanted its goods.
    preempted = models.BooleanField(
        default=False, db_default=False, editable=False, db_column="yielded"
    )
    #: Where a newcomer sent it from (orders.hold_limits.network_to_count), while it is unpaid.
    network = models.CharField(max_length=43, blank=True, default="", db_default="", editable=False)
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    #: SHA-256 of the request that came with that key.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    #: Empty where nobody did, or nobody wrote it down yet when it was cancelled.
    cancelled_by = models.CharField(
        max_length=5, choices=CancelledBy, blank=True, default="", db_default=""
    )

    #: The gateway does not know what it was paid with: nothing of it is handed over.
    in_doubt = models.BooleanField(default=False, db_default=False, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="order_is_placed_once_per_key",
                fields=["buyer", "idempotency_key"],
                condition=Q(guest__isnull=True),
            ),
            # A key of their own: who proves the phone may have used the same.
            models.UniqueConstraint(
                name="guest_order_is_placed_once_per_key",
                fields=["guest", "idempotency_key"],
                condition=Q(guest__isnull=False),
            ),
            models.CheckConstraint(
                name="order_amount_is_what_mpesa_takes",
                condition=Q(amount__gte=MIN_PAYMENT, amount__lte=MAX_PAYMENT),
            ),
            models.CheckConstraint(
                name="order_status_is_one_there_is",
                condition=Q(payment_status__in=PaymentStatus.values),
            ),
            models.CheckConstraint(
                name="order_expires_after_it_is_placed_and_within_its_hold",
                condition=Q(expires_at__gte=F("created_at"), expires_at__lte=F("held_until")),
            ),
            # What its buyer gave up is never bought; what staff cancelled may be (late money).
            models.CheckConstraint(
                name="order_that_somebody_cancelled_is_closed",
                condition=Q(cancelled_by="")
                | Q(
                    cancelled_by=CancelledBy.BUYER,
                    payment_status__in=[*_GIVEN_UP_STATUSES],
                )
                | Q(
                    cancelled_by=CancelledBy.STAFF,
                    payment_status__in=[*_GIVEN_UP_STATUSES, PaymentStatus.PAID],
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "-id"], name="order_of_buyer_newest"),
            models.Index(
                fields=["expires_at"],
                name="order_unpaid_by_expiry",
                condition=Q(payment_status=PaymentStatus.REQUESTED),
            ),
            models.Index(
                fields=["buyer"],
                name="order_unpaid_by_buyer",
                condition=Q(payment_status=PaymentStatus.REQUESTED),
            ),
            models.Index(
                fields=["network"],
                name="order_unpaid_by_network",
                condition=Q(payment_status=PaymentStatus.REQUESTED) & ~Q(network=""),
            ),
            models.Index(
                fields=["buyer", "created_at"],
                name="order_paid_by_buyer",
                condition=Q(payment_status=PaymentStatus.PAID),
            ),
            # What a phone holds, and how often it was asked for nothing.
            models.Index(fields=["mpesa_number", "created_at"], name="order_of_phone"),
            # Sales are summed from it alone; an order enters it once, when it is paid.
            models.Index(
                fields=["created_at", "amount"],
                name="order_paid_by_time",
                condition=Q(payment_status=PaymentStatus.PAID),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_unpaid(self) -> bool:
        """Whether it waits for its payment."""
        return self.payment_status == PaymentStatus.REQUESTED

    @property
    def is_paid(self) -> bool:
        """Whether it is paid, and its goods belong to the buyer."""
        return self.payment_status == PaymentStatus.PAID

    @property
    def is_closed(self) -> bool:
        """Whether it is neither unpaid nor paid.

        Money that comes for it is refunded, unless ``orders.lifecycle.mark_order_paid`` can still
        hold its goods again.
        """
        return not self.is_unpaid and not self.is_paid

    @property
    def is_of_guest(self) -> bool:
        """Whether a guest placed it, and nobody has proved the phone since."""
        return self.guest_id is not None and self.guest_id == self.buyer_id

    @property
    def is_given_up(self) -> bool:
        """Whether its buyer cancelled it: money that comes for it goes back."""
        return self.cancelled_by == CancelledBy.BUYER

    def may_become(self, status: str) -> bool:
        """Whether ``status`` may follow the status it has."""
        return status in NEXT_PAYMENT_STATUSES[self.payment_status]


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
                condition=Q(returned=False)
                | Q(track_status__in=[TrackStatus.CANCELLED, TrackStatus.REFUNDED]),
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


class TrackEvent(models.Model):
    """One change of a line's status: when, by whom and why. Never changed or deleted.

    Written in the transaction that changes the line, under the order's lock.
    """

    track = models.ForeignKey(OrderTrack, on_delete=models.PROTECT, related_name="events")
    track_status = models.CharField(max_length=9, choices=TrackStatus)
    #: None when the shop itself changed it.
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
