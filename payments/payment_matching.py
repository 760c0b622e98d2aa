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

from .models import AttemptStatus, Channel, OrderPayment, Provider, Receipt, ReceiptSource
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
    rang = _prompts_for(criteria.earliest, criteria.latest)
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
    rang = _rang_at(payment)
    unnumbered = Receipt.objects.without_number().filter(amount=payment.amount)
    others = OrderPayment.objects.filter(
        receipt__in=unnumbered,
        phone=payment.phone,
        rung_at__range=(rang - REPORTED_WITHIN, rang + REPORTED_WITHIN),
    )
    return others.exclude(pk=payment.pk).select_related("order").order_by("rung_at", "pk").first()


def _prompts_for(earliest: datetime, latest: datetime) -> QuerySet[OrderPayment]:
    """Prompts whose money may have moved between these times."""
    rang = Coalesce("rung_at", "created_at")
    prompts = OrderPayment.objects.filter(channel=Channel.STK).alias(rang=rang)
    return prompts.filter(rang__gte=earliest - AFTER, rang__lte=latest + BEFORE)


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
    rang = _rang_at(payment)
    # At a till, all that was ever paid at the counter is money without an order.
    same = Receipt.objects.unidentified_payments().filter(
        amount=_amount(payment),
        created_at__gte=rang - BEFORE - CLOCKS_DIFFER,
        created_at__lte=rang + AFTER + REPORTED_WITHIN,
    )
    return [receipt for receipt in same if _may_pay(payment, criteria_of(receipt))]


def _may_pay(payment: OrderPayment, criteria: MatchCriteria) -> bool:
    """Whether a prompt and money of its amount agree in time and phone."""
    rang = _rang_at(payment)
    return (
        criteria.earliest - AFTER <= rang <= criteria.latest + BEFORE
        and match_phone(criteria.phone, payment.phone) != PhoneMatch.DIFFERS
    )


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
    """Those of these receipts that may be a prompt's whose receipt has no number, in order.

    Two queries, however many they are; each id is a parameter of one.
    """
    receipts = Receipt.objects.in_bulk(receipt_ids)
    all_criteria = {
        pk: criteria_of(receipt) for pk, receipt in receipts.items() if _may_be_from_prompt(receipt)
    }
    if not all_criteria:
        return []
    paid = _prompts_for(
        min(criteria.earliest for criteria in all_criteria.values()),
        max(criteria.latest for criteria in all_criteria.values()),
    ).filter(status=AttemptStatus.CONFIRMED, receipt__in=Receipt.objects.without_number())
    by_amount: dict[int, list[OrderPayment]] = {}
    for prompt in paid.select_related("receipt"):
        by_amount.setdefault(_amount(prompt), []).append(prompt)
    return [
        pk
        for pk in receipt_ids
        if (criteria := all_criteria.get(pk)) is not None
        and any(_may_pay(prompt, criteria) for prompt in by_amount.get(criteria.amount, ()))
    ]


def _may_be_from_prompt(receipt: Receipt) -> bool:
    """Whether money is M-Pesa's, has no order, and nothing says that no prompt was paid with it."""
    if receipt.order_id is not None or receipt.is_not_from_prompt or not receipt.number:
        return False
    return receipt.provider == Provider.MPESA


def matching_paid_prompts(receipt: Receipt) -> list[OrderPayment]:
    """Paid prompts whose receipt has no number and that may be this receipt's."""
    if not _may_be_from_prompt(receipt):
        return []
    matches = matching_attempts(criteria_of(receipt))
    return [attempt for attempt, _ in matches if attempt.is_confirmed]


def is_undecided(receipt: Receipt) -> bool:
    """Whether money without an order may be a prompt's payment, confirmed or still unknown."""
    return _may_be_from_prompt(receipt) and bool(matching_attempts(criteria_of(receipt)))


def _rang_at(payment: OrderPayment) -> datetime:
    return payment.rung_at or payment.created_at


def _amount(payment: OrderPayment) -> int:
    receipt = getattr(payment, "receipt", None)
    return payment.amount if receipt is None else receipt.amount
