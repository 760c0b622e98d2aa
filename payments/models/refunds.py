"""Refunds: each attempt to return money to a payer, with its reason and method."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q

from omachemainproj.money import format_kes

from .receipts import Provider, Receipt, Verification
from .transfers import (
    UNDER_WAY,
    DailyTransferTotal,
    Transfer,
    TransferQuerySet,
    TransferStatus,
    Unnumbered,
)


class RefundMethod(models.TextChoices):
    """How a refund is sent."""

    REVERSAL = "reversal", "reversal of the payment"
    B2C = "b2c", "payment to the phone"
    PORTAL = "portal", "manually, on M-Pesa's portal"
    OUTSIDE = "outside", "not paid by the shop"


class RefundReason(models.TextChoices):
    """Why money is refunded."""

    GOODS_GONE = "goods_gone", "paid after the goods were sold out"
    SHORT = "short", "the order was not paid in full"
    CANCELLED = "cancelled", "the buyer had cancelled the order"
    PAID_AGAIN = "paid_again", "the buyer had paid for the same goods with another order"
    EXCESS = "excess", "more than the order's price"
    RETURNED = "returned", "the goods were cancelled after payment"
    FEE = "fee", "the delivery fee was refunded"
    STAFF = "staff", "staff decided it"
    OUTSIDE = "outside", "M-Pesa reversed the payment itself"
    TOO_LATE = "too_late", "paid more than a day after the order was closed"
    OFF_SALE = "off_sale", "paid after the goods were taken off sale"
    NEVER_CAME = "never_came", "the payment never arrived and was written off"
    REDUCED = "reduced", "the price was reduced after a problem"


#: A reversal with one of these statuses was or may have been made: no second one is requested.
POSSIBLY_REVERSED = (TransferStatus.DUE, *UNDER_WAY, TransferStatus.DONE)


#: Never sent, or certainly refused.
UNSENT = (TransferStatus.DUE, TransferStatus.REFUSED)
#: How long an answer that the payment still stands is trusted.
CHECK_TRUSTED_FOR = timedelta(hours=1)


#: The result of a refund that records that M-Pesa took back a part of a payment by itself.
PART_REVERSED = "M-Pesa reversed a part of the payment itself."
#: The same of a payment that was then moved from another order, whose refund has the number.
PART_REVERSED_ELSEWHERE = "M-Pesa reversed a part of the payment before it was moved here."
#: The same as M-Pesa shows it, after staff recorded another amount: that refund has the number.
PART_REVERSED_CORRECTED = "M-Pesa reversed a part of the payment itself, not what was recorded."
PARTS_REVERSED = (PART_REVERSED, PART_REVERSED_ELSEWHERE, PART_REVERSED_CORRECTED)


class RefundQuerySet(TransferQuerySet["Refund"]):
    def done_outside(self) -> RefundQuerySet:
        """Refunds that the shop did not make, oldest first."""
        return self.filter(way=RefundMethod.OUTSIDE, status=TransferStatus.DONE).order_by("pk")

    def taken_back(self) -> RefundQuerySet:
        """Refunds of whole payments that the shop did not make: M-Pesa reversed the payment, or it
        never came."""
        return self.done_outside().exclude(result_text__in=PARTS_REVERSED)

    def reversed_parts(self) -> RefundQuerySet:
        """Refunds that record that M-Pesa took back a part of a payment by itself."""
        return self.done_outside().filter(result_text__in=PARTS_REVERSED)

    def owed(self) -> RefundQuerySet:
        """Refunds that are due or done: the last row of each chain, unless it was dropped."""
        return self.filter(replaced_by__isnull=True).exclude(status=TransferStatus.DROPPED)

    def to_buyer(self) -> RefundQuerySet:
        """Refunds that bring their payers money back, or did: not what only says in the books that
        a payment never came."""
        never_came = Q(receipt__verification=Verification.NEVER_CAME)
        return self.owed().exclude(Q(way=RefundMethod.OUTSIDE) & never_came)

    def outstanding(self) -> RefundQuerySet:
        """Refunds that are due and not done yet."""
        return self.owed().not_done()

    def refused(self) -> RefundQuerySet:
        """Refunds that M-Pesa refused and nothing replaces: staff must decide."""
        # A subquery, not a join: the planner would misestimate the join and sort all rows.
        replaced = Refund.objects.filter(replaces=OuterRef("pk"))
        return self.filter(~Exists(replaced), status=TransferStatus.REFUSED)

    def lock_all_of(self, receipt: Receipt) -> None:
        """Lock a receipt's refunds, oldest first: what is read of them afterwards stays as it is.

        Whoever sends a refund locks its own row alone, so the lock of its order does not keep them
        out. Call inside a transaction that holds the lock of the receipt's order, or the receipt's.
        """
        locked = self.filter(receipt=receipt).select_for_update(no_key=True).order_by("pk")
        list(locked.values_list("pk", flat=True))


class Refund(Transfer):
    """One attempt to refund money of one receipt, by one method.

    Only after M-Pesa has definitely refused does another row follow (``replaces``), with its own
    id, so that the same money is never sent by two methods at a time. The amount due of a chain of
    rows is its last row's.
    """

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="refunds")
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="refunds"
    )
    #: The order line whose money it is, if it was cancelled or reduced after payment.
    track = models.ForeignKey(
        "orders.OrderTrack", null=True, on_delete=models.PROTECT, related_name="refunds"
    )
    cause = models.CharField(max_length=10, choices=RefundReason)
    way = models.CharField(max_length=8, choices=RefundMethod)
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    #: Daraja gives a reversal an id of its own, in its answer.
    reversal_conversation_id = models.CharField(max_length=64, blank=True)

    #: How often M-Pesa was queried whether the payment still stands, and when it last said so.
    receipt_queries = models.PositiveSmallIntegerField(default=0, db_column="receipt_asked")
    receipt_checked_at = models.DateTimeField(null=True, db_column="receipt_stands_at")

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="refund_is_one_or_more", condition=Q(amount__gte=1)),
            # A payment is reversed in full, and once.
            models.UniqueConstraint(
                name="receipt_is_reversed_once",
                fields=["receipt"],
                condition=Q(way=RefundMethod.REVERSAL, status__in=POSSIBLY_REVERSED),
            ),
            models.UniqueConstraint(
                name="payout_number_is_of_one_refund",
                fields=["number"],
                condition=~Q(number=""),
            ),
            models.CheckConstraint(
                name="payment_to_a_phone_names_it", condition=~Q(way=RefundMethod.B2C, phone="")
            ),
            models.CheckConstraint(
                name="refund_is_sent_once_it_is_approved",
                condition=Q(needs_approval=False)
                | Q(approved_by__isnull=False)
                | Q(way=RefundMethod.OUTSIDE)
                | Q(
                    status__in=[
                        TransferStatus.DUE,
                        TransferStatus.REFUSED,
                        TransferStatus.DROPPED,
                    ]
                ),
            ),
            models.CheckConstraint(
                name="refund_that_is_done_has_a_number_or_says_why_not",
                condition=~Q(status=TransferStatus.DONE)
                | ~Q(number="")
                | Q(unnumbered=Unnumbered.NOT_TOLD)
                | Q(unnumbered=Unnumbered.ALREADY_REVERSED, way=RefundMethod.REVERSAL)
                | Q(unnumbered=Unnumbered.OUTSIDE, way=RefundMethod.OUTSIDE),
            ),
            models.CheckConstraint(
                name="refund_is_done_at_a_time",
                condition=~Q(status=TransferStatus.DONE) | Q(done_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="refund_to_look_after",
                condition=Q(next_check_at__isnull=False),
            ),
            # A small part of all rows: the console's queues and alerts read only these.
            models.Index(
                fields=["id", "status"],
                name="refund_open",
                condition=Q(status__in=[TransferStatus.DUE, *UNDER_WAY, TransferStatus.REFUSED]),
            ),
            models.Index(fields=["id"], name="refund_unseen", condition=Q(unacknowledged=True)),
        ]

    def __str__(self) -> str:
        back = f"{format_kes(self.amount)} back by {self.get_way_display()}"
        return f"{back}, {self.get_status_display()}"

    def must_query_payment(self, now: datetime) -> bool:
        """Whether to query M-Pesa, before this is sent, if the payment still stands.

        M-Pesa may have reversed it at its customer's request. A reversal by the shop needs no
        query: a payment is reversed only once.
        """
        if self.is_reversal or self.receipt.provider != Provider.MPESA or not self.receipt.number:
            return False
        return self.receipt_checked_at is None or self.receipt_checked_at < now - CHECK_TRUSTED_FOR

    @property
    def is_unsent(self) -> bool:
        """Whether it was never sent: an answer of M-Pesa's is then about the payment."""
        return self.sent_at is None and self.status in UNSENT

    @property
    def only_queries_payment(self) -> bool:
        return self.is_unsent and self.status == TransferStatus.REFUSED

    @property
    def is_reversal(self) -> bool:
        return self.way == RefundMethod.REVERSAL

    @property
    def was_made_otherwise(self) -> bool:
        return self.way == RefundMethod.OUTSIDE and bool(self.phone)

    @property
    def receipt_to_reverse(self) -> str:
        return self.receipt.number if self.is_reversal else ""

    @property
    def query_id(self) -> str:
        # Daraja gives a reversal an id of its own.
        return self.reversal_conversation_id if self.is_reversal else super().query_id


class RefundDay(DailyTransferTotal):
    """The total of refunds sent on one day."""

    class Meta(DailyTransferTotal.Meta):
        verbose_name = "day’s refunds"
        verbose_name_plural = "refunds by day"
