"""How a transfer ends, refund or payout: the steps both share.

A transfer is a row of MoneyOut. What only refunds or only payouts do at a step is their handler's,
in refunds.handler and payouts.handler. What is asked of M-Pesa is in disbursement.py.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from omachemainproj.dates import NAIROBI
from omachemainproj.money import format_kes

from .daraja.result_codes import PayoutReason
from .models import (
    MoneyOut,
    Payout,
    PayoutStop,
    Provider,
    Receipt,
    Refund,
    SentOnDay,
    TransferStatus,
    Unnumbered,
)
from .models.transfers import UNDER_WAY

Row = TypeVar("Row", bound=MoneyOut)
Handler = TypeVar("Handler", bound="type[TransferHandler[Any]]")

logger = logging.getLogger(__name__)

_handlers: dict[type[MoneyOut], TransferHandler[Any]] = {}


class TransferHandler(ABC, Generic[Row]):
    """What one kind of transfer does at the steps both kinds go through."""

    #: What M-Pesa says it moved, and what it was asked to: two KES.
    wrong_amount: ClassVar[str]
    #: The note of a transfer that ended as it should.
    done: ClassVar[str]
    #: Where what left in a day is counted.
    days: ClassVar[type[SentOnDay]]

    @abstractmethod
    def lock(self, row_id: int) -> Row:
        """The row, locked after whatever is locked before it."""

    @abstractmethod
    def hold_until(self, row: Row, now: datetime) -> datetime | None:
        """When to look again at a row that is due and must not leave yet; None when it may.

        One that a person has to look at first is saved without a time.
        """

    def receipt_to_ask_about(self, row: Row, now: datetime) -> str:
        """The payment M-Pesa is to be asked about before a row leaves; "" where it may leave.

        Where it was asked often enough, the row is a person's.
        """
        return ""

    @property
    @abstractmethod
    def daily_limit(self) -> int:
        """What may leave in a day, KES."""

    @abstractmethod
    def is_covered(self, row: Row) -> bool:
        """Whether the payments it goes back of, or was earned by, are confirmed."""

    def reason_without_number(self, row: Row) -> Unnumbered:
        """How a row is known to be done of which M-Pesa named no receipt."""
        return Unnumbered.NOT_TOLD

    @abstractmethod
    def on_done(self, row: Row, *, was: str) -> None:
        """Save a row that is done now and had the status ``was``, and do what follows from it."""

    @abstractmethod
    def on_refused(self, row: Row, reason: PayoutReason) -> None:
        """Do what follows from the refusal of a row that is saved as refused."""


def handles(model: type[MoneyOut]) -> Callable[[Handler], Handler]:
    """Make a handler that of a model's rows."""

    def register(handler: Handler) -> Handler:
        _handlers[model] = handler()
        return handler

    return register


def handler_of(row: Row) -> TransferHandler[Row]:
    """What handles a row."""
    return _handlers[type(row)]


@transaction.atomic
def mark_done(
    row: MoneyOut, *, number: str, amount: int | None = None, code: str = "0", text: str = ""
) -> str:
    """Write down that a transfer was made. Safe to repeat, whatever was thought before.

    ``amount`` is the KES M-Pesa says it sent or gave back, None where it does not say; where that
    is not what was asked, a person has to look. Returns a note.
    """
    handler = handler_of(row)
    row = handler.lock(row.pk)
    if row.status == TransferStatus.DONE:
        if number and not row.number:
            row.number = number
            row.save(update_fields=["number"])
        return "Already recorded."
    if amount not in {None, row.amount}:
        row.note, row.unacknowledged = (
            handler.wrong_amount.format(format_kes(amount or 0), format_kes(row.amount)),
            True,
        )
        row.next_check_at = None
        row.save(update_fields=["note", "unacknowledged", "next_check_at"])
        logger.error("%s %s: %s", row.kind, row.pk, row.note)
        return row.note
    was, row.status = row.status, TransferStatus.DONE
    row.done_at, row.next_check_at = timezone.now(), None
    row.number, row.result_code, row.result_text = number, code, text[:200]
    row.unnumbered = "" if number else handler.reason_without_number(row)
    handler.on_done(row, was=was)
    if was not in UNDER_WAY and row.sent_at is not None:
        # It was believed not to have left, and was taken out of its day's total. The day is locked
        # last, as when a row is claimed.
        _total_of_day(row, row.sent_at).update(sent=F("sent") + row.amount)
    return row.note or handler.done


@transaction.atomic
def mark_refused(row: MoneyOut, *, code: str, text: str, reason: PayoutReason) -> str:
    """Write down that M-Pesa has definitely not made a transfer. Safe to repeat. Returns a note.

    What time may mend is tried again later, under an id of its own; the rest is a person's to
    decide, or goes another way.
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
    if reason == PayoutReason.INITIATOR:
        PayoutStop.objects.stop_payouts(f"M-Pesa does not accept the initiator: {code} {text}")
    handler.on_refused(row, reason)
    return "M-Pesa refused it."


def mark_failed(row: MoneyOut, *, code: str, text: str, reason: PayoutReason) -> str:
    """Record a failure that M-Pesa reported. Safe to repeat. Returns a note.

    A payment that was reversed before is refunded, whoever reversed it: the buyer has the money.
    """
    if reason == PayoutReason.ALREADY_REVERSED:
        return mark_done(row, number="", code=code, text=text)
    return mark_refused(row, code=code, text=text, reason=reason)


def reserve_daily_limit(row: MoneyOut, now: datetime) -> bool:
    """Count a transfer into today's limit of its kind; False when it does not fit any more.

    Counted in the database, the one thing all workers share. Call when it is claimed.
    """
    left = _total_of_day(row, now).filter(sent__lte=handler_of(row).daily_limit - row.amount)
    return bool(left.update(sent=F("sent") + row.amount))


def release_daily_limit(row: MoneyOut) -> None:
    """Take a transfer out of the limit of the day it was claimed on: it has not left.

    Call once, in the transaction that says so.
    """
    if row.sent_at is not None:
        sent_on = handler_of(row).days._default_manager.filter(
            day=row.sent_at.astimezone(NAIROBI).date()
        )
        sent_on.filter(sent__gte=row.amount).update(sent=F("sent") - row.amount)


def _total_of_day(row: MoneyOut, at: datetime) -> QuerySet[SentOnDay]:
    """The total of the row's kind for that day in Nairobi; created if there is none yet."""
    days, day = handler_of(row).days, at.astimezone(NAIROBI).date()
    days._default_manager.bulk_create([days(day=day)], ignore_conflicts=True)
    return days._default_manager.filter(day=day)


def next_day(now: datetime) -> datetime:
    """When the next day's limit begins."""
    midnight = now.astimezone(NAIROBI).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def is_number_of_transfer(number: str, *, excluding_refunds_of: int | None = None) -> bool:
    """Whether a refund or a payout of ours has this number of M-Pesa's; none has an empty one.

    What tells again of one receipt's refund leaves its refunds out.
    """
    refunds = Refund.objects.numbered(number).exclude(receipt=excluding_refunds_of)
    return refunds.exists() or Payout.objects.numbered(number).exists()


def is_known_number(number: str, *, excluding_refunds_of: int | None = None) -> bool:
    """Whether any movement of M-Pesa's stands in our books under this number: a payment that came,
    or what ``is_number_of_transfer`` it. No other movement has it."""
    came = Receipt.objects.numbered(Provider.MPESA, number)
    return came.exists() or is_number_of_transfer(number, excluding_refunds_of=excluding_refunds_of)
