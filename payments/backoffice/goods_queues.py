"""Queues about goods: problems, uncollected parcels and closed pick-up points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from orders.models import OrderTrack, Problem
from orders.parcels.waiting import going_to_closed_points, uncollected

from .permissions import DECIDING_PROBLEMS, LOOKING_AT_PROBLEMS
from .queue import Queue

#: How often the time for an answer may pass before somebody has to decide, answered or not.
OPEN_TOO_LONG = 4
_PROBLEM = {
    "Problem": lambda problem: problem.get_kind_display(),
    "Of order": lambda problem: problem.track.order,
    "Goods": lambda problem: problem.track,
    "Costs": lambda problem: format_kes(problem.track.rest),
    "Stands": lambda problem: problem.get_state_display(),
    "Reported": lambda problem: problem.opened_at,
    "Unanswered since": lambda problem: problem.waiting_since,
}
_BROUGHT: dict[str, Callable[[Any], Any]] = {
    "Goods": str,
    "Of order": lambda line: line.order,
    "Point": lambda line: line.order.delivery.pickup_point,
    "Its phone": lambda line: dial(line.order.delivery.pickup_point.phone),
    "Call the buyer": lambda line: dial(line.order.delivery.phone),
    "Stands": lambda line: line.get_track_status_display(),
}


def _brought(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack]:
    return lines.select_related("order__delivery__pickup_point", "parcel")


def undecided_problems() -> QuerySet[Problem]:
    """Problems that have not ended, with their lines and orders."""
    return Problem.objects.undecided().select_related("track__order")


def late_problems(now: datetime) -> QuerySet[Problem]:
    """Those of them whose buyer has waited for days for a word, or that are open for too long."""
    unanswered = now - timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    too_long = now - OPEN_TOO_LONG * timedelta(days=settings.PROBLEM_ANSWER_DAYS)
    return undecided_problems().filter(
        Q(waiting_since__lte=unanswered) | Q(opened_at__lte=too_long)
    )


LATE_PROBLEMS = Queue(
    key="problems-late",
    title="Problems that wait for the shop",
    about="A buyer has waited for days, and neither the seller nor the shop has answered; or "
    "it has been open for too long. The seller's money waits with it. Read it, and decide.",
    rows=lambda now: late_problems(now).order_by("opened_at", "pk"),
    columns=_PROBLEM,
    listed="orders_problem_changelist?state__in=open,returning",
    looking=LOOKING_AT_PROBLEMS,
    acting=DECIDING_PROBLEMS,
)

UNCOLLECTED = Queue(
    key="uncollected",
    title="Goods nobody collects",
    about="They wait at their pick-up point for longer than they should (PICKUP_DAYS), and "
    "their buyers were told twice. Call them. Then wait, have the goods brought back and "
    "cancelled, or say why they count as delivered.",
    rows=lambda now: _brought(uncollected(now)).order_by("parcel__arrived_at", "pk"),
    columns={**_BROUGHT, "There since": lambda line: line.parcel.arrived_at},
    listed="orders_ordertrack_changelist?track_status__exact=shipping",
    looking=DECIDING_PROBLEMS,
    acting=DECIDING_PROBLEMS,
)

OPEN_PROBLEMS = Queue(
    key="problems",
    title="Problems with goods",
    about="Sellers are to answer these first. Nobody keeps you from deciding now.",
    rows=lambda now: (
        undecided_problems()
        .exclude(pk__in=late_problems(now).values("pk"))
        .order_by("opened_at", "pk")
    ),
    columns=_PROBLEM,
    listed="orders_problem_changelist?state__in=open,returning",
    for_information=True,
    looking=LOOKING_AT_PROBLEMS,
    acting=DECIDING_PROBLEMS,
)

CLOSED_POINTS = Queue(
    key="closed-points",
    title="Goods for a point that is closed",
    about="Their pick-up point has closed since they were ordered. It keeps what is under way; "
    "where it does not, call the buyer, and agree where they go instead.",
    rows=lambda now: _brought(going_to_closed_points()).order_by("order", "pk"),
    columns={**_BROUGHT, "There since": lambda line: line.parcel.arrived_at},
    listed="orders_ordertrack_changelist?track_status__exact=paid",
    for_information=True,
    looking=DECIDING_PROBLEMS,
    acting=DECIDING_PROBLEMS,
)
