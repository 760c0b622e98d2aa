"""What sellers are owed for each line, and how it leaves to them."""

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
    MoneyOut,
    MoneyOutQuerySet,
    SentOnDay,
    TransferStatus,
    Unnumbered,
)


def default_approval_above() -> int:
    """What is too large now to leave on one person's word, in KES."""
    limit: int = settings.PAYOUT_APPROVAL_ABOVE
    return limit


class PayoutQuerySet(MoneyOutQuerySet["Payout"]):
    def of_seller(self, seller: User) -> PayoutQuerySet:
        """A seller's own payouts. Seller views start here and nowhere else."""
        return self.filter(seller=seller)

    def still_open(self) -> PayoutQuerySet:
        """Payouts that leave, or may have left, and whose end is not known."""
        return self.filter(status__in=(TransferStatus.DUE, *UNDER_WAY))

    def refused(self) -> PayoutQuerySet:
        """Payouts that M-Pesa refused, and that nothing has taken over."""
        return self.filter(status=TransferStatus.REFUSED)

    def dropped(self) -> PayoutQuerySet:
        """Payouts that never left, and whose shares others carry or will."""
        return self.not_done().filter(status=TransferStatus.DROPPED)

    def needs_action(self) -> PayoutQuerySet:
        """Refused payouts that no later time can mend: a number must change, or a person decide."""
        return self.refused().filter(next_check_at__isnull=True)


class Payout(MoneyOut):
    """One try to send a seller what they are owed, to one number.

    It carries the shares of one line, or of several too small to go alone. ``amount`` is what is
    sent; it differs from ``gross``, what its shares come to, by what the seller owed the shop. One
    that M-Pesa refused keeps its shares until another takes them over.
    """

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts"
    )
    gross = models.PositiveIntegerField(help_text="Whole Kenyan shillings, before any debt.")
    approval_above = models.PositiveIntegerField(
        default=default_approval_above,
        editable=False,
        help_text="Whole Kenyan shillings: what was too large at the time.",
    )

    #: Since when staff keep it back that waits for a second person, and why: for staff alone.
    held_at = models.DateTimeField(null=True, editable=False)
    held_why = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )

    objects = PayoutQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payout_that_is_kept_back_waits_for_a_person",
                condition=Q(held_at__isnull=True, held_why="")
                | Q(
                    ~Q(held_why=""),
                    held_at__isnull=False,
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
            # Few of all: the console's queues, and what is told of them, look at these alone.
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
        """What sellers have earned, sent to them or not."""
        return self.filter(reversed_at__isnull=True)

    def to_pay(self) -> SellerShareQuerySet:
        """What is owed and nothing carries yet; held back or not."""
        # The first of both is what the index says of its rows.
        return self.owed().filter(payout__isnull=True, amount__gt=0).filter(_something_left())

    def uncarried(self, payouts: PayoutQuerySet) -> SellerShareQuerySet:
        """What is owed and was carried by one of these, which never left; held back or not."""
        return self.owed().filter(_something_left(), payout__in=payouts.values("pk"))

    def disputed(self) -> SellerShareQuerySet:
        """Shares of lines with which their buyers have a problem that is undecided."""
        return self.filter(track__disputed=True)

    def withheld(self) -> SellerShareQuerySet:
        """What is owed and a person keeps back: another lets it go."""
        return self.owed().exclude(withheld_why="")

    def payable(self, now: datetime | None = None) -> SellerShareQuerySet:
        """Without what an undecided problem, a part just named by its seller, or a person holds
        back."""
        unsettled = Problem.objects.not_settled_yet(now or timezone.now())
        unsettled = unsettled.filter(track=OuterRef("track"))
        return self.filter(~Exists(unsettled), withheld_why="", track__disputed=False)

    def held_of(self, seller: User | int) -> SellerShareQuerySet:
        """What is owed to a seller, has not left, and is held back by undecided problems."""
        never_left = Q(payout__isnull=True) | Q(
            payout__status__in=(TransferStatus.REFUSED, TransferStatus.DROPPED)
        )
        # The line's seller is the share's: the index of lines in dispute is by them.
        return self.owed().disputed().filter(never_left, seller=seller, track__seller=seller)


def share_due() -> CombinedExpression:
    """What is left of a share, KES: SellerShare.due, for the database."""
    return F("amount") - F("reduced")


def _something_left() -> Q:
    return Q(amount__gt=F("reduced"))


class SellerShare(models.Model):
    """What a seller is owed for one line, from when its goods were fetched. One a line."""

    track = models.OneToOneField(
        "orders.OrderTrack", on_delete=models.PROTECT, related_name="seller_share"
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shares"
    )
    #: The number on the listing when it was sold, or the one its seller has given since.
    phone = models.CharField(max_length=12)
    #: Which of the staff typed that number; None where its seller did.
    phone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    sold_for = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    commission = models.PositiveIntegerField(help_text="The shop's part of it.")
    amount = models.PositiveIntegerField(help_text="The seller's part of it.")
    #: What reductions of the line's price took of both parts since (orders.models.PriceReduction).
    reduced = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    commission_reduced = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    #: Of the seller's part, what the payout took on that carries it: it was not reduced then, or
    #: not yet as much.
    carried = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    #: Why a person keeps it back whose payout was refused (for staff alone); empty if nobody does.
    withheld_why = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    #: What carries it, or carried it last; None while none does.
    payout = models.ForeignKey(Payout, null=True, on_delete=models.PROTECT, related_name="shares")
    #: How often M-Pesa refused a payout that carried it.
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When its line was cancelled: it is owed no more, and a debt where it had been sent.
    reversed_at = models.DateTimeField(null=True)

    objects = SellerShareQuerySet.as_manager()

    class Meta:
        verbose_name = "seller’s share of a line"
        verbose_name_plural = "sellers’ shares of lines"
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
        """What is left of it, KES."""
        return self.amount - self.reduced

    @property
    def kept(self) -> int:
        """What is left of the shop's commission, KES."""
        return self.commission - self.commission_reduced


class PayoutDay(SentOnDay):
    """What left to sellers on one day."""

    class Meta(SentOnDay.Meta):
        verbose_name = "day of payouts"
        verbose_name_plural = "days of payouts"
