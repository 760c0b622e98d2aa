"""Statements read from M-Pesa's portal, and unexplained withdrawals found on them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from omachemainproj.money import format_kes

from .payouts import Payout
from .receipts import Receipt
from .refunds import Refund


class PortalStatementQuerySet(models.QuerySet["PortalStatement"]):
    def covered_until(self, shortcode: str, since: datetime) -> datetime | None:
        """Up to when a short code's statements were read without a gap, starting at ``since``.

        None if no statement covers that moment. Earlier ones, which end before it, do not matter.
        """
        until: datetime | None = None
        periods = self.filter(shortcode=shortcode, read_until__gte=since).order_by("read_from")
        for read_from, read_until in periods.values_list("read_from", "read_until"):
            if read_from > (until or since):
                break
            until = max(until or read_until, read_until)
        return until


class PortalStatement(models.Model):
    """A statement of one of our short codes, downloaded from M-Pesa's portal and read in full."""

    shortcode = models.CharField(max_length=12)
    #: The period it was requested for.
    read_from = models.DateTimeField()
    read_until = models.DateTimeField()
    rows = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PortalStatementQuerySet.as_manager()

    class Meta:
        verbose_name = "portal statement"
        verbose_name_plural = "portal statements"
        constraints = [
            models.UniqueConstraint(
                name="portal_statement_is_read_once",
                fields=["shortcode", "sha256", "read_from", "read_until"],
            ),
            models.CheckConstraint(
                name="portal_statement_has_a_period", condition=Q(read_from__lt=F("read_until"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shortcode}, {self.rows} rows"


class WithdrawalState(models.TextChoices):
    """What a withdrawal without a refund or payout turned out to be."""

    OPEN = "open", "unexplained"
    PAYOUT = "payout", "payout to a seller"
    REFUND = "refund", "refund of a payment"
    ASIDE = "aside", "not for a sale"


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def still_open(self) -> WithdrawalQuerySet:
        """Withdrawals that are not explained yet, oldest first."""
        return self.filter(state=WithdrawalState.OPEN).order_by("left_at", "pk")


class Withdrawal(models.Model):
    """Money that left according to M-Pesa's statement, and matches no refund or payout.

    After a restore from a backup, transfers sent since the backup are in no row: the stop of
    outgoing payments is not lifted until each is explained, because the same might be sent again.
    One that is found at another time was sent on M-Pesa's portal, and stops nothing.
    """

    number = models.CharField(max_length=20, unique=True, help_text="M-Pesa's receipt for it.")
    shortcode = models.CharField(max_length=12, help_text="The shop's short code that it left.")
    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    #: As M-Pesa shows it: in full, masked, or "" if it did not go to a phone.
    phone = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=100, blank=True, help_text="M-Pesa's description of it.")
    #: The payment that was reversed, if it is a reversal.
    reverses = models.CharField(max_length=20, blank=True)
    left_at = models.DateTimeField()
    state = models.CharField(
        max_length=6, choices=WithdrawalState, default=WithdrawalState.OPEN, editable=False
    )
    payout = models.OneToOneField(
        Payout, null=True, on_delete=models.PROTECT, related_name="withdrawal"
    )
    refund = models.OneToOneField(
        Refund, null=True, on_delete=models.PROTECT, related_name="withdrawal"
    )
    #: The receipt of the whole amount, if M-Pesa took it back from its receiver.
    return_receipt = models.OneToOneField(
        Receipt,
        null=True,
        on_delete=models.PROTECT,
        related_name="returned_withdrawal",
        editable=False,
        db_column="came_back_id",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        verbose_name = "withdrawal"
        constraints = [
            models.CheckConstraint(
                name="withdrawal_is_one_or_more", condition=Q(amount__gte=1) & ~Q(number="")
            ),
            models.CheckConstraint(
                name="withdrawal_is_what_it_says",
                condition=Q(
                    state=WithdrawalState.OPEN,
                    payout__isnull=True,
                    refund__isnull=True,
                    settled_at__isnull=True,
                )
                | Q(
                    state=WithdrawalState.PAYOUT,
                    payout__isnull=False,
                    refund__isnull=True,
                    settled_at__isnull=False,
                )
                | Q(
                    state=WithdrawalState.REFUND,
                    payout__isnull=True,
                    refund__isnull=False,
                    settled_at__isnull=False,
                )
                | Q(
                    state=WithdrawalState.ASIDE,
                    payout__isnull=True,
                    refund__isnull=True,
                    settled_at__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["left_at"], name="withdrawal_open", condition=Q(state=WithdrawalState.OPEN)
            ),
        ]

    def __str__(self) -> str:
        return f"{format_kes(self.amount)} under {self.number}"

    @property
    def is_open(self) -> bool:
        """Whether it is not explained yet."""
        return self.state == WithdrawalState.OPEN
