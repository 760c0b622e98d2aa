"""Checks after every step: invariants at any moment, whatever died or was lost.

They use neither the shop's rules (``prove``) nor its sums (payments.payouts.balances), so that a
bug in those cannot hide itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core import mail
from django.db import connection

from accounts.emails import NOTICES
from daraja_simulator.simulator import Simulator
from orders.models import ParcelStep, TrackStatus
from orders.models.notifications import Message
from payments.models import TransferStatus

#: Statuses of payouts that were, are being, or may have been sent.
OUT = (TransferStatus.DUE, TransferStatus.UNKNOWN, TransferStatus.SENT, TransferStatus.DONE)
#: Progress of a line, and its final statuses.
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
#: States of a sent SMS.
SMS_SENT = (100, 101, 102)
#: Parcel events after which nobody has the parcel.
GIVEN_UP = (ParcelStep.RELEASED, ParcelStep.FREED)


class Money(NamedTuple):
    """A seller's money, KES: earned; reversed after it was paid out; sent or possibly sent; and
    the part of it the shop sent twice because of M-Pesa's answer.
    """

    earned: int
    undone: int
    out: int
    twice: int

    @property
    def debt(self) -> int:
        """Money sent to them that is not theirs, KES."""
        return max(0, self.out - self.earned)


@dataclass
class Watch:
    """Checks goods, parcels and sellers' money, and remembers the previous state."""

    fail: Callable[[str], None]
    _debts: dict[int, int] = field(default_factory=dict)
    _changes: tuple[int, ...] = ()
    _newest_payout: int = 0
    _lines: dict[int, str] = field(default_factory=dict)
    _twice: set[int] = field(default_factory=set)
    _seen_at: int = -1

    def look(self) -> None:
        """Check all of it, unless no row was written since the last check."""
        written = getattr(connection.connection, "total_changes", None)
        if written is not None and written == self._seen_at:
            return
        self._seen_at = -1 if written is None else written
        for what in (*_stock(), *_parcels(), *self._lines_go_onwards(), *self._sellers()):
            self.fail(what)

    def _lines_go_onwards(self) -> Iterator[str]:
        """No line goes back in status, and none is handed over twice.

        A line whose order was closed unpaid is bought again if its money comes late.
        """
        for line_id, status, returned in _read(_LINES):
            before = self._lines.get(line_id, status)
            was_unpaid = before == TrackStatus.CANCELLED and not returned
            if WAY.index(status) < WAY.index(before) and not was_unpaid:
                yield f"line {line_id} went from {before} to {status}"
            self._lines[line_id] = status
        for line_id, status, times in _read(_STEPS):
            if status in ONCE:
                yield f"line {line_id} became {status} {times} times"

    def _sellers(self) -> Iterator[str]:
        shares, payouts = _read(_SHARES), _read(_PAYOUTS)
        # What staff have acknowledged was sent twice all the same.
        self._twice |= {payout.pk for payout in payouts if payout.unacknowledged}
        payouts = [row._replace(unacknowledged=row.pk in self._twice) for row in payouts]
        ledger = {seller_id: int(balance) for seller_id, balance in _read(_LEDGER)}
        money, changes = _money(shares, payouts), _what_makes_debts(shares, payouts)
        sent, done = Counter[int](), Counter[int]()
        for payout in payouts:
            if payout.pk > self._newest_payout:
                sent[payout.seller] += payout.amount
                self._newest_payout = payout.pk
            if payout.status == TransferStatus.DONE:
                done[payout.seller] += payout.amount
        for seller_id, stands in money.items():
            if stands.debt > stands.undone + stands.twice:
                yield f"seller {seller_id} owes KES {stands.debt} without a cause: {stands}"
            owed = self._debts.get(seller_id, 0)
            if sent[seller_id] and owed and stands.debt and changes == self._changes:
                yield f"seller {seller_id} is sent KES {sent[seller_id]} and owes {owed}"
            balance = ledger.get(seller_id, 0)
            if balance != stands.earned - done[seller_id]:
                yield f"the ledger has KES {balance} for seller {seller_id}: {stands}"
        self._debts = {seller_id: stands.debt for seller_id, stands in money.items()}
        self._changes = changes


class _Share(NamedTuple):
    seller: int
    amount: int
    reduced: int
    carried: int
    is_reversed: bool
    payout: int | None

    @property
    def left(self) -> int:
        return 0 if self.is_reversed else self.amount - self.reduced


class _Payout(NamedTuple):
    pk: int
    seller: int
    status: str
    amount: int
    gross: int
    unacknowledged: bool
    #: Staff found on the portal's statement that it was paid.
    was_found: bool


class _Asked(NamedTuple):
    """An SQL statement and its row type. Compiled once: Django would do it at each step, a third
    of a seed's time.
    """

    sql: str
    row: Callable[..., Any] = lambda *columns: columns


_LINES = _Asked("SELECT id, track_status, returned FROM orders_ordertrack")
_STEPS = _Asked(
    "SELECT track_id, track_status, COUNT(*) FROM orders_trackevent"
    " GROUP BY track_id, track_status HAVING COUNT(*) > 1"
)
_STOCK = _Asked(
    "SELECT name, item_number, held, COALESCE((SELECT SUM(quantity) FROM products_stockmovement"
    " WHERE product_id = product.id), 0) FROM products_product product"
)
_HANDS = _Asked("SELECT parcel_id, step, agent_id FROM orders_parcelevent ORDER BY id")
_PARCELS = _Asked("SELECT id, agent_id, arrived_at IS NOT NULL FROM orders_parcel")
_SHARES = _Asked(
    "SELECT seller_id, amount, reduced, carried, reversed_at IS NOT NULL, payout_id"
    " FROM payments_sellershare",
    _Share,
)
_PAYOUTS = _Asked(
    "SELECT id, seller_id, status, amount, gross, unseen, EXISTS (SELECT 1 FROM payments_withdrawal"
    " WHERE payout_id = payout.id) FROM payments_payout payout ORDER BY id",
    _Payout,
)
_LEDGER = _Asked(
    "SELECT seller_id, SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END)"
    " FROM payments_ledgerentry WHERE account = 'sellers_payable' GROUP BY seller_id"
)


#: Subjects of letters about somebody's account, which are no messages about orders.
_ACCOUNT_NOTICES = {subject for subject, _ in NOTICES.values()}


def _read(asked: _Asked) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(asked.sql)
        return [asked.row(*columns) for columns in cursor.fetchall()]


def _stock() -> Iterator[str]:
    for name, on_shelf, held, moved in _read(_STOCK):
        if not 0 <= held <= on_shelf:
            yield f"{name}: {on_shelf} on the shelf, {held} of them held"
        if on_shelf != moved:
            yield f"{name}: {on_shelf} on the shelf, {moved} by its movements"


def _parcels() -> Iterator[str]:
    """Each parcel has at most one holder, by the agents' claims and releases."""
    with_whom: dict[int, int | None] = defaultdict(lambda: None)
    arrived = Counter[int]()
    for parcel_id, step, agent_id in _read(_HANDS):
        if step == ParcelStep.CLAIMED:
            if with_whom[parcel_id] is not None:
                yield f"parcel {parcel_id} was taken on while agent {with_whom[parcel_id]} had it"
            with_whom[parcel_id] = agent_id
        elif step in GIVEN_UP:
            if with_whom[parcel_id] != agent_id:
                yield f"parcel {parcel_id} was given up by agent {agent_id}, who had it not"
            with_whom[parcel_id] = None
        elif step == ParcelStep.ARRIVED:
            arrived[parcel_id] += 1
    for parcel_id, agent_id, is_there in _read(_PARCELS):
        hand = with_whom[parcel_id]
        if agent_id != hand:
            yield f"parcel {parcel_id} is with {agent_id}, and was given to {hand}"
        if arrived[parcel_id] != is_there:
            yield f"parcel {parcel_id} was taken in at its point {arrived[parcel_id]} times"


def _money(all_shares: list[_Share], payouts: list[_Payout]) -> dict[int, Money]:
    """Recount the money of every seller with fetched goods, from the rows."""
    shares = defaultdict[int, list[_Share]](list)
    for share in all_shares:
        shares[share.seller].append(share)
    out, twice = Counter[int](), Counter[int]()
    left = {payout.pk for payout in payouts if payout.status in OUT}
    for payout in payouts:
        if payout.pk in left:
            out[payout.seller] += payout.amount
            if payout.unacknowledged or payout.was_found:
                twice[payout.seller] += max(0, payout.amount - payout.gross)
    return {
        seller_id: Money(
            earned=sum(share.left for share in theirs),
            undone=sum(share.carried - share.left for share in theirs if share.payout in left),
            out=out[seller_id],
            twice=twice[seller_id],
        )
        for seller_id, theirs in shares.items()
    }


def _what_makes_debts(shares: list[_Share], payouts: list[_Payout]) -> tuple[int, ...]:
    """Counts of events that may put a seller in debt after a payout."""
    ended = (TransferStatus.REFUSED, TransferStatus.DROPPED)
    return (
        sum(share.is_reversed for share in shares),
        sum(share.reduced for share in shares),
        sum(payout.status in ended for payout in payouts),
        sum(payout.unacknowledged or payout.was_found for payout in payouts),
    )


def duplicate_messages(safaricom: Simulator) -> Iterator[str]:
    """People who got a message more often than the shop has it.

    Of people who left, the shop has no contact and no text any more, only the rows.
    """
    sent = Counter[tuple[str, str]]()
    for event in safaricom.world.events.list(kind="sms"):
        if event["status_code"] in SMS_SENT:
            sent[event["phone"], event["text"]] += 1
    for letter in mail.outbox:
        if letter.subject not in _ACCOUNT_NOTICES:
            sent[letter.to[0], str(letter.body)] += 1
    rows: Counter[Any] = Counter(Message.objects.values_list("contact", "text"))
    erased = rows["", ""]
    for (contact, text), times in sent.items():
        erased -= max(0, times - rows[contact, text])
        if times > rows[contact, text] and erased < 0:
            yield f"{contact} was told {times} times of {rows[contact, text]}: {text[:60]!r}"
