"""Money that goes to sellers."""

from __future__ import annotations

from datetime import datetime

from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from omachemainproj.mpesa_limits import MIN_B2C
from orders.models import OrderTrack, Problem, TrackStatus
from payments.ledger import net
from payments.models import (
    AWAITS_APPROVAL,
    TRANSFER_QUERIES,
    Account,
    LedgerEntry,
    Payout,
    Receipt,
    Refund,
    SellerShare,
    Side,
    TransferStatus,
    Verification,
    Withdrawal,
    WithdrawalState,
    share_due,
)
from payments.models.totals import total
from payments.payouts.balances import annotate_balances

from .rule import FORGOTTEN, OVERDUE, chunks, rule


@rule("Who sold a line that was fetched is owed a share of it, and nobody else is")
def _owed(now: datetime) -> QuerySet[OrderTrack]:
    fetched = [TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED]
    owed = Exists(
        SellerShare.objects.owed().filter(track=OuterRef("pk"), seller=OuterRef("seller"))
    )
    return OrderTrack.objects.annotate(is_owed=owed).filter(
        Q(track_status__in=fetched, is_owed=False)
        | (~Q(track_status__in=fetched) & Q(is_owed=True))
    )


@rule("A share is what was agreed when the line was sold")
def _agreed(now: datetime) -> QuerySet[SellerShare]:
    return SellerShare.objects.exclude(
        sold_for=F("track__amount"), commission=F("track__commission")
    )


def _share_posted(account: Account) -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__share=OuterRef("pk"), account=account)
    return total(entries, group_by="posting__share", of=net(Side.CREDIT))


@rule("A share is in the ledger as long as it is owed, its commission with it")
def _share_in_ledger(now: datetime) -> QuerySet[SellerShare]:
    owed = Q(reversed_at__isnull=True)
    return SellerShare.objects.annotate(
        to_seller=Case(When(owed, then=share_due()), default=0),
        to_shop=Case(When(owed, then=F("commission") - F("commission_reduced")), default=0),
    ).exclude(
        to_seller=_share_posted(Account.SELLERS_PAYABLE), to_shop=_share_posted(Account.COMMISSION)
    )


@rule("A payout has left M-Pesa in the ledger when it is done, once, and not before")
def _sent_out(now: datetime) -> QuerySet[Payout]:
    entries = LedgerEntry.objects.filter(
        posting__payout=OuterRef("pk"), account=Account.MPESA_CLEARING
    )
    done = Case(When(status=TransferStatus.DONE, then=F("amount")), default=0)
    return Payout.objects.annotate(left=done).exclude(
        left=total(entries, group_by="posting__payout", of=net(Side.CREDIT))
    )


@rule("Money found on M-Pesa's statement is the payout or the refund that it was said to be")
def _found(now: datetime) -> QuerySet[Withdrawal]:
    done = {"status": TransferStatus.DONE, "number": OuterRef("number")}
    payouts = Payout.objects.filter(pk=OuterRef("payout"), amount=OuterRef("amount"), **done)
    # One withdrawal that took a payment back may have done several refunds of it.
    refunds = Refund.objects.filter(pk=OuterRef("refund"), amount__lte=OuterRef("amount"))
    refunds = refunds.filter(status=TransferStatus.DONE)
    return Withdrawal.objects.filter(
        Q(state=WithdrawalState.PAYOUT) & ~Exists(payouts)
        | Q(state=WithdrawalState.REFUND) & ~Exists(refunds)
    )


@rule("A payout carries the shares it says, and sends them to their number")
def _carries(now: datetime) -> QuerySet[Payout]:
    shares = SellerShare.objects.filter(payout=OuterRef("pk"))
    astray = shares.exclude(seller=OuterRef("seller"), phone=OuterRef("phone"))
    live = Payout.objects.exclude(status=TransferStatus.DROPPED)
    return live.filter(
        Exists(astray) | ~Q(gross=total(shares, group_by="payout", of=Sum("carried")))
    )


@rule("What the ledger owes a seller is on its way, or waits to be sent, or was kept for a debt")
def _seller_balance(now: datetime) -> QuerySet[User]:
    sellers = annotate_balances(
        User.objects.filter(Exists(SellerShare.objects.filter(seller=OuterRef("pk"))))
    )
    return sellers.filter(owed__gt=F("in_transit") + F("pending") + MIN_B2C - 1)


def _with_enough(share_ids: list[int]) -> list[int]:
    """Of these shares those of whose seller M-Pesa would take what could go to their number.

    Asked once of a seller and a number: asked of each share, it took the square of what they sold.
    """
    of: dict[tuple[int, str], list[int]] = {}
    for chunk in chunks(share_ids):
        shares = SellerShare.objects.filter(pk__in=chunk).order_by("pk")
        for pk, seller, phone in shares.values_list("pk", "seller", "phone"):
            of.setdefault((seller, phone), []).append(pk)
    first_of = {pks[0]: pks for pks in of.values()}
    enough = [pk for chunk in chunks([*first_of]) for pk in _could_go(chunk, timezone.now())]
    return sorted(pk for first in enough for pk in first_of[first])


def _could_go(share_ids: list[int], now: datetime) -> QuerySet[SellerShare, int]:
    """Of these shares those to whose number enough could go: what its seller is owed, less what is
    on its way, held back, or for another number."""
    never_left = Q(payout__isnull=True) | Q(
        payout__status__in=(TransferStatus.DROPPED, TransferStatus.REFUSED)
    )
    elsewhere = SellerShare.objects.owed().filter(never_left, seller=OuterRef("seller"))
    unsettled, unsure = _unsettled(now), _unsure()
    elsewhere = elsewhere.filter(
        ~Q(phone=OuterRef("phone")) | _HELD | Exists(unsettled) | Exists(unsure)
    )
    entries = LedgerEntry.objects.filter(seller=OuterRef("seller"))
    going = Payout.objects.still_open().filter(seller=OuterRef("seller"))
    shares = SellerShare.objects.filter(pk__in=share_ids).annotate(
        could_go=total(entries, group_by="seller", of=net(Side.CREDIT))
        - total(going, group_by="seller", of=Sum("amount"))
        - total(elsewhere, group_by="seller", of=Sum(share_due()))
    )
    return shares.filter(could_go__gte=MIN_B2C).values_list("pk", flat=True)


#: Kept back by a problem that is undecided, or by a person.
_HELD = Q(track__disputed=True) | ~Q(withheld_why="")


def _unsettled(now: datetime) -> QuerySet[Problem]:
    return Problem.objects.not_settled_yet(now - FORGOTTEN).filter(track=OuterRef("track"))


def _unsure() -> QuerySet[Receipt]:
    unsure = Receipt.objects.exclude(verification=Verification.CONFIRMED)
    return unsure.filter(order=OuterRef("track__order"))


@rule(
    "What a seller is owed is in a payout within five minutes, where M-Pesa would take it",
    only=_with_enough,
)
def _prepared(now: datetime) -> QuerySet[SellerShare]:
    refused = Payout.objects.refused().filter(seller=OuterRef("seller"), phone=OuterRef("phone"))
    settled = Problem.objects.filter(track=OuterRef("track"), closed_at__gt=now - FORGOTTEN)
    return SellerShare.objects.owed().filter(
        Q(payout__isnull=True) | Q(payout__status=TransferStatus.DROPPED),
        ~Exists(refused),
        # A debt is paid off with nothing that is not confirmed: it waits, without a payout.
        ~Exists(_unsure()),
        # What was held back until a moment ago is made ready now.
        ~Exists(settled),
        ~Exists(_unsettled(now)),
        ~_HELD,
        amount__gt=F("reduced"),
        created_at__lt=now - FORGOTTEN,
    )


@rule("A payout that is due is sent, or asked about, when it is time to")
def _looked_after(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.due(now - OVERDUE)


@rule("A payout without a next time has ended, waits for a person, or was asked about for two days")
def _asked_about(now: datetime) -> QuerySet[Payout]:
    undated = Payout.objects.still_open().filter(next_check_at__isnull=True, note="")
    return undated.exclude(AWAITS_APPROVAL).filter(
        Q(status=TransferStatus.DUE)
        | Q(sent_at__gt=now - TRANSFER_QUERIES.last)
        | Q(sent_at__isnull=True)
    )
