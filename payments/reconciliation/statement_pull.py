"""Pulls M-Pesa's statement, to find payments whose only report was lost.

Daraja's Pull Transactions shows the last 48 hours of payments to the pay bill, including STK
pushes. Each row is recorded like a C2B confirmation, so known payments change nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings

from omachemainproj.phones import clearer_phone
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
from payments.same_payments import receipts_behind
from payments.shortcodes import receiving_shortcode

from .incoming import IncomingPayment, may_name_its_order, record_receipt
from .outcomes import AttemptOutcome, record_outcome
from .returns import record_reversal_row
from .statement_rows import store_row

logger = logging.getLogger(__name__)

#: How far back Daraja's statement goes, less a margin for clocks that differ.
REACH = timedelta(hours=47, minutes=50)
#: A row may appear later than its own time: this much is read again each time.
OVERLAP = timedelta(hours=1)
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
#: Attempts failed per round.
MAX_ENDED = 200
#: Pages per pull: 20,000 payments in two days.
MAX_PAGES = 200


def pull_statement(now: datetime) -> int:
    """Record what M-Pesa's statement shows, if it is time to. Returns the number of rows.

    Safe to repeat, on any worker, concurrently: one caller claims the pull by setting the next one.
    """
    if not settings.DARAJA_STATEMENT:
        return 0
    pull = _claim(now)
    if pull is None:
        return 0
    start = max((pull.read_until or now - REACH) - OVERLAP, now - REACH)
    rows = broken = 0
    try:
        for page in _pages(start, now):
            broken += _record_page(page)
            rows += page.size
        if broken:
            raise Unfinished(f"{broken} rows could not be recorded. They are in the log.")
    except (DarajaError, Unfinished) as error:
        # The rows read are recorded; everything is read again soon.
        logger.warning("the statement could not be read completely: %s", error)
        StatementPull.objects.filter(pk=pull.pk).update(
            next_pull_at=now + SOON, result_text=str(error)[:200]
        )
        return rows
    is_gapless = pull.read_until is not None and start <= pull.read_until
    read_from = pull.read_from if is_gapless else start
    StatementPull.objects.filter(pk=pull.pk).update(
        read_from=read_from, read_until=now, result_text=""
    )
    return rows


class Unfinished(Exception):
    """Not all of the statement was recorded. Its text can be shown to staff."""


def _pages(start: datetime, end: datetime) -> Iterator[StatementPage]:
    offset = 0
    for _ in range(MAX_PAGES):
        page = gateway.daraja().pull_transactions(start=start, end=end, offset=offset)
        if page.is_last:
            return
        yield page
        offset += page.size
    raise Unfinished(f"It has more than {MAX_PAGES} pages.")


def _record_page(page: StatementPage) -> int:
    """Record the rows of a page; return how many failed. Unreadable rows are kept for staff."""
    numbers = [row.receipt for row in page.rows]
    receipts = Receipt.objects.filter(provider=Provider.MPESA, number__in=numbers)
    known = {(receipt.number, receipt.amount): receipt for receipt in receipts}
    shown: list[Receipt] = []
    for unreadable in page.unreadable:
        store_row(unreadable, EventState.FAILED, "A row of M-Pesa's statement could not be read.")
    broken = 0
    for row in page.rows:
        if row.is_reversal:
            broken += _record_reversal(row)
            continue
        if row.direction != Direction.IN:
            _store_other_row(row, is_known=row.receipt in {number for number, _ in known})
            continue
        # Most rows are known; one that shows more of a masked phone adds to the receipt.
        receipt = known.get((row.receipt, row.amount))
        if receipt is not None and _adds_nothing(receipt, row):
            shown.append(receipt)
            continue
        try:
            record_receipt(_incoming_payment(row))
        except Exception:
            logger.exception("a row of the statement could not be recorded: %s", row.receipt)
            broken += 1
    record_on_statement(shown)
    return broken


def _adds_nothing(receipt: Receipt, row: StatementRow) -> bool:
    """Whether a row shows no more of the payer than is recorded, and does not assign money in
    suspense; a number typed by staff does not count."""
    if may_name_its_order(receipt, row.reference):
        return False
    is_shown = receipt.phone_by_id is None
    return is_shown and clearer_phone(receipt.phone, row.phone) == receipt.phone


def _record_reversal(row: StatementRow) -> bool:
    """Record a reversed payment; return whether that failed.

    A reversal of an unknown payment is kept for staff.
    """
    try:
        receipt, note = record_reversal_row(
            number=row.receipt, reverses=row.reverses, amount=row.amount
        )
    except Exception:
        logger.exception("a reversal on the statement could not be recorded: %s", row.receipt)
        return True
    if receipt is None:
        line = f"{row.transaction_type} {row.receipt} of KES {row.amount}, of {row.reference}"
        store_row(line, EventState.FAILED, note)
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


def fail_attempts_not_on_statement() -> int:
    """Fail attempts without any report whose money is on no statement. Safe to repeat.

    Only if the statement was read without a gap from the STK push until a day later, and no money
    without an order may be theirs: at a till no row has a reference. Staff decide about the others.
    """
    pull = StatementPull.objects.filter(shortcode=settings.DARAJA_SHORTCODE).first()
    if not settings.DARAJA_STATEMENT or pull is None or pull.read_until is None:
        return 0
    shown = OrderPayment.objects.unresolved().filter(
        rung_at__gte=pull.read_from, rung_at__lte=pull.read_until - SHOWN_WITHIN
    )
    ended = 0
    for payment in list(shown.order_by("pk")):
        if receipts_behind(payment):
            continue
        record_outcome(payment.pk, NEVER_SHOWN)
        ended += 1
        if ended >= MAX_ENDED:
            break
    return ended


def _claim(now: datetime) -> StatementPull | None:
    pulls = StatementPull.objects.filter(shortcode=settings.DARAJA_SHORTCODE)
    if not pulls.exists():
        StatementPull.objects.bulk_create(
            [StatementPull(shortcode=settings.DARAJA_SHORTCODE, next_pull_at=now)],
            ignore_conflicts=True,
        )
    next_pull = now + (SOON if _something_is_unknown(now) else ROUTINE)
    # An attempt that becomes unknown meanwhile does not have to wait for the routine interval.
    due = pulls.filter(next_pull_at__lte=now)
    if not due.exists() and next_pull <= now + SOON:
        due = pulls.filter(next_pull_at__gt=now + SOON)
    return pulls.first() if due.update(next_pull_at=next_pull) else None


def _something_is_unknown(now: datetime) -> bool:
    silent = OrderPayment.objects.filter(
        status__in=OPEN, rung_at__lt=now - SOON, rung_at__gt=now - REACH
    )
    return (
        silent.exists()
        or Receipt.objects.without_number().filter(created_at__gt=now - REACH).exists()
    )


def _incoming_payment(row: StatementRow) -> IncomingPayment:
    return IncomingPayment(
        provider=Provider.MPESA,
        number=row.receipt,
        amount=row.amount,
        source=ReceiptSource.STATEMENT,
        reference=row.reference,
        phone=row.phone,
        paid_at=row.paid_at,
        shortcode=receiving_shortcode(),
    )
