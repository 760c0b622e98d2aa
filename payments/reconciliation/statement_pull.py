"""Pulling M-Pesa's statement: the payments whose one report was lost are found there.

Daraja's Pull Transactions shows the last 48 hours of payments to the pay bill, STK pushes included.
Each row is recorded as a C2B confirmation is, so what is known already changes nothing.
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
from payments.evidence import receiving_number, record_on_statement
from payments.models import (
    OPEN,
    EventState,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    StatementPull,
)
from payments.models.same_payments import movements_behind

from .outcomes import Outcome, record_outcome
from .receipts import (
    IncomingPayment,
    may_name_its_order,
    record_receipt,
    record_reversal_row,
)
from .statement_rows import store_row

logger = logging.getLogger(__name__)

#: How far back Daraja's statement goes, less a little for clocks that differ.
REACH = timedelta(hours=47, minutes=50)
#: A row may appear later than its own time says: so much is read again each time.
OVERLAP = timedelta(hours=1)
#: Between two readings while something is unknown, and while nothing is.
SOON, ROUTINE = timedelta(minutes=5), timedelta(hours=6)
#: The money of an STK push is on the statement this long after it, or it never moved.
SHOWN_WITHIN = timedelta(hours=25)
NEVER_SHOWN = Outcome(
    succeeded=False,
    code=NOT_ON_STATEMENT,
    text="M-Pesa never spoke of it, and its statement does not show it.",
    source=ReceiptSource.STATEMENT,
)
#: Attempts ended in one round.
MAX_ENDED = 200
#: Pages of one reading: 20,000 payments in two days.
MAX_PAGES = 200


def pull_statement(now: datetime) -> int:
    """Record what M-Pesa's statement shows, if it is time to. Returns how many rows it had.

    Safe to repeat, anywhere, at once: one caller claims the reading by setting the next one.
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
            raise Unfinished(f"{broken} rows could not be taken in. They are in the log.")
    except (DarajaError, Unfinished) as error:
        # What was read is recorded; all of it is read again, soon.
        logger.warning("the statement could not be read to its end: %s", error)
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
    """Not all of the statement was recorded. Its text is a plain sentence."""


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
    """Record the rows of a page; returns how many broke. What cannot be read is a person's."""
    numbers = [row.receipt for row in page.rows]
    receipts = Receipt.objects.filter(provider=Provider.MPESA, number__in=numbers)
    known = {(receipt.number, receipt.amount): receipt for receipt in receipts}
    shown: list[Receipt] = []
    for unreadable in page.unreadable:
        store_row(unreadable, EventState.FAILED, "A row of M-Pesa's statement that cannot be read.")
    broken = 0
    for row in page.rows:
        if row.is_reversal:
            broken += _record_reversal(row)
            continue
        if row.direction != Direction.IN:
            _store_other_row(row, is_known=row.receipt in {number for number, _ in known})
            continue
        # Most rows are known; one that shows more of a phone masked elsewhere adds to it.
        receipt = known.get((row.receipt, row.amount))
        if receipt is not None and _adds_nothing(receipt, row):
            shown.append(receipt)
            continue
        try:
            record_receipt(_incoming_payment(row))
        except Exception:
            logger.exception("a row of the statement could not be taken in: %s", row.receipt)
            broken += 1
    record_on_statement(shown)
    return broken


def _adds_nothing(receipt: Receipt, row: StatementRow) -> bool:
    """Whether a row shows no more of the payer than is known, nor whose money in suspense is; what
    a person typed is no word."""
    if may_name_its_order(receipt, row.reference):
        return False
    is_shown = receipt.phone_by_id is None
    return is_shown and clearer_phone(receipt.phone, row.phone) == receipt.phone


def _record_reversal(row: StatementRow) -> bool:
    """Record a payment that was taken back, and return whether that broke.

    What is of no payment we know is a person's.
    """
    try:
        receipt, note = record_reversal_row(
            number=row.receipt, reverses=row.reverses, amount=row.amount
        )
    except Exception:
        logger.exception("a reversal on the statement could not be taken in: %s", row.receipt)
        return True
    if receipt is None:
        told = f"{row.transaction_type} {row.receipt} of KES {row.amount}, of {row.reference}"
        store_row(told, EventState.FAILED, note)
    return False


def _store_other_row(row: StatementRow, *, is_known: bool) -> None:
    """Store a row that is no payment to us. Where it is about one, or does not say which way money
    went, a person has to look.
    """
    said = row.transaction_type or "no transaction type"
    line = json.dumps(asdict(row), default=str)
    if row.direction == Direction.OUT and not is_known:
        store_row(line, EventState.APPLIED, f"{said}: money that went out. Nothing was credited.")
    elif is_known:
        note = f"{said}: about receipt {row.receipt}, which is counted as a payment."
        store_row(line, EventState.FAILED, note)
    else:
        store_row(line, EventState.FAILED, f"{said}: not known to be a payment to us.")


def fail_attempts_not_on_statement() -> int:
    """Fail attempts without any report whose money is on no statement. Safe to repeat.

    Only where everything from their STK push until a day later has been read, and no money without
    an order may be theirs: at a till no row has a reference. What is left a person must look at.
    """
    pull = StatementPull.objects.filter(shortcode=settings.DARAJA_SHORTCODE).first()
    if not settings.DARAJA_STATEMENT or pull is None or pull.read_until is None:
        return 0
    shown = OrderPayment.objects.unresolved().filter(
        rung_at__gte=pull.read_from, rung_at__lte=pull.read_until - SHOWN_WITHIN
    )
    ended = 0
    for payment in list(shown.order_by("pk")):
        if movements_behind(payment):
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
    # What turns unknown meanwhile does not wait for the routine.
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
        shortcode=receiving_number(),
    )
