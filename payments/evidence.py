"""Evidence that a payment arrived: reports from each source, and when they confirm a receipt.

One source is not enough: no refund of a payment, and no payout of what was sold for it, leaves
before the payment is confirmed. ``is_enough`` (payments.models.evidence) defines what confirms it.

Locks: the order first, then the receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import compiled
from omachemainproj.inserts import insert
from omachemainproj.locking import lock_row
from orders.lookup import find_by_typed_reference
from orders.models import Order

from .models import (
    AMOUNT_REPORTING_SOURCES,
    AUTHORITATIVE_SOURCES,
    DOUBTFUL,
    Payout,
    Provider,
    Receipt,
    ReceiptEvidence,
    ReceiptQuestion,
    ReceiptSource,
    Refund,
    RefundMethod,
    TransferStatus,
    Verification,
)
from .models.evidence import is_enough
from .shortcodes import receiving_shortcode

logger = logging.getLogger(__name__)

#: Delay until an unconfirmed payment is checked again. A confirmation wakes waiting transfers.
EVIDENCE_DELAY = timedelta(minutes=15)
#: The notes of a payment that was written off and is reported again.
ARRIVED_AFTER_ALL = "It was written off because it never arrived, and M-Pesa shows it now."
REPORTED_AFTER_ALL = (
    "It was written off because it never arrived, and is reported now. Check whether it came."
)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """A source's report of a payment: KES, receipt number, our short code, and the staff member's
    id."""

    source: str
    amount: int
    number: str = ""
    shortcode: str = ""
    by: int | None = None


def record_first(receipt: Receipt, report: SourceReport) -> None:
    """Record the first report of a new receipt. Call in the transaction that creates it.

    A receipt recorded by staff is queried immediately, as its order's goods may be collected.
    """
    insert([_row(receipt, report)])
    if report.source == ReceiptSource.STAFF:
        request_confirmation([receipt])


def record(receipt: Receipt, report: SourceReport) -> bool:
    """Record a source's report of a receipt, which may confirm it. Safe to repeat, in any order.

    Returns whether it is new.

    Call inside a transaction that holds the lock of its order, if it has one.
    """
    if _is_reported(
        receipt.pk, report.source, report.amount, report.number, report.shortcode[:12], report.by
    ):
        # This report was recorded and assessed before.
        return False
    locked = lock_row(Receipt, receipt.pk)
    rows = [_row(locked, report)]
    ReceiptEvidence.objects.bulk_create(rows, ignore_conflicts=True)
    _reassess(locked)
    receipt.verification = locked.verification
    if report.source == ReceiptSource.STAFF:
        request_confirmation([locked])
    return True


@compiled
def _is_reported(
    receipt: int, source: str, amount: int, number: str, shortcode: str, by: int | None
) -> QuerySet[ReceiptEvidence, int]:
    reports = ReceiptEvidence.objects.filter(
        receipt=receipt, source=source, amount=amount, number=number, shortcode=shortcode
    )
    return reports.filter(told_by=by).values_list("pk", flat=True)


def copy_evidence(receipt: Receipt, other: Receipt) -> None:
    """Copy the reports of another receipt that turned out to be a duplicate of this one.

    Call inside a transaction that holds the locks of both.
    """
    rows = [
        _row(
            receipt, SourceReport(row.source, row.amount, row.number, row.shortcode, row.told_by_id)
        )
        for row in other.evidence.all()
    ]
    ReceiptEvidence.objects.bulk_create(rows, ignore_conflicts=True)
    _reassess(receipt)


def record_on_statement(receipts: Iterable[Receipt], *, shortcode: str = "") -> int:
    """Record that M-Pesa's statement of a short code, by default the one that prompts are paid to,
    shows these receipts; return how many that confirms.

    Safe to repeat. Four statements for any number of receipts, if none of them is in doubt.
    """
    shown = {receipt.pk: receipt for receipt in receipts}
    shows = ReceiptEvidence.objects.filter(receipt__in=shown, source=ReceiptSource.STATEMENT)
    known = {row.receipt_id for row in shows if row.agrees_with(shown[row.receipt_id])}
    new = {pk: receipt for pk, receipt in shown.items() if pk not in known}
    if not new:
        return 0
    ReceiptEvidence.objects.bulk_create(
        (
            _row(
                each,
                SourceReport(
                    ReceiptSource.STATEMENT,
                    each.amount,
                    each.number,
                    shortcode or receiving_shortcode(),
                ),
            )
            for each in new.values()
        ),
        ignore_conflicts=True,
    )
    reports: dict[int, list[ReceiptEvidence]] = {}
    for row in ReceiptEvidence.objects.filter(receipt__in=new):
        reports.setdefault(row.receipt_id, []).append(row)
    enough = [pk for pk, rows in reports.items() if is_enough(new[pk], rows)]
    confirmed = 0
    for pk in enough:
        reported = Receipt.objects.filter(
            pk=pk, verification=Verification.REPORTED, amount=new[pk].amount, number=new[pk].number
        )
        confirmed += reported.update(verification=Verification.CONFIRMED)
    for pk, receipt in new.items():
        if receipt.verification in DOUBTFUL:
            reassess(pk)
    schedule_waiting_transfers(enough)
    return confirmed


@transaction.atomic
def reassess(receipt_id: int) -> Receipt:
    """Check again whether the reports of a receipt confirm it as it is now. Safe to repeat."""
    receipt = lock_receipt(receipt_id)
    _reassess(receipt)
    return receipt


def lock_receipt(receipt_id: int) -> Receipt:
    """Lock and return a receipt, after its order. Call inside a transaction.

    A receipt without an order may be matched while its lock is waited for. Then the lock is
    released and taken again after that order's. Once matched, a receipt keeps its order.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    if order_id is None:
        with transaction.atomic():
            receipt = lock_row(Receipt, receipt_id)
            if receipt.order_id is None:
                return receipt
            transaction.set_rollback(True)
        order_id = receipt.order_id
    lock_row(Order, order_id)
    return lock_row(Receipt, receipt_id)


def source_of_amount(receipt: Receipt) -> str:
    """Who reported a receipt's amount: a provider if one did, otherwise who reported it first."""
    reports = receipt.evidence.filter(amount=receipt.amount, source__in=AMOUNT_REPORTING_SOURCES)
    source = reports.order_by("pk").values_list("source", flat=True).first()
    return receipt.source if source is None else source


def is_shown_since_the_doubt(receipt: Receipt) -> bool:
    """Whether M-Pesa's statement or its answer has shown a payment since it was put in doubt."""
    return _is_answered(receipt, list(receipt.evidence.all()))


def names_another_order(receipt: Receipt) -> bool:
    """Whether a payment's reference names another order than the one it is recorded for: that it
    arrived does not decide whose it is, so staff have to."""
    if receipt.order_id is None or not receipt.reference:
        return False
    return find_by_typed_reference(receipt.reference) not in {None, receipt.order_id}


def is_shown_since(receipt: Receipt, time: datetime | None) -> bool:
    """Whether M-Pesa's own answer, or staff for a bank, has shown a payment as it is since a time;
    never since None."""
    if time is None:
        return False
    sources = (
        AUTHORITATIVE_SOURCES if receipt.provider == Provider.MPESA else (ReceiptSource.STAFF,)
    )
    since = receipt.evidence.filter(source__in=sources, told_at__gt=time)
    return any(row.agrees_with(receipt) for row in since)


def amount_on_gateway(receipt: Receipt) -> int | None:
    """The KES that M-Pesa's statement or its answer last showed under a receipt's number; None if
    neither shows it."""
    answers = receipt.evidence.filter(
        source__in=AUTHORITATIVE_SOURCES, number=receipt.number, amount__gt=0
    )
    return answers.exclude(number="").order_by("pk").values_list("amount", flat=True).last()


def is_amount_on_gateway(receipt: Receipt) -> bool:
    """Whether M-Pesa's statement or its answer has shown a receipt's number with its amount."""
    shown = receipt.evidence.filter(source__in=AUTHORITATIVE_SOURCES, number=receipt.number)
    return shown.exclude(number="").filter(amount=receipt.amount).exists()


def request_confirmation(receipts: Iterable[Receipt], *, again: bool = False) -> None:
    """Schedule status queries of payments that transfers wait for. Safe to repeat, concurrently.

    Each payment is queried until M-Pesa answers, for a day at most. With ``again`` the queries
    start over. The clock sends them.
    """
    now = timezone.now()
    about = [each for each in receipts if each.provider == Provider.MPESA and each.number]
    if not about:
        return
    ReceiptQuestion.objects.bulk_create(
        (ReceiptQuestion(receipt_id=each.pk, next_check_at=now) for each in about),
        ignore_conflicts=True,
    )
    if again:
        known = ReceiptQuestion.objects.filter(receipt__in=about)
        known.update(next_check_at=now, queries=0)


def staff_who_reported(receipt_ids: Iterable[int]) -> set[int]:
    """The ids of staff who recorded these receipts or entered their numbers."""
    typed = ReceiptEvidence.objects.filter(receipt__in=receipt_ids, told_by__isnull=False)
    return {pk for pk in typed.values_list("told_by", flat=True) if pk is not None}


def _row(receipt: Receipt, report: SourceReport) -> ReceiptEvidence:
    return ReceiptEvidence(
        receipt=receipt,
        source=report.source,
        amount=report.amount,
        number=report.number,
        shortcode=report.shortcode[:12],
        told_by_id=report.by,
    )


def _reassess(receipt: Receipt) -> None:
    """Update the verification of a receipt from its reports. The receipt is locked, after its
    order."""
    if receipt.verification == Verification.NEVER_CAME:
        _flag_if_late_payment(receipt)
        return
    reports = list(receipt.evidence.all())
    enough, was = is_enough(receipt, reports), receipt.verification
    if was == Verification.DOUBTED and (
        not (enough and _is_answered(receipt, reports)) or names_another_order(receipt)
    ):
        return
    receipt.verification = Verification.CONFIRMED if enough else Verification.REPORTED
    if receipt.verification == was:
        return
    receipt.doubted_at = None
    receipt.save(update_fields=["verification", "doubted_at"])
    if was == Verification.DOUBTED:
        update_order_doubt(receipt)
    if enough:
        schedule_waiting_transfers([receipt.pk])


def _is_answered(receipt: Receipt, reports: list[ReceiptEvidence]) -> bool:
    """Whether the gateway has shown a receipt since it was put in doubt. Earlier answers were
    already known then."""
    since: datetime | None = receipt.doubted_at
    return any(
        row.source in AUTHORITATIVE_SOURCES
        and row.agrees_with(receipt)
        and (not since or row.told_at >= since)
        for row in reports
    )


def _flag_if_late_payment(receipt: Receipt) -> None:
    """Flag a payment that was written off if a provider has reported it since."""
    off = receipt.refunds.filter(way=RefundMethod.OUTSIDE, status=TransferStatus.DONE)
    since = off.aggregate(last=Max("done_at"))["last"] or receipt.created_at
    news = receipt.evidence.filter(source__in=AMOUNT_REPORTING_SOURCES, told_at__gte=since)
    if sources := set(news.values_list("source", flat=True)):
        flag_late_payment(receipt, is_shown=not sources.isdisjoint(AUTHORITATIVE_SOURCES))


def flag_late_payment(receipt: Receipt, *, is_shown: bool) -> None:
    """Flag for staff that a payment which was written off is reported now. Safe to repeat.

    ``is_shown``: by M-Pesa's own answer or statement, and not only posted. Call inside a
    transaction that holds the receipt's lock.
    """
    note = ARRIVED_AFTER_ALL if is_shown else REPORTED_AFTER_ALL
    receipt.note, receipt.unacknowledged = note, True
    receipt.save(update_fields=["note", "unacknowledged"])
    logger.critical("receipt %s: %s", receipt.number, receipt.note)


def update_order_doubt(receipt: Receipt) -> None:
    """Set or clear ``in_doubt`` of a receipt's order, by the current state of all its payments.

    It is set, and no goods of the order are handed over, while one of them is in doubt, or never
    arrived and the shop covers what is missing.

    Call inside a transaction that holds the order's lock. Safe to repeat.
    """
    if receipt.order_id is None:
        return
    never = Q(verification=Verification.NEVER_CAME, written_off__gt=0)
    doubted = Receipt.objects.filter(
        Q(verification=Verification.DOUBTED) | never, order=receipt.order_id
    )
    Order.objects.filter(pk=receipt.order_id).update(in_doubt=doubted.exists())


def schedule_waiting_transfers(receipt_ids: list[int]) -> None:
    """Make transfers that wait for these receipts due now."""
    now = timezone.now()
    waiting = {"status": TransferStatus.DUE, "next_check_at__gt": now}
    orders = Receipt.objects.filter(pk__in=receipt_ids, order__isnull=False).values("order")
    Refund.objects.filter(receipt__in=receipt_ids, **waiting).update(next_check_at=now)
    # Refunds of the order's other payments may have waited for this one to be confirmed.
    Refund.objects.filter(order__in=orders, **waiting).update(next_check_at=now)
    payouts = Payout.objects.filter(shares__track__order__in=orders, **waiting)
    Payout.objects.filter(pk__in=payouts.values("pk")).update(next_check_at=now)
