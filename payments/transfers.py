"""How a transfer ends: the steps that refunds and payouts share.

A transfer is a row of Transfer. Steps that differ are in the handlers of refunds.handler and
payouts.handler. disbursement.py sends transfers and queries their status.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from omachemainproj.money import format_kes

from .daraja.result_codes import TransferFailure
from .models import (
    TRANSFER_QUERIES,
    DailyTransferTotal,
    Payout,
    PayoutStop,
    Provider,
    Receipt,
    Refund,
    Transfer,
    TransferStatus,
    Unnumbered,
    Withdrawal,
)
from .models.transfers import AWAITS_APPROVAL, UNDER_WAY

Row = TypeVar("Row", bound=Transfer)
Handler = TypeVar("Handler", bound="type[TransferHandler[Any]]")

logger = logging.getLogger(__name__)

_handlers: dict[type[Transfer], TransferHandler[Any]] = {}

#: The result of a transfer that M-Pesa answered it does not know.
NEVER_RECEIVED = "M-Pesa never received it."
#: The note of a transfer that staff decide about, because this was its result for a week.
REJECTED_FOR_A_WEEK = "M-Pesa has rejected this request for a week, and does not know it."


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a due row may be sent now; if not, when to look again.

    Without a time it is not looked at again: it was dropped, or waits for approval.
    """

    may_be_sent: bool
    look_again_at: datetime | None = None

    @classmethod
    def postponed_until(cls, time: datetime) -> Readiness:
        return cls(may_be_sent=False, look_again_at=time)


READY = Readiness(may_be_sent=True)
NOT_TO_BE_SENT = Readiness(may_be_sent=False)


class TransferHandler(ABC, Generic[Row]):
    """The steps of a transfer that differ between refunds and payouts."""

    #: A note with two placeholders: the amount M-Pesa reports, and the amount requested.
    wrong_amount: ClassVar[str]
    #: The note of a transfer that was made as requested.
    done: ClassVar[str]
    #: The model that holds the totals per day.
    days: ClassVar[type[DailyTransferTotal]]

    @abstractmethod
    def lock(self, row_id: int) -> Row:
        """Lock and return the row, after the rows that are locked before it."""

    @abstractmethod
    def check_readiness(self, row: Row, now: datetime) -> Readiness:
        """Whether a due row may be sent now.

        May also drop the row, or save it without a next check because it needs approval first.
        """

    def receipt_to_query(self, row: Row, now: datetime) -> str:
        """The receipt number to query before the row leaves; "" if it may leave.

        After enough unanswered queries the row is refused, and staff decide.
        """
        return ""

    @property
    @abstractmethod
    def daily_limit(self) -> int:
        """The limit per day, KES."""

    @abstractmethod
    def is_covered(self, row: Row) -> bool:
        """Whether confirmed payments cover the row: those it refunds, or those its earnings are
        from."""

    def reason_without_number(self, row: Row) -> Unnumbered:
        """How a row without an M-Pesa receipt number is known to be done."""
        return Unnumbered.NOT_TOLD

    @abstractmethod
    def on_done(self, row: Row, *, was: str) -> None:
        """Save a row that became done from the status ``was``, and do what follows."""

    def on_not_received(self, row: Row) -> None:
        """Do what follows a row that is due again because M-Pesa never received it."""

    @abstractmethod
    def on_refused(self, row: Row, reason: TransferFailure) -> None:
        """Do what follows the refusal of a row, which is saved already."""


def handles(model: type[Transfer]) -> Callable[[Handler], Handler]:
    """Class decorator: register the handler of a model's rows."""

    def register(handler: Handler) -> Handler:
        _handlers[model] = handler()
        return handler

    return register


def handler_of(row: Row) -> TransferHandler[Row]:
    """The handler of a row."""
    return _handlers[type(row)]


@transaction.atomic
def mark_done(
    row: Transfer,
    *,
    number: str,
    amount: int | None = None,
    recorded: int | None = None,
    code: str = "0",
    text: str = "",
) -> str:
    """Record that a transfer was made. Safe to repeat, also after it was recorded as failed.

    ``amount`` is the KES that M-Pesa reports, None if it reports none. If it differs from the
    amount requested, the row is left for staff. ``recorded`` is the other amount that staff then
    record, and that is posted. Returns a note.
    """
    handler = handler_of(row)
    row = handler.lock(row.pk)
    if row.status == TransferStatus.DONE:
        return _record_number(row, number, amount or row.amount)
    if amount not in {None, row.amount}:
        return _flag_wrong_amount(row, amount or 0, handler.wrong_amount)
    was, row.status = row.status, TransferStatus.DONE
    row.reported_amount = recorded
    row.done_at, row.next_check_at = timezone.now(), None
    row.number, row.result_code, row.result_text = number, code, text[:200]
    row.unnumbered = "" if number else handler.reason_without_number(row)
    handler.on_done(row, was=was)
    if was not in UNDER_WAY and row.sent_at is not None:
        # It was believed not to have left, and was taken out of its day's total. The day is locked
        # last, as when a row is claimed.
        _total_of_day(row, row.sent_at).update(sent=F("sent") + row.amount_sent)
    elif recorded is not None and row.sent_at is not None:
        _total_of_day(row, row.sent_at).update(sent=F("sent") + recorded - row.amount)
    return row.note or handler.done


def _flag_wrong_amount(row: Transfer, amount: int, wrong_amount: str) -> str:
    """Record that M-Pesa reports ``amount`` KES for a transfer of another. Returns the note.

    One that was due again, because M-Pesa had answered that it does not know it, is on its way: it
    is neither sent nor dropped meanwhile.
    """
    row.note = wrong_amount.format(format_kes(amount), format_kes(row.amount))
    row.unacknowledged, row.next_check_at, row.reported_amount = True, None, amount
    had_left = row.status == TransferStatus.DUE and row.sent_at is not None
    if had_left:
        row.status = TransferStatus.UNKNOWN
    changed = ["note", "unacknowledged", "next_check_at", "reported_amount", "status"]
    row.save(update_fields=changed)
    if had_left:
        # It was taken out of its day's total when M-Pesa did not know it.
        _total_of_day(row, row.sent_at or row.created_at).update(sent=F("sent") + row.amount)
    logger.error("%s %s: %s", row.kind, row.pk, row.note)
    return row.note


def _record_number(row: Transfer, number: str, amount: int) -> str:
    """Record the number that M-Pesa reports of a transfer that is done, of ``amount`` KES. Returns
    a note.

    A second number of money sent to a phone is a second movement: the row is left for staff, and
    the movement is a withdrawal for them to explain, as when it is on the statement. A payment is
    reversed once, whatever number a report gives to that.
    """
    if not number or number == row.number or (row.number and row.is_reversal):
        return "Already recorded."
    if not row.number and not row.was_made_otherwise:
        row.number = number
        row.save(update_fields=["number"])
        return "Already recorded."
    note = f"M-Pesa also reports it as {number}: the money may have been sent twice."
    if not is_number_of_transfer(number):
        shown = {"shortcode": row.shortcode, "amount": amount, "phone": row.phone}
        reason = f"M-Pesa's result of {row.kind} {row.pk}, which is {row.number or 'done'}."
        Withdrawal.objects.get_or_create(
            number=number, defaults={**shown, "reason": reason, "left_at": timezone.now()}
        )
    if row.note != note:
        row.note, row.unacknowledged = note, True
        row.save(update_fields=["note", "unacknowledged"])
        logger.critical("%s %s is done as %s: %s", row.kind, row.pk, row.number, note)
    return note


@transaction.atomic
def mark_refused(row: Transfer, *, code: str, text: str, reason: TransferFailure) -> str:
    """Record that M-Pesa has definitely not made a transfer. Safe to repeat. Returns a note.

    After a temporary reason it is retried later under a new id; after any other it goes another
    way, or staff decide.
    """
    handler = handler_of(row)
    row = handler.lock(row.pk)
    if not row.is_under_way:
        return f"A refusal after it ended: still {row.status}."
    row.status, row.next_check_at = TransferStatus.REFUSED, None
    row.result_code, row.result_text = code, text[:200]
    row.save()
    release_daily_limit(row)
    logger.warning("%s %s: M-Pesa refused it: %s %s", row.kind, row.pk, code, text)
    if reason == TransferFailure.INITIATOR:
        PayoutStop.objects.stop_transfers(f"M-Pesa does not accept the initiator: {code} {text}")
    handler.on_refused(row, reason)
    return "M-Pesa refused it."


@transaction.atomic
def mark_not_received(row: Transfer, *, heard_at: datetime) -> bool:
    """Make a payment to a phone due again: M-Pesa answered at ``heard_at`` that it does not know
    it. Safe to repeat. Returns whether it is due again.

    It keeps its id, by which M-Pesa recognises it if it received it after all. Whatever is checked
    before a transfer is sent is checked again. An answer from before it was last sent proves
    nothing. After a week staff decide.
    """
    handler = handler_of(row)
    row = handler.lock(row.pk)
    if row.status != TransferStatus.UNKNOWN or row.is_reversal:
        return False
    if heard_at < (row.sent_at or row.created_at):
        return False
    now = timezone.now()
    if TRANSFER_QUERIES.query_again_at(row.created_at, now, row.checks) is None:
        row.next_check_at, row.note = None, row.note or REJECTED_FOR_A_WEEK
        row.save(update_fields=["next_check_at", "note"])
        return False
    row.status, row.next_check_at = TransferStatus.DUE, now
    row.result_code, row.result_text = "", NEVER_RECEIVED
    row.save(update_fields=["status", "next_check_at", "result_code", "result_text"])
    release_daily_limit(row)
    handler.on_not_received(row)
    return True


@transaction.atomic
def mark_received(row: Transfer, answer: dict[str, Any]) -> None:
    """Record that M-Pesa accepted a request, although it answered a query in the meantime that it
    does not know it. ``answer`` holds the fields to save.

    Changes nothing if the row was sent again or dropped since that query.
    """
    due = row.still(TransferStatus.DUE).filter(sent_at=row.sent_at).exclude(AWAITS_APPROVAL)
    later = timezone.now() + TRANSFER_QUERIES.first
    if due.update(status=TransferStatus.SENT, next_check_at=later, **answer):
        _total_of_day(row, row.sent_at or row.created_at).update(sent=F("sent") + row.amount)


def mark_failed(row: Transfer, *, code: str, text: str, reason: TransferFailure) -> str:
    """Record a failure that M-Pesa reported. Safe to repeat. Returns a note.

    A refund of a payment that was reversed before is done: the buyer has the money.
    """
    if reason == TransferFailure.ALREADY_REVERSED:
        return mark_done(row, number="", code=code, text=text)
    return mark_refused(row, code=code, text=text, reason=reason)


def reserve_daily_limit(row: Transfer, now: datetime) -> bool:
    """Count a transfer towards today's limit of its kind; False if it no longer fits.

    Counted in the database, which all workers share. Call when the transfer is claimed.
    """
    left = _total_of_day(row, now).filter(sent__lte=handler_of(row).daily_limit - row.amount)
    return bool(left.update(sent=F("sent") + row.amount))


def release_daily_limit(row: Transfer) -> None:
    """Take a transfer out of the total of the day it was claimed on, because it was not sent.

    Call once, in the transaction that records this.
    """
    if row.sent_at is not None:
        sent_on = handler_of(row).days._default_manager.filter(
            day=row.sent_at.astimezone(NAIROBI).date()
        )
        sent_on.filter(sent__gte=row.amount).update(sent=F("sent") - row.amount)


def _total_of_day(row: Transfer, at: datetime) -> QuerySet[DailyTransferTotal]:
    """The total of the row's kind for that day in Nairobi; created if there is none yet."""
    days, day = handler_of(row).days, at.astimezone(NAIROBI).date()
    days._default_manager.bulk_create([days(day=day)], ignore_conflicts=True)
    return days._default_manager.filter(day=day)


def next_day(now: datetime) -> datetime:
    """When the next day begins in Nairobi, and its limit with it."""
    midnight = now.astimezone(NAIROBI).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def is_number_of_transfer(number: str, *, excluding_refunds_of: int | None = None) -> bool:
    """Whether a refund or payout has this M-Pesa receipt number; never true of an empty one.

    ``excluding_refunds_of`` is the id of a receipt whose refunds are ignored, because its own
    reversal is being reported again.
    """
    refunds = Refund.objects.numbered(number).exclude(receipt=excluding_refunds_of)
    return refunds.exists() or Payout.objects.numbered(number).exists()


def is_known_number(number: str, *, excluding_refunds_of: int | None = None) -> bool:
    """Whether this M-Pesa receipt number is recorded already, for a payment or a transfer.

    M-Pesa uses each number once. ``excluding_refunds_of`` as in ``is_number_of_transfer``.
    """
    came = Receipt.objects.numbered(Provider.MPESA, number)
    return came.exists() or is_number_of_transfer(number, excluding_refunds_of=excluding_refunds_of)
