"""Whose money is where: double entry, in whole KES, and the one place that writes it.

Every event that moves money is one posting, made inside the transaction of the event. Balances
are kept nowhere: they are what the entries add up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Sum, When

from orders.models import Order, PaymentStatus

from .models import Account, LedgerEntry, LedgerPosting, Receipt, Side


class Unbalanced(ValueError):
    """Debits and credits differ, or one of them is missing or not above zero."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What one event moves: amounts by account, the debits together equal to the credits.

    ``event`` names what happened, as in ``receipt:12``; there is one posting an event.
    """

    event: str
    debits: Mapping[Account, int]
    credits: Mapping[Account, int]
    order_id: int | None = None
    receipt_id: int | None = None


#: Accounts whose money is not one order's.
_OF_NO_ORDER = {Account.MPESA_CLEARING, Account.SUSPENSE}


def post(*postings: Posting) -> None:
    """Write postings: all of them or none, two statements however many they are.

    Raises Unbalanced before anything is written; IntegrityError when an event is posted already.
    """
    for posting in postings:
        _check(posting)
    with transaction.atomic(savepoint=False):
        rows = LedgerPosting.objects.bulk_create(
            LedgerPosting(event=posting.event, receipt_id=posting.receipt_id)
            for posting in postings
        )
        LedgerEntry.objects.bulk_create(
            entry
            for row, posting in zip(rows, postings, strict=True)
            for entry in _entries(row, posting)
        )


def post_receipt(receipt: Receipt) -> None:
    """Post what came in, once: to its order, or to suspense.

    What pays an order is held for its buyer; when the goods are gone it is owed back at once, and
    so is money that came after an order's price was covered. A receipt that tells of no amount
    moves nothing.

    Call when the order has heard of it, in a transaction that holds the order's lock.
    """
    if not receipt.amount:
        return
    if receipt.order_id is None:
        post(_came(receipt, Account.SUSPENSE))
        return
    held = LedgerEntry.objects.filter(order=OuterRef("pk"), account=Account.BUYERS_HELD)
    order = Order.objects.annotate(is_covered=Exists(held)).get(pk=receipt.order_id)
    if order.is_covered:
        post(_came(receipt, Account.REFUNDS_PAYABLE))
    elif order.payment_status == PaymentStatus.REFUND_DUE:
        post(_came(receipt, Account.BUYERS_HELD), _owed_back(order.pk, receipt.amount))
    else:
        post(_came(receipt, Account.BUYERS_HELD))


def post_refund_due(order_id: int) -> None:
    """Owe back what is still held for an order whose goods are gone. Safe to repeat.

    Call in a transaction that holds the order's lock. Does nothing for any other order.
    """
    if Order.objects.filter(pk=order_id, payment_status=PaymentStatus.REFUND_DUE).exists():
        held = balance(Account.BUYERS_HELD, order_id=order_id)
        if held:
            post(_owed_back(order_id, held))


def balance(account: Account, *, order_id: int | None = None) -> int:
    """What is on an account, in KES; with ``order_id``, what of it is for that order.

    Positive the way the account usually stands: M-Pesa's as what the shop has, the others as what
    it owes.
    """
    entries = LedgerEntry.objects.filter(account=account)
    if order_id is not None:
        entries = entries.filter(order=order_id)
    usual = Side.DEBIT if account == Account.MPESA_CLEARING else Side.CREDIT
    total: int | None = entries.aggregate(total=net(usual))["total"]
    return total or 0


def net(side: Side) -> Sum:
    """The sum of entries on ``side`` less those on the other."""
    return Sum(Case(When(side=side, then=F("amount")), default=-F("amount")))


def _came(receipt: Receipt, account: Account) -> Posting:
    return Posting(
        f"receipt:{receipt.pk}",
        debits={Account.MPESA_CLEARING: receipt.amount},
        credits={account: receipt.amount},
        order_id=receipt.order_id,
        receipt_id=receipt.pk,
    )


def _owed_back(order_id: int, amount: int) -> Posting:
    return Posting(
        f"refund_due:{order_id}",
        debits={Account.BUYERS_HELD: amount},
        credits={Account.REFUNDS_PAYABLE: amount},
        order_id=order_id,
    )


def _check(posting: Posting) -> None:
    amounts = [*posting.debits.values(), *posting.credits.values()]
    if not posting.debits or not posting.credits or min(amounts) < 1:
        raise Unbalanced(f"{posting.event}: each side has an entry, and each is KES 1 or more")
    if sum(posting.debits.values()) != sum(posting.credits.values()):
        raise Unbalanced(f"{posting.event}: debits and credits differ")


def _entries(row: LedgerPosting, posting: Posting) -> Iterator[LedgerEntry]:
    for side, amounts in ((Side.DEBIT, posting.debits), (Side.CREDIT, posting.credits)):
        for account, amount in amounts.items():
            yield LedgerEntry(
                posting=row,
                account=account,
                side=side,
                amount=amount,
                order_id=None if account in _OF_NO_ORDER else posting.order_id,
            )
