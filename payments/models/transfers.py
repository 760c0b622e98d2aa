"""The common part of refunds and payouts, and stops of all transfers."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, When
from django.db.models.functions import Coalesce

from omachemainproj.money import format_kes
from payments.daraja.result_codes import TransferFailure, b2c_failure, reversal_failure

from .order_payments import new_callback_token

logger = logging.getLogger(__name__)

#: The result code of a transfer that M-Pesa says it reversed.
RETURNED = "status.reversed"
#: After this many refusals staff decide.
MAX_TRIES = 8
#: Temporary refusals, and the delay before the first retry. It doubles with each try.
RETRY_DELAYS = {
    # Payouts are stopped then, until staff lift the stop.
    TransferFailure.INITIATOR: timedelta(0),
    TransferFailure.NO_FUNDS: timedelta(hours=1),
    TransferFailure.LIMIT: timedelta(hours=12),
}
MAX_RETRY_DELAY = timedelta(hours=24)


class TransferStatus(models.TextChoices):
    DUE = "due", "to be sent"  # not sent to M-Pesa yet
    UNKNOWN = "unknown", "no clear answer"  # may have been sent; only evidence ends this
    SENT = "sent", "with M-Pesa"  # M-Pesa accepted the request
    DONE = "done", "done"  # the receiver has the money
    REFUSED = "refused", "refused"  # by M-Pesa: another follows, or staff decide
    DROPPED = "dropped", "dropped"  # never sent, and no longer needed


#: Transfers that wait for a second person's approval.
AWAITS_APPROVAL = Q(status=TransferStatus.DUE, needs_approval=True, approved_by__isnull=True)


class Unnumbered(models.TextChoices):
    """How a transfer without an M-Pesa receipt number is known to be done."""

    ALREADY_REVERSED = "reversed", "M-Pesa reported that it had been reversed already"
    OUTSIDE = "outside", "M-Pesa reversed the payment itself"
    NOT_TOLD = "not_told", "M-Pesa reported success without a receipt number"


#: M-Pesa may have received it, and its outcome is not known.
UNDER_WAY = (TransferStatus.UNKNOWN, TransferStatus.SENT)


def new_conversation_id() -> str:
    """A unique id of ours by which M-Pesa recognises a resent request."""
    return f"omache-{uuid.uuid4().hex}"


AnyTransfer = TypeVar("AnyTransfer", bound="Transfer")


class TransferQuerySet(models.QuerySet[AnyTransfer]):
    """Queries shared by refunds and payouts."""

    def not_done(self) -> Self:
        """Transfers that are not done."""
        return self.exclude(status=TransferStatus.DONE)

    def with_status(self, *statuses: TransferStatus) -> Self:
        """Transfers with one of these statuses, among which is not that of done ones.

        It says so twice: PostgreSQL uses the partial index of rows that are not done only where
        the query excludes them.
        """
        return self.not_done().filter(status__in=statuses)

    def numbered(self, number: str | OuterRef) -> Self:
        """Transfers with this receipt number of M-Pesa's; none if the number is empty.

        The indexes leave empty numbers out, and are used only where the query does so too.
        """
        return self.filter(number=number).exclude(number="")

    def drop(self, note: str) -> int:
        """Drop these, which were never sent; return how many."""
        return self.update(status=TransferStatus.DROPPED, next_check_at=None, note=note)

    def due(self, now: datetime) -> Self:
        """Transfers due to be sent or queried, longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def sent_after(self, time: datetime) -> Self:
        """Transfers under way that M-Pesa cannot have had by then.

        The time of the first sending is known only of those that were sent once, which M-Pesa was
        not queried about yet.
        """
        once = Q(checks=0, sent_at__gt=time)
        return self.filter(once | Q(created_at__gt=time), status__in=UNDER_WAY)

    def unresolved(self) -> Self:
        """Transfers without an outcome that are no longer queried: staff must look."""
        return self.filter(status__in=UNDER_WAY, next_check_at__isnull=True)

    def unacknowledged(self) -> Self:
        """Transfers with an unexpected outcome that staff have not acknowledged."""
        return self.filter(
            unacknowledged=True,
            status__in=(TransferStatus.DUE, TransferStatus.DONE, TransferStatus.DROPPED),
        )

    def to_approve(self) -> Self:
        """Transfers waiting for approval: too large, or to a number that staff typed."""
        return self.filter(AWAITS_APPROVAL)

    def postponed(self, before: datetime) -> Self:
        """Transfers due since before then and not sent: for lack of float, a limit, or a stop."""
        return self.filter(
            status=TransferStatus.DUE, next_check_at__isnull=False, created_at__lt=before
        )


def amount_sent() -> Case:
    """``Transfer.amount_sent`` as a database expression, KES."""
    recorded = Coalesce(F("reported_amount"), F("amount"))
    return Case(When(status=TransferStatus.DONE, then=recorded), default=F("amount"))


class Transfer(models.Model):
    """One attempt to send money out under one fixed id: the base of Refund and Payout.

    The row is committed before it is sent to M-Pesa and keeps its id on every resend.
    """

    amount = models.PositiveIntegerField(help_text="Whole Kenyan shillings.")
    phone = models.CharField(max_length=12, blank=True, help_text="For a payment to a phone.")
    status = models.CharField(max_length=7, choices=TransferStatus, default=TransferStatus.DUE)
    originator_conversation_id = models.CharField(
        max_length=64, default=new_conversation_id, unique=True, editable=False
    )
    #: Secret parts of two callback URLs: for the result, and for answers to status queries.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    status_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    #: The short code it was sent from, or at which the payment is reversed: that of the settings
    #: when it was sent.
    shortcode = models.CharField(
        max_length=12, blank=True, default="", db_default="", editable=False
    )
    #: Daraja's own id of the request, from its answer.
    conversation_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=20, blank=True, help_text="M-Pesa's receipt for it.")
    #: How it is known to be done, if it has no number.
    unnumbered = models.CharField(max_length=8, choices=Unnumbered, blank=True, editable=False)
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=200, blank=True)
    #: KES that M-Pesa says it sent, if that is not the amount requested. Once a transfer is done,
    #: it is what was sent, and staff have recorded it.
    reported_amount = models.PositiveIntegerField(null=True, editable=False)
    #: The note reports a difference that staff have not acknowledged yet.
    unacknowledged = models.BooleanField(default=False, db_column="unseen")
    #: When the clock sends it or queries its status next; None if there is nothing to do.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    #: How often M-Pesa refused to send the same money before.
    tries = models.PositiveSmallIntegerField(default=0)
    #: Needs a second person's approval: it is too large, or to a number that staff typed.
    needs_approval = models.BooleanField(default=False, db_default=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Who decided it, or typed its number: they cannot approve it.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        """Whether M-Pesa may have received it and its outcome is not known."""
        return self.status in UNDER_WAY

    @property
    def awaits_approval(self) -> bool:
        """Whether it is due and waits for a second person's approval."""
        return self.status == TransferStatus.DUE and self.is_unapproved

    @property
    def is_unapproved(self) -> bool:
        """Whether it needs a second person's approval and has none."""
        return self.needs_approval and self.approved_by_id is None

    @property
    def amount_sent(self) -> int:
        """The amount that was sent, or is to be, KES."""
        is_done = self.status == TransferStatus.DONE
        return self.reported_amount if is_done and self.reported_amount else self.amount

    @property
    def has_other_amount(self) -> bool:
        """Whether M-Pesa says that another amount was sent, and staff have not recorded which."""
        return self.reported_amount is not None and self.status != TransferStatus.DONE

    @property
    def kind(self) -> str:
        """``refund`` or ``payout``."""
        return str(self._meta.model_name)

    @property
    def only_queries_payment(self) -> bool:
        """Whether staff must send it manually: M-Pesa is only queried about the payment."""
        return False

    @property
    def is_reversal(self) -> bool:
        """Whether it is a reversal of a payment; else it is a payment to a phone."""
        return False

    @property
    def was_returned(self) -> bool:
        """Whether M-Pesa sent it to a phone and reversed that, as it has answered."""
        is_over = self.status in {TransferStatus.REFUSED, TransferStatus.DROPPED}
        return is_over and not self.is_reversal and self.result_code == RETURNED

    @property
    def was_made_otherwise(self) -> bool:
        """Whether it is done by another movement of money than its own payment to a phone."""
        return False

    @property
    def receipt_to_reverse(self) -> str:
        """The receipt number of the payment to reverse; "" if it is not a reversal."""
        return ""

    @property
    def query_id(self) -> str:
        """The id for status queries."""
        return self.originator_conversation_id

    def drop(self, note: str) -> None:
        """Save it as dropped: it was never sent, and is no longer needed."""
        self.status, self.next_check_at, self.note = TransferStatus.DROPPED, None, note[:200]
        self.save(update_fields=["status", "next_check_at", "note"])

    def failure_reason(self, code: str) -> TransferFailure | None:
        """What a result code of M-Pesa's means for this transfer; None if it does not end it."""
        return (reversal_failure if self.is_reversal else b2c_failure)(code)

    def retry_after(self, reason: TransferFailure) -> timedelta | None:
        """How long after its refusal it may be retried.

        None if it may not: the reason is not temporary, or it was refused too often.
        """
        if reason not in RETRY_DELAYS or self.tries >= MAX_TRIES:
            return None
        return min(RETRY_DELAYS[reason] * 2**self.tries, MAX_RETRY_DELAY)

    def still(self, *statuses: TransferStatus) -> models.QuerySet[Any]:
        """A queryset of this row if it still has one of these statuses, for guarded updates."""
        return type(self)._default_manager.filter(pk=self.pk, status__in=statuses)


class DailyTransferTotal(models.Model):
    """The total sent on one day in Nairobi, counted when it is sent."""

    day = models.DateField(unique=True)
    sent = models.PositiveIntegerField(default=0, help_text="Whole Kenyan shillings.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{format_kes(self.sent)} on {self.day:%-d %b %Y}"


class StopCause(models.TextChoices):
    """Why all transfers are stopped."""

    #: M-Pesa rejects it: each further request, even a status query, could help to lock it.
    INITIATOR = "initiator", "M-Pesa does not accept the initiator"
    #: Transfers sent since the backup are in no row, and would be sent again.
    RESTORE = "restore", "the database was restored from a backup"


class PayoutStopQuerySet(models.QuerySet["PayoutStop"]):
    def stop_transfers(self, reason: str) -> None:
        """Stop all transfers until staff lift the stop: M-Pesa rejects the initiator.

        Safe to repeat.
        """
        stop = self.model(reason=reason[:200])
        self.bulk_create([stop], ignore_conflicts=True)
        logger.critical("transfers are stopped: %s", stop.reason)

    def transfers_are_stopped(self) -> bool:
        """Whether all transfers are stopped."""
        return self.still_open().exists()

    def queries_are_stopped(self) -> bool:
        """Whether even status queries are stopped: they use the initiator's credential too."""
        return self.still_open().filter(cause=StopCause.INITIATOR).exists()

    def after_a_restore(self) -> PayoutStopQuerySet:
        """The open stop after a restore of the database, if any."""
        return self.still_open().filter(cause=StopCause.RESTORE)

    def still_open(self) -> PayoutStopQuerySet:
        """Stops in force now: at most one per cause."""
        return self.filter(is_open=True)


class PayoutStop(models.Model):
    """A stop of all transfers. Staff lift it.

    Created when M-Pesa rejects the initiator, until the password or the certificate is corrected;
    and when the database was restored, until M-Pesa's statement has shown what was sent since
    ``lost_since``, the time of the backup.
    """

    cause = models.CharField(
        max_length=9,
        choices=StopCause,
        default=StopCause.INITIATOR,
        db_default=StopCause.INITIATOR,
        editable=False,
    )
    reason = models.CharField(max_length=200)
    #: The time of the backup: what happened since then is in no row.
    lost_since = models.DateTimeField(null=True, editable=False)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = PayoutStopQuerySet.as_manager()

    class Meta:
        verbose_name = "payout stop"
        verbose_name_plural = "payout stops"
        constraints = [
            models.UniqueConstraint(
                name="payouts_are_stopped_once_for_a_cause",
                fields=["cause"],
                condition=Q(is_open=True),
            ),
            models.CheckConstraint(
                name="stop_has_an_end_once_it_is_over",
                condition=Q(is_open=True, ended_at__isnull=True)
                | Q(is_open=False, ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="stop_after_a_restore_says_since_when",
                condition=Q(cause=StopCause.RESTORE, lost_since__isnull=False)
                | Q(cause=StopCause.INITIATOR, lost_since__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.reason
