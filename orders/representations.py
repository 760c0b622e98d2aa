"""Orders and their lines as the API returns them. serializers.py describes the same shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from omachemainproj.phones import mask_phone

from .delivery.representation import (
    represent_delivery,
    represent_delivery_short,
    represent_delivery_to_bearer,
)
from .models import (
    CODE_SHOWN,
    PHONE_SHOWN,
    Order,
    OrderDelivery,
    OrderTrack,
    ParcelEvent,
    TrackEvent,
    TrackStatus,
)


def represent_order(
    order: Order,
    tracks: Sequence[OrderTrack],
    paying: Mapping[str, object],
    delivery: OrderDelivery | None = None,
    *,
    besides: Mapping[int, Mapping[str, object]],
) -> dict[str, Any]:
    """One order for its buyer; amounts in whole KES, times in UTC.

    ``delivery`` is where it goes, as ``orders.delivery.representation.delivery_of`` reads it.
    ``paying`` is added: ``amount_due``, ``prompt``, ``by_hand`` and ``expires_in``, from payments.
    So is to each line what ``besides`` has for its product.
    """
    shown = _represent_order(order, tracks, paying, besides)
    return shown | {"delivery": represent_delivery(delivery, shown["delivery_fee"])}


def represent_guests_order(
    order: Order,
    tracks: Sequence[OrderTrack],
    paying: Mapping[str, object],
    delivery: OrderDelivery | None = None,
    *,
    besides: Mapping[int, Mapping[str, object]],
    typed: bool = False,
) -> dict[str, Any]:
    """The same of a guest's order, for whoever has its token: without collection codes, and nothing
    to move lines by. Phones, names and places are hidden unless they were ``typed`` this moment.
    """
    shown = _represent_order(order, tracks, paying, besides)
    for line in shown["order"]:
        line |= {"collection_code": None, "moves": []}
    if typed:
        return shown | {"delivery": represent_delivery(delivery, shown["delivery_fee"])}
    return shown | {
        "mpesa_number": mask_phone(order.mpesa_number),
        "delivery": represent_delivery_to_bearer(delivery, shown["delivery_fee"]),
    }


def _represent_order(
    order: Order,
    tracks: Sequence[OrderTrack],
    paying: Mapping[str, object],
    besides: Mapping[int, Mapping[str, object]],
) -> dict[str, Any]:
    fee = order.amount - sum(track.amount for track in tracks)
    return {
        "order_token": str(order.order_token),
        "reference": order.reference,
        "payment_status": str(order.payment_status),
        "amount": order.amount,
        "mpesa_number": order.mpesa_number,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "order": [
            {
                "id": track.pk,
                "product": track.product_id,
                "name": track.name,
                "number": track.number,
                "price": track.price,
                "amount": track.amount,
                "track_status": str(track.track_status),
                "collection_code": track.shown_code,
                **besides[track.product_id],
            }
            for track in tracks
        ],
        "delivery": None,
        "delivery_fee": fee,
        **paying,
    }


def represent_order_row(
    order: Order,
    lines: Sequence[Any],
    abilities: Sequence[Mapping[str, object]],
    picture_prefix: str,
    *,
    amount_due: int,
    delivery: OrderDelivery | None,
    needs: Sequence[str],
) -> dict[str, Any]:
    """One order in the list of its buyer, with its lines from ``as_track_rows()`` and what may be
    done with each; amounts in whole KES."""
    fee = order.amount - sum(line.amount for line in lines)
    return {
        "order_token": str(order.order_token),
        "reference": order.reference,
        "payment_status": str(order.payment_status),
        "amount": order.amount,
        "amount_due": amount_due,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "order": [
            {
                "id": line.id,
                "product": line.product_id,
                "name": line.name,
                "number": line.number,
                "amount": line.amount,
                "track_status": line.track_status,
                "thumbnail": _address(line.product__thumbnail, picture_prefix),
                "seller": line.seller__username,
                **may,
            }
            for line, may in zip(lines, abilities, strict=True)
        ],
        "delivery": represent_delivery_short(delivery, fee),
        "needs": list(needs),
    }


def _address(picture: str, prefix: str) -> str | None:
    return f"{prefix}{picture}" if picture else None


def represent_track(
    row: Any, picture_prefix: str, may: Mapping[str, object], *, reader_id: int
) -> dict[str, Any]:
    """One tracking row, from ``as_track_rows()``; amounts in whole KES.

    Only the buyer is shown the collection code and the order's token: whoever has a guest's token
    may cancel and pay their order. What the reader ``may`` do is added.
    """
    is_buyer = row.buyer_id == reader_id
    shows_code = is_buyer and row.track_status in CODE_SHOWN
    return {
        "id": row.id,
        "order_token": str(row.order__order_token) if is_buyer else None,
        "reference": row.order__reference,
        "product": row.product_id,
        "name": row.name,
        "avatar": _address(row.product__thumbnail, picture_prefix),
        "number": row.number,
        "price": row.price,
        "amount": row.amount,
        "seller": row.seller__username,
        "track_status": row.track_status,
        "payment_status": row.order__payment_status,
        "collection_code": row.collection_code if shows_code else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        **may,
    }


def represent_sale(row: Any, picture_prefix: str, moves: Sequence[str]) -> dict[str, Any]:
    """One line for its seller, from ``as_sale_rows()``; amounts in whole KES.

    ``moves`` are the statuses to which the seller may move it. Of the buyer it has the first name
    and, from paid to a week after delivery, the number to call and the county the goods go to. Who
    takes them in there, and where, is the agent's to know.
    """
    shown = _shows_buyer(row)
    return {
        "id": row.id,
        "order": row.order__reference,
        "reference": row.order__reference,
        "product": row.product_id,
        "name": row.name,
        "thumbnail": _address(row.product__thumbnail, picture_prefix),
        "number": row.number,
        "price": row.price,
        "amount": row.amount,
        "track_status": row.track_status,
        "buyer": row.buyer__first_name or "customer",
        "phone": row.order__mpesa_number if shown else None,
        "county": row.order__delivery__county if shown else None,
        "delivery": _represent_way(row) if shown else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "moves": list(moves),
    }


def _represent_way(row: Any) -> dict[str, Any] | None:
    """By which way goods go; None where buyer and seller arrange it between them."""
    way, point = row.order__delivery__way, row.order__delivery__pickup_point__name
    return {"way": way, "pickup_point": point} if way else None


def _shows_buyer(row: Any) -> bool:
    if row.track_status == TrackStatus.DELIVERED:
        # A line does not change after its delivery but by its return.
        shown_for = timedelta(days=settings.SELLER_SEES_PHONE_DAYS)
        return bool(row.updated_at > timezone.now() - shown_for)
    return row.track_status in PHONE_SHOWN


def represent_history(line: OrderTrack) -> list[dict[str, Any]]:
    """All changes of a line's status, oldest first, when it reached its pick-up point, and when it
    was brought to its door in vain.

    Two queries; one for a line in no parcel.
    """
    created = TrackStatus.CREATED.value
    steps = [{"track_status": created, "at": line.created_at, "by": "buyer", "note": ""}]
    arrived_at = None
    for event in line.events.annotate(arrived_at=F("track__parcel__arrived_at")).order_by("pk"):
        arrived_at = event.arrived_at
        steps += _arrival(steps[-1], event.created_at, arrived_at)
        steps.append(
            {
                "track_status": event.track_status,
                "at": event.created_at,
                "by": _actor(event, line),
                "note": event.note,
            }
        )
    steps += _arrival(steps[-1], None, arrived_at)
    # Steps of one moment stay as they are.
    return sorted(steps + _attempts(line), key=lambda step: step["at"])


def _attempts(line: OrderTrack) -> list[dict[str, Any]]:
    """That a line was brought to its door and not handed over, each time, and why."""
    if line.parcel_id is None:
        return []
    return [
        {
            "track_status": TrackStatus.SHIPPING.value,
            "at": event.created_at,
            "by": "shop",
            "note": f"{event.get_reason_display()} {event.note}".strip(),
        }
        for event in ParcelEvent.objects.attempts().filter(parcel=line.parcel_id)
    ]


def _arrival(
    step: dict[str, Any], until: datetime | None, arrived_at: datetime | None
) -> list[dict[str, Any]]:
    """That a line which was on its way reached its pick-up point, if it was before the next step.

    The line is on its way still: what it waits for is its buyer.
    """
    if arrived_at is None or step["track_status"] != TrackStatus.SHIPPING:
        return []
    if step["at"] > arrived_at or (until is not None and until < arrived_at):
        return []
    note = "It waits at the pick-up point."
    return [{"track_status": step["track_status"], "at": arrived_at, "by": "shop", "note": note}]


def _actor(event: TrackEvent, line: OrderTrack) -> str:
    return {line.buyer_id: "buyer", line.seller_id: "seller"}.get(event.actor_id or 0, "shop")
