"""Orders: their statuses, references and holds."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from accounts.models import User
from omachemainproj.mpesa_limits import MAX_PAYMENT, MIN_PAYMENT

from .line_events import TrackEvent
from .line_status import TrackStatus

#: No I, O, 0, 1, and no pair that sounds or looks alike on a bad screen: a buyer types it.
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
REFERENCE_LENGTH = 8


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


#: Where an order may stand that its buyer cancelled.
_STATUSES_AFTER_BUYER_CANCELLED = (
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

    def preemptible(self, now: datetime) -> OrderQuerySet:
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
    #: Where a newcomer sent it from (orders.hold_limits.newcomer_network), while it is unpaid.
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
                    payment_status__in=[*_STATUSES_AFTER_BUYER_CANCELLED],
                )
                | Q(
                    cancelled_by=CancelledBy.STAFF,
                    payment_status__in=[*_STATUSES_AFTER_BUYER_CANCELLED, PaymentStatus.PAID],
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
    def was_cancelled_by_buyer(self) -> bool:
        """Whether its buyer cancelled it: money that comes for it goes back."""
        return self.cancelled_by == CancelledBy.BUYER

    def may_become(self, status: str) -> bool:
        """Whether ``status`` may follow the status it has."""
        return status in NEXT_PAYMENT_STATUSES[self.payment_status]
