"""Whether what left had been confirmed before, and what is in doubt stays where it is."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from orders.models import Order
from payments.models import (
    ANSWERS,
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
from payments.models.totals import total
from payments.models.transfers import UNDER_WAY

from .rule import FORGOTTEN, rule

LEFT = (*UNDER_WAY, TransferStatus.DONE)


def _told() -> QuerySet[ReceiptEvidence]:
    """What agrees with the receipt outside in amount and number."""
    named = Q(number=OuterRef("number")) | Q(source=ReceiptSource.QUERY, number="")
    return ReceiptEvidence.objects.filter(named, receipt=OuterRef("pk"), amount=OuterRef("amount"))


@rule("A payment is confirmed where two sources agree, and one is M-Pesa's own answer or a person")
def _confirmed(now: datetime) -> QuerySet[Receipt]:
    statement = _told().filter(source=ReceiptSource.STATEMENT)
    status = _told().filter(source=ReceiptSource.STATUS)
    others = _told().exclude(source__in=ANSWERS)
    by_mpesa = (Exists(statement) & Exists(status)) | (
        (Exists(statement) | Exists(status)) & Exists(others)
    )
    by_bank = Exists(_told().filter(source=ReceiptSource.STAFF))
    enough = Q(by_mpesa, provider=Provider.MPESA) | (~Q(provider=Provider.MPESA) & Q(by_bank))
    return Receipt.objects.filter(verification=Verification.CONFIRMED, amount__gt=0).exclude(enough)


def _answered(**receipt: object) -> QuerySet[ReceiptEvidence]:
    """What lets money of a receipt leave, whatever the receipt was corrected to since."""
    first_hand = Q(source__in=[*ANSWERS, ReceiptSource.EARLIER]) | (
        ~Q(receipt__provider=Provider.MPESA) & Q(source=ReceiptSource.STAFF)
    )
    return ReceiptEvidence.objects.filter(first_hand, **receipt)


@rule("Nothing went back of a payment that was told of by news alone")
def _went_back(now: datetime) -> QuerySet[Refund]:
    sent = Refund.objects.filter(status__in=LEFT, way__in=[RefundMethod.REVERSAL, RefundMethod.B2C])
    return sent.exclude(Exists(_answered(receipt=OuterRef("receipt"))))


@rule("Nothing went to a seller for what was paid by news alone")
def _went_out(now: datetime) -> QuerySet[Payout]:
    answered = Exists(_answered(receipt__order=OuterRef("pk")))
    unanswered = Order.objects.filter(
        ~answered, tracks__seller_share__payout=OuterRef("pk"), receipts__isnull=False
    )
    # What never came the shop bears, and a second person may let its seller have theirs.
    written_off = Receipt.objects.filter(
        verification=Verification.NEVER_CAME, written_off__gt=0, order=OuterRef("pk")
    )
    by_news = Exists(unanswered.exclude(Exists(written_off)))
    unapproved = Exists(unanswered) & Q(approved_by__isnull=True)
    return Payout.objects.filter(by_news | unapproved, status__in=LEFT)


@rule("An order whose payment is in doubt, or never came, hands nothing over, and no other does so")
def _stopped(now: datetime) -> QuerySet[Order]:
    never = Q(verification=Verification.NEVER_CAME, written_off__gt=0)
    doubted = Receipt.objects.filter(
        Q(verification=Verification.DOUBTED) | never, order=OuterRef("pk")
    )
    return Order.objects.annotate(doubted=Exists(doubted)).exclude(in_doubt=F("doubted"))


@rule("What never came is written off whole")
def _written_off(now: datetime) -> QuerySet[Receipt]:
    off = Refund.objects.filter(
        receipt=OuterRef("pk"), way=RefundMethod.OUTSIDE, status=TransferStatus.DONE
    )
    never = Receipt.objects.filter(verification=Verification.NEVER_CAME)
    return never.exclude(amount=total(off, group_by="receipt", of=Sum("amount")))


@rule("A refund that waits for M-Pesa to confirm its payment has it asked")
def _asked(now: datetime) -> QuerySet[Refund]:
    asked = ReceiptQuestion.objects.filter(receipt=OuterRef("receipt"))
    return Refund.objects.filter(
        ~Exists(asked),
        status=TransferStatus.DUE,
        created_at__lt=now - FORGOTTEN,
        receipt__verification=Verification.REPORTED,
        receipt__provider=Provider.MPESA,
    ).exclude(receipt__number="")
