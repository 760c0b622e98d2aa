"""The ledger balances and agrees with receipts."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat

from payments.ledger import net
from payments.models import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Receipt,
    Refund,
    Side,
)
from payments.models.ledger import CLEARING
from payments.models.totals import total

from .rule import rule


@rule("Every posting balances and has at least two entries")
def posting_balances(now: datetime) -> QuerySet[LedgerPosting]:
    totals = LedgerPosting.objects.annotate(
        count=Count("entries"), difference=Coalesce(_difference(), 0)
    )
    return totals.filter(Q(count__lt=2) | ~Q(difference=0))


def _difference() -> Sum:
    """The debits of a posting less its credits."""
    amount = F("entries__amount")
    return Sum(Case(When(entries__side=Side.DEBIT, then=amount), default=-amount))


def _posted(account: Account | Concat, side: Side) -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__receipt=OuterRef("pk"), account=account)
    return total(entries, by="posting__receipt", of=net(side))


@rule("Every receipt is in the ledger with its amount, at its provider")
def receipt_is_posted(now: datetime) -> QuerySet[Receipt]:
    clearing_account = Concat(OuterRef("provider"), Value(CLEARING))
    return Receipt.objects.exclude(amount=_posted(clearing_account, Side.DEBIT))


@rule("Ledger entries at a provider belong to a receipt, a refund or a payout")
def clearing_entry_has_source(now: datetime) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        account__endswith=CLEARING,
        posting__receipt__isnull=True,
        posting__refund__isnull=True,
        posting__payout__isnull=True,
    )


@rule("A receipt's shortfall is written off, and none of it is taken from the commission")
def write_off_is_posted(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.annotate(
        booked_off=_posted(Account.WRITE_OFFS, Side.DEBIT),
        on_commission=_posted(Account.COMMISSION, Side.DEBIT),
    ).exclude(booked_off=F("written_off"), on_commission=0)


@rule("A receipt's money is in suspense while it has no order and is not refunded")
def suspense_is_posted(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"), order__isnull=True)
    owed = total(refunds, by="receipt", of=Sum("amount"))
    waiting = Case(When(order__isnull=True, then=F("amount") - owed), default=0)
    receipts = Receipt.objects.annotate(waiting_in_suspense=waiting)
    return receipts.exclude(waiting_in_suspense=_posted(Account.SUSPENSE, Side.CREDIT))
