"""Finding an order by what a caller reads out, the phone that paid for it included."""

from __future__ import annotations

from typing import Any

from omachemainproj.phones import normalise_phone
from orders import lookup
from payments.models import OrderPayment


def find_orders(typed: str) -> dict[str, Any]:
    """Return the filter on orders for what was typed, or an empty dict when nothing matches.

    A phone, in any spelling, finds the orders it was asked to pay: payments have an index by
    phone, orders have none. Anything else is as in ``orders.lookup.find_orders``.
    """
    try:
        phone = normalise_phone(typed)
    except ValueError:
        return lookup.find_orders(typed)
    return {"pk__in": OrderPayment.objects.filter(phone=phone).values_list("order")}
