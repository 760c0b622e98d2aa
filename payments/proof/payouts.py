"""Earnings and payouts of sellers."""

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
from payments.models.transfers import amount_sent
from payments.payouts.balances import annotate_balances

from .rule import FORGOTTEN, OVERDUE, chunks, rule


@rule("The seller of a fetched line, and nobody else, has earnings for it")
def fetched_line_has_earnings(now: datetime) -> QuerySet[OrderTrack]:
    fetched = [TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED]
    owed = Exists(
        SellerShare.objects.owed().filter(track=OuterRef("pk"), seller=OuterRef("seller"))
    )
    return OrderTrack.objects.annotate(is_owed=owed).filter(
        Q(track_status__in=fetched, is_owed=False)
        | (~Q(track_status__in=fetched) & Q(is_owed=True))
    )


@rule("A seller's earnings match the price and commission of the line")
def earnings_match_line(now: datetime) -> QuerySet[SellerShare]:
    return SellerShare.objects.exclude(
        sold_for=F("track__amount"), commission=F("track__commission")
    )


def _share_posted(account: Account) -> Coalesce:
    entries = LedgerEntry.objects.filter(posting__share=OuterRef("pk"), account=account)
    return total(entries, group_by="posting__share", of=net(Side.CREDIT))


@rule("A seller's earnings and their commission are in the ledger while they are owed")
def earnings_are_posted(now: datetime) -> QuerySet[SellerShare]:
    owed = Q(reversed_at__isnull=True)
    return SellerShare.objects.annotate(
        to_seller=Case(When(owed, then=share_due()), default=0),
        to_shop=Case(When(owed, then=F("commission") - F("commission_reduced")), default=0),
    ).exclude(
        to_seller=_share_posted(Account.SELLERS_PAYABLE), to_shop=_share_posted(Account.COMMISSION)
    )


@rule("A payout leaves M-Pesa in the ledger once, when it is done")
def payout_is_posted(now: datetime) -> QuerySet[Payout]:
    entries = LedgerEntry.objects.filter(
        posting__payout=OuterRef("pk"), account=Account.MPESA_CLEARING
    )
    done = Case(When(status=TransferStatus.DONE, then=amount_sent()), default=0)
    return Payout.objects.annotate(left=done).exclude(
        left=total(entries, group_by="posting__payout", of=net(Side.CREDIT))
    )


@rule("A settled withdrawal matches its payout or refund")
def withdrawal_matches_transfer(now: datetime) -> QuerySet[Withdrawal]:
    done = {"status": TransferStatus.DONE, "number": OuterRef("number")}
    payouts = Payout.objects.filter(pk=OuterRef("payout"), amount=OuterRef("amount"), **done)
    # One withdrawal that reversed a payment may settle several refunds of it.
    refunds = Refund.objects.filter(pk=OuterRef("refund"), amount__lte=OuterRef("amount"))
    refunds = refunds.filter(status=TransferStatus.DONE)
    return Withdrawal.objects.filter(
        Q(state=WithdrawalState.PAYOUT) & ~Exists(payouts)
        | Q(state=WithdrawalState.REFUND) & ~Exists(refunds)
    )


@rule("A payout is the sum of its earnings, and goes to their number")
def payout_matches_its_earnings(now: datetime) -> QuerySet[Payout]:
    shares = SellerShare.objects.filter(payout=OuterRef("pk"))
    wrong = shares.exclude(seller=OuterRef("seller"), phone=OuterRef("phone"))
    live = Payout.objects.exclude(status=TransferStatus.DROPPED)
    return live.filter(
        Exists(wrong) | ~Q(gross=total(shares, group_by="payout", of=Sum("carried")))
    )


@rule("What the ledger owes a seller is being sent, to be sent, or withheld for a debt")
def seller_balance_is_explained(now: datetime) -> QuerySet[User]:
    sellers = annotate_balances(
        User.objects.filter(Exists(SellerShare.objects.filter(seller=OuterRef("pk"))))
    )
    return sellers.filter(owed__gt=F("in_transit") + F("pending") + MIN_B2C - 1)


def _with_enough(share_ids: list[int]) -> list[int]:
    """Of these earnings, those that can be sent: M-Pesa accepts what their number would be paid.

    Computed once per seller and number, since per row it would be quadratic.
    """
    of: dict[tuple[int, str], list[int]] = {}
    for chunk in chunks(share_ids):
        shares = SellerShare.objects.filter(pk__in=chunk).order_by("pk")
        for pk, seller, phone in shares.values_list("pk", "seller", "phone"):
            of.setdefault((seller, phone), []).append(pk)
    first_of = {pks[0]: pks for pks in of.values()}
    enough = [pk for chunk in chunks([*first_of]) for pk in _sendable(chunk, timezone.now())]
    return sorted(pk for first in enough for pk in first_of[first])


def _sendable(share_ids: list[int], now: datetime) -> QuerySet[SellerShare, int]:
    """Of these earnings, those whose number can be paid at least MIN_B2C.

    That is what the seller is owed, less what is being sent, withheld, or for another number.
    """
    never_left = Q(payout__isnull=True) | Q(
        payout__status__in=(TransferStatus.DROPPED, TransferStatus.REFUSED)
    )
    elsewhere = SellerShare.objects.owed().filter(never_left, seller=OuterRef("seller"))
    unsettled, unconfirmed = _unsettled(now), _unconfirmed()
    elsewhere = elsewhere.filter(
        ~Q(phone=OuterRef("phone")) | _WITHHELD | Exists(unsettled) | Exists(unconfirmed)
    )
    entries = LedgerEntry.objects.filter(seller=OuterRef("seller"))
    going = Payout.objects.still_open().filter(seller=OuterRef("seller"))
    shares = SellerShare.objects.filter(pk__in=share_ids).annotate(
        sendable=total(entries, group_by="seller", of=net(Side.CREDIT))
        - total(going, group_by="seller", of=Sum("amount"))
        - total(elsewhere, group_by="seller", of=Sum(share_due()))
    )
    return shares.filter(sendable__gte=MIN_B2C).values_list("pk", flat=True)


#: Withheld for an undecided problem, or by staff.
_WITHHELD = Q(track__disputed=True) | ~Q(withheld_why="")


def _unsettled(now: datetime) -> QuerySet[Problem]:
    return Problem.objects.not_settled_yet(now - FORGOTTEN).filter(track=OuterRef("track"))


def _unconfirmed() -> QuerySet[Receipt]:
    unconfirmed = Receipt.objects.exclude(verification=Verification.CONFIRMED)
    return unconfirmed.filter(order=OuterRef("track__order"))


@rule(
    "Earnings are in a payout within five minutes, if M-Pesa accepts the amount",
    only=_with_enough,
)
def earnings_get_a_payout_in_time(now: datetime) -> QuerySet[SellerShare]:
    refused = Payout.objects.refused().filter(seller=OuterRef("seller"), phone=OuterRef("phone"))
    settled = Problem.objects.filter(track=OuterRef("track"), closed_at__gt=now - FORGOTTEN)
    return SellerShare.objects.owed().filter(
        Q(payout__isnull=True) | Q(payout__status=TransferStatus.DROPPED),
        ~Exists(refused),
        # Unconfirmed payments cannot repay a debt, so these earnings wait without a payout.
        ~Exists(_unconfirmed()),
        # Earnings released a moment ago are being put into a payout now.
        ~Exists(settled),
        ~Exists(_unsettled(now)),
        ~_WITHHELD,
        amount__gt=F("reduced"),
        created_at__lt=now - FORGOTTEN,
    )


@rule("A due payout is sent or queried at its time")
def due_payout_is_handled(now: datetime) -> QuerySet[Payout]:
    return Payout.objects.due(now - OVERDUE)


@rule("A payout without a next check has ended, awaits staff, or was queried for two days")
def payout_was_queried_long_enough(now: datetime) -> QuerySet[Payout]:
    undated = Payout.objects.still_open().filter(next_check_at__isnull=True, note="")
    return undated.exclude(AWAITS_APPROVAL).filter(
        Q(status=TransferStatus.DUE)
        | Q(sent_at__gt=now - TRANSFER_QUERIES.last)
        | Q(sent_at__isnull=True)
    )
