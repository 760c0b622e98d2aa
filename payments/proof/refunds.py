"""Refunds to buyers."""

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

from orders.models import Order, PaymentStatus
from payments.ledger import net
from payments.models import (
    Account,
    LedgerEntry,
    Receipt,
    Refund,
    RefundMethod,
    Side,
    TransferStatus,
    fees_earned,
)
from payments.models.ledger import CLEARING
from payments.models.refunds import PART_REVERSED, PARTS_REVERSED
from payments.models.totals import total
from payments.models.transfers import UNDER_WAY

from .rule import rule


def _posted_by_provider() -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__refund=OuterRef("pk"), account__endswith=CLEARING)
    return total(entries, group_by="posting__refund", of=net(Side.CREDIT))


@rule("A refund leaves M-Pesa in the ledger once, when it is done")
def refund_is_posted(now: datetime) -> QuerySet[Refund]:
    given = Case(When(status=TransferStatus.DONE, then=F("amount")), default=0)
    refunds = Refund.objects.annotate(given=given)
    return refunds.exclude(given=_posted_by_provider())


@rule("Open refunds of an order match what the ledger owes for it")
def open_refunds_are_payable(now: datetime) -> QuerySet[Order]:
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    open_ones = refunds.not_done()
    entries = LedgerEntry.objects.filter(order=OuterRef("pk"), account=Account.REFUNDS_PAYABLE)
    orders = Order.objects.annotate(
        owed=total(open_ones, group_by="order", of=Sum("amount")),
        posted=total(entries, group_by="order", of=net(Side.CREDIT)),
    )
    return orders.exclude(owed=F("posted"))


@rule("A receipt is not refunded by more than its amount")
def receipt_is_not_over_refunded(now: datetime) -> QuerySet[Receipt]:
    # Not what M-Pesa reversed itself, after the shop had refunded some of it: the order's other
    # payments cover that, or it is written off, as the rules about orders check; in suspense it is
    # a debt. Any other double refund is written off.
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    refunds = refunds.exclude(way=RefundMethod.OUTSIDE)
    return Receipt.objects.annotate(
        back=total(refunds, group_by="receipt", of=Sum("amount"))
    ).filter(back__gt=F("amount") + F("written_off"))


@rule("Write-offs of an order that is not paid are at most its earned fees and sent refunds")
def write_offs_of_unpaid_order_are_explained(now: datetime) -> QuerySet[Order]:
    receipts = Receipt.objects.filter(order=OuterRef("pk"), written_off__gt=0)
    left = Refund.objects.owed().filter(
        order=OuterRef("pk"), status__in=[*UNDER_WAY, TransferStatus.DONE]
    )
    orders = Order.objects.exclude(payment_status=PaymentStatus.PAID).annotate(
        lost=total(receipts, group_by="order", of=Sum("written_off")),
        left=total(left, group_by="order", of=Sum("amount")),
    )
    return orders.filter(lost__gt=fees_earned(OuterRef("pk")) + F("left"))


@rule("A payment that M-Pesa reversed is fully refunded, and nothing of it is still to be sent")
def reversed_payment_is_refunded(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    outside = refunds.filter(way=RefundMethod.OUTSIDE).exclude(result_text__in=PARTS_REVERSED)
    unsent = refunds.filter(status__in=[TransferStatus.DUE, TransferStatus.REFUSED])
    reversed_outside = refunds.filter(way=RefundMethod.OUTSIDE)
    taken = Receipt.objects.filter(Exists(outside)).annotate(
        back=total(reversed_outside, group_by="receipt", of=Sum("amount")), is_unsent=Exists(unsent)
    )
    return taken.exclude(back=F("amount"), is_unsent=False)


@rule("A part of a payment that M-Pesa reversed has a number of its own")
def reversed_part_has_a_number(now: datetime) -> QuerySet[Refund]:
    parts = Refund.objects.filter(way=RefundMethod.OUTSIDE, result_text=PART_REVERSED)
    return parts.filter(number="")


@rule("Only a rejected refund is replaced by another")
def only_rejected_refunds_are_replaced(now: datetime) -> QuerySet[Refund]:
    after = Refund.objects.filter(replaces=OuterRef("pk"))
    return Refund.objects.filter(Exists(after)).exclude(status=TransferStatus.REFUSED)
