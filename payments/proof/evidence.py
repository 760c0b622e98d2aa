"""Evidence: money that was sent had been confirmed, and orders in doubt are stopped."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from orders.models import Order, PaymentStatus
from payments.models import (
    AUTHORITATIVE_SOURCES,
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
    given_back,
)
from payments.models.totals import total
from payments.models.transfers import UNDER_WAY

from .rule import FORGOTTEN, rule

_SENT = (*UNDER_WAY, TransferStatus.DONE)


def _agreeing() -> QuerySet[ReceiptEvidence]:
    """Evidence that agrees with the outer receipt in amount and number."""
    named = Q(number=OuterRef("number")) | Q(source=ReceiptSource.QUERY, number="")
    return ReceiptEvidence.objects.filter(named, receipt=OuterRef("pk"), amount=OuterRef("amount"))


@rule("A confirmed payment has two agreeing sources, one of them M-Pesa's own answer or staff")
def confirmation_has_evidence(now: datetime) -> QuerySet[Receipt]:
    statement = _agreeing().filter(source=ReceiptSource.STATEMENT)
    status = _agreeing().filter(source=ReceiptSource.STATUS)
    others = _agreeing().exclude(source__in=AUTHORITATIVE_SOURCES)
    by_mpesa = (Exists(statement) & Exists(status)) | (
        (Exists(statement) | Exists(status)) & Exists(others)
    )
    by_bank = Exists(_agreeing().filter(source=ReceiptSource.STAFF))
    enough = Q(by_mpesa, provider=Provider.MPESA) | (~Q(provider=Provider.MPESA) & Q(by_bank))
    return Receipt.objects.filter(verification=Verification.CONFIRMED, amount__gt=0).exclude(enough)


def _answered(**receipt: object) -> QuerySet[ReceiptEvidence]:
    """First-hand evidence, which allows sending a receipt's money even if it is corrected later."""
    first_hand = Q(source__in=[*AUTHORITATIVE_SOURCES, ReceiptSource.EARLIER]) | (
        ~Q(receipt__provider=Provider.MPESA) & Q(source=ReceiptSource.STAFF)
    )
    return ReceiptEvidence.objects.filter(first_hand, **receipt)


@rule("No payment was refunded on notifications alone")
def refund_had_evidence(now: datetime) -> QuerySet[Refund]:
    sent = Refund.objects.filter(
        status__in=_SENT, way__in=[RefundMethod.REVERSAL, RefundMethod.B2C]
    )
    return sent.exclude(Exists(_answered(receipt=OuterRef("receipt"))))


@rule("No confirmed payment of a paid order was refunded while only notifications cover the rest")
def order_stays_covered_by_evidence(now: datetime) -> QuerySet[Order]:
    never = Verification.NEVER_CAME
    sure = Receipt.objects.filter(
        Exists(_answered(receipt=OuterRef("pk"))) | Q(verification=never), order=OuterRef("pk")
    )
    refunds = Refund.objects.owed().filter(
        Exists(_answered(receipt=OuterRef("receipt"))) | Q(receipt__verification=never),
        order=OuterRef("pk"),
        status__in=_SENT,
    )
    ours = [RefundMethod.REVERSAL, RefundMethod.B2C]
    sent = refunds.filter(way__in=ours)
    # What M-Pesa reversed itself after the shop's last refund was not the shop's to prevent.
    followed = Refund.objects.filter(
        order=OuterRef("order"), way__in=ours, sent_at__gte=OuterRef("done_at")
    )
    is_outside = Q(way=RefundMethod.OUTSIDE) & ~Q(receipt__verification=never)
    refunds = refunds.filter(~is_outside | Exists(followed))
    paid = Order.objects.filter(Exists(sent), payment_status=PaymentStatus.PAID)
    return paid.annotate(
        stays=total(sure, group_by="order", of=Sum(F("amount") + F("written_off")))
        - total(refunds, group_by="order", of=Sum("amount")),
        needed=F("amount") - given_back(OuterRef("pk")),
    ).filter(stays__lt=F("needed"))


@rule("No seller was paid for a payment known from notifications alone")
def payout_had_evidence(now: datetime) -> QuerySet[Payout]:
    answered = Exists(_answered(receipt__order=OuterRef("pk")))
    unanswered = Order.objects.filter(
        ~answered, tracks__seller_share__payout=OuterRef("pk"), receipts__isnull=False
    )
    # The shop covers a payment that never arrived, and a second person may approve the payout.
    written_off = Receipt.objects.filter(
        verification=Verification.NEVER_CAME, written_off__gt=0, order=OuterRef("pk")
    )
    unproven = Exists(unanswered.exclude(Exists(written_off)))
    unapproved = Exists(unanswered) & Q(approved_by__isnull=True)
    return Payout.objects.filter(unproven | unapproved, status__in=_SENT)


@rule("An order is in doubt exactly while its payment is in doubt or never arrived")
def order_doubt_matches_receipts(now: datetime) -> QuerySet[Order]:
    never = Q(verification=Verification.NEVER_CAME, written_off__gt=0)
    doubted = Receipt.objects.filter(
        Q(verification=Verification.DOUBTED) | never, order=OuterRef("pk")
    )
    return Order.objects.annotate(doubted=Exists(doubted)).exclude(in_doubt=F("doubted"))


@rule("A payment that never arrived is written off in full")
def missing_payment_is_written_off(now: datetime) -> QuerySet[Receipt]:
    # Or M-Pesa reversed it, before it turned out to be another order's payment.
    ways = (RefundMethod.OUTSIDE, RefundMethod.REVERSAL)
    off = Refund.objects.filter(receipt=OuterRef("pk"), way__in=ways, status=TransferStatus.DONE)
    never = Receipt.objects.filter(verification=Verification.NEVER_CAME)
    return never.exclude(amount=total(off, group_by="receipt", of=Sum("amount")))


@rule("M-Pesa is queried about the payment that a refund waits for")
def refund_payment_is_queried(now: datetime) -> QuerySet[Refund]:
    questions = ReceiptQuestion.objects.filter(receipt=OuterRef("receipt"))
    return Refund.objects.filter(
        ~Exists(questions),
        status=TransferStatus.DUE,
        created_at__lt=now - FORGOTTEN,
        receipt__verification=Verification.REPORTED,
        receipt__provider=Provider.MPESA,
    ).exclude(receipt__number="")
