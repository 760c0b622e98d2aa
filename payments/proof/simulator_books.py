"""Compares the shop's books with the simulator's, receipt by receipt and to the shilling.

The simulator shows its books (``GET /control/books``), which the real M-Pesa does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet, Sum

from payments.ledger import balance
from payments.models import (
    Account,
    Payout,
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Verification,
)
from payments.models.transfers import amount_sent


def compare(books: Mapping[str, Any], *, sums: bool = True) -> list[str]:
    """Return a sentence for each difference; an empty list if the books agree.

    Without ``sums`` only receipts are compared, not balances. Holds all of the simulator's books in
    memory.
    """
    entries = books["entries"]
    incoming = {entry["receipt"]: entry for entry in entries if entry["direction"] == "in"}
    outgoing = {entry["receipt"]: entry for entry in entries if entry["direction"] == "out"}
    differences = [*_differences_in(incoming), *_differences_out(outgoing)]
    if sums and (ours_more := gap(books)):
        ours = balance(Account.MPESA_CLEARING)
        differences.append(
            f"M-Pesa has KES {ours - ours_more} of ours; the ledger says KES {ours}."
        )
    return differences


def gap(books: Mapping[str, Any]) -> int:
    """The ledger's balance at M-Pesa minus the simulator's balance, in KES."""
    simulated = sum(
        entry["amount"] if entry["direction"] == "in" else -entry["amount"]
        for entry in books["entries"]
    )
    return balance(Account.MPESA_CLEARING) - simulated


def _differences_in(incoming: Mapping[str, Any]) -> Iterator[str]:
    # What was written off as never arrived is not expected there, and is not counted.
    counted = Receipt.objects.filter(provider=Provider.MPESA, amount__gt=0)
    counted = counted.exclude(verification=Verification.NEVER_CAME)
    ours = dict(counted.exclude(number="").values_list("number", "amount"))
    for number, entry in incoming.items():
        if number not in ours:
            yield (
                f"M-Pesa received KES {entry['amount']} as {number}; the shop has no record of it."
            )
        elif ours[number] != entry["amount"]:
            yield (
                f"M-Pesa received KES {entry['amount']} as {number}; "
                f"the shop recorded KES {ours[number]}."
            )
    for number in ours.keys() - incoming.keys():
        yield f"The shop recorded {number} of KES {ours[number]}; M-Pesa has no record of it."
    for receipt_id, amount in counted.without_number().values_list("pk", "amount"):
        yield f"Receipt {receipt_id} of KES {amount} has no number yet."


def _done() -> QuerySet[Refund]:
    """The refunds that M-Pesa made.

    Not those that record that a payment never arrived; nor reversals of a payment that was moved to
    another order, where they are recorded again under its number.
    """
    moved = Q(receipt__number="", receipt__verification=Verification.NEVER_CAME)
    reversal = Q(way__in=[RefundMethod.OUTSIDE, RefundMethod.REVERSAL])
    done = Refund.objects.filter(status=TransferStatus.DONE)
    return done.exclude(cause=RefundReason.NEVER_CAME).exclude(moved & reversal)


def _differences_outside(left: dict[str, Any], reversed_by: Mapping[str, str]) -> Iterator[str]:
    """Differences in reversals that M-Pesa made; one may settle several refunds."""
    outside = _done().filter(way=RefundMethod.OUTSIDE)
    totals = outside.values_list("receipt__number").annotate(total=Sum("amount"))
    for receipt, amount in totals.order_by("receipt__number"):
        entry = left.pop(reversed_by.get(receipt, ""), None)
        if entry is None:
            yield f"The shop recorded that M-Pesa reversed {receipt}; M-Pesa has no record of it."
        elif entry["amount"] != amount:
            yield f"KES {amount} of {receipt} was refunded; M-Pesa says {entry['amount']}."


def _differences_out(outgoing: Mapping[str, Any]) -> Iterator[str]:
    left = dict(outgoing)
    reversed_by = {
        entry["reverses"]: number for number, entry in outgoing.items() if entry["reverses"]
    }
    yield from _differences_outside(left, reversed_by)
    done = _done().exclude(way=RefundMethod.OUTSIDE).select_related("receipt")
    for refund in done.iterator(chunk_size=2000):
        number = refund.number
        if not number and refund.way == RefundMethod.REVERSAL:
            # M-Pesa only reported that it had already been reversed.
            number = reversed_by.get(refund.receipt.number, "")
        entry = left.pop(number, None)
        if entry is None:
            yield f"The shop sent refund {refund.pk} ({number}); M-Pesa has no record of it."
        elif entry["amount"] != refund.amount:
            yield f"Refund {refund.pk} was of KES {refund.amount}; M-Pesa says {entry['amount']}."
    paid = Payout.objects.filter(status=TransferStatus.DONE, amount__gt=0)
    for payout_id, number, amount in paid.values_list("pk", "number", amount_sent()):
        entry = left.pop(number, None)
        if entry is None:
            yield f"The shop sent payout {payout_id} ({number}); M-Pesa has no record of it."
        elif entry["amount"] != amount:
            yield f"Payout {payout_id} was of KES {amount}; M-Pesa says {entry['amount']}."
    for number, entry in left.items():
        yield f"M-Pesa sent KES {entry['amount']} as {number}; the shop has no record of it."
