"""Orders and their lines as the API shows them; serializers.py describes the same shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .models import Order, OrderTrack


def order_answer(
    order: Order, tracks: Iterable[OrderTrack], paying: Mapping[str, object]
) -> dict[str, Any]:
    """One order for its buyer; amounts in whole KES, times in UTC. Nothing about attempts.

    ``paying`` adds how its payment stands: ``amount_due``, ``prompt``, ``by_hand``.
    """
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
                "product": track.product_id,
                "name": track.name,
                "number": track.number,
                "price": track.price,
                "amount": track.amount,
                "track_status": str(track.track_status),
            }
            for track in tracks
        ],
        **paying,
    }


def track_answer(row: Any, picture_prefix: str) -> dict[str, Any]:
    """One tracking row, from ``orders.pages.read_tracks``; amounts in whole KES."""
    picture = row.product__thumbnail
    return {
        "id": row.id,
        "order_token": str(row.order__order_token),
        "product": row.product_id,
        "name": row.name,
        "avatar": f"{picture_prefix}{picture}" if picture else None,
        "number": row.number,
        "price": row.price,
        "amount": row.amount,
        "seller": row.seller__username,
        "track_status": row.track_status,
        "payment_status": row.order__payment_status,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
