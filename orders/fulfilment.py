"""The way of a line from paid to delivered, and off it: who may move it where, with what proof."""

from __future__ import annotations

import hmac
import logging
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.compiled_queries import locked_row
from products import stock
from products.stock import StockLine

from .lifecycle import close_if_all_returned
from .models import Order, OrderTrack, TrackEvent, TrackStatus
from .models.notifications import Kind
from .notifications.notify import notify

logger = logging.getLogger(__name__)

#: Wrong collection codes for one line; after them only the buyer and the staff can say more.
MAX_CODE_MISSES = 5
#: Lines one round of the clock counts as delivered.
CONFIRMED_PER_ROUND = 200


class Role(Enum):
    """What somebody is to a line."""

    BUYER = "its buyer"
    SELLER = "its seller"
    AGENT = "a delivery agent"
    STAFF = "staff"
    SHOP = "the shop itself"


_CARRIERS = frozenset({Role.AGENT, Role.STAFF})
_RECEIVERS = frozenset({Role.BUYER, Role.SELLER, Role.AGENT, Role.STAFF})

#: Where a line may go from where it is, and who may move it there. Anything missing is refused.
#: Lines of unpaid orders follow their order (orders.lifecycle), as do all lines that are refunded.
TRANSITIONS: dict[tuple[str, str], frozenset[Role]] = {
    (TrackStatus.PAID, TrackStatus.FETCHED): _CARRIERS,
    (TrackStatus.FETCHED, TrackStatus.SHIPPING): _CARRIERS,
    (TrackStatus.FETCHED, TrackStatus.DELIVERED): _RECEIVERS,
    (TrackStatus.SHIPPING, TrackStatus.DELIVERED): _RECEIVERS | {Role.SHOP},
    (TrackStatus.PAID, TrackStatus.CANCELLED): frozenset({Role.BUYER, Role.SELLER, Role.STAFF}),
    (TrackStatus.FETCHED, TrackStatus.CANCELLED): frozenset({Role.STAFF}),
    (TrackStatus.SHIPPING, TrackStatus.CANCELLED): frozenset({Role.STAFF}),
    (TrackStatus.DELIVERED, TrackStatus.CANCELLED): frozenset({Role.STAFF}),
    (TrackStatus.CANCELLED, TrackStatus.REFUNDED): frozenset({Role.SHOP}),
}


#: Steps the buyer is told of, unless it was they who took them.
NOTIFIED = {TrackStatus.SHIPPING.value: Kind.SHIPPED, TrackStatus.DELIVERED.value: Kind.DELIVERED}


class NotAllowed(Refusal):
    """The line cannot go there from where it is, or not at this person's word."""

    code = "move_not_allowed"
    message = "This cannot be done with the goods as they are now."


def roles_of(user: User, line: OrderTrack) -> frozenset[Role]:
    """What a person is to a line; nothing at all for a stranger.

    Nobody collects or decides about what they sell themselves: that would be paying oneself.
    """
    roles = set()
    if line.buyer_id == user.pk:
        roles.add(Role.BUYER)
    if line.seller_id == user.pk:
        roles.add(Role.SELLER)
    elif user.has_perm("orders.decide_lines"):
        roles |= {Role.STAFF, Role.AGENT}
    elif user.has_perm("orders.move_track"):
        roles.add(Role.AGENT)
    return frozenset(roles)


def move_line(
    track_id: int,
    to: str,
    *,
    by: User,
    note: str = "",
    code: str = "",
    goods_there: bool | None = None,
) -> OrderTrack:
    """Move a line on its way at a person's word, and write down who, when and why.

    Delivered: its buyer just says so; who hands it over types the buyer's collection ``code``;
    staff may give a reason in ``note`` instead. Cancelled: its buyer just says so, its seller and
    staff give a reason; the line's money goes back, the other lines go on, and the goods stand on
    the shelf again if they are there (``goods_there``, which its seller and staff can tell; unless
    they do, they are when the buyer changed their mind before the goods were fetched, and are not
    otherwise).

    Safe to repeat: where the line is there already, nothing changes. Returns the line.

    Raises OrderTrack.DoesNotExist for whom the line does not concern, NotAllowed, and FieldRefusal
    for a code that is wrong or a reason that is missing.
    """
    line = OrderTrack.objects.get(pk=track_id)
    roles = roles_of(by, line)
    if not roles:
        raise OrderTrack.DoesNotExist(f"no line {track_id} for {by}")
    has_code = False
    if code and to == TrackStatus.DELIVERED and (line.track_status, to) in TRANSITIONS:
        _check_code(line, code)
        has_code = True
    return _move(
        track_id, to, by=by, roles=roles, note=note, has_code=has_code, goods_there=goods_there
    )


@transaction.atomic
def _move(
    track_id: int,
    to: str,
    *,
    by: User,
    roles: frozenset[Role],
    note: str,
    has_code: bool,
    goods_there: bool | None,
) -> OrderTrack:
    order, line = _locked(track_id)
    if line.track_status == to:
        return line
    allowed = TRANSITIONS.get((line.track_status, to), frozenset()) & roles
    if not allowed:
        raise NotAllowed(_why_not(line, to, roles))
    _require_proof(to, allowed, note=note, has_code=has_code)
    if to == TrackStatus.CANCELLED:
        if goods_there is None or allowed == {Role.BUYER}:
            # What was not fetched is where it was: a buyer has no say in what its seller has.
            goods_there = Role.BUYER in allowed
        _cancel(order, line, goods_there=goods_there, by=by, note=note)
    else:
        _step(line, to, by=by, note=note or ("Collection code." if has_code else ""))
    return line


def _require_proof(to: str, allowed: frozenset[Role], *, note: str, has_code: bool) -> None:
    """Ask for what the least of the roles needs: a buyer's word is enough, others show more."""
    if Role.BUYER in allowed or to not in {TrackStatus.DELIVERED, TrackStatus.CANCELLED}:
        return
    if to == TrackStatus.DELIVERED and not has_code:
        if Role.STAFF not in allowed:
            refuse_field("code", "Type the code the buyer was given when they paid.")
        if not note:
            refuse_field("note", "Say why it counts as delivered, or type the buyer's code.")
    if to == TrackStatus.CANCELLED and not note:
        refuse_field("note", "Say why it is cancelled.")


def _why_not(line: OrderTrack, to: str, roles: frozenset[Role]) -> str:
    ways = [there for (here, there), who in TRANSITIONS.items() if here == line.track_status]
    if to in ways:
        return f"It is {line.track_status}; others than you move it to {to}."
    mine = [there for there in ways if TRANSITIONS[line.track_status, there] & roles]
    if not mine:
        return f"It is {line.track_status}: there is nothing you can do with it."
    return f"It is {line.track_status}; from there it can go to {' or '.join(mine)}."


def _check_code(line: OrderTrack, code: str) -> None:
    """Compare what was typed with the buyer's code; each try is counted before it is looked at.

    Raises FieldRefusal when it is wrong, and when too many were.
    """
    left = OrderTrack.objects.filter(pk=line.pk, code_misses__lt=MAX_CODE_MISSES)
    if not left.update(code_misses=F("code_misses") + 1):
        refuse_field("code", "Too many wrong codes were typed. The buyer or the shop can confirm.")
    if not hmac.compare_digest(line.collection_code.encode(), code.encode()):
        refuse_field("code", "This is not the code the buyer was given.")
    OrderTrack.objects.filter(pk=line.pk).update(code_misses=F("code_misses") - 1)


def auto_confirm_deliveries(now: datetime) -> int:
    """Count as delivered what has been on the road so long that its buyer would have spoken.

    At most 200 a call, one transaction each. Returns how many. Safe to repeat, anywhere, at once.
    """
    since = now - timedelta(days=settings.DELIVERY_CONFIRM_DAYS)
    silent = OrderTrack.objects.on_the_road_since(since).values_list("pk", flat=True)
    return sum(_try_to_confirm(pk, since) for pk in list(silent[:CONFIRMED_PER_ROUND]))


def _try_to_confirm(track_id: int, since: datetime) -> bool:
    """Confirm one of many: one that cannot be now does not keep the others from it."""
    try:
        return _confirm_silent(track_id, since)
    except DatabaseError:
        logger.exception("line %s could not be confirmed; the next round tries again", track_id)
        return False


@transaction.atomic
def _confirm_silent(track_id: int, since: datetime) -> bool:
    _, line = _locked(track_id)
    if line.track_status != TrackStatus.SHIPPING or line.updated_at > since:
        return False
    days = settings.DELIVERY_CONFIRM_DAYS
    _step(line, TrackStatus.DELIVERED, by=None, note=f"No word from the buyer for {days} days.")
    return True


def mark_line_refunded(track_id: int) -> None:
    """Note that the money of a line that was returned is back. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    line = locked_row(OrderTrack, track_id)
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _step(line, TrackStatus.REFUNDED, by=None, note="")


def _cancel(order: Order, line: OrderTrack, *, goods_there: bool, by: User, note: str) -> None:
    line.returned = True
    _step(line, TrackStatus.CANCELLED, by=by, note=note)
    close_if_all_returned(order)
    if goods_there:
        stock.put_back(StockLine(line.product_id, line.number), reference=f"return:{line.pk}")


def _step(line: OrderTrack, to: str, *, by: User | None, note: str) -> None:
    """Save a line where it has come to, which wakes payments; and write that down."""
    line.track_status = to
    line.save(update_fields=["track_status", "returned", "updated_at"])
    TrackEvent.objects.create(track=line, track_status=to, actor=by, note=note[:200])
    if to in NOTIFIED and (by is None or by.pk != line.buyer_id):
        key = f"{NOTIFIED[to]}:track:{line.pk}"
        notify(NOTIFIED[to], key=key, order_id=line.order_id, track_id=line.pk)


def _locked(track_id: int) -> tuple[Order, OrderTrack]:
    """A line, locked after its order."""
    order_id = OrderTrack.objects.values_list("order_id", flat=True).get(pk=track_id)
    order, line = locked_row(Order, order_id), locked_row(OrderTrack, track_id)
    line.order = order
    return order, line
