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

#: Buyers type references, so letters and digits that look or sound alike are left out (I, O, 0, 1).
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
REFERENCE_LENGTH = 8


def new_reference() -> str:
    """Return a random code short enough to type into M-Pesa (26^8, about 200 billion)."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))


class PaymentStatus(models.TextChoices):
    """The status of an order, with the label shown on every page."""

    REQUESTED = "requested", "not paid"  # waiting for its money; its goods are held
    PAID = "paid", "paid"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"
    # Money arrived, but the order cannot be fulfilled: it will be refunded.
    REFUND_DUE = "refund_due", "refund due"
    REFUNDED = "refunded", "refunded"


#: By status of an order: the statuses that may follow. All other changes are refused.
NEXT_PAYMENT_STATUSES: dict[str, set[str]] = {
    PaymentStatus.REQUESTED: {
        PaymentStatus.PAID,
        PaymentStatus.CANCELLED,
        PaymentStatus.EXPIRED,
    },
    # A late payment completes the order if the goods are still available and the buyer neither
    # cancelled it nor bought them again; otherwise it is refunded (orders.lifecycle).
    PaymentStatus.CANCELLED: {PaymentStatus.PAID, PaymentStatus.REFUND_DUE},
    PaymentStatus.EXPIRED: {PaymentStatus.PAID, PaymentStatus.REFUND_DUE},
    PaymentStatus.PAID: {PaymentStatus.REFUND_DUE},
    PaymentStatus.REFUND_DUE: {PaymentStatus.REFUNDED},
    # Another payment may arrive after the refund.
    PaymentStatus.REFUNDED: {PaymentStatus.REFUND_DUE},
}


class CancelledBy(models.TextChoices):
    BUYER = "buyer"
    STAFF = "staff"


class LateRefusal(models.TextChoices):
    """Why late money did not buy the goods of a closed order after all."""

    CANCELLED = "cancelled", "its buyer had cancelled it"
    TOO_LATE = "too_late", "it was closed more than a day before"
    PAID_AGAIN = "paid_again", "its buyer had paid for the same goods with another order"
    OFF_SALE = "off_sale", "some of the goods were no longer on sale"
    GOODS_GONE = "goods_gone", "some of the goods were gone"


#: The statuses an order can have once its buyer has cancelled it.
_STATUSES_AFTER_BUYER_CANCELLED = (
    PaymentStatus.CANCELLED,
    PaymentStatus.REFUND_DUE,
    PaymentStatus.REFUNDED,
)


class OrderQuerySet(models.QuerySet["Order"]):
    def placed_by(self, user: User | int) -> OrderQuerySet:
        """The buyer's own orders. All buyer views start from this queryset."""
        return self.filter(buyer=user)

    def of_guests(self) -> OrderQuerySet:
        """Guests' orders that have not joined an account; only their token gives access to them."""
        return self.filter(guest=F("buyer"))

    def shown_to(self, user: User) -> OrderQuerySet:
        """The buyer's own orders, and guests' orders, which anyone with the token may see."""
        return self.filter(Q(buyer=user) | Q(guest=F("buyer")))

    def unpaid(self) -> OrderQuerySet:
        """Orders waiting for payment, whose goods are held."""
        return self.filter(payment_status=PaymentStatus.REQUESTED)

    def overdue(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders past ``expires_at``."""
        return self.unpaid().filter(expires_at__lte=now)

    def holding(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders before ``expires_at``."""
        return self.unpaid().filter(expires_at__gt=now)

    def preemptible(self, now: datetime) -> OrderQuerySet:
        """Held orders that other buyers may preempt: no prompt for them is open."""
        return self.holding(now).filter(preemptible_after__lte=now)

    def lapsed(self) -> OrderQuerySet:
        """Orders that held goods without buying them: expired, or cancelled by their buyer."""
        expired = Q(payment_status=PaymentStatus.EXPIRED)
        return self.filter(
            expired | Q(payment_status=PaymentStatus.CANCELLED, cancelled_by=CancelledBy.BUYER)
        )

    def closed_since(self, since: datetime) -> OrderQuerySet:
        """Orders closed since then, by the time of their lines' cancellation event.

        ``expires_at`` is used only for orders without such an event: the clock may have closed an
        order late.
        """
        closed = TrackEvent.objects.filter(
            track__order=OuterRef("pk"), track_status=TrackStatus.CANCELLED
        )
        in_time = Exists(closed) & ~Exists(closed.filter(created_at__lt=since))
        return self.filter(in_time | (~Exists(closed) & Q(expires_at__gte=since)))

    def paid_since(self, since: datetime) -> OrderQuerySet:
        """Paid orders placed since then."""
        return self.filter(payment_status=PaymentStatus.PAID, created_at__gte=since)


class Order(models.Model):
    """An order: the agreed amount, the time until which it may be paid, and its status."""

    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,  # order_of_buyer_newest begins with it
    )
    #: The guest who placed it (accounts.guests): also its buyer, until it joins an account.
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
    mpesa_number = models.CharField(
        max_length=12, help_text="The phone that gets the payment prompt."
    )
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    payment_status = models.CharField(
        max_length=10, choices=PaymentStatus, default=PaymentStatus.REQUESTED
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="If it is unpaid by then, its goods are released.")
    #: A retried payment moves expires_at, but never beyond this.
    held_until = models.DateTimeField()
    #: Until then a prompt is open, and no other buyer can preempt its goods (orders.lifecycle).
    preemptible_after = models.DateTimeField(
        db_default=Now(), editable=False, db_column="firm_until"
    )
    #: It expired early: its prompt was over, and another buyer wanted its goods.
    preempted = models.BooleanField(
        default=False, db_default=False, editable=False, db_column="yielded"
    )
    #: A newcomer's network (orders.hold_limits.newcomer_network), while it is unpaid.
    network = models.CharField(max_length=43, blank=True, default="", db_default="", editable=False)
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    #: SHA-256 of the request with that key.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    #: Empty if not cancelled, or cancelled before this was recorded.
    cancelled_by = models.CharField(
        max_length=5, choices=CancelledBy, blank=True, default="", db_default=""
    )

    #: Why money that covered it did not pay it once it was closed; decided by
    #: ``orders.lifecycle.mark_order_paid``, read by the refund. Empty if no such money came, and
    #: for orders from before this was recorded.
    late_refusal = models.CharField(
        max_length=10, choices=LateRefusal, blank=True, default="", db_default="", editable=False
    )
    #: One of its payments is in doubt, or never arrived and the shop covers what is missing: no
    #: goods of it may be handed over. Set by ``payments.evidence``.
    in_doubt = models.BooleanField(default=False, db_default=False, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="order_is_placed_once_per_key",
                fields=["buyer", "idempotency_key"],
                condition=Q(guest__isnull=True),
            ),
            # A separate constraint: the account it joins may have used the same key.
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
            # An order its buyer cancelled is never paid; one staff cancelled may be (late money).
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
            # The second condition always holds, but only a query that compares the time implies it:
            # one for a buyer's unpaid orders cannot be planned through everyone's.
            models.Index(
                fields=["expires_at"],
                name="order_unpaid_to_expire",
                condition=Q(payment_status=PaymentStatus.REQUESTED, expires_at__isnull=False),
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
            # To count what a phone holds, and its prompts without a payment.
            models.Index(fields=["mpesa_number", "created_at"], name="order_of_phone"),
            # Sales are summed by an index-only scan; an order enters the index when it is paid.
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
        """Whether it waits for payment."""
        return self.payment_status == PaymentStatus.REQUESTED

    @property
    def is_paid(self) -> bool:
        """Whether it is paid, and its goods belong to the buyer."""
        return self.payment_status == PaymentStatus.PAID

    @property
    def is_closed(self) -> bool:
        """Whether it is neither unpaid nor paid.

        Money that arrives for it is refunded, unless ``orders.lifecycle.mark_order_paid`` can
        reserve its goods again.
        """
        return not self.is_unpaid and not self.is_paid

    @property
    def is_of_guest(self) -> bool:
        """Whether a guest placed it and it has not joined an account."""
        return self.guest_id is not None and self.guest_id == self.buyer_id

    @property
    def was_cancelled_by_buyer(self) -> bool:
        """Whether its buyer cancelled it: money that arrives for it is refunded."""
        return self.cancelled_by == CancelledBy.BUYER

    def may_become(self, status: str) -> bool:
        """Whether ``status`` may follow its current status."""
        return status in NEXT_PAYMENT_STATUSES[self.payment_status]
