"""Ledger balances by order and by seller, compared with the rows that were posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import User
from omachemainproj.mpesa_limits import MIN_B2C
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
from payments.models.transfers import amount_sent

from .rule import rule

#: Replaces NULL, which is neither equal to nor different from anything.
NOBODY = Value(0)


@rule("A ledger entry owed to a seller names the seller of its earnings, payout or renouncement")
def payable_entry_names_seller(now: datetime) -> QuerySet[LedgerEntry]:
    renounced = User.objects.filter(pk=OuterRef("seller"), erased_at__isnull=False).annotate(
        event=_renouncement_of("pk")
    )
    seller = Coalesce(
        "posting__share__seller",
        "posting__payout__seller",
        Subquery(renounced.filter(event=OuterRef("posting__event")).values("pk")),
        NOBODY,
    )
    owed = LedgerEntry.objects.filter(account=Account.SELLERS_PAYABLE)
    return owed.annotate(whose=seller).exclude(seller_id=F("whose"))


@rule("What the ledger owes a seller is their earnings less their payouts")
def seller_is_owed_the_difference(now: datetime) -> QuerySet[User]:
    entries = LedgerEntry.objects.filter(account=Account.SELLERS_PAYABLE, seller=OuterRef("pk"))
    shares = SellerShare.objects.owed().filter(seller=OuterRef("pk"))
    sent = Payout.objects.filter(status=TransferStatus.DONE, seller=OuterRef("pk"))
    earns = Exists(SellerShare.objects.filter(seller=OuterRef("pk"))) | Exists(entries)
    return (
        User.objects.filter(earns)
        .annotate(
            owed=total(entries, group_by="seller", of=net(Side.CREDIT)),
            earned=total(shares, group_by="seller", of=Sum(share_due())),
            sent=total(sent, group_by="seller", of=Sum(amount_sent())),
            renounced=total(
                entries.filter(posting__event=_renouncement_of(OuterRef("pk"))),
                group_by="seller",
                of=net(Side.DEBIT),
            ),
        )
        .exclude(owed=F("earned") - F("sent") - F("renounced"))
    )


def _renouncement_of(seller: Any) -> Concat:
    """The event of the posting by which a seller gave up what they were owed."""
    return Concat(Value("renounced:"), Cast(seller, CharField()))


@rule("Nothing is renounced but what a seller was owed and M-Pesa cannot send")
def renouncement_is_small(now: datetime) -> QuerySet[LedgerEntry]:
    numbers = SellerShare.objects.filter(seller=OuterRef("posting__entries__seller"))
    counted = numbers.order_by().values("seller").annotate(n=Count("phone", distinct=True))
    renounced = LedgerEntry.objects.filter(account=Account.RENOUNCED).annotate(
        numbers=Coalesce(Subquery(counted.values("n")), 0)
    )
    of_seller = Q(
        posting__entries__account=Account.SELLERS_PAYABLE,
        posting__entries__side=Side.DEBIT,
        posting__entries__amount=F("amount"),
    )
    # Money that was deducted for no debt is of no number.
    small = of_seller & Q(amount__lte=(F("numbers") + 1) * (MIN_B2C - 1))
    right = renounced.filter(small, side=Side.CREDIT, posting__event__startswith="renounced:")
    return LedgerEntry.objects.filter(account=Account.RENOUNCED).exclude(pk__in=right.values("pk"))


@rule("What the ledger holds for an order was paid for it, and was not refunded or earned")
def order_balance_is_explained(now: datetime) -> QuerySet[Order]:
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


@rule("A ledger entry names the order of its receipt, refund, earnings or parcel")
def entry_names_order(now: datetime) -> QuerySet[LedgerEntry]:
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


@rule("What a receipt refunds, or refunded, is posted as owed on that receipt")
def refund_is_posted_on_receipt(now: datetime) -> QuerySet[Receipt]:
    refunds = Refund.objects.owed().filter(receipt=OuterRef("pk"))
    entries = LedgerEntry.objects.filter(
        account=Account.REFUNDS_PAYABLE, posting__receipt=OuterRef("pk")
    )
    # What was owed before refunds existed is posted for the order only.
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


@rule("A refund has the receipt and amount of the refund it replaces")
def replacement_is_of_the_same_money(now: datetime) -> QuerySet[Refund]:
    return Refund.objects.filter(replaces__isnull=False).exclude(
        receipt=F("replaces__receipt"), amount=F("replaces__amount"), tries=F("replaces__tries") + 1
    )


@rule("A refund is for its receipt's order")
def refund_has_receipts_order(now: datetime) -> QuerySet[Refund]:
    of_one = Refund.objects.filter(order__isnull=False)
    return of_one.annotate(whose=Coalesce("receipt__order", NOBODY)).exclude(order_id=F("whose"))


def _misnamed(kind: str, of: str, after: str = "") -> Q:
    """Matches postings of a kind of event whose name is not that of their row."""
    name = Concat(
        Value(f"{kind}:"), Cast(F(of), TextField()), Value(after), output_field=TextField()
    )
    begins = f"{kind}:"
    return Q(event__startswith=begins, event__endswith=after) & ~Q(event=name)


@rule("A posting belongs to the row that its event names")
def posting_matches_event(now: datetime) -> QuerySet[LedgerPosting]:
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
    wrong = Q()
    for each in of:
        wrong |= _misnamed(*each)
    return LedgerPosting.objects.filter(wrong)


@rule("Earnings go to the phone agreed at the sale, until M-Pesa has rejected a payout to it")
def earnings_go_to_agreed_phone(now: datetime) -> QuerySet[SellerShare]:
    refused = Payout.objects.filter(
        seller=OuterRef("seller"),
        phone=OuterRef("track__payment_mpesa_number"),
        status__in=[TransferStatus.REFUSED, TransferStatus.DROPPED, TransferStatus.DONE],
    ).exclude(result_code="")
    return SellerShare.objects.exclude(phone=F("track__payment_mpesa_number")).filter(
        Q(tries=0) | ~Exists(refused)
    )


@rule("An M-Pesa receipt number belongs to one payment, refund or payout")
def number_belongs_to_one_movement(now: datetime) -> QuerySet[Receipt]:
    back = Refund.objects.numbered(OuterRef("number"))
    out = Payout.objects.numbered(OuterRef("number"))
    return Receipt.objects.exclude(number="").filter(Exists(back) | Exists(out), provider="mpesa")


@rule("The receipt number of a refund is not that of a payout")
def refund_number_is_no_payout(now: datetime) -> QuerySet[Refund]:
    out = Payout.objects.numbered(OuterRef("number"))
    return Refund.objects.exclude(number="").filter(Exists(out))
