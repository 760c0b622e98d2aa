"""Moving an order line from paid to delivered, or cancelling it: who may, and with what proof."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.backoffice.interest import require_no_interest
from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.compiled_queries import locked_row
from products import stock
from products.stock import StockLine

from .claims import ClaimedByAnother, require_claim
from .collection_codes import check_code
from .lifecycle import close_if_all_returned
from .line_moves import (
    CARRIER_ROLES,
    GOODS_MOVED,
    TRANSITIONS,
    Role,
    is_at_point,
    moves_of,
    powers_of,
    roles_of,
    ways_of,
)
from .models import Order, OrderTrack, Problem, TrackEvent, TrackStatus
from .models.notifications import NotificationKind
from .notifications.notify import notify

logger = logging.getLogger(__name__)

#: Lines that one call of auto_confirm_deliveries takes.
CONFIRMED_PER_ROUND = 200


#: Statuses of which the buyer is notified, unless the buyer set them.
NOTIFIED = {
    TrackStatus.SHIPPING.value: NotificationKind.SHIPPED,
    TrackStatus.DELIVERED.value: NotificationKind.DELIVERED,
}


class PaymentInDoubt(Refusal):
    """M-Pesa does not know what the order was paid with: its goods stay where they are."""

    code = "payment_in_doubt"
    message = (
        "We are checking the payment for this order. Please do not hand over or ship the goods yet."
    )


class NotAllowed(Refusal):
    """The line cannot be moved there from its status, or not by this person."""

    code = "move_not_allowed"
    message = "This action is not possible in the item's current status."


class NoSuchLine(Refusal):
    """There is no such line, or the caller has no role for it."""

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
    """Move a line to another status for a person, and record who, when and why.

    To delivered: the buyer needs no proof, whoever hands the goods over types the buyer's
    collection ``code``, and staff may give a reason in ``note`` instead. To cancelled: the buyer
    needs no reason, the seller and staff give one in ``note``. The price of a cancelled line is
    refunded and the other lines go on. The seller and staff say in ``goods_there`` whether its
    goods go back into stock; where it is None, or only the buyer says it, they go back if it is
    the buyer who cancels, which is before they are fetched.

    Safe to repeat: nothing changes where the line has that status already. Returns the line.

    What an agent fetches of a parcel that nobody has taken on is theirs to bring from then on.

    Raises OrderTrack.DoesNotExist for somebody the line does not concern, NotAllowed,
    PaymentInDoubt, OwnInterest for staff and agents who have a part in it, ClaimedByAnother for an
    agent whose parcel it is not, and FieldRefusal for a wrong code or a missing reason.
    """
    line = OrderTrack.objects.select_related("order").get(pk=track_id)
    roles = roles_of(actor, line)
    if not roles:
        raise OrderTrack.DoesNotExist(f"no line {track_id} for {actor}")
    if roles & CARRIER_ROLES or is_kept_from_own(actor, line, to):
        require_no_interest(actor, line)
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


def is_kept_from_own(user: User, line: OrderTrack, to: str) -> bool:
    """Whether it is their part in a line, and nothing else, that keeps somebody from a move."""
    allowed = TRANSITIONS[line.track_status].get(to, frozenset())
    return not allowed & roles_of(user, line) and bool(allowed & powers_of(user))


def lock_line(line: OrderTrack) -> OrderTrack:
    """A line, locked after its order. Call inside a transaction."""
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
    """``move_line``, once it is known what somebody is to the line, and checked what they typed."""
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
        # A buyer may cancel only what was not fetched, and cannot say what the seller has.
        goods_there = Role.BUYER in allowed
    cancel_locked(line, actor=actor, note=note, goods_there=goods_there)
    return line


def cancel_locked(line: OrderTrack, *, actor: User, note: str, goods_there: bool) -> None:
    """Cancel a line that was paid, on which its money follows (payments.signals).

    A problem with it that nobody has decided is closed. Whoever calls has seen that ``by`` may, and
    holds the locks of its order, which is ``line.order``, and its own.
    """
    Problem.objects.end_with_line(line, refunded=line.rest)
    line.returned, line.disputed = True, False
    _set_status(
        line, TrackStatus.CANCELLED, actor=actor, note=note, extra_fields=("returned", "disputed")
    )
    close_if_all_returned(line.order)
    if goods_there:
        stock.put_back(StockLine(line.product_id, line.number), reference=f"return:{line.pk}")


def require_allowed(
    line: OrderTrack, to: str, *, actor: User, roles: frozenset[Role]
) -> frozenset[Role]:
    """In which of their roles somebody may move a line there, whatever proof it takes.

    Seen before a code is compared as well: nobody uses up the tries of those who bring a parcel, or
    learns whether a code is right, where it would not help them. Raises NotAllowed and
    ClaimedByAnother.
    """
    allowed = _ways_of(line).get(to, frozenset()) & roles
    if not allowed:
        raise NotAllowed(_why_not(line, to, roles))
    if Role.AGENT in allowed and Role.STAFF not in allowed:
        _require_own_parcel(line, to, actor)
    return allowed


def _ways_of(line: OrderTrack) -> dict[str, frozenset[Role]]:
    return ways_of(line.track_status, is_brought=line.parcel_id is not None)


def _require_own_parcel(line: OrderTrack, to: str, agent: User) -> None:
    """Raise ClaimedByAnother where another agent brings the line's parcel.

    Not for who takes it in at its pick-up point, or hands it over there, as well.
    """
    try:
        require_claim(line, agent, takes=to == TrackStatus.FETCHED)
    except ClaimedByAnother:
        ways = TRANSITIONS[line.track_status][to]
        if Role.POINT not in ways or not is_at_point(agent, line):
            raise


def _require_proof(to: str, allowed: frozenset[Role], *, note: str, has_code: bool) -> None:
    """Raise FieldRefusal unless there is the proof that one of these roles needs; a buyer needs
    none."""
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


def _why_not(line: OrderTrack, to: str, roles: frozenset[Role]) -> str:
    if to in _ways_of(line):
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
    """Mark lines as delivered that have been shipping for DELIVERY_CONFIRM_DAYS without a word.

    At most 200 a call, one transaction each. Returns how many. Safe to repeat, anywhere, at once.
    """
    since = now - timedelta(days=settings.DELIVERY_CONFIRM_DAYS)
    silent = OrderTrack.objects.on_the_road_since(since).values_list("pk", flat=True)
    confirmed = 0
    for track_id in list(silent[:CONFIRMED_PER_ROUND]):
        try:
            confirmed += _confirm_delivery(track_id, since)
        except DatabaseError:
            logger.exception("line %s could not be confirmed; the next round tries again", track_id)
    return confirmed


@transaction.atomic
def _confirm_delivery(track_id: int, since: datetime) -> bool:
    """Mark a line as delivered if it has been shipping since then; return whether it was."""
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
    line = locked_row(OrderTrack, track_id)
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _set_status(line, TrackStatus.REFUNDED, actor=None, note="")


def _set_status(
    line: OrderTrack, to: str, *, actor: User | None, note: str, extra_fields: tuple[str, ...] = ()
) -> None:
    """Save a line's new status, on which payments act (orders.signals), and what changed
    ``besides``; record the step, and notify the buyer."""
    line.track_status = to
    line.save(update_fields=["track_status", *extra_fields, "updated_at"])
    TrackEvent.objects.create(track=line, track_status=to, actor=actor, note=note[:200])
    if to in NOTIFIED and (actor is None or actor.pk != line.buyer_id):
        key = f"{NOTIFIED[to]}:track:{line.pk}"
        notify(NOTIFIED[to], key=key, order_id=line.order_id, track_id=line.pk)


def _lock(track_id: int) -> tuple[Order, OrderTrack]:
    """A line and its order, both locked, the order first."""
    order_id = OrderTrack.objects.values_list("order_id", flat=True).get(pk=track_id)
    order, line = locked_row(Order, order_id), locked_row(OrderTrack, track_id)
    line.order = order
    return order, line
