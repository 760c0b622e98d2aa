"""What every transfer out has, refund or payout, and what stops all of them."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from omachemainproj.money import format_kes
from payments.daraja.result_codes import PayoutReason, b2c_failure, reversal_failure

from .order_payments import new_callback_token

logger = logging.getLogger(__name__)

#: After so many refusals a person decides.
MAX_TRIES = 8
#: Refusals that may be over later, and how long the first wait is. It doubles from try to try.
RETRY_DELAYS = {
    # The stop keeps it back; a person ends that.
    PayoutReason.INITIATOR: timedelta(0),
    PayoutReason.NO_FUNDS: timedelta(hours=1),
    PayoutReason.LIMIT: timedelta(hours=12),
}
MAX_RETRY_DELAY = timedelta(hours=24)


class TransferStatus(models.TextChoices):
    DUE = "due", "to be sent"  # owed; M-Pesa has not been asked
    UNKNOWN = "unknown", "no clear answer"  # M-Pesa may have been asked; only evidence ends this
    SENT = "sent", "with M-Pesa"  # which took the request
    DONE = "done", "done"  # whom it is owed to has it
    REFUSED = "refused", "refused"  # M-Pesa said no: another follows, or a person decides
    DROPPED = "dropped", "dropped"  # never sent, and no longer needed


#: Money that is not to leave before a second person has looked at it.
AWAITS_APPROVAL = Q(status=TransferStatus.DUE, needs_approval=True, approved_by__isnull=True)


class Unnumbered(models.TextChoices):
    """How something became done of which M-Pesa's receipt number is not known."""

    ALREADY_REVERSED = "reversed", "M-Pesa only said that it had been reversed before"
    OUTSIDE = "outside", "M-Pesa took the payment back by itself"
    NOT_TOLD = "not_told", "M-Pesa said that it was done, and named no receipt"


#: M-Pesa may know of it, and its end is not known.
UNDER_WAY = (TransferStatus.UNKNOWN, TransferStatus.SENT)


def new_conversation_id() -> str:
    """The id by which M-Pesa knows what it is asked to send again: ours, fixed, unique."""
    return f"omache-{uuid.uuid4().hex}"


AnyMoneyOut = TypeVar("AnyMoneyOut", bound="MoneyOut")


class MoneyOutQuerySet(models.QuerySet[AnyMoneyOut]):
    """What refunds and payouts have in common."""

    def not_done(self) -> Self:
        """Transfers that are not done.

        Combined with a filter by status this looks redundant, and is not: PostgreSQL uses the
        partial index of rows that are not done only where the query says so.
        """
        return self.exclude(status=TransferStatus.DONE)

    def numbered(self, number: str) -> Self:
        """Transfers with this receipt number of M-Pesa's; none if the number is empty.

        The indexes leave empty numbers out, and are used only where the query does so too.
        """
        return self.filter(number=number).exclude(number="")

    def drop(self, note: str) -> int:
        """Drop these, which were never sent; return how many."""
        return self.update(status=TransferStatus.DROPPED, next_check_at=None, note=note)

    def due(self, now: datetime) -> Self:
        """What it is time to send, or to ask about; longest waiting first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def unresolved(self) -> Self:
        """Whose end is not known and about which M-Pesa is not asked any more."""
        return self.filter(status__in=UNDER_WAY, next_check_at__isnull=True)

    def unacknowledged(self) -> Self:
        """What ended otherwise than it should have, and nobody has acknowledged that."""
        return self.filter(
            unacknowledged=True,
            status__in=(TransferStatus.DUE, TransferStatus.DONE, TransferStatus.DROPPED),
        )

    def to_approve(self) -> Self:
        """What waits for a second person: too large, or to a number that a person typed."""
        return self.filter(AWAITS_APPROVAL)

    def on_hold(self, before: datetime) -> Self:
        """What is owed since before then and not sent yet: for float, a limit, or a stop."""
        return self.filter(
            status=TransferStatus.DUE, next_check_at__isnull=False, created_at__lt=before
        )


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
    #: Two addresses only Daraja knows: for the result, and for what a status query finds.
    callback_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    status_token = models.CharField(
        max_length=32, default=new_callback_token, unique=True, editable=False
    )
    #: Daraja's own name of the request, from its answer.
    conversation_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=20, blank=True, help_text="M-Pesa's receipt for it.")
    #: Of what is done and has no number: how that is known.
    unnumbered = models.CharField(max_length=8, choices=Unnumbered, blank=True, editable=False)
    result_code = models.CharField(max_length=32, blank=True)
    result_text = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=200, blank=True)
    #: Its note is about a difference, and no person has acknowledged it yet.
    unacknowledged = models.BooleanField(default=False, db_column="unseen")
    #: When the clock sends it, or asks what became of it; None when there is nothing to do.
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    #: How often M-Pesa refused to send the same money before.
    tries = models.PositiveSmallIntegerField(default=0)
    #: Too large to leave before a second person has looked at it, or to a number staff typed.
    needs_approval = models.BooleanField(default=False, db_default=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Who decided that it is sent, or typed the number it goes to: never who approves it.
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
        """Whether M-Pesa may know of it and its end is not known."""
        return self.status in UNDER_WAY

    @property
    def awaits_approval(self) -> bool:
        """Whether a second person has to look at it before it leaves, and has not."""
        return self.status == TransferStatus.DUE and self.is_unapproved

    @property
    def is_unapproved(self) -> bool:
        """Whether a second person had to look at it before it leaves, and has not."""
        return self.needs_approval and self.approved_by_id is None

    @property
    def kind(self) -> str:
        """What it is, in a word: a refund or a payout."""
        return str(self._meta.model_name)

    @property
    def only_asks(self) -> bool:
        """Whether it is a person's to send, and M-Pesa is only asked about what it came of."""
        return False

    @property
    def is_reversal(self) -> bool:
        """Whether it takes a payment back; else it is a payment to a phone."""
        return False

    @property
    def receipt_to_reverse(self) -> str:
        """The number of the payment that a reversal takes back."""
        return ""

    @property
    def query_id(self) -> str:
        """The id by which M-Pesa is asked what became of it."""
        return self.originator_conversation_id

    def drop(self, note: str) -> None:
        """Save it as dropped: it was never sent, and is no longer needed."""
        self.status, self.next_check_at, self.note = TransferStatus.DROPPED, None, note[:200]
        self.save(update_fields=["status", "next_check_at", "note"])

    def failure_reason(self, code: str) -> PayoutReason | None:
        """What a result code of M-Pesa's means for this transfer; None if it does not end it."""
        return (reversal_failure if self.is_reversal else b2c_failure)(code)

    def retry_after(self, reason: PayoutReason) -> timedelta | None:
        """How long after its refusal the same may be tried again.

        None when it may not: waiting mends nothing, or it was refused too often.
        """
        if reason not in RETRY_DELAYS or self.tries >= MAX_TRIES:
            return None
        return min(RETRY_DELAYS[reason] * 2**self.tries, MAX_RETRY_DELAY)

    def still(self, *statuses: TransferStatus) -> models.QuerySet[Any]:
        """This row, if it still has one of these statuses: to be changed only then."""
        return type(self)._default_manager.filter(pk=self.pk, status__in=statuses)


class SentOnDay(models.Model):
    """What left on one day, by Nairobi's calendar: counted when it is sent."""

    day = models.DateField(unique=True)
    sent = models.PositiveIntegerField(default=0, help_text="Whole Kenyan shillings.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{format_kes(self.sent)} on {self.day:%-d %b %Y}"


class StopCause(models.TextChoices):
    """Why nothing may leave the shop."""

    #: M-Pesa does not accept it: each further request, a question too, would help to lock it.
    INITIATOR = "initiator", "M-Pesa does not accept the initiator"
    #: What was sent since the backup is in no row: it would be sent again.
    RESTORE = "restore", "the database was restored from a backup"


class PayoutStopQuerySet(models.QuerySet["PayoutStop"]):
    def stop_payouts(self, reason: str) -> None:
        """Let nothing leave the shop until a person says so: the initiator is not accepted.

        Safe to repeat.
        """
        stop = self.model(reason=reason[:200])
        self.bulk_create([stop], ignore_conflicts=True)
        logger.critical("payouts are stopped: %s", stop.reason)

    def payouts_are_stopped(self) -> bool:
        """Whether nothing may leave the shop until a person says so."""
        return self.still_open().exists()

    def questions_are_stopped(self) -> bool:
        """Whether M-Pesa may not even be asked: a question is signed by the initiator too."""
        return self.still_open().filter(cause=StopCause.INITIATOR).exists()

    def after_a_restore(self) -> PayoutStopQuerySet:
        """What keeps money from leaving since the database was restored: one, or none."""
        return self.still_open().filter(cause=StopCause.RESTORE)

    def still_open(self) -> PayoutStopQuerySet:
        """What keeps money from leaving now: at most one of a cause."""
        return self.filter(is_open=True)


class PayoutStop(models.Model):
    """Nothing leaves the shop while one of these is open. A person ends it.

    One is made when M-Pesa does not accept the initiator, until the password or the certificate is
    right; another when the database was restored, until M-Pesa's statement has told what left
    since ``lost_since``, the time of the backup.
    """

    cause = models.CharField(
        max_length=9,
        choices=StopCause,
        default=StopCause.INITIATOR,
        db_default=StopCause.INITIATOR,
        editable=False,
    )
    reason = models.CharField(max_length=200)
    #: What happened since then is in no row of before the restore.
    lost_since = models.DateTimeField(null=True, editable=False)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = PayoutStopQuerySet.as_manager()

    class Meta:
        verbose_name = "stop of all payouts"
        verbose_name_plural = "stops of all payouts"
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
