"""Pulls M-Pesa's statement, to find payments whose only report was lost.

Daraja's Pull Transactions shows the last 48 hours of payments to the pay bill, including STK
pushes. Each row is recorded like a C2B confirmation, so known payments change nothing.

A shop whose number changed reads that of the former number too: people still pay to it, prompts to
it are under way, and M-Pesa reverses what was paid to it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from omachemainproj.compiled_queries import compiled
from omachemainproj.phones import clearer_phone
from omachemainproj.rounds import do_each, random_sample
from payments import gateway
from payments.checkout.failures import NOT_ON_STATEMENT
from payments.daraja.errors import DarajaError
from payments.daraja.statement import StatementPage, StatementRow
from payments.daraja.transaction_types import Direction
from payments.evidence import record_on_statement
from payments.models import (
    OPEN,
    EventState,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    StatementPull,
)
from payments.payment_matching import matching_receipts
from payments.shortcodes import receiving_shortcode

from .incoming import IncomingPayment, may_name_its_order, record_receipt
from .outcomes import AttemptOutcome, record_outcome
from .returns import record_reversal_row
from .statement_rows import store_reversal, store_row

logger = logging.getLogger(__name__)

#: How far back Daraja's statement goes, less a margin for clocks that differ.
REACH = timedelta(hours=47, minutes=50)
#: A row may appear later than its own time: this much is read again each time.
OVERLAP = timedelta(hours=1)
#: The clocks of two processes differ by less. Less than the overlap, so that nothing is skipped.
CLOCKS_DIFFER = timedelta(minutes=5)
#: Interval between pulls while something is unknown, and while nothing is.
SOON, ROUTINE = timedelta(minutes=5), timedelta(hours=6)
#: The money of an STK push is on the statement within this time, or it never moved.
SHOWN_WITHIN = timedelta(hours=25)
NEVER_SHOWN = AttemptOutcome(
    succeeded=False,
    code=NOT_ON_STATEMENT,
    text="M-Pesa never reported it, and its statement does not show it.",
    source=ReceiptSource.STATEMENT,
)
#: Attempts checked per round and short code, and seconds after which no further one is.
MAX_ENDED, ENDING_SECONDS = 200, 10.0
#: Pages per period: 20,000 payments in two days, or after an outage in seven hours.
MAX_PAGES = 200


def pull_statement(now: datetime) -> int:
    """Record what M-Pesa's statement of each of the shop's numbers, now or formerly, shows, if it
    is time to. Returns the number of rows.

    Safe to repeat, on any worker, concurrently: one caller claims a pull by setting the next one.
    """
    if not settings.DARAJA_STATEMENT:
        return 0
    return sum(_pull(pull, now) for pull in _pulls(now) if _claim(pull, now))


def _pull(pull: StatementPull, now: datetime) -> int:
    read_until = _read_until(pull, now)
    start = max((read_until or now - REACH) - OVERLAP, now - REACH)
    read = _Progress()
    try:
        end = _read(pull.shortcode, start, now, read)
    except (DarajaError, Unfinished) as error:
        # The payments read are recorded; everything is read again soon.
        is_former = pull.shortcode != receiving_shortcode()
        of = f" of {pull.shortcode}" if is_former else ""
        logger.warning("the statement%s could not be read completely: %s", of, error)
        StatementPull.objects.filter(pk=pull.pk).update(
            next_pull_at=now + (ROUTINE if is_former else SOON), result_text=str(error)[:200]
        )
        return read.rows
    is_gapless = read_until is not None and start <= read_until
    read_from = pull.read_from if is_gapless else start
    soon = {"next_pull_at": now + SOON} if end < now else {}
    StatementPull.objects.filter(pk=pull.pk).update(
        read_from=read_from, read_until=end, result_text="", **soon
    )
    return read.rows


@dataclass
class _Progress:
    """Rows of the statement that were read so far."""

    rows: int = 0


def _read(shortcode: str, start: datetime, end: datetime, read: _Progress) -> datetime:
    """Record the statement from ``start``; return until when it was read.

    If it is too long for one pull, as after an outage, only its beginning is read: as much time as
    between two routine pulls, so that a shop catches up that keeps up otherwise.

    Raises DarajaError and Unfinished.
    """
    beginning = start + OVERLAP + ROUTINE
    try:
        _record_rows(shortcode, start, end, read)
    except TooManyPages:
        if beginning >= end:
            raise
        _record_rows(shortcode, start, beginning, read)
        return beginning
    return end


def _record_rows(shortcode: str, start: datetime, end: datetime, read: _Progress) -> None:
    broken = 0
    others: list[StatementRow] = []
    for page in _pages(shortcode, start, end):
        broken += _record_payments(page, shortcode)
        others += [row for row in page.rows if not _is_payment(row)]
        read.rows += page.size
    broken += _record_others(others)
    if broken:
        raise Unfinished(f"{broken} rows could not be recorded. They are in the log.")


def _read_until(pull: StatementPull, now: datetime) -> datetime | None:
    """Until when the statement was read; None if that is in the future: the clock was wrong then,
    and it is not known what was read."""
    until = pull.read_until
    return until if until is not None and until <= now + CLOCKS_DIFFER else None


class Unfinished(Exception):
    """Not all of the statement was recorded. Its text can be shown to staff."""


class TooManyPages(Unfinished):
    """A period has more pages than one pull reads."""


def _pages(shortcode: str, start: datetime, end: datetime) -> Iterator[StatementPage]:
    offset = 0
    for _ in range(MAX_PAGES):
        page = gateway.daraja().pull_transactions(
            start=start, end=end, offset=offset, shortcode=shortcode
        )
        if page.is_last:
            return
        yield page
        offset += page.size
    raise TooManyPages(f"It has more than {MAX_PAGES} pages.")


def _is_payment(row: StatementRow) -> bool:
    return not row.is_reversal and row.direction == Direction.IN


def _record_payments(page: StatementPage, shortcode: str) -> int:
    """Record the payments of a page; return how many failed. Unreadable rows are kept for staff."""
    known = {(receipt.number, receipt.amount): receipt for receipt in _receipts_of(page.rows)}
    shown: list[Receipt] = []
    for unreadable in page.unreadable:
        store_row(unreadable, EventState.FAILED, "A row of M-Pesa's statement could not be read.")
    broken = 0
    for row in filter(_is_payment, page.rows):
        # Most rows are known; one that shows more of a masked phone adds to the receipt.
        receipt = known.get((row.receipt, row.amount))
        if receipt is not None and _adds_nothing(receipt, row):
            shown.append(receipt)
            continue
        try:
            record_receipt(_incoming_payment(row, shortcode))
        except Exception:
            logger.exception("a row of the statement could not be recorded: %s", row.receipt)
            broken += 1
    record_on_statement(shown, shortcode=shortcode)
    return broken


def _record_others(rows: list[StatementRow]) -> int:
    """Record reversals, and store what else is no payment; return how many failed.

    Call when all payments are recorded: M-Pesa does not say in which order it shows its rows, and
    each of these may be about a payment on a later page.
    """
    known = {receipt.number for receipt in _receipts_of(rows)}
    broken = 0
    for row in rows:
        if row.is_reversal:
            broken += _record_reversal(row)
        else:
            _store_other_row(row, is_known=row.receipt in known)
    return broken


def _receipts_of(rows: Iterable[StatementRow]) -> QuerySet[Receipt]:
    """The receipts recorded under the rows' own numbers."""
    numbers = [row.receipt for row in rows]
    return Receipt.objects.filter(provider=Provider.MPESA, number__in=numbers)


def _adds_nothing(receipt: Receipt, row: StatementRow) -> bool:
    """Whether a row shows no more of the payer than is recorded, and does not assign money in
    suspense; a number typed by staff does not count."""
    if may_name_its_order(receipt, row.reference):
        return False
    is_shown = receipt.phone_by_id is None
    return is_shown and clearer_phone(receipt.phone, row.phone) == receipt.phone


def _record_reversal(row: StatementRow) -> bool:
    """Record a reversed payment; return whether that failed.

    A reversal of an unknown payment is kept for staff, and until that payment is recorded.
    """
    try:
        receipt, note = record_reversal_row(
            number=row.receipt, reverses=row.reverses, amount=row.amount
        )
    except Exception:
        logger.exception("a reversal on the statement could not be recorded: %s", row.receipt)
        return True
    if receipt is None:
        store_reversal(
            number=row.receipt,
            reverses=row.reverses,
            amount=row.amount,
            kind=row.transaction_type,
            note=note,
        )
    return False


def _store_other_row(row: StatementRow, *, is_known: bool) -> None:
    """Store a row that is not a payment to us. If it is about one, or its direction is unclear,
    staff have to look."""
    kind = row.transaction_type or "no transaction type"
    line = json.dumps(asdict(row), default=str)
    if row.direction == Direction.OUT and not is_known:
        store_row(line, EventState.APPLIED, f"{kind}: money that went out. Nothing was credited.")
    elif is_known:
        note = f"{kind}: about receipt {row.receipt}, which is recorded as a payment."
        store_row(line, EventState.FAILED, note)
    else:
        store_row(line, EventState.FAILED, f"{kind}: not known to be a payment to us.")


def fail_attempts_not_on_statement(now: datetime) -> int:
    """Fail attempts without any report whose money is on no statement. Safe to repeat.

    Returns how many: at most MAX_ENDED of each short code, one transaction each.
    Only if the statement of the short code that the prompt was for was read without a gap from the
    STK push until a day later, and no money without an order may be theirs: at a till no row has a
    reference. Staff decide about the others.
    """
    if not settings.DARAJA_STATEMENT:
        return 0
    return sum(_fail_not_shown(pull, now) for pull in StatementPull.objects.order_by("pk"))


def _fail_not_shown(pull: StatementPull, now: datetime) -> int:
    until = _read_until(pull, now)
    if until is None:
        return 0
    covered = OrderPayment.objects.unresolved().filter(
        shortcode=pull.shortcode, rung_at__gte=pull.read_from, rung_at__lte=until - SHOWN_WITHIN
    )
    # Those whose money may be in suspense stay among them.
    some = random_sample(covered.order_by("pk").values_list("pk", flat=True), MAX_ENDED)
    return do_each(_fail_if_unpaid, some, at_most=MAX_ENDED, seconds=ENDING_SECONDS)


def _fail_if_unpaid(payment_id: int) -> bool:
    """Fail an attempt, unless it ended meanwhile or its money may be in suspense."""
    payment = OrderPayment.objects.unresolved().filter(pk=payment_id).first()
    if payment is None or matching_receipts(payment):
        return False
    record_outcome(payment_id, NEVER_SHOWN)
    return True


def _pulls(now: datetime) -> list[StatementPull]:
    """The pulls of the number that is paid to, and of former ones."""
    shortcode = receiving_shortcode()
    pulls = list(StatementPull.objects.still_read(shortcode, now))
    if all(pull.shortcode != shortcode for pull in pulls):
        StatementPull.objects.bulk_create(
            [StatementPull(shortcode=shortcode, next_pull_at=now)],
            ignore_conflicts=True,
        )
        pulls = list(StatementPull.objects.still_read(shortcode, now))
    return pulls


def _claim(pull: StatementPull, now: datetime) -> bool:
    """Set the time of the next pull; return whether it was time, and this caller may pull."""
    pulls = StatementPull.objects.filter(pk=pull.pk)
    next_pull = now + (SOON if _something_is_unknown(now) else ROUTINE)
    # An attempt that becomes unknown meanwhile does not have to wait for the routine interval.
    # A pull further ahead than any is planned was planned by a wrong clock.
    due = pulls.filter(Q(next_pull_at__lte=now) | Q(next_pull_at__gt=now + ROUTINE + CLOCKS_DIFFER))
    if not due.exists() and next_pull <= now + SOON:
        due = pulls.filter(next_pull_at__gt=now + SOON)
    return bool(due.update(next_pull_at=next_pull))


def _something_is_unknown(now: datetime) -> bool:
    return bool(_silent_attempt(now) or _receipt_without_number(now - REACH))


@compiled
def _silent_attempt(now: datetime) -> QuerySet[Any, int]:
    attempts = OrderPayment.objects.filter(
        status__in=OPEN, rung_at__lt=now - SOON, rung_at__gt=now - REACH
    )
    return attempts.values_list("pk", flat=True)[:1]


@compiled
def _receipt_without_number(since: datetime) -> QuerySet[Any, int]:
    receipts = Receipt.objects.without_number().filter(created_at__gt=since)
    return receipts.values_list("pk", flat=True)[:1]


def _incoming_payment(row: StatementRow, shortcode: str) -> IncomingPayment:
    return IncomingPayment(
        provider=Provider.MPESA,
        number=row.receipt,
        amount=row.amount,
        source=ReceiptSource.STATEMENT,
        reference=row.reference,
        phone=row.phone,
        paid_at=row.paid_at,
        shortcode=shortcode,
    )
