"""The ledger, in double entry and whole KES. The only module that posts.

Every event that moves money is one posting, made inside the event's transaction. Balances are
stored nowhere: they are the sums of the entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from django.db import transaction
from django.db.models import Case, F, Sum, When

from omachemainproj.inserts import insert, insert_with
from orders.models import Parcel, PriceReduction

from .models import (
    Account,
    LedgerEntry,
    LedgerPosting,
    Payout,
    Receipt,
    Refund,
    SellerShare,
    Side,
    Verification,
    clearing_account,
    is_clearing,
)


class Unbalanced(ValueError):
    """Debits and credits differ, or one of them is missing or not above zero."""


@dataclass(frozen=True, slots=True)
class Posting:
    """The entries of one event: KES by account, with equal debits and credits.

    ``event`` identifies the event, as in ``receipt:12``; there is one posting per event.
    """

    event: str
    debits: Mapping[str, int]
    credits: Mapping[str, int]
    order_id: int | None = None
    receipt_id: int | None = None
    refund_id: int | None = None
    payout_id: int | None = None
    share_id: int | None = None
    parcel_id: int | None = None
    seller_id: int | None = None


def post(*postings: Posting) -> None:
    """Write postings, all or none, in one or two statements for any number of them.

    Raises Unbalanced before anything is written; IntegrityError if an event is posted already.
    """
    for posting in postings:
        _check(posting)
    with transaction.atomic(savepoint=False):
        rows = [
            LedgerPosting(
                event=posting.event,
                receipt_id=posting.receipt_id,
                refund_id=posting.refund_id,
                payout_id=posting.payout_id,
                share_id=posting.share_id,
                parcel_id=posting.parcel_id,
            )
            for posting in postings
        ]
        if len(postings) == 1:
            entries = list(_entries(rows[0], postings[0]))
            insert_with(rows[0], entries, refers="posting")
            return
        insert(rows)
        insert(
            [
                entry
                for row, posting in zip(rows, postings, strict=True)
                for entry in _entries(row, posting)
            ]
        )


def post_receipt(receipt: Receipt) -> None:
    """Post a receipt, once: to its order's buyer, or to suspense without an order.

    A receipt without an amount moves nothing. Call in the transaction that creates it.
    """
    if receipt.amount:
        post(
            Posting(
                f"receipt:{receipt.pk}",
                debits={clearing_account(receipt.provider): receipt.amount},
                credits={_held_on(receipt): receipt.amount},
                order_id=receipt.order_id,
                receipt_id=receipt.pk,
            )
        )


def post_match(receipt: Receipt) -> None:
    """Post a receipt's match: its money moves from suspense to its order."""
    if receipt.amount:
        post(
            Posting(
                f"match:{receipt.pk}",
                debits={Account.SUSPENSE: receipt.amount},
                credits={Account.BUYERS_HELD: receipt.amount},
                order_id=receipt.order_id,
                receipt_id=receipt.pk,
            )
        )


def post_merge(receipt: Receipt) -> None:
    """Reverse the posting of a receipt that is merged into another: it was one payment.

    Call while the receipt still has its amount.
    """
    if receipt.amount:
        post(
            Posting(
                f"merge:{receipt.pk}",
                debits={_held_on(receipt): receipt.amount},
                credits={clearing_account(receipt.provider): receipt.amount},
                order_id=receipt.order_id,
                receipt_id=receipt.pk,
            )
        )


def post_correction(receipt: Receipt, *, reported_amount: int, lost: int) -> None:
    """Post that a receipt was of ``reported_amount`` KES and not of the recorded amount.

    Of a shortfall, ``lost`` KES are written off: the buyer has the goods, or the money. Of an
    excess, ``lost`` KES reverse earlier write-offs. The rest stays where the receipt's money is.
    """
    more = reported_amount - receipt.amount
    at, held_on = {clearing_account(receipt.provider): abs(more)}, _held_on(receipt)
    parts: dict[str, int] = {Account.WRITE_OFFS: lost, held_on: abs(more) - lost}
    counterpart = {account: amount for account, amount in parts.items() if amount}
    post(
        Posting(
            _next_event("correction", receipt),
            debits=at if more > 0 else counterpart,
            credits=counterpart if more > 0 else at,
            order_id=receipt.order_id,
            receipt_id=receipt.pk,
        )
    )


def post_refund_due(refund: Refund, *, again: bool = False) -> None:
    """Post that a refund is due: its money leaves the order, or suspense.

    ``again`` is for a refund that was dropped and that M-Pesa made after all.
    """
    post(
        Posting(
            f"refund:{refund.pk}:owed-again" if again else f"refund:{refund.pk}:owed",
            debits={_held_on(refund): refund.amount},
            credits={Account.REFUNDS_PAYABLE: refund.amount},
            order_id=refund.order_id,
            receipt_id=refund.receipt_id,
            refund_id=refund.pk,
        )
    )


def post_refund_paid(refund: Refund, *, twice: bool = False) -> None:
    """Post that a refund was made.

    With ``twice``, the same money was refunded before, another way: it is a debt in suspense. For a
    payment that never arrived, the provider's clearing account is corrected; else M-Pesa sent it.
    """
    owed = Account.SUSPENSE if twice else Account.REFUNDS_PAYABLE
    never = refund.receipt.verification == Verification.NEVER_CAME
    at = clearing_account(refund.receipt.provider) if never else Account.MPESA_CLEARING
    post(
        Posting(
            f"refund:{refund.pk}:given",
            debits={owed: refund.amount},
            credits={at: refund.amount},
            order_id=refund.order_id,
            refund_id=refund.pk,
        )
    )


def post_refunded_once(refund: Refund) -> None:
    """Reverse that a refund was the second one of the same money: the other was not made."""
    post(
        Posting(
            f"refund:{refund.pk}:once",
            debits={Account.REFUNDS_PAYABLE: refund.amount},
            credits={Account.SUSPENSE: refund.amount},
            order_id=refund.order_id,
            refund_id=refund.pk,
        )
    )


def post_refund_dropped(refund: Refund) -> None:
    """Post that a refund is no longer due: its money goes back to where it was."""
    post(
        Posting(
            f"refund:{refund.pk}:dropped",
            debits={Account.REFUNDS_PAYABLE: refund.amount},
            credits={_held_on(refund): refund.amount},
            order_id=refund.order_id,
            receipt_id=refund.receipt_id,
            refund_id=refund.pk,
        )
    )


def post_came_after_all(refund: Refund) -> None:
    """Reverse that a payment never arrived, which was posted as this refund: it came.

    ``post_refund_dropped`` returns its money to where it was.
    """
    post(
        Posting(
            f"refund:{refund.pk}:came",
            debits={clearing_account(refund.receipt.provider): refund.amount},
            credits={Account.REFUNDS_PAYABLE: refund.amount},
            order_id=refund.order_id,
            refund_id=refund.pk,
        )
    )


def post_write_off(receipt: Receipt, amount: int) -> None:
    """Post that ``amount`` KES of an order's payment are lost and written off."""
    post(
        Posting(
            _next_event("loss", receipt),
            debits={Account.WRITE_OFFS: amount},
            credits={Account.BUYERS_HELD: amount},
            order_id=receipt.order_id,
            receipt_id=receipt.pk,
        )
    )


def post_write_off_reversal(receipt: Receipt, amount: int) -> None:
    """Post that ``amount`` KES were not lost after all: the goods were returned, or an expected
    double refund was not made."""
    post(
        Posting(
            _next_event("unborne", receipt),
            debits={Account.BUYERS_HELD: amount},
            credits={Account.WRITE_OFFS: amount},
            order_id=receipt.order_id,
            receipt_id=receipt.pk,
        )
    )


def post_sale(share: SellerShare, *, order_id: int) -> None:
    """Post that a line's goods were fetched: its reduced price is the seller's, less the
    commission."""
    held, owed, commission = Account.BUYERS_HELD, Account.SELLERS_PAYABLE, Account.COMMISSION
    post(
        *_of_share("sale", share, order_id, held, owed, share.due + share.net_commission),
        *_of_share("commission", share, order_id, owed, commission, share.net_commission),
    )


def post_return(share: SellerShare, *, order_id: int) -> None:
    """Reverse the sale of a line that was cancelled after its goods were fetched."""
    held, owed, commission = Account.BUYERS_HELD, Account.SELLERS_PAYABLE, Account.COMMISSION
    post(
        *_of_share("return", share, order_id, owed, held, share.due + share.net_commission),
        *_of_share("commission-back", share, order_id, commission, owed, share.net_commission),
    )


def post_reduction(share: SellerShare, reduction: PriceReduction, *, order_id: int) -> None:
    """Post that a line's price was reduced after its goods were fetched: the seller's and the
    shop's parts of the reduction are the buyer's again."""
    parts = {
        Account.SELLERS_PAYABLE: reduction.amount - reduction.commission,
        Account.COMMISSION: reduction.commission,
    }
    post(
        Posting(
            f"reduction:{reduction.pk}",
            debits={account: amount for account, amount in parts.items() if amount},
            credits={Account.BUYERS_HELD: reduction.amount},
            order_id=order_id,
            share_id=share.pk,
            seller_id=share.seller_id,
        )
    )


def post_fee(parcel: Parcel) -> None:
    """Post that a parcel's fee was earned: it moves from the buyer to the shop."""
    _post_fee("delivery", parcel, Account.BUYERS_HELD, Account.DELIVERY_FEES)


def post_fee_back(parcel: Parcel) -> None:
    """Reverse an earned fee that is given back."""
    _post_fee("delivery-back", parcel, Account.DELIVERY_FEES, Account.BUYERS_HELD)


def _post_fee(what: str, parcel: Parcel, debit: Account, credit: Account) -> None:
    """Post a parcel's fee from one account to another; nothing if the delivery is free."""
    if parcel.fee:
        post(
            Posting(
                f"{what}:{parcel.pk}",
                debits={debit: parcel.fee},
                credits={credit: parcel.fee},
                order_id=parcel.order_id,
                parcel_id=parcel.pk,
            )
        )


def post_payout(payout: Payout) -> None:
    """Post that a payout was made."""
    post(
        Posting(
            f"payout:{payout.pk}",
            debits={Account.SELLERS_PAYABLE: payout.amount_sent},
            credits={Account.MPESA_CLEARING: payout.amount_sent},
            payout_id=payout.pk,
            seller_id=payout.seller_id,
        )
    )


def post_renouncement(seller_id: int, amount: int) -> None:
    """Post that a seller who closes their account gives up ``amount`` KES, once."""
    post(
        Posting(
            f"renounced:{seller_id}",
            debits={Account.SELLERS_PAYABLE: amount},
            credits={Account.RENOUNCED: amount},
            seller_id=seller_id,
        )
    )


def _of_share(
    what: str, share: SellerShare, order_id: int, debit: Account, credit: Account, amount: int
) -> list[Posting]:
    """Build the posting of one part of a share; none if that part is zero."""
    if not amount:
        return []
    return [
        Posting(
            f"{what}:{share.pk}",
            debits={debit: amount},
            credits={credit: amount},
            order_id=order_id,
            share_id=share.pk,
            seller_id=share.seller_id,
        )
    ]


def _next_event(kind: str, receipt: Receipt) -> str:
    """The name of the next event of a kind that may happen to a receipt several times.

    Numbered, since the same amounts may come again: reported as 1, as 3,000, as 1. Two concurrent
    transactions get the same name, and the database refuses the later.
    """
    prefix = f"{kind}:{receipt.pk}:"
    earlier = LedgerPosting.objects.filter(receipt=receipt, event__startswith=prefix)
    # Older events end in an amount instead.
    taken = set(earlier.values_list("event", flat=True))
    names = (f"{prefix}{number}" for number in count(len(taken) + 1))
    return next(name for name in names if name not in taken)


def _held_on(row: Receipt | Refund) -> Account:
    """The account a payment's money is on: its order's buyer, or suspense."""
    return Account.SUSPENSE if row.order_id is None else Account.BUYERS_HELD


def balance(
    account: str,
    *,
    order_id: int | None = None,
    seller_id: int | None = None,
    up_to: int | None = None,
) -> int:
    """The balance of an account in KES; optionally of one order or one seller.

    With ``up_to``, the balance when the entry with this id was made.

    Positive on the account's normal side: clearing accounts show what the shop has, write-offs what
    it has lost, the others what it owes.
    """
    entries = LedgerEntry.objects.filter(account=account)
    if order_id is not None:
        entries = entries.filter(order=order_id)
    if seller_id is not None:
        entries = entries.filter(seller=seller_id)
    if up_to is not None:
        entries = entries.filter(pk__lte=up_to)
    adds_by_debit = is_clearing(account) or account == Account.WRITE_OFFS
    usual = Side.DEBIT if adds_by_debit else Side.CREDIT
    total: int | None = entries.aggregate(total=net(usual))["total"]
    return total or 0


def net(side: Side) -> Sum:
    """The sum of entries on ``side`` less those on the other."""
    return Sum(Case(When(side=side, then=F("amount")), default=-F("amount")))


def _check(posting: Posting) -> None:
    amounts = [*posting.debits.values(), *posting.credits.values()]
    if not posting.debits or not posting.credits or min(amounts) < 1:
        raise Unbalanced(f"{posting.event}: each side has an entry, and each is KES 1 or more")
    if sum(posting.debits.values()) != sum(posting.credits.values()):
        raise Unbalanced(f"{posting.event}: debits and credits differ")


def _entries(row: LedgerPosting, posting: Posting) -> Iterator[LedgerEntry]:
    for side, amounts in ((Side.DEBIT, posting.debits), (Side.CREDIT, posting.credits)):
        for account, amount in amounts.items():
            of_no_order = is_clearing(account) or account == Account.SUSPENSE
            yield LedgerEntry(
                posting=row,
                account=account,
                side=side,
                amount=amount,
                order_id=None if of_no_order else posting.order_id,
                seller_id=posting.seller_id if account == Account.SELLERS_PAYABLE else None,
            )
