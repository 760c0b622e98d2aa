"""Money that goes back to buyers."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    QuerySet,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from orders.models import Order
from payments.ledger import net
from payments.models import (
    Account,
    LedgerEntry,
    Receipt,
    Refund,
    RefundMethod,
    Side,
    TransferStatus,
)
from payments.models.ledger import CLEARING
from payments.models.totals import total

from .rule import rule


def _gone_from_a_provider() -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__refund=OuterRef("pk"), account__endswith=CLEARING)
    return total(entries, group_by="posting__refund", of=net(Side.CREDIT))


@rule("A refund has left M-Pesa in the ledger when it is done, once, and not before")
def _given(now: datetime) -> QuerySet[Refund]:
    given = Case(When(status=TransferStatus.DONE, then=F("amount")), default=0)
    refunds = Refund.objects.annotate(given=given)
    return refunds.exclude(given=_gone_from_a_provider())


@rule("What is owed back, and is not back, is what the ledger says is owed for the order")
def _payable(now: datetime) -> QuerySet[Order]:
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    open_ones = refunds.not_done()
    entries = LedgerEntry.objects.filter(order=OuterRef("pk"), account=Account.REFUNDS_PAYABLE)
    orders = Order.objects.annotate(
        owed=total(open_ones, group_by="order", of=Sum("amount")),
        posted=total(entries, group_by="order", of=net(Side.CREDIT)),
    )
    return orders.exclude(owed=F("posted"))


@rule("No more of a receipt goes back than came")
def _not_too_much(now: datetime) -> QuerySet[Receipt]:
    # Of an order the shop bears what went twice; of money in suspense that M-Pesa took back by
    # itself it is a debt there.
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    refunds = refunds.exclude(order__isnull=True, way=RefundMethod.OUTSIDE)
    return Receipt.objects.annotate(
        back=total(refunds, group_by="receipt", of=Sum("amount"))
    ).filter(back__gt=F("amount") + F("written_off"))


@rule("A payment M-Pesa took back by itself is back whole, and nothing of it is still to be sent")
def _taken_back(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    outside = refunds.filter(way=RefundMethod.OUTSIDE)
    unsent = refunds.filter(status__in=[TransferStatus.DUE, TransferStatus.REFUSED])
    taken = Receipt.objects.filter(Exists(outside)).annotate(
        back=total(outside, group_by="receipt", of=Sum("amount")), is_unsent=Exists(unsent)
    )
    return taken.exclude(back=F("amount"), is_unsent=False)


@rule("Money goes back one way only")
def _one_way(now: datetime) -> QuerySet[Refund]:
    after = Refund.objects.filter(replaces=OuterRef("pk"))
    return Refund.objects.filter(Exists(after)).exclude(status=TransferStatus.REFUSED)
