"""Order lines in the status that a test needs, brought there as the shop does it."""

from orders.fulfilment import move_line
from orders.lifecycle import cancel_order
from orders.models import OrderTrack, TrackStatus
from payments.models import Refund
from payments.transfers import mark_done
from tests.conftest import signed_in
from tests.factories import UserFactory, give_role
from tests.shopping import an_order, paid_line

#: The steps that lead from paid to each status.
_STEPS = {
    TrackStatus.PAID: (),
    TrackStatus.FETCHED: ("fetched",),
    TrackStatus.SHIPPING: ("fetched", "shipping"),
    TrackStatus.DELIVERED: ("fetched", "shipping", "delivered"),
    TrackStatus.CANCELLED: ("cancelled",),
    TrackStatus.REFUNDED: ("cancelled",),
}


def line_at(status, *, buyer, product, number=1) -> OrderTrack:
    """A line of an order of its own, at this status."""
    if status == TrackStatus.CREATED:
        return an_order(buyer, (product, number)).tracks.get()
    line = paid_line(buyer, product, number)
    staff = UserFactory(is_superuser=True)
    for step in _STEPS[status]:
        move_line(line.pk, step, actor=staff, note="as it went")
    if status == TrackStatus.REFUNDED:
        mark_done(Refund.objects.get(track=line), number=f"TKX{line.pk:07d}")
    line.refresh_from_db()
    return line


def given_up_line(*, buyer, product) -> OrderTrack:
    """A line that was never paid, of an order its buyer gave up."""
    order = an_order(buyer, (product, 1))
    cancel_order(order.pk, cancelled_by="staff")
    return order.tracks.get()


def with_role(role):
    """Somebody of this role's, and nothing else to the line."""
    return give_role(UserFactory(), role)


def move(user, line, to, **more):
    """POST /track/{id}/move/ by this person."""
    return signed_in(user).post(f"/track/{line.pk}/move/", {"to": to, **more}, format="json")


def steps(line):
    """Where a line has been, in order; its birth apart."""
    return list(line.events.order_by("pk").values_list("track_status", flat=True))
