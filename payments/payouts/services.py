"""Payouts: sellers' shares put together, and what follows the end of each (payments.transfers).

Locks: the seller, their shares, the payout. A share is carried by one payout at a time; what a
payout sends is its shares' money, less what the seller owes the shop.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.contacts import record_paid_to
from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import locked_row
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.task_registry import background_task
from orders.models import Order
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments import ledger
from payments.daraja.result_codes import PayoutReason
from payments.evidence import EVIDENCE_DELAY, ask_about
from payments.models import (
    Payout,
    PayoutDay,
    Receipt,
    SellerShare,
    TransferStatus,
    Verification,
    Withdrawal,
    backed,
    share_due,
)
from payments.transfers import TransferHandler, handles

from .balances import annotate_balances, balance_of

logger = logging.getLogger(__name__)

#: Shares taken on at a time; the clock comes again for the rest.
SHARES_PER_ROUND = 200
#: How old a payout that never left may be for the clock to see whether it left something to spare.
LOOKBACK = timedelta(days=14)
#: The note of a payout that was dropped because of a problem with a line it was for.
HELD_BACK = "A buyer has a problem with a line it was for."
#: The note of one that was dropped because a line it was for was cancelled or reduced since.
CHANGED = "A line it was for was cancelled, or its price was reduced."
#: The note of one that was to pay a debt off with what the shop bears, which others have by now.
PAID_OFF = "What was sold since has paid the debt."


@background_task()
@transaction.atomic
def create_payouts(seller_id: int) -> None:
    """Create payouts of a seller's shares that are in none yet. Safe to repeat, at once.

    One a line, to the number its listing had when it was sold. Shares too small for M-Pesa wait
    for others to the same number; what the seller owes the shop is deducted first, and last from
    what the shop bears. Nothing is created for a number that M-Pesa has just refused, and of no
    share that an undecided problem or a person holds back. The clock sends each payout.
    """
    locked_row(User, seller_id)
    blocked = set(Payout.objects.refused().filter(seller=seller_id).values_list("phone", flat=True))
    shares = [share for share in _shares_to_pay(seller_id) if share.phone not in blocked]
    stands = balance_of(seller_id)
    unapproved = _unapproved_deductions(seller_id) if shares and stands.in_transit else []
    spare = _put_together(seller_id, shares, stands.unallocated, unapproved)
    if spare >= MIN_B2C:
        _pay_unallocated(seller_id, min(spare, MAX_B2C), blocked)


def sellers_to_pay(*, before: datetime) -> list[int]:
    """Sellers with shares from before then that are in no payout, though M-Pesa would take them."""
    now = timezone.now()
    found = (
        _with_enough(before=before, now=now),
        _with_shares_of_dropped(now=now),
        _with_unallocated(before=before),
    )
    return sorted({seller for sellers in found for seller in sellers})


@compiled
def _with_enough(before: datetime, now: datetime) -> QuerySet[Any, int]:
    """Sellers with as much to one number as M-Pesa sends, in shares that nothing carried yet."""
    new = SellerShare.objects.to_pay().filter(~Exists(_refused()), created_at__lt=before)
    enough = new.payable(now).values("seller", "phone").annotate(total=Sum(share_due()))
    return enough.filter(total__gte=MIN_B2C).order_by().values_list("seller", flat=True)


@compiled
def _with_shares_of_dropped(now: datetime) -> QuerySet[Any, int]:
    left = SellerShare.objects.uncarried(Payout.objects.dropped()).payable(now)
    return left.filter(~Exists(_refused())).values_list("seller", flat=True)


def _refused() -> QuerySet[Payout]:
    """Of a share's seller and number, what M-Pesa has refused."""
    return Payout.objects.refused().filter(seller=OuterRef("seller"), phone=OuterRef("phone"))


@compiled
def _with_unallocated(before: datetime) -> QuerySet[Any, int]:
    """Sellers from whom more was deducted than they owe: a payout was not made after all."""
    never_left = Payout.objects.exclude(status=TransferStatus.DONE).filter(
        seller=OuterRef("pk"),
        status__in=[TransferStatus.REFUSED, TransferStatus.DROPPED],
        created_at__gt=before - LOOKBACK,
    )
    sellers = annotate_balances(User.objects.filter(Exists(never_left)))
    spare = sellers.filter(owed__gte=F("in_transit") + F("pending") + MIN_B2C)
    return spare.values_list("pk", flat=True)


def _shares_to_pay(seller_id: int) -> list[SellerShare]:
    """Shares that are in no payout and that nothing holds back, locked, oldest first."""
    dropped = Payout.objects.dropped().filter(seller=seller_id)
    left = SellerShare.objects.uncarried(dropped).payable()
    left_ids = list(left.values_list("pk", flat=True))
    new = SellerShare.objects.to_pay().payable().filter(seller=seller_id).order_by("pk")
    new_ids = list(new.values_list("pk", flat=True)[:SHARES_PER_ROUND])
    locked = SellerShare.objects.select_for_update(no_key=True, of=("self",)).owed()
    chosen = list(locked.filter(pk__in=left_ids + new_ids).order_by("pk"))
    # Read after they are locked: who opens a problem, or decides one, locks them too, and may have
    # been waited for.
    free = SellerShare.objects.payable().filter(pk__in=[share.pk for share in chosen])
    return list(free.owed().select_related("track").order_by("pk")) if chosen else []


def _put_together(
    seller_id: int, shares: list[SellerShare], spare: int, unapproved: list[Payout]
) -> int:
    """Put shares into payouts; return what is left of ``spare`` (below 0, a debt).

    A debt is paid off with nothing that was paid by news alone: such shares wait. What the shop
    bears pays it last, and never by itself: a second person lets it go, and nobody looks at a
    payout of nothing. Until they have, what is sold since pays the debt in its place
    (``unapproved``).
    """
    written_off: set[int] = set()
    debt = spare - sum(payout.gross - payout.amount for payout in unapproved)
    if debt < 0:
        told, written_off = _not_confirmed(share.track_id for share in shares)
        first = [share for share in shares if share.track.order_id not in told | written_off]
        rest, left = _batch(seller_id, first, debt)
        if unapproved and rest > debt:
            # Others take their shares on at once.
            again = Payout.objects.filter(pk__in=[payout.pk for payout in unapproved])
            again.update(status=TransferStatus.DROPPED, next_check_at=None, note=PAID_OFF)
            enqueue_after_commit(create_payouts, seller_id)
            return rest
        spare += rest - debt
        shares = left + [share for share in shares if share.track.order_id in written_off]
    spare, _ = _batch(seller_id, shares, spare, written_off=written_off)
    return spare


def _unapproved_deductions(seller_id: int) -> list[Payout]:
    """Payouts that pay a debt off with what no confirmed payment covers, and that no second person
    has looked at, locked. One that somebody keeps back stays as it is: they had a reason."""
    # What is said twice here lets PostgreSQL find them by the index of payouts that are not done.
    due = Payout.objects.exclude(status=TransferStatus.DONE).filter(status=TransferStatus.DUE)
    unapproved = due.filter(seller=seller_id, approved_by__isnull=True, held_at__isnull=True)
    less = unapproved.filter(gross__gt=F("amount")).order_by("pk").select_for_update(no_key=True)
    return [row for row in less if _orders_of(row).filter(confirmed__lt=F("needed")).exists()]


def _batch(
    seller_id: int, shares: list[SellerShare], spare: int, *, written_off: Collection[int] = ()
) -> tuple[int, list[SellerShare]]:
    """Put shares into payouts, a number after another; return what is left of ``spare``, and those
    that are in none. ``written_off`` are orders whose money is not kept back whole."""
    by_phone: dict[str, list[SellerShare]] = {}
    for share in shares:
        by_phone.setdefault(share.phone, []).append(share)
    left: list[SellerShare] = []
    for phone, waiting in by_phone.items():
        carried: list[SellerShare] = []
        for share in waiting:
            carried.append(share)
            gross = sum(each.due for each in carried)
            amount = max(min(gross + spare, MAX_B2C), 0)
            if 0 < amount < MIN_B2C:
                continue
            if not amount and any(each.track.order_id in written_off for each in carried):
                continue
            _create(seller_id, phone, carried, gross=gross, amount=amount, numbered_by=carried)
            spare += gross - amount
            carried = []
        left += carried
    return spare, left


def _pay_unallocated(seller_id: int, amount: int, blocked: set[str]) -> None:
    """Pay out what was deducted for a debt that turned out to be none."""
    last = SellerShare.objects.filter(seller=seller_id).exclude(phone__in=blocked).last()
    if last is not None:
        _create(seller_id, last.phone, [], gross=0, amount=amount, numbered_by=[last])


def _create(
    seller_id: int,
    phone: str,
    shares: list[SellerShare],
    *,
    gross: int,
    amount: int,
    numbered_by: Iterable[SellerShare],
) -> Payout:
    """Create a payout that carries these shares; ``numbered_by`` are those its number is from."""
    now = timezone.now()
    limit = settings.PAYOUT_APPROVAL_ABOVE
    # Where several people typed it, the first is its author; none of them approves it.
    typed_by = next((share.phone_by_id for share in numbered_by if share.phone_by_id), None)
    # Nothing at all, where a debt keeps all of it back, goes to no number that anybody typed.
    waits = amount > limit or (amount > 0 and typed_by is not None)
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
        payout.note = f"KES {gross - amount} of KES {gross} were kept back for a debt."
    if not amount:
        payout.status, payout.done_at, payout.next_check_at = TransferStatus.DONE, now, None
    payout.save()
    carried = SellerShare.objects.filter(pk__in=[share.pk for share in shares])
    carried.update(payout=payout, carried=share_due())
    return payout


@handles(Payout)
class PayoutHandler(TransferHandler[Payout]):
    """What only a payout does when it is sent and when it ends."""

    wrong_amount = "M-Pesa says KES {} was sent, KES {} was due."
    done = "The seller has the money."
    days = PayoutDay

    @property
    def daily_limit(self) -> int:
        limit: int = settings.PAYOUT_DAILY_LIMIT
        return limit

    def is_backed(self, row: Payout) -> bool:
        return not _orders_of(row).exclude(made_up__gte=F("needed")).exists()

    def lock(self, row_id: int) -> Payout:
        return locked_payout(row_id)

    def hold_until(self, row: Payout, now: datetime) -> datetime | None:
        """Keep a payout back whose orders were paid by what nobody has confirmed; ask about that.

        What the shop bears a second person lets go: it may be what somebody made it bear. One that
        carries what is held back, cancelled or reduced by now is dropped, and what is left of its
        shares goes with another.
        """
        if why := _why_not_as_it_is(row):
            row.status, row.next_check_at, row.note = TransferStatus.DROPPED, None, why
            row.save(update_fields=["status", "next_check_at", "note"])
            enqueue_after_commit(create_payouts, row.seller_id)
            return None
        orders = _orders_of(row)
        unsure = list(orders.filter(made_up__lt=F("needed")).values_list("pk", flat=True))
        if unsure:
            told = Receipt.objects.filter(order__in=unsure, verification=Verification.REPORTED)
            ask_about(told)
            return now + EVIDENCE_DELAY
        if row.approved_by_id is None and orders.filter(confirmed__lt=F("needed")).exists():
            row.needs_approval, row.next_check_at = True, None
            row.note = row.note or "Its order was paid with less than was counted at first."
            row.save(update_fields=["needs_approval", "next_check_at", "note"])
        return None

    def on_done(self, row: Payout, *, was: str) -> None:
        """Post it, and let the seller know."""
        if was == TransferStatus.DROPPED:
            # They were to go to another number with the next, and nothing has taken them on yet.
            row.shares.update(phone=row.phone, phone_by=row.author_id)
        carries = row.shares.aggregate(total=Sum("carried"))["total"] or 0
        if carries != row.gross:
            # Another carries its shares by now. What was sent twice is kept back from the next.
            row.gross, row.unacknowledged = carries, True
            row.note = "It was thought to have failed: the same money may have gone twice."
            logger.error("payout %s: %s", row.pk, row.note)
            drop_due_payouts(row.seller_id, "An earlier one went after all.")
        row.save()
        ledger.post_payout(row)
        if _is_seen_to_have_it(row, was):
            record_paid_to(row.seller_id, row.phone, timezone.now())
        notify(
            NotificationKind.PAID_OUT,
            key=f"paid_out:{row.pk}",
            user_id=row.seller_id,
            phone=row.phone,
            amount=row.amount,
            receipt=row.number,
        )

    def on_refused(self, row: Payout, reason: PayoutReason) -> None:
        """Try again later, where time may mend it; else at another number, or a person decides."""
        after = row.retry_after(reason)
        if after is not None:
            row.next_check_at = timezone.now() + after
            row.save(update_fields=["next_check_at"])
        row.shares.update(tries=F("tries") + 1)
        enqueue_after_commit(create_payouts, row.seller_id)


def drop_due_payouts(seller_id: int, note: str) -> None:
    """Drop a seller's unsent payouts; they are created again, less what was paid by now.

    Call inside a transaction that holds the seller's lock.
    """
    due = Payout.objects.filter(seller=seller_id, status=TransferStatus.DUE)
    due.update(status=TransferStatus.DROPPED, next_check_at=None, note=note)
    enqueue_after_commit(create_payouts, seller_id)


@transaction.atomic
def retry_payout(payout_id: int, *, phone: str = "", note: str = "", by: int | None = None) -> bool:
    """Let other payouts carry what M-Pesa refused to send: to ``phone``, where one is given.

    ``by`` is the id of the person of the staff who typed that number: another has to approve it.

    Returns False when it is not, or no more, a refused one. Safe to repeat.
    """
    payout = locked_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        return False
    if phone:
        payout.shares.update(phone=phone, phone_by=by)
    payout.status, payout.next_check_at = TransferStatus.DROPPED, None
    payout.note = (note or "It is tried again.")[:200]
    payout.save(update_fields=["status", "next_check_at", "note"])
    enqueue_after_commit(create_payouts, payout.seller_id)
    return True


def drop_unsent(payout_id: int, note: str) -> bool:
    """Drop a payout that is due and was not sent; ``create_payouts`` puts its shares into others.

    Returns False where it has left, or may have. Call inside a transaction.
    """
    # By its own row: were it found through its shares, PostgreSQL would not look at its status
    # again after waiting for whoever was sending it.
    unsent = Payout.objects.filter(pk=payout_id, status=TransferStatus.DUE)
    return bool(unsent.update(status=TransferStatus.DROPPED, next_check_at=None, note=note))


def _why_not_as_it_is(payout: Payout) -> str:
    """Why a payout is not to leave with the shares it carries; empty where nothing is against it.

    An undecided problem or a person holds one back. Or one was cancelled or reduced while M-Pesa
    might have had the payout, which it did not take after all: who did that could not drop it.
    """
    shares = list(payout.shares.all())
    for share in shares:
        if share.reversed_at is not None or share.carried != share.due:
            return CHANGED
    free = payout.shares.payable().values_list("pk", flat=True)
    return HELD_BACK if len(free) < len(shares) else ""


def _is_seen_to_have_it(payout: Payout, was: str) -> bool:
    """Whether the money went to this very number: not so where only a person says whose it was, and
    the statement shows a part of the number."""
    if was != TransferStatus.DUE:
        return True
    found = Withdrawal.objects.filter(payout=payout.pk).first()
    return found is None or found.phone == payout.phone


def _orders_of(payout: Payout) -> QuerySet[Any]:
    """The orders whose lines a payout carries, with what confirmed payments leave for them."""
    carried = SellerShare.objects.filter(payout=payout.pk)
    return backed(Order.objects.filter(pk__in=carried.values("track__order")))


def _not_confirmed(line_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Of the orders of these lines, those that no confirmed payment covers: because it is told of
    by news alone; and because the shop bears what they lack."""
    orders = backed(Order.objects.filter(tracks__in=list(line_ids)))
    lacking = orders.filter(confirmed__lt=F("needed")).values_list("pk", "made_up", "needed")
    told, written_off = set[int](), set[int]()
    for order_id, made_up, needed in lacking:
        (told if made_up < needed else written_off).add(order_id)
    return told, written_off


def locked_payout(payout_id: int) -> Payout:
    """A payout, locked after its seller."""
    seller_id = Payout.objects.values_list("seller_id", flat=True).get(pk=payout_id)
    locked_row(User, seller_id)
    return locked_row(Payout, payout_id)
