"""Queues about goods: problems, uncollected parcels, closed accounts and pick-up points."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from orders.models import OrderTrack, Problem
from orders.parcels.waiting import going_to_closed_points, of_closed_sellers, uncollected

from .permissions import DECIDE_PROBLEMS, VIEW_PROBLEMS
from .queue import Column, Queue

#: An open problem is late after this many times PROBLEM_ANSWER_DAYS, answered or not.
_OPEN_TOO_LONG = 4
_PROBLEM: dict[str, Column] = {
    "Problem": lambda problem: problem.get_kind_display(),
    "Order": "track.order",
    "Goods": "track",
    "Price": lambda problem: format_kes(problem.track.net_amount),
    "Status": lambda problem: problem.get_state_display(),
    "Reported": "opened_at",
    "Unanswered since": "waiting_since",
}
_LINE_AT_POINT: dict[str, Column] = {
    "Goods": str,
    "Order": "order",
    "Pick-up point": "order.delivery.pickup_point",
    "Phone of the point": lambda line: dial(line.order.delivery.pickup_point.phone),
    "Phone of the buyer": lambda line: dial(line.order.delivery.phone),
    "Status": lambda line: line.get_track_status_display(),
}


def _with_points(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack]:
    return lines.select_related("order__delivery__pickup_point", "parcel")


def undecided_problems() -> QuerySet[Problem]:
    """Problems that are not closed, with their lines and orders."""
    return Problem.objects.undecided().select_related("track__order")


def late_problems(now: datetime) -> QuerySet[Problem]:
    """Undecided problems unanswered for PROBLEM_ANSWER_DAYS, or open for four times as long."""
    unanswered = now - timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    too_long = now - _OPEN_TOO_LONG * timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    return undecided_problems().filter(
        Q(waiting_since__lte=unanswered) | Q(opened_at__lte=too_long)
    )


LATE_PROBLEMS = Queue(
    key="problems-late",
    title="Late problems",
    about="Neither the seller nor the shop has answered the buyer in time, or the problem has been "
    "open too long. The seller is not paid for the goods until you decide. Read it and decide.",
    rows=lambda now: late_problems(now).order_by("opened_at", "pk"),
    columns=_PROBLEM,
    listed="orders_problem_changelist?state__in=open,returning",
    view_permission=VIEW_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)

UNCOLLECTED = Queue(
    key="uncollected",
    title="Uncollected goods",
    about="These have been at their pick-up point longer than PICKUP_DAYS, and the buyers were "
    "reminded twice. Call the buyer. Then wait, have the goods brought back and cancel them, or "
    "mark them as delivered and say why.",
    rows=lambda now: _with_points(uncollected(now)).order_by("parcel__arrived_at", "pk"),
    columns={**_LINE_AT_POINT, "Arrived": "parcel.arrived_at"},
    listed="orders_ordertrack_changelist?track_status__exact=shipping",
    view_permission=DECIDE_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)

CLOSED_SELLERS = Queue(
    key="closed-sellers",
    title="Goods of closed accounts",
    about="These are paid for and still with their seller, whose account was closed: the seller "
    "can neither hand them over nor cancel them. Have them fetched, or cancel them: the buyer is "
    "refunded.",
    rows=lambda now: (
        of_closed_sellers().select_related("seller", "buyer", "order").order_by("order", "pk")
    ),
    columns={
        "Goods": str,
        "Order": "order",
        "Price": lambda line: format_kes(line.net_amount),
        "Seller": "seller",
        "Buyer": "buyer",
        "Status": lambda line: line.get_track_status_display(),
    },
    listed="orders_ordertrack_changelist?track_status__exact=paid",
    view_permission=DECIDE_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)

OPEN_PROBLEMS = Queue(
    key="problems",
    title="Problems with goods",
    about="Sellers answer first, but you may decide at any time.",
    rows=lambda now: (
        undecided_problems()
        .exclude(pk__in=late_problems(now).values("pk"))
        .order_by("opened_at", "pk")
    ),
    columns=_PROBLEM,
    listed="orders_problem_changelist?state__in=open,returning",
    for_information=True,
    view_permission=VIEW_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)

CLOSED_POINTS = Queue(
    key="closed-points",
    title="Goods for a closed pick-up point",
    about="The pick-up point closed after these were ordered. It still accepts parcels that are "
    "under way. If it does not, call the buyer and agree on another place.",
    rows=lambda now: _with_points(going_to_closed_points()).order_by("order", "pk"),
    columns={**_LINE_AT_POINT, "Arrived": "parcel.arrived_at"},
    listed="orders_ordertrack_changelist?track_status__exact=paid",
    for_information=True,
    view_permission=DECIDE_PROBLEMS,
    act_permission=DECIDE_PROBLEMS,
)
