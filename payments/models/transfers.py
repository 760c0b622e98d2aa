"""What goes out: each try under one fixed id, and what keeps all of them back."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from payments.querysets import PayoutStopQuerySet, RefundQuerySet

from .order_payments import new_callback_token
from .receipts import Receipt


class Way(models.TextChoices):
    """How money goes back."""

    REVERSAL = "reversal", "reversal of the payment"
    B2C = "b2c", "payment to the phone"
    PORTAL = "portal", "a person, on M-Pesa's portal"


class Cause(models.TextChoices):
    """Why money goes back."""

    GOODS_GONE = "goods_gone", "it came after the goods were gone"
    SHORT = "short", "it never covered the order"
    EXCESS = "excess", "it was more than the order's price"
    RETURNED = "returned", "the goods were cancelled after they were paid"
    STAFF = "staff", "a person decided so"


class TransferStatus(models.TextChoices):
    DUE = "due"  # owed; M-Pesa has not been asked
    UNKNOWN = "unknown"  # M-Pesa may have been asked; only evidence ends this
    SENT = "sent"  # M-Pesa took the request
    DONE = "done"  # whom it is owed to has it
    REFUSED = "refused"  # M-Pesa said no: another follows, or a person decides
    DROPPED = "dropped"  # never sent, and no longer needed


def new_conversation_id() -> str:
    """The id by which M-Pesa knows what it is asked to send again: ours, fixed, unique."""
    return f"omache-{uuid.uuid4().hex}"


class MoneyOut(models.Model):
    """One try to send money out under one fixed id.

    The row is committed before M-Pesa hears of it and keeps its id on every resend.
    """

    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    phone = models.CharField(max_length=12, blank=True, help_text="For a payment to a phone.")
    status = models.CharField(max_length=7, choices=TransferStatus, default=TransferStatus.DUE)
    originator_conversation_id = models.CharField(
        max_length=64, default=new_conversation_id, unique=True, editable=False
    )
    #: Two addresses only Daraja is told: for the result, and for what a status query finds.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    status_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    #: Daraja's own name of the request, from its answer.
    conversation_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=20, blank=True, help_text="M-Pesa's receipt for it.")
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=200, blank=True)
    #: Its note is about a difference, and no person has acknowledged it yet.
    unseen = models.BooleanField(default=False)
    #: When the clock sends it, or asks what became of it; None when there is nothing to do.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    #: How often M-Pesa refused to send the same money before.
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        """Whether M-Pesa may know of it and its end is not known."""
        return self.status in {TransferStatus.UNKNOWN, TransferStatus.SENT}


class Refund(MoneyOut):
    """One try to give money of one receipt back, by one way.

    Only when M-Pesa has definitely refused does another row follow (``replaces``), with an id of
    its own; so a shilling is never on two ways at once. What a chain of rows owes is its last
    row's.
    """

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="refunds")
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="refunds"
    )
    #: The line whose money it is, where one was cancelled after it was paid.
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="refunds"
    )
    cause = models.CharField(max_length=10, choices=Cause)
    way = models.CharField(max_length=8, choices=Way)
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    #: A reversal goes by Daraja's own id, from its answer.
    reversal_conversation_id = models.CharField(max_length=64, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="refund_is_one_or_more", condition=Q(amount__gte=1)),
            # A payment is reversed whole, and once.
            models.UniqueConstraint(
                name="receipt_is_reversed_once",
                fields=["receipt"],
                condition=Q(way="reversal", status__in=["due", "unknown", "sent", "done"]),
            ),
            models.UniqueConstraint(
                name="payout_number_is_of_one_refund",
                fields=["number"],
                condition=~Q(number=""),
            ),
            models.CheckConstraint(
                name="payment_to_a_phone_names_it", condition=~Q(way="b2c", phone="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="refund_to_look_after",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["status"], name="refund_refused", condition=Q(status="refused")),
            models.Index(
                fields=["id"], name="refund_under_way", condition=Q(status__in=["unknown", "sent"])
            ),
            models.Index(fields=["id"], name="refund_unseen", condition=Q(unseen=True)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} KES back by {self.get_way_display()}, {self.status}"


class PayoutStop(models.Model):
    """Nothing leaves the shop while one of these is open.

    Made when M-Pesa does not accept the initiator: every further try would lock it. A person ends
    it, once the password or the certificate is right.
    """

    reason = models.CharField(max_length=200)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = PayoutStopQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payouts_are_stopped_once", fields=["is_open"], condition=Q(is_open=True)
            ),
        ]

    def __str__(self) -> str:
        return self.reason
