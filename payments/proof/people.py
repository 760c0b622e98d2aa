"""Whose the money in the ledger is, from the rows it came of: order by order, seller by seller."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import User
from orders.models import Order
from payments.ledger import net
from payments.models import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Payout,
    Receipt,
    Refund,
    SellerShare,
    Side,
    TransferStatus,
    fees_earned,
    share_due,
)
from payments.models.totals import total

from .rule import rule

#: Instead of a row that there is none of: nothing is equal to NULL, nor different from it.
NOBODY = Value(0)


@rule("An entry of what is owed to a seller names the seller of its share, or of its payout")
def _of_the_seller(now: datetime) -> QuerySet[LedgerEntry]:
    seller = Coalesce("posting__share__seller", "posting__payout__seller", NOBODY)
    owed = LedgerEntry.objects.filter(account=Account.SELLERS_PAYABLE)
    return owed.annotate(whose=seller).exclude(seller_id=F("whose"))


@rule("What the ledger owes a seller is what they have earned, less what they were sent")
def _earned(now: datetime) -> QuerySet[User]:
    entries = LedgerEntry.objects.filter(account=Account.SELLERS_PAYABLE, seller=OuterRef("pk"))
    shares = SellerShare.objects.owed().filter(seller=OuterRef("pk"))
    sent = Payout.objects.filter(status=TransferStatus.DONE, seller=OuterRef("pk"))
    earns = Exists(SellerShare.objects.filter(seller=OuterRef("pk"))) | Exists(entries)
    return (
        User.objects.filter(earns)
        .annotate(
            owed=total(entries, group_by="seller", of=net(Side.CREDIT)),
            earned=total(shares, group_by="seller", of=Sum(share_due())),
            sent=total(sent, group_by="seller", of=Sum("amount")),
        )
        .exclude(owed=F("earned") - F("sent"))
    )


@rule("What the ledger holds for an order came for it, and neither went back nor was earned")
def _held(now: datetime) -> QuerySet[Order]:
    receipts = Receipt.objects.filter(order=OuterRef("pk"))
    refunds = Refund.objects.owed().filter(order=OuterRef("pk"))
    shares = SellerShare.objects.owed().filter(track__order=OuterRef("pk"))
    entries = LedgerEntry.objects.filter(account=Account.BUYERS_HELD, order=OuterRef("pk"))
    return (
        Order.objects.filter(Exists(receipts) | Exists(entries))
        .annotate(
            held=total(entries, group_by="order", of=net(Side.CREDIT)),
            came=total(receipts, group_by="order", of=Sum(F("amount") + F("written_off"))),
            back=total(refunds, group_by="order", of=Sum("amount")),
            earned=total(
                shares, group_by="track__order", of=Sum(F("sold_for") - F("track__reduced"))
            ),
            fees=fees_earned(OuterRef("pk")),
        )
        .exclude(held=F("came") - F("back") - F("earned") - F("fees"))
    )


@rule("An entry is for the order of the receipt, refund, share or parcel it was posted for")
def _of_the_order(now: datetime) -> QuerySet[LedgerEntry]:
    order = Coalesce(
        "posting__share__track__order",
        "posting__refund__order",
        "posting__receipt__order",
        "posting__parcel__order",
        NOBODY,
    )
    row = Q(posting__share__isnull=False) | Q(posting__refund__isnull=False)
    row |= Q(posting__receipt__isnull=False) | Q(posting__parcel__isnull=False)
    of_one = LedgerEntry.objects.filter(row, order__isnull=False)
    return of_one.annotate(whose=order).exclude(order_id=F("whose"))


@rule("What of a receipt goes back, or went, was posted as owed on that receipt")
def _owed_back(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    entries = LedgerEntry.objects.filter(
        account=Account.REFUNDS_PAYABLE, posting__receipt=OuterRef("pk")
    )
    # What was owed before there were refunds is posted for the order alone.
    of_before = LedgerEntry.objects.filter(
        account=Account.REFUNDS_PAYABLE, order=OuterRef("order"), posting__refund__isnull=True
    )
    return (
        Receipt.objects.filter(Exists(refunds) | Exists(entries), ~Exists(of_before))
        .annotate(
            posted=total(entries, group_by="posting__receipt", of=net(Side.CREDIT)),
            back=total(refunds, group_by="receipt", of=Sum("amount")),
        )
        .exclude(posted=F("back"))
    )


@rule("A try to give money back is of the same money as the one it replaces")
def _same_money(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.filter(replaces__isnull=False).exclude(
        receipt=F("replaces__receipt"), amount=F("replaces__amount"), tries=F("replaces__tries") + 1
    )


@rule("A refund is for its receipt's order")
def _refund_of_its_order(now: datetime) -> QuerySet[Refund]:
    of_one = Refund.objects.filter(order__isnull=False)
    return of_one.annotate(whose=Coalesce("receipt__order", NOBODY)).exclude(order_id=F("whose"))


def _named(kind: str, of: str, after: str = "") -> Q:
    """That an event of a kind is not named for the row its posting is for."""
    name = Concat(
        Value(f"{kind}:"), Cast(F(of), TextField()), Value(after), output_field=TextField()
    )
    begins = f"{kind}:"
    return Q(event__startswith=begins, event__endswith=after) & ~Q(event=name)


@rule("A posting is for the row that its event names")
def _of_its_event(now: datetime) -> QuerySet[LedgerPosting]:
    of: list[tuple[Any, ...]] = [
        ("receipt", "receipt_id"),
        ("match", "receipt_id"),
        ("merge", "receipt_id"),
        ("refund", "refund_id", ":owed"),
        ("refund", "refund_id", ":owed-again"),
        ("refund", "refund_id", ":given"),
        ("refund", "refund_id", ":dropped"),
        ("sale", "share_id"),
        ("commission", "share_id"),
        ("return", "share_id"),
        ("commission-back", "share_id"),
        ("payout", "payout_id"),
        ("delivery", "parcel_id"),
        ("delivery-back", "parcel_id"),
    ]
    astray = Q()
    for each in of:
        astray |= _named(*each)
    return LedgerPosting.objects.filter(astray)


@rule("A share goes to the number of its line's sale, until M-Pesa has refused a payout to that")
def _number_of_the_sale(now: datetime) -> QuerySet[SellerShare]:
    refused = Payout.objects.filter(
        seller=OuterRef("seller"),
        phone=OuterRef("track__payment_mpesa_number"),
        status__in=[TransferStatus.REFUSED, TransferStatus.DROPPED, TransferStatus.DONE],
    ).exclude(result_code="")
    return SellerShare.objects.exclude(phone=F("track__payment_mpesa_number")).filter(
        Q(tries=0) | ~Exists(refused)
    )


@rule("M-Pesa's number of a movement is of one alone: a payment, a refund or a payout")
def _one_movement(now: datetime) -> QuerySet[Receipt]:
    back = Refund.objects.filter(number=OuterRef("number"))
    out = Payout.objects.filter(number=OuterRef("number"))
    return Receipt.objects.exclude(number="").filter(Exists(back) | Exists(out), provider="mpesa")


@rule("What M-Pesa gave a refund its number for is no payout")
def _refund_or_payout(now: datetime) -> QuerySet[Refund]:
    out = Payout.objects.filter(number=OuterRef("number"))
    return Refund.objects.exclude(number="").filter(Exists(out))
