"""The status moves of an order line, and the roles that may make each. Nothing is written."""

from __future__ import annotations

from enum import Enum

from accounts.models import User

from .claims import DELIVER_PERMISSION
from .models import OrderTrack, Parcel, TrackStatus
from .models.lines import MAX_CODE_MISSES


class Role(Enum):
    """The role in which a user acts on a line."""

    BUYER = "its buyer"
    SELLER = "its seller"
    AGENT = "a delivery agent"
    POINT = "who hands over at its pick-up point"
    STAFF = "staff"
    SHOP = "the shop itself"


#: By status of a line: the statuses that may follow, and the roles that may set each. All other
#: moves are refused.
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


#: Additional moves for orders without a delivery, where seller and buyer meet without an agent. The
#: buyer's code proves the handover. Recorded as two steps: fetched, then delivered.
DIRECT_HANDOVER_TRANSITIONS: dict[str, dict[str, frozenset[Role]]] = {
    TrackStatus.PAID: {TrackStatus.DELIVERED: frozenset({Role.SELLER})},
}


#: Roles that deliver goods without having bought or sold them.
CARRIER_ROLES = frozenset({Role.AGENT, Role.POINT, Role.STAFF})


#: Statuses after the goods left their seller; not allowed while the payment is in doubt.
GOODS_MOVED = frozenset({TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED})


#: Roles that cannot mark goods as delivered without the buyer's code.
_NEED_CODE = frozenset({Role.SELLER, Role.AGENT, Role.POINT})


def roles_of(user: User, line: OrderTrack) -> frozenset[Role]:
    """Return a user's roles for a line; empty if it does not concern them.

    Its buyer and seller have no other role, whatever their permissions: otherwise they could
    confirm a delivery they are paid for, or refund their own purchase. A user who only works at
    the line's pick-up point has a role once it was fetched.
    """
    own = own_roles(user.pk, buyer_id=line.buyer_id, seller_id=line.seller_id)
    if own:
        return own
    powers = staff_roles_of(user)
    if not powers and line.track_status in GOODS_MOVED and is_at_point(user, line):
        return frozenset({Role.POINT})
    return powers


def is_at_point(user: User, line: OrderTrack) -> bool:
    """Whether a user is an agent of the pick-up point a line goes to.

    One query; none if the line has no parcel.
    """
    if line.parcel_id is None:
        return False
    return Parcel.objects.filter(pk=line.parcel_id).at_points_of(user).exists()


#: Keyed by (bought the line, sold the line).
_OWN_ROLES = {
    (False, False): frozenset[Role](),
    (True, False): frozenset({Role.BUYER}),
    (False, True): frozenset({Role.SELLER}),
    (True, True): frozenset({Role.BUYER, Role.SELLER}),
}


def own_roles(person_id: int, *, buyer_id: int, seller_id: int) -> frozenset[Role]:
    """Return the roles of a line's buyer or seller; empty for everyone else."""
    return _OWN_ROLES[person_id == buyer_id, person_id == seller_id]


def staff_roles_of(user: User) -> frozenset[Role]:
    """Return the roles a user's permissions give for lines they neither bought nor sold."""
    if user.has_perm("orders.decide_lines"):
        return frozenset({Role.STAFF, Role.AGENT})
    return frozenset({Role.AGENT}) if user.has_perm(DELIVER_PERMISSION) else frozenset()


def transitions_from(track_status: str, *, is_brought: bool) -> dict[str, frozenset[Role]]:
    """Return the statuses that may follow this one, each with the roles that may set it.

    ``is_brought``: whether the order has a delivery, so that the line is in a parcel.
    """
    ways = TRANSITIONS[track_status]
    return ways if is_brought else ways | DIRECT_HANDOVER_TRANSITIONS.get(track_status, {})


def moves_of(
    track_status: str,
    roles: frozenset[Role],
    *,
    is_brought: bool,
    in_doubt: bool,
    code_misses: int,
) -> list[str]:
    """Return the statuses to which these roles may move a line now, in order of delivery.

    Used for everything the API and the admin offer to buyers, sellers, agents and staff. A code or
    reason that a move requires is checked when it is made. ``in_doubt`` is that of the line's
    order; ``is_brought`` as in ``transitions_from``.
    """
    moves = []
    for to, allowed in transitions_from(track_status, is_brought=is_brought).items():
        mine = allowed & roles
        is_locked = in_doubt and to in GOODS_MOVED
        is_guessed_out = to == TrackStatus.DELIVERED and mine <= _NEED_CODE
        if mine and not is_locked and not (is_guessed_out and code_misses >= MAX_CODE_MISSES):
            moves.append(str(to))
    return moves
