"""A seller's balance, from the ledger and from the payouts on their way."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Case, F, OuterRef, Q, QuerySet, Sum, When

from accounts.models import User
from payments.models import LedgerEntry, Payout, SellerShare, Side, TransferStatus, share_due
from payments.models.totals import total
from payments.models.transfers import UNDER_WAY


class SellerBalance(NamedTuple):
    """In KES: what the ledger owes a seller, what of it is in payouts on their way, and what is
    still to be paid out, including what is held back."""

    owed: int
    in_transit: int
    pending: int

    @property
    def unallocated(self) -> int:
        """What no share accounts for; below zero, the seller's debt."""
        return self.owed - self.in_transit - self.pending


def balance_of(seller_id: int) -> SellerBalance:
    """A seller's balance at one moment. One query, so that nothing changes in between."""
    sellers = annotate_balances(User.objects.filter(pk=seller_id))
    seller: Any = sellers.only("pk").get()
    return SellerBalance(seller.owed, seller.in_transit, seller.pending)


def held_back(seller_id: int) -> int:
    """KES of a seller that are held back by undecided problems. One query."""
    held = SellerShare.objects.held_of(seller_id).aggregate(total=Sum(share_due()))["total"]
    return held or 0


def annotate_balances(sellers: QuerySet[User]) -> QuerySet[Any]:
    """Annotate users with ``owed``, ``in_transit`` and ``pending`` (see SellerBalance)."""
    usual = Case(When(side=Side.CREDIT, then=F("amount")), default=-F("amount"))
    entries = LedgerEntry.objects.filter(seller=OuterRef("pk"))
    payouts = Payout.objects.filter(seller=OuterRef("pk"))
    new = SellerShare.objects.to_pay().filter(seller=OuterRef("pk"))
    # Not done, and refused or dropped: see TransferQuerySet.with_status.
    left = SellerShare.objects.owed().filter(
        ~Q(payout__status=TransferStatus.DONE),
        payout__seller=OuterRef("pk"),
        payout__status__in=(TransferStatus.REFUSED, TransferStatus.DROPPED),
    )
    return sellers.annotate(
        owed=total(entries, group_by="seller", of=Sum(usual)),
        in_transit=total(
            payouts.with_status(TransferStatus.DUE, *UNDER_WAY),
            group_by="seller",
            of=Sum(F("amount")),
        ),
        pending=total(new, group_by="seller", of=Sum(share_due()))
        + total(left, group_by="seller", of=Sum(share_due())),
    )
