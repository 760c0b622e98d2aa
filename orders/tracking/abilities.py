"""What a user may do with a line now, computed from its row without a query."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orders.collection_codes import misses_of, tries_left
from orders.line_moves import Role, moves_of, own_roles
from orders.models import Order, OrderTrack, TrackStatus
from orders.problems.services import is_in_time
from products.reviews.services import EDITABLE_FOR


def what_reader_may(row: Any, reader_id: int, now: datetime) -> dict[str, Any]:
    """Like ``what_roles_may``, for the line's buyer or seller."""
    return what_roles_may(row, _own_roles(row, reader_id), now)


def what_roles_may(row: Any, roles: frozenset[Role], now: datetime) -> dict[str, Any]:
    """Return what a user with these roles may do with a line, from ``as_track_rows()``.

    ``moves`` are the statuses they may move it to, ``code_tries`` how many more codes may be tried
    at its handover. The rest is for its buyer only:
    ``can_report_problem`` and ``can_review`` are true if that is possible now;
    ``reviewable_until`` is when an existing review can no longer be changed, else None.
    """
    buys = Role.BUYER in roles
    reviewed_at = row.review__created_at if buys else None
    is_delivered = row.track_status == TrackStatus.DELIVERED
    return {
        "moves": _moves(row, roles),
        "code_tries": tries_left(misses_of(row)),
        "can_report_problem": buys and _can_report_problem(row, now),
        "can_review": (buys and is_delivered and reviewed_at is None and Role.SELLER not in roles),
        "reviewed": reviewed_at is not None,
        "reviewable_until": reviewed_at + EDITABLE_FOR if reviewed_at else None,
    }


def moves_of_reader(row: Any, reader_id: int) -> list[str]:
    """Return the statuses to which the line's buyer or seller may move it."""
    return _moves(row, _own_roles(row, reader_id))


def moves_of_line(line: OrderTrack, order: Order) -> list[str]:
    """Return the statuses to which an order's buyer may move one of its lines."""
    roles = own_roles(order.buyer_id, buyer_id=line.buyer_id, seller_id=line.seller_id)
    return moves_of(
        line.track_status,
        roles,
        is_brought=line.parcel_id is not None,
        in_doubt=order.in_doubt,
        code_misses=line.code_misses,
    )


def _moves(row: Any, roles: frozenset[Role]) -> list[str]:
    return moves_of(
        row.track_status,
        roles,
        is_brought=row.parcel_id is not None,
        in_doubt=row.order__in_doubt,
        code_misses=misses_of(row),
    )


def _own_roles(row: Any, reader_id: int) -> frozenset[Role]:
    return own_roles(reader_id, buyer_id=row.buyer_id, seller_id=row.seller_id)


def _can_report_problem(row: Any, now: datetime) -> bool:
    """Whether a problem can be reported: in time, and while no other is undecided."""
    return not row.disputed and is_in_time(row.track_status, row.updated_at, now)
