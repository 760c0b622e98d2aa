"""Finding an order by what a caller reads out: its token, its reference, a phone, a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import User
from omachemainproj.phones import normalise_phone

from .models import Order


def find_orders(typed: str) -> dict[str, Any]:
    """Return the filter on orders for what was typed, or an empty dict when nothing matches.

    Each reading is an exact look-up in an index, tried one after the other.
    """
    try:
        return {"order_token": UUID(typed)}
    except ValueError:
        pass
    try:
        return {"mpesa_number": normalise_phone(typed)}
    except ValueError:
        pass
    reference = typed.replace(" ", "").upper()
    if Order.objects.filter(reference=reference).exists():
        return {"reference": reference}
    buyer = User.objects.filter(username__iexact=typed).values_list("pk", flat=True).first()
    return {"buyer": buyer} if buyer else {}
