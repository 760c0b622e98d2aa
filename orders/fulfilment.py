"""Moving an order line from paid to delivered, or cancelling it: who may, and with what proof."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.locking import locked_row
from omachemainproj.text import fold_identifier
from products import stock
from products.stock import StockLine

from .claims import BRINGS, ClaimedByAnother, require_claim
from .lifecycle import close_if_all_returned
from .models import Order, OrderTrack, Parcel, Problem, TrackEvent, TrackStatus
from .models.notifications import NotificationKind
from .models.orders import MAX_CODE_MISSES
from .notifications.notify import notify

logger = logging.getLogger(__name__)

#: Lines that one call of auto_confirm_deliveries takes.
CONFIRMED_PER_ROUND = 200


class Role(Enum):
    """What somebody is to a line."""

    BUYER = "its buyer"
    SELLER = "its seller"
    AGENT = "a delivery agent"
    POINT = "who hands over at its pick-up point"
    STAFF = "staff"
    SHOP = "the shop itself"


#: From each status of a line: where it may go, and who may move it there. All else is refused.
TRANSITIONS: dict[str, dict[str, frozenset[Role]]] = {
    # Becomes paid or cancelled with its order (orders.lifecycle.sync_lines).
    TrackStatus.CREATED: {},
    TrackStatus.PAID: {
        TrackStatus.FETCHED: frozenset({Role.AGENT, Role.STAFF}),
        TrackStatus.CANCELLED: frozenset({Role.BUYER, Role.SELLER, Role.STAFF}),
    },
    TrackStatus.FETCHED: {
        TrackStatus.SHIPPING: frozenset({Role.AGENT, Role.POINT, Role.STAFF}),
        TrackStatus.DELIVERED: frozenset({Role.BUYER, Role.SELLER, Role.AGENT, Role.STAFF}),
        TrackStatus.CANCELLED: frozenset({Role.STAFF}),
    },
    TrackStatus.SHIPPING: {
        TrackStatus.DELIVERED: frozenset(Role),
        TrackStatus.CANCELLED: frozenset({Role.STAFF}),
    },
    TrackStatus.DELIVERED: {TrackStatus.CANCELLED: frozenset({Role.STAFF})},
    TrackStatus.CANCELLED: {TrackStatus.REFUNDED: frozenset({Role.SHOP})},
    TrackStatus.REFUNDED: {},
}
#: Where no delivery was agreed, seller and buyer arrange it between them: no agent comes, and the
#: buyer's code shows that the goods were handed over. Two steps at once: fetched, then delivered.
BETWEEN_THEM: dict[str, dict[str, frozenset[Role]]] = {
    TrackStatus.PAID: {TrackStatus.DELIVERED: frozenset({Role.SELLER})},
}
#: Statuses of which the buyer is notified, unless the buyer set them.
NOTIFIED = {
    TrackStatus.SHIPPING.value: NotificationKind.SHIPPED,
    TrackStatus.DELIVERED.value: NotificationKind.DELIVERED,
}


#: Who brings goods without having bought or sold them.
DELIVERING = frozenset({Role.AGENT, Role.POINT, Role.STAFF})
#: What is not done with goods whose payment is in doubt.
HANDED_OVER = frozenset({TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED})


#: Who brings no goods to their end without the buyer's code.
_NEED_CODE = frozenset({Role.SELLER, Role.AGENT})


class PaymentInDoubt(Refusal):
    """M-Pesa does not know what the order was paid with: its goods stay where they are."""

    code = "payment_in_doubt"
    message = "The payment of this order is being looked into. Its goods stay where they are."


class NotAllowed(Refusal):
    """The line cannot be moved there from its status, or not by this person."""

    code = "move_not_allowed"
    message = "This cannot be done with the goods as they are now."


class NoSuchLine(Refusal):
    """There is no such line, or the caller has no role for it."""

    code = "line_not_found"
    message = "There is no such line."
    status_code = 404


def roles_of(user: User, line: OrderTrack) -> frozenset[Role]:
    """What a person is to a line; empty for somebody it does not concern.

    Whoever bought or sold it has no other role, whatever they are allowed: they would confirm the
    delivery they are paid for, or refund what they have. Who hands over at the pick-up point a line
    goes to, and has no other power, has to do with it from when it was fetched.
    """
    own = own_roles(user.pk, buyer_id=line.buyer_id, seller_id=line.seller_id)
    if own:
        return own
    powers = powers_of(user)
    if not powers and line.track_status in HANDED_OVER and is_at_point(user, line):
        return frozenset({Role.POINT})
    return powers


def is_at_point(user: User, line: OrderTrack) -> bool:
    """Whether a person hands over at the pick-up point a line goes to.

    One query, and none where the line is in no parcel.
    """
    if line.parcel_id is None:
        return False
    return Parcel.objects.filter(pk=line.parcel_id).at_points_of(user).exists()


#: By whether somebody bought a line, and whether they sold it.
_OWN_ROLES = {
    (False, False): frozenset[Role](),
    (True, False): frozenset({Role.BUYER}),
    (False, True): frozenset({Role.SELLER}),
    (True, True): frozenset({Role.BUYER, Role.SELLER}),
}


def own_roles(person_id: int, *, buyer_id: int, seller_id: int) -> frozenset[Role]:
    """The roles of a person who bought or sold a line; empty for everybody else."""
    return _OWN_ROLES[person_id == buyer_id, person_id == seller_id]


def powers_of(user: User) -> frozenset[Role]:
    """The roles a person's permissions give them for lines in which they have no part."""
    if user.has_perm("orders.decide_lines"):
        return frozenset({Role.STAFF, Role.AGENT})
    return frozenset({Role.AGENT}) if user.has_perm(BRINGS) else frozenset()


def ways_of(track_status: str, *, is_brought: bool) -> dict[str, frozenset[Role]]:
    """Where a line that stands so may go, and who may move it there.

    ``is_brought`` is whether a delivery was agreed: then it is in a parcel.
    """
    ways = TRANSITIONS[track_status]
    return ways if is_brought else ways | BETWEEN_THEM.get(track_status, {})


def moves_of(
    track_status: str,
    roles: frozenset[Role],
    *,
    is_brought: bool,
    in_doubt: bool,
    code_misses: int,
) -> list[str]:
    """The statuses to which these roles may move a line that stands so, in the order of its way.

    Everybody is shown their moves by this: buyers, sellers, agents and staff. What they have to say
    or to type is asked for when they make one. ``in_doubt`` is of the line's order; ``is_brought``
    as in ``ways_of``.
    """
    moves = []
    for to, allowed in ways_of(track_status, is_brought=is_brought).items():
        mine = allowed & roles
        is_locked = in_doubt and to in HANDED_OVER
        is_guessed_out = to == TrackStatus.DELIVERED and mine <= _NEED_CODE
        if mine and not is_locked and not (is_guessed_out and code_misses >= MAX_CODE_MISSES):
            moves.append(str(to))
    return moves


def move_line(
    track_id: int,
    to: str,
    *,
    by: User,
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
    PaymentInDoubt, ConflictOfInterest for staff and agents involved in it, ClaimedByAnother for an
    agent whose parcel it is not, and FieldRefusal for a wrong code or a missing reason.
    """
    line = OrderTrack.objects.select_related("order").get(pk=track_id)
    roles = roles_of(by, line)
    if not roles:
        raise OrderTrack.DoesNotExist(f"no line {track_id} for {by}")
    if roles & DELIVERING or is_kept_from_own(by, line, to):
        refuse_conflicts(by, line)
    has_code = False
    if code and to == TrackStatus.DELIVERED and line.track_status != to:
        require_allowed(line, to, by=by, roles=roles)
        check_code([line], code)
        has_code = True
    return move_locked(
        track_id, to, by=by, roles=roles, note=note, has_code=has_code, goods_there=goods_there
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
    by: User,
    roles: frozenset[Role],
    note: str,
    has_code: bool,
    goods_there: bool | None = None,
) -> OrderTrack:
    """``move_line``, once it is known what somebody is to the line, and checked what they typed."""
    order, line = _lock(track_id)
    if line.track_status == to:
        return line
    allowed = require_allowed(line, to, by=by, roles=roles)
    if order.in_doubt and to in HANDED_OVER:
        raise PaymentInDoubt()
    _require_proof(to, allowed, note=note, has_code=has_code)
    if line.track_status == TrackStatus.PAID and to == TrackStatus.DELIVERED:
        _set_status(line, TrackStatus.FETCHED, by=by, note="Handed over by its seller.")
    if to != TrackStatus.CANCELLED:
        _set_status(line, to, by=by, note=note or ("Collection code." if has_code else ""))
        return line
    if goods_there is None or allowed == {Role.BUYER}:
        # A buyer may cancel only what was not fetched, and cannot say what the seller has.
        goods_there = Role.BUYER in allowed
    cancel_locked(line, by=by, note=note, goods_there=goods_there)
    return line


def cancel_locked(line: OrderTrack, *, by: User, note: str, goods_there: bool) -> None:
    """Cancel a line that was paid, on which its money follows (payments.signals).

    A problem with it that nobody has decided is closed. Whoever calls has seen that ``by`` may, and
    holds the locks of its order, which is ``line.order``, and its own.
    """
    Problem.objects.end_with_line(line, refunded=line.rest)
    line.returned, line.disputed = True, False
    _set_status(line, TrackStatus.CANCELLED, by=by, note=note, besides=("returned", "disputed"))
    close_if_all_returned(line.order)
    if goods_there:
        stock.put_back(StockLine(line.product_id, line.number), reference=f"return:{line.pk}")


def require_allowed(
    line: OrderTrack, to: str, *, by: User, roles: frozenset[Role]
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
        _require_own_parcel(line, to, by)
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
            refuse_field("code", "Type the code the buyer was given when they paid.", "code_needed")
        if not note:
            refuse_field(
                "note",
                "Say why it counts as delivered, or type the buyer's code.",
                "reason_needed",
            )
    if to == TrackStatus.CANCELLED and not note:
        refuse_field("note", "Say why it is cancelled.", "reason_needed")


def _why_not(line: OrderTrack, to: str, roles: frozenset[Role]) -> str:
    if to in _ways_of(line):
        return f"It is {line.track_status}; others than you move it to {to}."
    mine = moves_of(
        line.track_status,
        roles,
        is_brought=line.parcel_id is not None,
        in_doubt=line.order.in_doubt,
        code_misses=line.code_misses,
    )
    if not mine:
        return f"It is {line.track_status}: there is nothing you can do with it."
    return f"It is {line.track_status}; from there it can go to {' or '.join(mine)}."


def check_code(lines: Sequence[OrderTrack], code: str) -> None:
    """Compare a code with those the buyer was given for these lines, one of which is enough.

    Each try is counted before it is compared, and committed. The tries at all lines of a parcel
    count together, whether at one of them or at the whole: more lines are no more guesses.

    Raises FieldRefusal for a wrong code, and for any code after too many wrong ones.
    """
    parcel_id = lines[0].parcel_id
    counted: QuerySet[Any] = OrderTrack.objects.filter(pk=lines[0].pk)
    if parcel_id is not None:
        counted = Parcel.objects.filter(pk=parcel_id)
    if not counted.filter(code_misses__lt=MAX_CODE_MISSES).update(code_misses=F("code_misses") + 1):
        refuse_field(
            "code",
            "Too many wrong codes were typed. The buyer or the shop can confirm.",
            "code_used_up",
        )
    # All are compared: how long it takes tells nothing.
    agree = [hmac.compare_digest(line.collection_code.encode(), code.encode()) for line in lines]
    if not any(agree):
        refuse_field("code", "This is not the code the buyer was given.", "wrong_code")
    counted.update(code_misses=F("code_misses") - 1)


def digits_of_code(typed: str) -> str:
    """A collection code as it was given: without the spaces and dashes it is read out with."""
    return "".join(fold_identifier(typed).replace("-", " ").split())


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
    _set_status(line, TrackStatus.DELIVERED, by=None, note=note)
    return True


def mark_line_refunded(track_id: int) -> None:
    """Mark a cancelled line as refunded once its price has been paid back. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    line = locked_row(OrderTrack, track_id)
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _set_status(line, TrackStatus.REFUNDED, by=None, note="")


def _set_status(
    line: OrderTrack, to: str, *, by: User | None, note: str, besides: tuple[str, ...] = ()
) -> None:
    """Save a line's new status, on which payments act (orders.signals), and what changed
    ``besides``; record the step, and notify the buyer."""
    line.track_status = to
    line.save(update_fields=["track_status", *besides, "updated_at"])
    TrackEvent.objects.create(track=line, track_status=to, actor=by, note=note[:200])
    if to in NOTIFIED and (by is None or by.pk != line.buyer_id):
        key = f"{NOTIFIED[to]}:track:{line.pk}"
        notify(NOTIFIED[to], key=key, order_id=line.order_id, track_id=line.pk)


def _lock(track_id: int) -> tuple[Order, OrderTrack]:
    """A line and its order, both locked, the order first."""
    order_id = OrderTrack.objects.values_list("order_id", flat=True).get(pk=track_id)
    order, line = locked_row(Order, order_id), locked_row(OrderTrack, track_id)
    line.order = order
    return order, line
