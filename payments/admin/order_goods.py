"""Parcels and lines on the page of an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from accounts.backoffice.formats import (
    kes,
    moment,
    phone_link,
    status_badge,
)
from accounts.backoffice.links import link_to
from accounts.backoffice.posted_forms import PageForm
from accounts.backoffice.row_page import (
    Buttons,
    Content,
    Part,
    section,
)
from accounts.models import User
from orders.fulfilment_actions import actions_for
from orders.models import (
    FeeState,
    Order,
    OrderTrack,
    Parcel,
    ParcelStatus,
    TrackStatus,
    status_of_parcel,
)
from orders.parcels.actions import form_name, offered
from orders.parcels.queries import Reader
from orders.sections.descriptions import price_of

from .fees import give_fee_back, may_return_fee

#: Permissions to move lines and parcels.
MOVES = ("orders.move_track", "orders.decide_lines")
_FEE_WORDS = {
    FeeState.HELD: "held until delivery",
    FeeState.EARNED: "earned",
    FeeState.RETURNED: "refunded",
}


@section(Order, "goods", "Goods", permission="orders.view_order", place=20)
def show_goods(order: Order, viewer: User) -> Content:
    lines: dict[int | None, list[OrderTrack]] = defaultdict(list)
    for line in order.tracks.all():
        lines[line.parcel_id].append(line)
    may_move = any(viewer.has_perm(name) for name in MOVES)
    reader = Reader.of(viewer) if may_move and order.parcels.all() else None
    groups = [
        _parcel(order, parcel, lines[parcel.pk], reader, viewer) for parcel in order.parcels.all()
    ]
    alone = [_line(line, viewer, may_move=may_move) for line in lines[None]]
    if alone:
        groups.append({"parcel": None, "lines": alone})
    forms = [form for group in groups for form in group.get("forms", ())]
    return Part("admin/payments/page/goods.html", {"groups": groups}, forms)


def _line(line: OrderTrack, viewer: User, *, may_move: bool) -> dict[str, Any]:
    return {
        "name": link_to(line, viewer),
        "price": price_of(line),
        "status": status_badge(line, "track_status"),
        "since": moment(line.updated_at),
        "seller": link_to(line.seller, viewer),
        "seller_phone": phone_link(line.payment_mpesa_number),
        "disputed": line.disputed,
        "buttons": Buttons(line, actions_for(line, viewer) if may_move else []),
    }


def _parcel(
    order: Order,
    parcel: Parcel,
    lines: Sequence[OrderTrack],
    reader: Reader | None,
    viewer: User,
) -> dict[str, Any]:
    status = status_of_parcel(
        {line.track_status for line in lines}, has_arrived=parcel.arrived_at is not None
    )
    forms = []
    if reader is not None and status is not None:
        parcel.order = order
        to_move = [line for line in lines if line.track_status in _MOVED]
        actions = offered(parcel, status, viewer, at_point=reader.is_at_point(parcel))
        forms = [
            PageForm.of(
                action,
                form_name(parcel, key),
                reverse("parcels-act", args=[parcel.pk, key]),
                f"parcel {parcel.pk}",
            )
            for key, action in actions.items()
            # A single line has the same buttons itself.
            if len(to_move) > 1 or key in {"claim", "release", "arrived", "attempt"}
        ]
    # The action finds the parcel by any of its lines.
    may_return = viewer.has_perm("orders.decide_lines") and may_return_fee(lines[0])
    return {
        "parcel": parcel,
        "status": status.label if status else "nothing to deliver",
        "is_done": status in {None, ParcelStatus.DELIVERED},
        "agent": link_to(parcel.agent, viewer),
        "fee": f"{kes(parcel.fee)}, {_FEE_WORDS[FeeState(parcel.fee_state)]}"
        if parcel.fee
        else "free",
        "forms": forms,
        "fee_buttons": Buttons(
            lines[0], [(give_fee_back.__name__, give_fee_back.short_description)]
        )
        if may_return
        else None,
        "lines": [_line(line, viewer, may_move=reader is not None) for line in lines],
    }


_MOVED = frozenset({TrackStatus.PAID, TrackStatus.FETCHED, TrackStatus.SHIPPING})
