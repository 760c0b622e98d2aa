"""The status moves of an order line, and the roles that may make each. Nothing is written."""

from __future__ import annotations

from enum import Enum

from accounts.models import User

from .claims import BRINGS
from .models import OrderTrack, Parcel, TrackStatus
from .models.lines import MAX_CODE_MISSES


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
DIRECT_HANDOVER_TRANSITIONS: dict[str, dict[str, frozenset[Role]]] = {
    TrackStatus.PAID: {TrackStatus.DELIVERED: frozenset({Role.SELLER})},
}


#: Who brings goods without having bought or sold them.
CARRIER_ROLES = frozenset({Role.AGENT, Role.POINT, Role.STAFF})


#: What is not done with goods whose payment is in doubt.
GOODS_MOVED = frozenset({TrackStatus.FETCHED, TrackStatus.SHIPPING, TrackStatus.DELIVERED})


#: Who brings no goods to their end without the buyer's code.
_NEED_CODE = frozenset({Role.SELLER, Role.AGENT})


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
    if not powers and line.track_status in GOODS_MOVED and is_at_point(user, line):
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
    return ways if is_brought else ways | DIRECT_HANDOVER_TRANSITIONS.get(track_status, {})


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
        is_locked = in_doubt and to in GOODS_MOVED
        is_guessed_out = to == TrackStatus.DELIVERED and mine <= _NEED_CODE
        if mine and not is_locked and not (is_guessed_out and code_misses >= MAX_CODE_MISSES):
            moves.append(str(to))
    return moves
