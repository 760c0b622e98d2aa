"""Moves an order line from paid to delivered, or cancels it. The rules are in line_moves.py.

The order is locked before its line (docs/architecture.md, Locks).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.locking import lock_row
from omachemainproj.rounds import do_each
from products import stock
from products.stock import StockLine

from .claims import ClaimedByAnother, require_claim
from .collection_codes import check_code
from .lifecycle import mark_refund_due_if_all_returned
from .line_moves import (
    CARRIER_ROLES,
    GOODS_MOVED,
    TRANSITIONS,
    Role,
    is_at_point,
    moves_of,
    roles_of,
    staff_roles_of,
    transitions_from,
)
from .models import Order, OrderTrack, Problem, TrackEvent, TrackStatus
from .models.notifications import NotificationKind
from .notifications.notify import notify

#: Maximum number of lines per call of auto_confirm_deliveries, and after how long it starts no
#: other.
CONFIRMED_PER_ROUND, CONFIRMING_SECONDS = 200, 10.0


#: Statuses the buyer is notified about, unless the buyer set them.
NOTIFIED = {
    TrackStatus.SHIPPING.value: NotificationKind.SHIPPED,
    TrackStatus.DELIVERED.value: NotificationKind.DELIVERED,
}


class PaymentInDoubt(Refusal):
    """A payment of the order is in doubt, or never arrived and the shop covers what is missing: its
    goods may not be moved (``Order.in_doubt``)."""

    code = "payment_in_doubt"
    message = (
        "We are checking the payment for this order. Please do not hand over or ship the goods yet."
    )


class NotAllowed(Refusal):
    """This move is not possible from the line's status, or not for this user."""

    code = "move_not_allowed"
    message = "This action is not possible in the item's current status."


class NoSuchLine(Refusal):
    """The line does not exist, or the caller has no role for it."""

    code = "line_not_found"
    message = "There is no such item."
    status_code = 404


def move_line(
    track_id: int,
    to: str,
    *,
    actor: User,
    note: str = "",
    code: str = "",
    goods_there: bool | None = None,
) -> OrderTrack:
    """Move a line to another status for a user, and record who did it, when and why.

    Delivered: the buyer needs no proof, sellers and agents need the buyer's collection ``code``,
    and staff may give a reason in ``note`` instead. Cancelled: the buyer needs no reason, the
    seller and staff give one in ``note``. A cancelled line is refunded; the other lines continue.
    Sellers and staff state in ``goods_there`` whether the goods go back into stock. If it is None,
    or only the buyer cancels, they go back exactly if the buyer cancels: a buyer can do so only
    before the goods are fetched.

    An agent who fetches goods from an unclaimed parcel claims it by that.

    Safe to repeat: nothing changes if the line already has that status. Returns the line.

    Raises OrderTrack.DoesNotExist for a user without a role for the line, NotAllowed,
    PaymentInDoubt, ConflictOfInterest for staff and agents involved in it, ClaimedByAnother for an
    agent when another has the parcel, and FieldRefusal for a wrong code or missing reason.
    """
    line = OrderTrack.objects.select_related("order").get(pk=track_id)
    roles = roles_of(actor, line)
    if not roles:
        raise OrderTrack.DoesNotExist(f"no line {track_id} for {actor}")
    if roles & CARRIER_ROLES or is_refused_for_own_line(actor, line, to):
        refuse_conflicts(actor, line)
    has_code = False
    if code and to == TrackStatus.DELIVERED and line.track_status != to:
        require_allowed(line, to, actor=actor, roles=roles)
        check_code([line], code)
        has_code = True
    return move_locked(
        track_id,
        to,
        actor=actor,
        roles=roles,
        note=note,
        has_code=has_code,
        goods_there=goods_there,
    )


def is_refused_for_own_line(user: User, line: OrderTrack, to: str) -> bool:
    """Whether a user could make this move if they had not bought or sold the line."""
    allowed = TRANSITIONS[line.track_status].get(to, frozenset())
    return not allowed & roles_of(user, line) and bool(allowed & staff_roles_of(user))


def lock_line(line: OrderTrack) -> OrderTrack:
    """Return a line, locked after its order. Call inside a transaction."""
    return _lock(line.pk)[1]


@transaction.atomic
def move_locked(
    track_id: int,
    to: str,
    *,
    actor: User,
    roles: frozenset[Role],
    note: str,
    has_code: bool,
    goods_there: bool | None = None,
) -> OrderTrack:
    """Do the move of ``move_line`` after the roles and the code have been checked.

    Locks the order and the line itself.
    """
    order, line = _lock(track_id)
    if line.track_status == to:
        return line
    allowed = require_allowed(line, to, actor=actor, roles=roles)
    if order.in_doubt and to in GOODS_MOVED:
        raise PaymentInDoubt()
    _require_proof(to, allowed, note=note, has_code=has_code)
    if line.track_status == TrackStatus.PAID and to == TrackStatus.DELIVERED:
        _set_status(line, TrackStatus.FETCHED, actor=actor, note="Handed over by its seller.")
    if to != TrackStatus.CANCELLED:
        _set_status(line, to, actor=actor, note=note or ("Collection code." if has_code else ""))
        return line
    if goods_there is None or allowed == {Role.BUYER}:
        # A buyer can cancel only before the goods are fetched, and cannot know what is in stock.
        goods_there = Role.BUYER in allowed
    cancel_locked(line, actor=actor, note=note, goods_there=goods_there)
    return line


def cancel_locked(line: OrderTrack, *, actor: User, note: str, goods_there: bool) -> None:
    """Cancel a paid line; its refund follows in payments.signals.

    An undecided problem with it is closed. The caller has checked that ``actor`` may do this, and
    holds the locks of the order (``line.order``) and of the line.
    """
    Problem.objects.end_with_line(line, refunded=line.net_amount)
    line.returned, line.disputed = True, False
    _set_status(
        line, TrackStatus.CANCELLED, actor=actor, note=note, extra_fields=("returned", "disputed")
    )
    mark_refund_due_if_all_returned(line.order)
    if goods_there:
        stock.return_goods(StockLine(line.product_id, line.number), reference=f"return:{line.pk}")


def require_allowed(
    line: OrderTrack, to: str, *, actor: User, roles: frozenset[Role]
) -> frozenset[Role]:
    """Return which of these roles allow the move, not counting the proof it needs.

    Called before a code is compared, too: a user who may not make the move can neither use up the
    attempts at a code nor find out whether it is right. Raises NotAllowed and ClaimedByAnother.
    """
    allowed = _transitions_of(line).get(to, frozenset()) & roles
    if not allowed:
        raise NotAllowed(_refusal_reason(line, to, roles))
    if Role.AGENT in allowed and Role.STAFF not in allowed:
        _require_own_parcel(line, to, actor)
    return allowed


def _transitions_of(line: OrderTrack) -> dict[str, frozenset[Role]]:
    return transitions_from(line.track_status, is_brought=line.parcel_id is not None)


def _require_own_parcel(line: OrderTrack, to: str, agent: User) -> None:
    """Raise ClaimedByAnother if another agent has the line's parcel.

    Not for agents of its pick-up point, who receive it and hand it over there.
    """
    try:
        require_claim(line, agent, takes=to == TrackStatus.FETCHED)
    except ClaimedByAnother:
        ways = TRANSITIONS[line.track_status][to]
        if Role.POINT not in ways or not is_at_point(agent, line):
            raise


def _require_proof(to: str, allowed: frozenset[Role], *, note: str, has_code: bool) -> None:
    """Raise FieldRefusal if the code or reason that these roles need is missing.

    Buyers need none.
    """
    if Role.BUYER in allowed or to not in {TrackStatus.DELIVERED, TrackStatus.CANCELLED}:
        return
    if to == TrackStatus.DELIVERED and not has_code:
        if Role.STAFF not in allowed:
            refuse_field("code", "Enter the code the buyer received when they paid.", "code_needed")
        if not note:
            refuse_field(
                "note",
                "Give the reason for marking it delivered, or enter the buyer's code.",
                "reason_needed",
            )
    if to == TrackStatus.CANCELLED and not note:
        refuse_field("note", "Give the reason for cancelling.", "reason_needed")


def _refusal_reason(line: OrderTrack, to: str, roles: frozenset[Role]) -> str:
    if to in _transitions_of(line):
        return f"This item is {line.track_status}. You do not have permission to mark it as {to}."
    mine = moves_of(
        line.track_status,
        roles,
        is_brought=line.parcel_id is not None,
        in_doubt=line.order.in_doubt,
        code_misses=line.code_misses,
    )
    if not mine:
        return f"This item is {line.track_status}. There is nothing more you can do with it."
    return f"This item is {line.track_status}. You can mark it as {' or '.join(mine)}."


def auto_confirm_deliveries(now: datetime) -> int:
    """Mark lines as delivered that have been shipping for DELIVERY_CONFIRM_DAYS.

    At most 200 per call, one transaction each. Returns how many. Safe to repeat and to run
    concurrently.
    """
    since = now - timedelta(days=settings.DELIVERY_CONFIRM_DAYS)
    silent = OrderTrack.objects.on_the_road_since(since).values_list("pk", flat=True)
    return do_each(
        partial(_confirm_delivery, since=since),
        silent,
        at_most=CONFIRMED_PER_ROUND,
        seconds=CONFIRMING_SECONDS,
    )


@transaction.atomic
def _confirm_delivery(track_id: int, since: datetime) -> bool:
    """Mark a line as delivered if it has been shipping since then; return whether it did."""
    order, line = _lock(track_id)
    if line.track_status != TrackStatus.SHIPPING or line.updated_at > since:
        return False
    if line.disputed or order.in_doubt:
        return False
    days = settings.DELIVERY_CONFIRM_DAYS
    note = f"No word from the buyer for {days} days."
    _set_status(line, TrackStatus.DELIVERED, actor=None, note=note)
    return True


def mark_line_refunded(track_id: int) -> None:
    """Mark a cancelled line as refunded once its price has been paid back. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    line = lock_row(OrderTrack, track_id)
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _set_status(line, TrackStatus.REFUNDED, actor=None, note="")


def _set_status(
    line: OrderTrack, to: str, *, actor: User | None, note: str, extra_fields: tuple[str, ...] = ()
) -> None:
    """Save a line's new status and ``extra_fields``, record the step, and notify the buyer.

    Payments react to the saved line (orders.signals).
    """
    line.track_status = to
    line.save(update_fields=["track_status", *extra_fields, "updated_at"])
    TrackEvent.objects.create(track=line, track_status=to, actor=actor, note=note[:200])
    if to in NOTIFIED and (actor is None or actor.pk != line.buyer_id):
        key = f"{NOTIFIED[to]}:track:{line.pk}"
        notify(NOTIFIED[to], key=key, order_id=line.order_id, track_id=line.pk)


def _lock(track_id: int) -> tuple[Order, OrderTrack]:
    """Return the order and the line, locked in that order."""
    order_id = OrderTrack.objects.values_list("order_id", flat=True).get(pk=track_id)
    order, line = lock_row(Order, order_id), lock_row(OrderTrack, track_id)
    line.order = order
    return order, line
