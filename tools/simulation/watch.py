"""What is looked at after every step: it must be so at any moment, whatever died or was lost.

None of it asks the shop's own rules (``prove``) or its own sums (payments.payouts.balances): what
counts wrong must not be believed when it counts again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core import mail
from django.db.models import Sum

from daraja_simulator.simulator import Simulator
from orders.models import OrderTrack, Parcel, ParcelEvent, ParcelStep, TrackEvent, TrackStatus
from orders.models.notifications import Message
from payments.models import Account, LedgerEntry, Payout, SellerShare, Side, TransferStatus
from products.models import Product, StockMovement

#: Payouts of these have left, or leave, or may have.
OUT = (TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT, TransferStatus.DONE)
#: How far along its way a line is, and what it becomes once.
WAY: list[str] = [
    TrackStatus.CREATED,
    TrackStatus.PAID,
    TrackStatus.FETCHED,
    TrackStatus.SHIPPING,
    TrackStatus.DELIVERED,
    TrackStatus.CANCELLED,
    TrackStatus.REFUNDED,
]
ONCE = (TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED, TrackStatus.REFUNDED)
#: Of an SMS: it went out.
SMS_SENT = (100, 101, 102)
#: Steps after which nobody has a parcel in hand.
GIVEN_UP = (ParcelStep.RELEASED, ParcelStep.FREED)


class Money(NamedTuple):
    """How a seller stands, KES: what they earned, what of that was undone after it had left, what
    has left or may, and what of that the shop sent twice by M-Pesa's word."""

    earned: int
    undone: int
    out: int
    twice: int

    @property
    def debt(self) -> int:
        """What went to them and is not theirs."""
        return max(0, self.out - self.earned)


@dataclass
class Watch:
    """Looks at goods, parcels and sellers' money, and remembers how they stood before."""

    fail: Callable[[str], None]
    _debts: dict[int, int] = field(default_factory=dict)
    _changes: tuple[int, ...] = ()
    _newest_payout: int = 0
    _lines: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        for what in (*_stock(), *_parcels(), *self._lines_go_onwards(), *self._sellers()):
            self.fail(what)

    def _lines_go_onwards(self) -> Iterator[str]:
        """No line goes back to where it came from, and none is handed over twice.

        One whose order was closed unpaid is bought again where its money comes late.
        """
        for line in OrderTrack.objects.only("pk", "track_status", "returned"):
            before = self._lines.get(line.pk, line.track_status)
            was_unpaid = before == TrackStatus.CANCELLED and not line.returned
            if WAY.index(line.track_status) < WAY.index(before) and not was_unpaid:
                yield f"line {line.pk} went from {before} to {line.track_status}"
            self._lines[line.pk] = line.track_status
        steps = Counter(TrackEvent.objects.values_list("track", "track_status"))
        for (line_id, status), times in steps.items():
            if times > 1 and status in ONCE:
                yield f"line {line_id} became {status} {times} times"

    def _sellers(self) -> Iterator[str]:
        money, changes = _money(), _what_makes_debts()
        new = Payout.objects.filter(pk__gt=self._newest_payout).order_by("pk")
        sent = Counter[int]()
        for payout in new:
            sent[payout.seller_id] += payout.amount
            self._newest_payout = payout.pk
        for seller_id, stands in money.items():
            if stands.debt > stands.undone + stands.twice:
                yield f"seller {seller_id} owes KES {stands.debt} without a cause: {stands}"
            owed = self._debts.get(seller_id, 0)
            if sent[seller_id] and owed and stands.debt and changes == self._changes:
                yield f"seller {seller_id} is sent KES {sent[seller_id]} and owes {owed}"
            if _in_ledger(seller_id) != stands.earned - _done(seller_id):
                yield f"the ledger has KES {_in_ledger(seller_id)} for seller {seller_id}: {stands}"
        self._debts = {seller_id: stands.debt for seller_id, stands in money.items()}
        self._changes = changes


def _stock() -> Iterator[str]:
    moved = dict(
        StockMovement.objects.order_by().values_list("product").annotate(total=Sum("quantity"))
    )
    for product in Product.objects.all():
        on_shelf, held = product.item_number, product.held
        if not 0 <= held <= on_shelf:
            yield f"{product}: {on_shelf} on the shelf, {held} of them held"
        if on_shelf != moved.get(product.pk, 0):
            yield f"{product}: {on_shelf} on the shelf, {moved.get(product.pk, 0)} by its movements"


def _parcels() -> Iterator[str]:
    """Each parcel is in one hand, as one agent after another took it on and gave it up."""
    with_whom: dict[int, int | None] = defaultdict(lambda: None)
    arrived = Counter[int]()
    for event in ParcelEvent.objects.order_by("pk"):
        parcel_id = event.parcel_id
        if event.step == ParcelStep.CLAIMED:
            if with_whom[parcel_id] is not None:
                yield f"parcel {parcel_id} was taken on while agent {with_whom[parcel_id]} had it"
            with_whom[parcel_id] = event.agent_id
        elif event.step in GIVEN_UP:
            if with_whom[parcel_id] != event.agent_id:
                yield f"parcel {parcel_id} was given up by agent {event.agent_id}, who had it not"
            with_whom[parcel_id] = None
        elif event.step == ParcelStep.ARRIVED:
            arrived[parcel_id] += 1
    for parcel in Parcel.objects.all():
        hand = with_whom[parcel.pk]
        if parcel.agent_id != hand:
            yield f"parcel {parcel.pk} is with {parcel.agent_id}, and was given to {hand}"
        if arrived[parcel.pk] != (parcel.arrived_at is not None):
            yield f"parcel {parcel.pk} was taken in at its point {arrived[parcel.pk]} times"


def _money() -> dict[int, Money]:
    """How every seller of whom anything was fetched stands, counted anew from the rows."""
    shares = defaultdict[int, list[SellerShare]](list)
    for share in SellerShare.objects.select_related("payout"):
        shares[share.seller_id].append(share)
    out, twice = Counter[int](), Counter[int]()
    for payout in Payout.objects.filter(status__in=OUT):
        out[payout.seller_id] += payout.amount
        if payout.unseen:
            twice[payout.seller_id] += max(0, payout.amount - payout.gross)
    return {
        seller_id: Money(
            earned=sum(_left_of(share) for share in theirs),
            undone=sum(
                share.carried - _left_of(share)
                for share in theirs
                if share.payout is not None and share.payout.status in OUT
            ),
            out=out[seller_id],
            twice=twice[seller_id],
        )
        for seller_id, theirs in shares.items()
    }


def _left_of(share: SellerShare) -> int:
    return 0 if share.reversed_at is not None else share.amount - share.reduced


def _what_makes_debts() -> tuple[int, ...]:
    """Counts of what may leave a seller in debt after a payout was made, or again."""
    ended = Payout.objects.filter(status__in=[TransferStatus.REFUSED, TransferStatus.DROPPED])
    reduced = SellerShare.objects.aggregate(total=Sum("reduced"))["total"] or 0
    return (
        SellerShare.objects.filter(reversed_at__isnull=False).count(),
        reduced,
        ended.count(),
        Payout.objects.filter(unseen=True).count(),
    )


def _in_ledger(seller_id: int) -> int:
    entries = LedgerEntry.objects.filter(seller=seller_id, account=Account.SELLERS_PAYABLE)
    sides: dict[str, int] = dict(
        entries.order_by().values_list("side").annotate(total=Sum("amount"))
    )
    return sides.get(Side.CREDIT, 0) - sides.get(Side.DEBIT, 0)


def _done(seller_id: int) -> int:
    done = Payout.objects.filter(seller=seller_id, status=TransferStatus.DONE)
    total: int = done.aggregate(total=Sum("amount"))["total"] or 0
    return total


def told_twice(safaricom: Simulator) -> Iterator[str]:
    """Whoever was told the same more often than the shop has a message of it."""
    sent = Counter[tuple[str, str]]()
    for event in safaricom.world.events.list(kind="sms"):
        if event["status_code"] in SMS_SENT:
            sent[event["phone"], event["text"]] += 1
    for letter in mail.outbox:
        sent[letter.to[0], str(letter.body)] += 1
    rows: Counter[Any] = Counter(Message.objects.values_list("contact", "text"))
    for (contact, text), times in sent.items():
        if times > rows[contact, text]:
            yield f"{contact} was told {times} times of {rows[contact, text]}: {text[:60]!r}"
