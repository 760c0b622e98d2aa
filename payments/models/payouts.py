"""Sellers' earnings per order line, and the payouts that send them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import CombinedExpression
from django.utils import timezone

from accounts.models import User
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from orders.models import Problem

from .transfers import (
    UNDER_WAY,
    DailyTransferTotal,
    Transfer,
    TransferQuerySet,
    TransferStatus,
    Unnumbered,
)


def default_approval_above() -> int:
    """The amount above which a payout needs a second person's approval now, in KES."""
    limit: int = settings.PAYOUT_APPROVAL_ABOVE
    return limit


class PayoutQuerySet(TransferQuerySet["Payout"]):
    def of_seller(self, seller: User) -> PayoutQuerySet:
        """A seller's own payouts. Seller views start here and nowhere else."""
        return self.filter(seller=seller)

    def still_open(self) -> PayoutQuerySet:
        """Payouts that are due or may have been sent, and whose outcome is not known."""
        return self.filter(status__in=(TransferStatus.DUE, *UNDER_WAY))

    def refused(self) -> PayoutQuerySet:
        """Payouts that M-Pesa refused and no other payout has taken over."""
        return self.filter(status=TransferStatus.REFUSED)

    def dropped(self) -> PayoutQuerySet:
        """Payouts that were never sent, and whose shares other payouts carry or will carry."""
        return self.with_status(TransferStatus.DROPPED)

    def needs_action(self) -> PayoutQuerySet:
        """Refused payouts that a retry cannot fix: the number must change, or staff decide."""
        return self.refused().filter(next_check_at__isnull=True)


class Payout(Transfer):
    """One attempt to pay a seller's earnings to one number.

    It carries the share of one line, or of several that are too small to be sent alone. ``amount``
    is what is sent; ``gross`` is the sum of its shares, before what the seller owed the shop is
    deducted. A payout that M-Pesa refused keeps its shares until another takes them over.
    """

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="payouts",
        db_index=False,  # payout_of_seller_newest begins with it
    )
    gross = models.PositiveIntegerField(
        help_text="Whole Kenyan shillings, before the seller's debt is deducted."
    )
    approval_above = models.PositiveIntegerField(
        default=default_approval_above,
        editable=False,
        help_text="Whole Kenyan shillings: the amount above which it needed approval.",
    )

    #: Since when staff have put it on hold while it waits for approval, and why (staff only).
    on_hold_since = models.DateTimeField(db_column="held_at", null=True, editable=False)
    on_hold_reason = models.CharField(
        db_column="held_why",
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )

    objects = PayoutQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payout_that_is_kept_back_waits_for_a_person",
                condition=Q(on_hold_since__isnull=True, on_hold_reason="")
                | Q(
                    ~Q(on_hold_reason=""),
                    on_hold_since__isnull=False,
                    needs_approval=True,
                    approved_by__isnull=True,
                    status__in=[TransferStatus.DUE, TransferStatus.DROPPED],
                ),
            ),
            models.CheckConstraint(
                name="payout_is_nothing_or_what_mpesa_takes",
                condition=Q(amount=0) | Q(amount__gte=MIN_B2C, amount__lte=MAX_B2C),
            ),
            models.CheckConstraint(
                name="payout_of_nothing_is_never_sent",
                condition=Q(amount__gt=0) | Q(status=TransferStatus.DONE, number=""),
            ),
            models.CheckConstraint(
                name="payout_is_sent_once_it_is_approved",
                condition=Q(needs_approval=False)
                | Q(approved_by__isnull=False)
                | Q(status__in=[TransferStatus.DUE, TransferStatus.DROPPED]),
            ),
            models.UniqueConstraint(
                name="mpesa_number_is_of_one_payout", fields=["number"], condition=~Q(number="")
            ),
            models.CheckConstraint(name="payout_names_a_phone", condition=~Q(phone="")),
            models.CheckConstraint(
                name="payout_above_the_limit_is_approved",
                condition=Q(needs_approval=True) | Q(amount__lte=F("approval_above")),
            ),
            models.CheckConstraint(
                name="payout_is_not_approved_by_its_seller",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("seller")),
            ),
            models.CheckConstraint(
                name="payout_that_is_done_has_a_number_or_says_why_not",
                condition=~Q(status=TransferStatus.DONE)
                | ~Q(number="")
                | Q(unnumbered=Unnumbered.NOT_TOLD)
                | Q(amount=0),
            ),
            models.CheckConstraint(
                name="payout_is_done_at_a_time",
                condition=~Q(status=TransferStatus.DONE) | Q(done_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="payout_to_look_after",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(
                fields=["seller", "phone"],
                name="payout_not_done",
                condition=~Q(status=TransferStatus.DONE),
            ),
            # A small part of all rows: the console's queues and alerts read only these.
            models.Index(
                fields=["id", "status"],
                name="payout_open",
                condition=Q(status__in=[TransferStatus.DUE, *UNDER_WAY, TransferStatus.REFUSED]),
            ),
            models.Index(fields=["seller", "-id"], name="payout_of_seller_newest"),
            models.Index(fields=["phone"], name="payout_by_phone"),
            models.Index(fields=["id"], name="payout_unseen", condition=Q(unacknowledged=True)),
        ]

    def __str__(self) -> str:
        return f"{format_kes(self.amount)} to a seller, {self.get_status_display()}"


class SellerShareQuerySet(models.QuerySet["SellerShare"]):
    def owed(self) -> SellerShareQuerySet:
        """Shares that sellers have earned, paid out or not."""
        return self.filter(reversed_at__isnull=True)

    def to_pay(self) -> SellerShareQuerySet:
        """Shares owed that are in no payout yet, withheld or not."""
        # amount > 0 is redundant, but the partial index share_to_pay requires it.
        return self.owed().filter(payout__isnull=True, amount__gt=0).filter(_something_left())

    def dropped_with(self, payouts: PayoutQuerySet) -> SellerShareQuerySet:
        """Shares owed that were in one of these payouts, which were never sent; withheld or not."""
        return self.owed().filter(_something_left(), payout__in=payouts.values("pk"))

    def disputed(self) -> SellerShareQuerySet:
        """Shares of lines with an undecided problem."""
        return self.filter(track__disputed=True)

    def withheld(self) -> SellerShareQuerySet:
        """Shares owed that staff withhold, until another staff member releases them."""
        return self.owed().exclude(withheld_why="")

    def payable(self, now: datetime | None = None) -> SellerShareQuerySet:
        """Shares that nothing holds back: no undecided problem, no amount its seller has just
        offered to refund, and no staff member."""
        unsettled = Problem.objects.not_settled_yet(now or timezone.now())
        unsettled = unsettled.filter(track=OuterRef("track"))
        return self.filter(~Exists(unsettled), withheld_why="", track__disputed=False)

    def held_of(self, seller: User | int) -> SellerShareQuerySet:
        """Shares owed to a seller that are not paid out because of undecided problems."""
        never_left = Q(payout__isnull=True) | Q(
            payout__status__in=(TransferStatus.REFUSED, TransferStatus.DROPPED)
        )
        # The line's seller is the share's too: the index of disputed lines is by seller.
        return self.owed().disputed().filter(never_left, seller=seller, track__seller=seller)


def share_due() -> CombinedExpression:
    """``SellerShare.due`` as a database expression, KES."""
    return F("amount") - F("reduced")


def _something_left() -> Q:
    return Q(amount__gt=F("reduced"))


class SellerShare(models.Model):
    """A seller's earnings for one line, from when its goods were fetched. One per line."""

    track = models.OneToOneField(
        "orders.OrderTrack", on_delete=models.PROTECT, related_name="seller_share"
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shares"
    )
    #: The number on the listing when it was sold, or one the seller has given since.
    phone = models.CharField(max_length=12)
    #: The staff member who typed that number; None if the seller did.
    phone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    sold_for = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    commission = models.PositiveIntegerField(help_text="The shop's part of it.")
    amount = models.PositiveIntegerField(help_text="The seller's part of it.")
    #: What reductions of the price have taken from both parts (orders.models.PriceReduction).
    reduced = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    commission_reduced = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    #: What its payout includes for it: ``due`` when that was created, and the price may have been
    #: reduced since. 0 if it was in no payout.
    carried = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    #: Why staff withhold it (staff only); empty if they do not.
    withheld_why = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    #: The payout that carries it, or carried it last; None if there was none.
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="shares")
    #: How often M-Pesa refused a payout that carried it.
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When its line was cancelled: it is no longer owed, and a debt if it had been paid out.
    reversed_at = models.DateTimeField(null=True)

    objects = SellerShareQuerySet.as_manager()

    class Meta:
        verbose_name = "seller’s earnings from a line"
        verbose_name_plural = "sellers’ earnings from lines"
        constraints = [
            models.CheckConstraint(
                name="share_and_commission_are_the_price",
                condition=Q(sold_for=F("commission") + F("amount")),
            ),
            models.CheckConstraint(
                name="share_is_reduced_by_no_more_than_it_is",
                condition=Q(reduced__lte=F("amount"), commission_reduced__lte=F("commission")),
            ),
            models.CheckConstraint(
                name="share_is_carried_by_no_more_than_it_is",
                condition=Q(carried__lte=F("amount")),
            ),
        ]
        indexes = [
            models.Index(fields=["phone"], name="share_by_phone"),
            models.Index(
                fields=["seller", "phone", "id"],
                name="share_to_pay",
                condition=Q(payout__isnull=True, reversed_at__isnull=True, amount__gt=0),
            ),
            models.Index(fields=["id"], name="share_withheld", condition=~Q(withheld_why="")),
        ]

    def __str__(self) -> str:
        return f"{format_kes(self.amount)} for line {self.track_id}"

    @property
    def due(self) -> int:
        """The seller's part less reductions, KES."""
        return self.amount - self.reduced

    @property
    def net_commission(self) -> int:
        """The shop's commission less reductions, KES."""
        return self.commission - self.commission_reduced


class PayoutDay(DailyTransferTotal):
    """The total of payouts sent on one day."""

    class Meta(DailyTransferTotal.Meta):
        verbose_name = "day’s payouts"
        verbose_name_plural = "payouts by day"
