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
    line_extras: Mapping[int, Mapping[str, object]],
) -> dict[str, Any]:
    """Return an order for its buyer; amounts in whole KES, times in UTC.

    ``delivery`` comes from ``orders.delivery.representation.delivery_of``. ``paying`` is merged
    into the order: ``amount_due``, ``refund``, ``refunded``, ``prompt``, ``by_hand`` and
    ``expires_in``, from payments.
    ``line_extras`` is merged into the lines, by product id.
    """
    shown = _represent_order(order, tracks, paying, line_extras)
    return shown | {"delivery": represent_delivery(delivery, shown["delivery_fee"])}


def represent_guests_order(
    order: Order,
    tracks: Sequence[OrderTrack],
    paying: Mapping[str, object],
    delivery: OrderDelivery | None = None,
    *,
    line_extras: Mapping[int, Mapping[str, object]],
    typed: bool = False,
) -> dict[str, Any]:
    """Return a guest's order for anyone with its token: without collection codes or moves.

    Phones, names and places are masked, unless this request contained them (``typed``).
    """
    shown = _represent_order(order, tracks, paying, line_extras)
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
    line_extras: Mapping[int, Mapping[str, object]],
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
                "reduced": track.reduced,
                "track_status": str(track.track_status),
                "collection_code": track.shown_code,
                **line_extras[track.product_id],
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
    money: Mapping[str, int],
    delivery: OrderDelivery | None,
    needs: Sequence[str],
) -> dict[str, Any]:
    """Return one row of a buyer's order list; amounts in whole KES.

    ``lines`` come from ``as_track_rows()``, ``abilities`` are what may be done with each. ``money``
    is merged into the row: ``amount_due``, ``refund`` and ``refunded``, from payments.
    """
    fee = order.amount - sum(line.amount for line in lines)
    return {
        "order_token": str(order.order_token),
        "reference": order.reference,
        "payment_status": str(order.payment_status),
        "amount": order.amount,
        **money,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "order": [
            {
                "id": line.id,
                "product": line.product_id,
                "name": line.name,
                "number": line.number,
                "amount": line.amount,
                "reduced": line.reduced,
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
    """Return one tracking row, from ``as_track_rows()``; amounts in whole KES.

    Only the buyer is shown the collection code and the order's token: a guest's token is all it
    takes to cancel and pay their order. ``may`` (what the reader may do) is merged in.
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
        "reduced": row.reduced,
        "seller": row.seller__username,
        "track_status": row.track_status,
        "payment_status": row.order__payment_status,
        "collection_code": row.collection_code if shows_code else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        **may,
    }


def represent_sale(
    row: Any, picture_prefix: str, moves: Sequence[str], code_tries: int
) -> dict[str, Any]:
    """Return one line for its seller, from ``as_sale_rows()``; amounts in whole KES.

    ``moves`` are the statuses to which the seller may move it, ``code_tries`` how many more codes
    may be tried for that. The buyer is shown by first name and, from payment until
    SELLER_SEES_PHONE_DAYS after delivery, with phone and county. The recipient and the address are
    shown to delivery agents only.
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
        "reduced": row.reduced,
        "track_status": row.track_status,
        "buyer": row.buyer__first_name or "customer",
        "phone": row.order__mpesa_number if shown else None,
        "county": row.order__delivery__county if shown else None,
        "delivery": _represent_way(row) if shown else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "moves": list(moves),
        "code_tries": code_tries,
    }


def _represent_way(row: Any) -> dict[str, Any] | None:
    """The delivery method; None if buyer and seller arrange it between them."""
    way, point = row.order__delivery__way, row.order__delivery__pickup_point__name
    return {"way": way, "pickup_point": point} if way else None


def _shows_buyer(row: Any) -> bool:
    if row.track_status == TrackStatus.DELIVERED:
        # After delivery a line changes only by a return, so this is the time of delivery.
        shown_for = timedelta(days=settings.SELLER_SEES_PHONE_DAYS)
        return bool(row.updated_at > timezone.now() - shown_for)
    return row.track_status in PHONE_SHOWN


def represent_history(line: OrderTrack) -> list[dict[str, Any]]:
    """Return the history of a line, oldest first.

    It has all status changes, the arrival at a pick-up point and failed delivery attempts. Two
    queries; one for a line without a parcel.
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
    # The sort is stable: steps with the same time keep their order.
    return sorted(steps + _attempts(line), key=lambda step: step["at"])


def _attempts(line: OrderTrack) -> list[dict[str, Any]]:
    """Return each failed delivery attempt of a line, with its reason."""
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
    """Return the arrival at the pick-up point as a step, if it happened before the next step.

    The line's status stays ``shipping``: it waits for its buyer.
    """
    if arrived_at is None or step["track_status"] != TrackStatus.SHIPPING:
        return []
    if step["at"] > arrived_at or (until is not None and until < arrived_at):
        return []
    note = "The parcel is waiting at the pick-up point."
    return [{"track_status": step["track_status"], "at": arrived_at, "by": "shop", "note": note}]


def _actor(event: TrackEvent, line: OrderTrack) -> str:
    return {line.buyer_id: "buyer", line.seller_id: "seller"}.get(event.actor_id or 0, "shop")
