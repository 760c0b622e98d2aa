"""Whether a payment really came: who told of it, asking M-Pesa, and what it does not know.

One source is news, and money leaves on no news alone: neither a refund of a payment nor a payout
of what was sold for it. ``is_enough`` (payments.models.evidence) says what confirms a payment.

Locks: the order first, then the receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import compiled
from omachemainproj.inserts import insert
from omachemainproj.locking import locked_row
from orders.models import Order

from .models import (
    ANSWERS,
    TELL_AMOUNTS,
    Payout,
    Provider,
    Receipt,
    ReceiptEvidence,
    ReceiptQuestion,
    ReceiptSource,
    Refund,
    TransferStatus,
    Verification,
)
from .models.evidence import is_enough

logger = logging.getLogger(__name__)

#: Until it is seen again whether a payment is confirmed; what confirms it wakes what waits for it.
EVIDENCE_DELAY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source says of a payment: KES, its number, our short code, and the person's id."""

    source: str
    amount: int
    number: str = ""
    shortcode: str = ""
    by: int | None = None


def receiving_number() -> str:
    """The short code that prompts and the statement are about."""
    return settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE


def paid_number(number: str) -> str:
    """The short code that M-Pesa's payment of this number was made to, as far as it is told: what
    came back came to the one that pays out."""
    told = ReceiptEvidence.objects.filter(
        receipt__number=number, receipt__provider=Provider.MPESA
    ).exclude(shortcode="")
    first = told.order_by("pk").first()
    return first.shortcode if first is not None else receiving_number()


def is_our_number(shortcode: str) -> bool:
    """Whether payments to this short code are payments to the shop."""
    return bool(shortcode) and shortcode in {settings.DARAJA_SHORTCODE, settings.DARAJA_PARTY_B}


def was_paid_to_us(receipt: Receipt, shortcode: str) -> bool:
    """Whether a payment to this short code was one to the shop, by its numbers of now or of then:
    what told of the payment as it came names the one it was paid to."""
    return is_our_number(shortcode) or (
        bool(shortcode) and receipt.evidence.filter(shortcode=shortcode).exists()
    )


def reversing_number(number: str) -> str:
    """The short code at which M-Pesa's payment of this number is reversed: ours of now, but for
    what came to one we had before."""
    paid_to = paid_number(number)
    return receiving_number() if is_our_number(paid_to) else paid_to


def record_first(receipt: Receipt, told: SourceReport) -> None:
    """Keep what told of a receipt that was written a moment ago. Call in the same transaction.

    What a person typed is asked about at once: goods may be fetched on it.
    """
    insert([_row(receipt, told)])
    if told.source == ReceiptSource.STAFF:
        ask_about([receipt])


def record(receipt: Receipt, told: SourceReport) -> None:
    """Keep what a source says of a receipt, which may confirm it. Safe to repeat, in any order.

    Call inside a transaction that holds the lock of its order, if it has one.
    """
    if _is_told(receipt.pk, told.source, told.amount, told.number, told.shortcode[:12], told.by):
        # Nothing new: what it says was looked at when it was said first.
        if told.source == ReceiptSource.STATUS:
            _end_doubt_if_said_again(receipt, told)
        return
    kept = locked_row(Receipt, receipt.pk)
    rows = [_row(kept, told)]
    ReceiptEvidence.objects.bulk_create(rows, ignore_conflicts=True)
    _reassess(kept)
    receipt.verification = kept.verification
    if told.source == ReceiptSource.STAFF:
        ask_about([kept])


def _end_doubt_if_said_again(receipt: Receipt, told: SourceReport) -> None:
    """End the doubt about a receipt of which M-Pesa, asked anew, says again what it said before."""
    kept = locked_row(Receipt, receipt.pk)
    agrees = (told.amount, told.number) == (kept.amount, kept.number)
    if kept.is_in_doubt and agrees and is_enough(kept, list(kept.evidence.all())):
        end_doubt(kept, Verification.CONFIRMED)
        receipt.verification = kept.verification


@compiled
def _is_told(
    receipt: int, source: str, amount: int, number: str, shortcode: str, by: int | None
) -> QuerySet[ReceiptEvidence, int]:
    told = ReceiptEvidence.objects.filter(
        receipt=receipt, source=source, amount=amount, number=number, shortcode=shortcode
    )
    return told.filter(told_by=by).values_list("pk", flat=True)


def copy_evidence(receipt: Receipt, other: Receipt) -> None:
    """Keep what was said of another receipt, which turned out to be this one.

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


def record_on_statement(receipts: Iterable[Receipt]) -> int:
    """Keep that M-Pesa's statement shows these receipts as they are; return how many it confirms.

    Safe to repeat. Four statements, however many there are, where none of them is in doubt.
    """
    shown = {receipt.pk: receipt for receipt in receipts}
    told = ReceiptEvidence.objects.filter(receipt__in=shown, source=ReceiptSource.STATEMENT)
    known = {row.receipt_id for row in told if row.agrees_with(shown[row.receipt_id])}
    new = {pk: receipt for pk, receipt in shown.items() if pk not in known}
    if not new:
        return 0
    ReceiptEvidence.objects.bulk_create(
        (
            _row(
                each,
                SourceReport(ReceiptSource.STATEMENT, each.amount, each.number, receiving_number()),
            )
            for each in new.values()
        ),
        ignore_conflicts=True,
    )
    said: dict[int, list[ReceiptEvidence]] = {}
    for row in ReceiptEvidence.objects.filter(receipt__in=new):
        said.setdefault(row.receipt_id, []).append(row)
    enough = [pk for pk, rows in said.items() if is_enough(new[pk], rows)]
    confirmed = 0
    for pk in enough:
        told_only = Receipt.objects.filter(
            pk=pk, verification=Verification.REPORTED, amount=new[pk].amount, number=new[pk].number
        )
        confirmed += told_only.update(verification=Verification.CONFIRMED)
        if new[pk].verification == Verification.DOUBTED:
            reassess(pk)
    _wake(enough)
    return confirmed


@transaction.atomic
def reassess(receipt_id: int) -> Receipt:
    """See again whether what was said of a receipt confirms it, as it is now. Safe to repeat."""
    receipt = lock_receipt(receipt_id)
    _reassess(receipt)
    return receipt


def lock_receipt(receipt_id: int) -> Receipt:
    """A receipt, locked after its order. Call inside a transaction.

    One without an order may be given one while its lock is waited for: then it is let go again,
    and locked after that order. An order that it has it keeps.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    if order_id is None:
        with transaction.atomic():
            receipt = locked_row(Receipt, receipt_id)
            if receipt.order_id is None:
                return receipt
            transaction.set_rollback(True)
        order_id = receipt.order_id
    locked_row(Order, order_id)
    return locked_row(Receipt, receipt_id)


@transaction.atomic
def put_in_doubt(receipt_id: int, why: str) -> None:
    """Record that a payment is not known, or known otherwise, where it should be.

    Nothing of it leaves and nothing bought with it is handed over, until a person has decided or
    the gateway shows it after all. Safe to repeat.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.verification == Verification.NEVER_CAME:
        return
    receipt.verification, receipt.doubt = Verification.DOUBTED, why[:200]
    receipt.doubted_at = receipt.doubted_at or timezone.now()
    receipt.save(update_fields=["verification", "doubt", "doubted_at"])
    stop_goods(receipt)
    logger.critical("receipt %s is in doubt: %s", receipt.number or receipt.pk, why)


def end_doubt(receipt: Receipt, verification: Verification) -> None:
    """End the doubt about a receipt one way or the other, as a person decided.

    Call inside a transaction that holds the lock of its order and its own.
    """
    receipt.verification, receipt.doubted_at = verification, None
    receipt.save(update_fields=["verification", "doubted_at"])
    stop_goods(receipt)
    _wake([receipt.pk])


def is_shown_by_the_gateway(receipt: Receipt) -> bool:
    """Whether M-Pesa's statement or its answer shows a payment as the shop has it."""
    answers = receipt.evidence.filter(source__in=ANSWERS)
    return any(row.agrees_with(receipt) for row in answers)


def source_of_amount(receipt: Receipt) -> str:
    """Who reported a receipt's amount: a provider, where one did, else who reported it first."""
    told = receipt.evidence.filter(amount=receipt.amount, source__in=TELL_AMOUNTS)
    source = told.order_by("pk").values_list("source", flat=True).first()
    return receipt.source if source is None else source


def is_shown_since_the_doubt(receipt: Receipt) -> bool:
    """Whether M-Pesa's statement or its answer has shown a payment since it is in doubt."""
    return _is_answered(receipt, list(receipt.evidence.all()))


def ask_about(receipts: Iterable[Receipt], *, anew: bool = False) -> None:
    """Let M-Pesa be asked about payments that something waits for. Safe to repeat, at once.

    Each is asked about once, or for a day where M-Pesa does not answer; with ``anew``, again. The
    clock asks.
    """
    now = timezone.now()
    about = [each for each in receipts if each.provider == Provider.MPESA and each.number]
    if not about:
        return
    ReceiptQuestion.objects.bulk_create(
        (ReceiptQuestion(receipt_id=each.pk, next_check_at=now) for each in about),
        ignore_conflicts=True,
    )
    if anew:
        again = ReceiptQuestion.objects.filter(receipt__in=about)
        again.update(next_check_at=now, asked=0)


def people_behind(receipt_ids: Iterable[int]) -> set[int]:
    """Who of the staff wrote these receipts down, or named their numbers: ids."""
    told = ReceiptEvidence.objects.filter(receipt__in=receipt_ids, told_by__isnull=False)
    return {pk for pk in told.values_list("told_by", flat=True) if pk is not None}


def _row(receipt: Receipt, told: SourceReport) -> ReceiptEvidence:
    return ReceiptEvidence(
        receipt=receipt,
        source=told.source,
        amount=told.amount,
        number=told.number,
        shortcode=told.shortcode[:12],
        told_by_id=told.by,
    )


def _reassess(receipt: Receipt) -> None:
    """Set the standing of a receipt that is locked, after its order, by what was said of it."""
    if receipt.verification == Verification.NEVER_CAME:
        _warn_if_it_came(receipt)
        return
    said = list(receipt.evidence.all())
    enough, was = is_enough(receipt, said), receipt.verification
    if was == Verification.DOUBTED and not (enough and _is_answered(receipt, said)):
        return
    receipt.verification = Verification.CONFIRMED if enough else Verification.REPORTED
    if receipt.verification == was:
        return
    receipt.doubted_at = None
    receipt.save(update_fields=["verification", "doubted_at"])
    if was == Verification.DOUBTED:
        stop_goods(receipt)
    if enough:
        _wake([receipt.pk])


def _is_answered(receipt: Receipt, said: list[ReceiptEvidence]) -> bool:
    """Whether the gateway has shown a receipt since it is in doubt: what it said before was known
    when the doubt arose.
    """
    since: datetime | None = receipt.doubted_at
    return any(
        row.source in ANSWERS and row.agrees_with(receipt) and (not since or row.told_at >= since)
        for row in said
    )


def _warn_if_it_came(receipt: Receipt) -> None:
    if is_shown_by_the_gateway(receipt) and not receipt.unacknowledged:
        receipt.note = "It was written off as never having come, and M-Pesa shows it now."
        receipt.unacknowledged = True
        receipt.save(update_fields=["note", "unacknowledged"])
        logger.critical("receipt %s: %s", receipt.number, receipt.note)


def stop_goods(receipt: Receipt) -> None:
    """Let nothing be handed over of an order whose payment is in doubt, or was written off.

    Call inside a transaction that holds the order's lock. Safe to repeat.
    """
    if receipt.order_id is None:
        return
    never = Q(verification=Verification.NEVER_CAME, written_off__gt=0)
    doubted = Receipt.objects.filter(
        Q(verification=Verification.DOUBTED) | never, order=receipt.order_id
    )
    Order.objects.filter(pk=receipt.order_id).update(in_doubt=doubted.exists())


def _wake(receipt_ids: list[int]) -> None:
    """Let what waited for these receipts be looked at now."""
    now = timezone.now()
    waiting = {"status": TransferStatus.DUE, "next_check_at__gt": now}
    orders = Receipt.objects.filter(pk__in=receipt_ids, order__isnull=False).values("order")
    Refund.objects.filter(receipt__in=receipt_ids, **waiting).update(next_check_at=now)
    # What goes back of another payment of the order may have waited for this one to stay.
    Refund.objects.filter(order__in=orders, **waiting).update(next_check_at=now)
    payouts = Payout.objects.filter(shares__track__order__in=orders, **waiting)
    Payout.objects.filter(pk__in=payouts.values("pk")).update(next_check_at=now)
