"""Matches money without an order to prompts whose receipt has no number: is it one payment?

A status query proves that a prompt was paid but does not name the receipt, and at a till no
reference is typed. That leaves the amount, the time and the phone to match by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from omachemainproj.phones import PhoneMatch, match_phone

from .models import Channel, OrderPayment, Provider, Receipt, ReceiptSource
from .models.order_payments import PROMPTS_UNDER_WAY

#: A prompt's money moves between this long before it was sent (clocks differ) and this long after.
BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=15)
#: The provider's time is trusted if the report came at most this long after it, or before it.
REPORTED_WITHIN, CLOCKS_DIFFER = timedelta(days=3), timedelta(minutes=10)


class MatchCriteria(NamedTuple):
    """What identifies incoming money: KES, the payer's phone as shown, and when it moved."""

    amount: int
    phone: str
    earliest: datetime
    latest: datetime


def criteria_of(receipt: Receipt) -> MatchCriteria:
    """What identifies the money of a saved receipt."""
    return criteria_of_report(
        amount=receipt.amount,
        phone=receipt.phone,
        source=receipt.source,
        paid_at=receipt.paid_at,
        reported_at=receipt.created_at,
    )


def criteria_of_report(
    *, amount: int, phone: str, source: str, paid_at: datetime | None, reported_at: datetime
) -> MatchCriteria:
    """What identifies the money of a report.

    If the provider's time cannot be right, the time of the report is used. A payment that staff
    recorded may be days old.
    """
    if source == ReceiptSource.STAFF:
        return MatchCriteria(amount, phone, reported_at - REPORTED_WITHIN, reported_at)
    at = paid_at
    if at is None or not reported_at - REPORTED_WITHIN <= at <= reported_at + CLOCKS_DIFFER:
        at = reported_at
    return MatchCriteria(amount, phone, at, at)


def matching_attempts(criteria: MatchCriteria) -> list[tuple[OrderPayment, PhoneMatch]]:
    """Prompts this money may have paid, and how their phones match. Two queries.

    Prompts whose receipt has no number, and those whose outcome is not known.
    """
    rang = OrderPayment.objects.filter(channel=Channel.STK).alias(
        rang=Coalesce("rung_at", "created_at")
    )
    rang = rang.filter(rang__gte=criteria.earliest - AFTER, rang__lte=criteria.latest + BEFORE)
    unnamed = rang.filter(
        receipt__in=Receipt.objects.without_number().filter(amount=criteria.amount)
    ).select_related("receipt", "order")
    silent = rang.filter(
        status__in=PROMPTS_UNDER_WAY,
        amount=criteria.amount,
        rung_at__isnull=False,
        receipt__isnull=True,
    )
    matches = [(each, match_phone(criteria.phone, each.phone)) for each in [*unnamed, *silent]]
    return [(each, match) for each, match in matches if match != PhoneMatch.DIFFERS]


def prompt_without_number(payment: OrderPayment) -> OrderPayment | None:
    """Another prompt to the same phone, of the same amount and within days of this one, that M-Pesa
    confirmed without a receipt number. One query."""
    rang = payment.rung_at or payment.created_at
    unnumbered = Receipt.objects.without_number().filter(amount=payment.amount)
    others = OrderPayment.objects.filter(
        receipt__in=unnumbered,
        phone=payment.phone,
        rung_at__range=(rang - REPORTED_WITHIN, rang + REPORTED_WITHIN),
    )
    return others.exclude(pk=payment.pk).select_related("order").order_by("rung_at", "pk").first()


def may_be_paid_with(payment: OrderPayment | None, receipt: Receipt) -> bool:
    """Whether a prompt may have been paid with this receipt, judging by the phone.

    A prompt is paid from the phone it was sent to. A number typed by staff rules nothing out.
    """
    if payment is None or receipt.phone_by_id is not None:
        return True
    return match_phone(receipt.phone, payment.phone) != PhoneMatch.DIFFERS


def only_matching_attempt(criteria: MatchCriteria) -> OrderPayment | None:
    """The prompt this money paid, if only one fits and its phone agrees."""
    matches = matching_attempts(criteria)
    return matches[0][0] if [match for _, match in matches] == [PhoneMatch.AGREES] else None


def matching_receipts(payment: OrderPayment) -> list[Receipt]:
    """Money without an order that may be this prompt's payment."""
    same = Receipt.objects.unidentified_payments().filter(amount=_amount(payment))
    rang = payment.rung_at or payment.created_at
    return [
        receipt
        for receipt in same
        if (criteria := criteria_of(receipt)).earliest - AFTER <= rang <= criteria.latest + BEFORE
        and match_phone(receipt.phone, payment.phone) != PhoneMatch.DIFFERS
    ]


def only_matching_receipt(payment: OrderPayment) -> Receipt | None:
    """The money without an order that is this prompt's payment, if neither can be another's."""
    receipts = matching_receipts(payment)
    if len(receipts) != 1:
        return None
    attempt = only_matching_attempt(criteria_of(receipts[0]))
    return receipts[0] if attempt is not None and attempt.pk == payment.pk else None


def possible_duplicates() -> QuerySet[Receipt]:
    """Money without an order whose amount equals that of a prompt's receipt without a number.

    Within some days of it. ``filter_duplicates`` keeps those that agree in time and phone too.
    """
    unnamed = Receipt.objects.without_number().filter(
        provider=Provider.MPESA,
        payment__channel=Channel.STK,
        amount=OuterRef("amount"),
        created_at__gte=OuterRef("created_at") - REPORTED_WITHIN,
        created_at__lte=OuterRef("created_at") + REPORTED_WITHIN,
    )
    # There is rarely any, and then PostgreSQL does not read the money without an order at all.
    is_any = Exists(Receipt.objects.without_number())
    return Receipt.objects.unidentified_payments().filter(is_any, Exists(unnamed), amount__gt=0)


def filter_duplicates(receipt_ids: list[int]) -> list[int]:
    """Those of these receipts that may be a prompt's whose receipt has no number, in order."""
    movements = Receipt.objects.in_bulk(receipt_ids)
    return [pk for pk in receipt_ids if matching_paid_prompts(movements[pk])]


def matching_paid_prompts(receipt: Receipt) -> list[OrderPayment]:
    """Paid prompts whose receipt has no number and that may be this receipt's."""
    if receipt.order_id is not None or receipt.is_not_from_prompt or not receipt.number:
        return []
    if receipt.provider != Provider.MPESA:
        return []
    matches = matching_attempts(criteria_of(receipt))
    return [attempt for attempt, _ in matches if attempt.is_confirmed]


def is_undecided(receipt: Receipt) -> bool:
    """Whether money without an order may be a prompt's payment, confirmed or still unknown."""
    if receipt.order_id is not None or receipt.is_not_from_prompt or not receipt.number:
        return False
    return receipt.provider == Provider.MPESA and bool(matching_attempts(criteria_of(receipt)))


def _amount(payment: OrderPayment) -> int:
    receipt = getattr(payment, "receipt", None)
    return payment.amount if receipt is None else receipt.amount
