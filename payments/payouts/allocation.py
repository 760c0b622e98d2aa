"""Allocates sellers' earnings to payouts, less what the seller owes the shop.

Locks: the seller, their shares, the payout. A share is carried by one payout at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.rounds import SAMPLED_FROM, first_and_random
from omachemainproj.task_registry import background_task
from orders.models import Order
from payments.models import (
    Payout,
    SellerShare,
    TransferStatus,
    share_due,
    with_confirmed_cover,
)

from .balances import balance_of

#: Shares allocated per call; the clock comes back for the rest.
SHARES_PER_ROUND = 200
#: The note of a dropped payout that was to repay a debt with written-off money.
PAID_OFF = "The debt has been repaid from later sales."


@background_task()
@transaction.atomic
def create_payouts(seller_id: int) -> None:
    """Create payouts of a seller's shares that are in none yet. Safe to repeat, concurrently.

    One per line, to the number on its listing when it was sold. Shares too small for M-Pesa wait
    for others to the same number. What the seller owes the shop is deducted, from shares of
    written-off payments last. A debt may take all of a payout, except of one with a share of a
    written-off payment: that share waits until something is left to pay out with it. Nothing is
    created for a number that M-Pesa has just refused, nor for shares held back by an undecided
    problem or by staff. The clock sends each payout.
    """
    lock_row(User, seller_id)
    blocked = set(Payout.objects.refused().filter(seller=seller_id).values_list("phone", flat=True))
    shares = _shares_to_pay(seller_id, blocked)
    balance = balance_of(seller_id)
    unapproved = _unapproved_deductions(seller_id) if shares and balance.in_transit else []
    unallocated = _allocate_shares(seller_id, shares, balance.unallocated, unapproved)
    if unallocated >= MIN_B2C:
        _pay_unallocated(seller_id, min(unallocated, MAX_B2C), blocked)


def _shares_to_pay(seller_id: int, blocked: set[str]) -> list[SellerShare]:
    """Shares that are in no payout and that nothing holds back, locked, oldest first.

    Those of ``blocked`` phones are left out here already: if they came first, the others would
    never be among the shares of a round. Of those that wait for their payment to be confirmed, or
    for others to the same number, there may be more than that too.
    """
    open_shares = SellerShare.objects.payable().exclude(phone__in=blocked)
    dropped = Payout.objects.dropped().filter(seller=seller_id)
    left = open_shares.dropped_with(dropped)
    new = open_shares.to_pay().filter(seller=seller_id)
    waiting = sorted(
        pk
        for shares in (left, new)
        for pk in shares.order_by("pk").values_list("pk", flat=True)[:SAMPLED_FROM]
    )
    locked = SellerShare.objects.select_for_update(no_key=True, of=("self",)).owed()
    round_ids = first_and_random(waiting, SHARES_PER_ROUND)
    chosen = list(locked.filter(pk__in=round_ids).order_by("pk"))
    # Read again after locking: opening or deciding a problem locks shares too, and may have come
    # first.
    free = SellerShare.objects.payable().filter(pk__in=[share.pk for share in chosen])
    return list(free.owed().select_related("track").order_by("pk")) if chosen else []


def _allocate_shares(
    seller_id: int, shares: list[SellerShare], unallocated: int, unapproved: list[Payout]
) -> int:
    """Allocate shares to payouts; return what is left of ``unallocated`` (below 0: a debt).

    A debt is not repaid from unconfirmed payments: such shares wait. Shares of written-off payments
    repay it last and only with approval, since nobody reviews a payout of nothing. While such a
    payout (``unapproved``) waits for approval, later sales repay the debt in its place.
    """
    written_off: set[int] = set()
    debt = unallocated - sum(payout.gross - payout.amount for payout in unapproved)
    if debt < 0:
        reported, written_off = _not_confirmed(share.track_id for share in shares)
        first = [share for share in shares if share.track.order_id not in reported | written_off]
        rest, left = _batch_by_phone(seller_id, first, debt)
        if unapproved and rest > debt:
            # Other payouts take their shares over at once.
            again = Payout.objects.filter(pk__in=[payout.pk for payout in unapproved])
            again.drop(PAID_OFF)
            enqueue_after_commit(create_payouts, seller_id)
            return rest
        unallocated += rest - debt
        shares = left + [share for share in shares if share.track.order_id in written_off]
    unallocated, _ = _batch_by_phone(seller_id, shares, unallocated, written_off=written_off)
    return unallocated


def _unapproved_deductions(seller_id: int) -> list[Payout]:
    """Payouts, locked, that repay a debt from payments that are not confirmed and wait for
    approval.

    One that staff have put on hold stays as it is.
    """
    due = Payout.objects.with_status(TransferStatus.DUE)
    unapproved = due.filter(seller=seller_id, approved_by__isnull=True, on_hold_since__isnull=True)
    less = unapproved.filter(gross__gt=F("amount")).order_by("pk").select_for_update(no_key=True)
    return [
        row for row in less if orders_of(row).filter(confirmed_amount__lt=F("price_due")).exists()
    ]


def _batch_by_phone(
    seller_id: int,
    shares: list[SellerShare],
    unallocated: int,
    *,
    written_off: Collection[int] = (),
) -> tuple[int, list[SellerShare]]:
    """Put shares into payouts, grouped by phone number.

    Returns what is left of ``unallocated``, and the shares that are in no payout. Orders in
    ``written_off`` are paid with money the shop has lost: a debt never takes all of a payout that
    carries one of theirs.
    """
    by_phone: dict[str, list[SellerShare]] = {}
    for share in shares:
        by_phone.setdefault(share.phone, []).append(share)
    left: list[SellerShare] = []
    for phone, waiting in by_phone.items():
        batch: list[SellerShare] = []
        for share in waiting:
            batch.append(share)
            gross = sum(each.due for each in batch)
            amount = max(min(gross + unallocated, MAX_B2C), 0)
            if 0 < amount < MIN_B2C:
                continue
            if not amount and any(each.track.order_id in written_off for each in batch):
                continue
            _create(seller_id, phone, batch, gross=gross, amount=amount, numbered_by=batch)
            unallocated += gross - amount
            batch = []
        left += batch
    return unallocated, left


def _pay_unallocated(seller_id: int, amount: int, blocked: set[str]) -> None:
    """Pay out what was deducted for a debt that turned out not to exist."""
    last = SellerShare.objects.filter(seller=seller_id).exclude(phone__in=blocked).last()
    if last is not None:
        _create(seller_id, last.phone, [], gross=0, amount=amount, numbered_by=[last])


def _needs_approval(amount: int, limit: int, typed_by: int | None) -> bool:
    """Whether a second person has to approve a payout: above ``limit`` KES, or to a number that a
    staff member typed, by id. A payout of nothing, because a debt takes all of it, goes to no
    number."""
    return amount > limit or (amount > 0 and typed_by is not None)


def _create(
    seller_id: int,
    phone: str,
    shares: list[SellerShare],
    *,
    gross: int,
    amount: int,
    numbered_by: Iterable[SellerShare],
) -> Payout:
    """Create a payout of these shares; ``numbered_by`` are the shares its number is from."""
    now = timezone.now()
    limit = settings.PAYOUT_APPROVAL_ABOVE
    # If several people typed it, the first is its author; none of them can approve it.
    typed_by = next((share.phone_by_id for share in numbered_by if share.phone_by_id), None)
    waits = _needs_approval(amount, limit, typed_by)
    payout = Payout(
        seller_id=seller_id,
        phone=phone,
        gross=gross,
        amount=amount,
        needs_approval=waits,
        approval_above=limit,
        author_id=typed_by,
        tries=max((share.tries for share in shares), default=0),
        next_check_at=None if waits else now,
    )
    if gross > amount:
        payout.note = (
            f"{format_kes(gross - amount)} of {format_kes(gross)} was withheld to repay a debt."
        )
    if not amount:
        payout.status, payout.done_at, payout.next_check_at = TransferStatus.DONE, now, None
    payout.save()
    rows = SellerShare.objects.filter(pk__in=[share.pk for share in shares])
    rows.update(payout=payout, carried=share_due())
    return payout


def orders_of(payout: Payout) -> QuerySet[Any]:
    """The orders whose lines a payout carries, with the cover by confirmed payments."""
    shares = SellerShare.objects.filter(payout=payout.pk)
    return with_confirmed_cover(Order.objects.filter(pk__in=shares.values("track__order")))


def _not_confirmed(line_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Orders of these lines without cover by confirmed payments, in two sets.

    Those with a payment that is only reported, and those whose missing part is written off.
    """
    orders = with_confirmed_cover(Order.objects.filter(tracks__in=list(line_ids)))
    lacking = orders.filter(confirmed_amount__lt=F("price_due")).values_list(
        "pk", "confirmed_or_written_off", "price_due"
    )
    reported, written_off = set[int](), set[int]()
    for order_id, covered, price_due in lacking:
        (reported if covered < price_due else written_off).add(order_id)
    return reported, written_off
