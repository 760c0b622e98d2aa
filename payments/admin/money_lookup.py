"""Finding orders, receipts, refunds and payouts by a number, phone or reference."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.search import without_sms
from omachemainproj.phones import normalise_phone
from omachemainproj.text import fold_identifier
from orders import lookup
from orders.models import Order
from payments.backoffice.receipt_services import tidy_number
from payments.models import OrderPayment, Payout, Receipt, Refund


def find_orders(typed: str) -> dict[str, Any]:
    """Return the filter on orders for what was typed, or an empty dict when nothing matches.

    A phone, in any spelling, finds the newest COUNT_AT_MOST orders that it was prompted for or that
    it paid: payments have an index by phone, orders have none. Anything else is looked up by
    ``orders.lookup.find_orders``.
    """
    try:
        phone = normalise_phone(typed)
    except ValueError:
        return lookup.find_orders(typed)
    # Two queries instead of a join: for a phone without recent orders, the planner would scan
    # millions of rows from the newest on.
    prompted = OrderPayment.objects.filter(phone=phone)
    paid = Receipt.objects.paid_from(phone).filter(order__isnull=False)
    newest = [
        found.order_by("-order").values_list("order", flat=True).distinct()[:COUNT_AT_MOST]
        for found in (prompted, paid)
    ]
    return {"pk__in": {pk for orders in newest for pk in orders}}


def find_orders_and_received(typed: str) -> dict[str, Any]:
    """As ``find_orders``, and also by the recipient's phone or name, for viewers of orders.

    By recipient at most COUNT_AT_MOST are found.
    """
    found = find_orders(typed)
    if found.keys() & {"order_token", "reference"}:
        return found
    received = [each.pk for each in lookup.deliveries_to(typed, COUNT_AT_MOST)]
    if not received:
        return found
    if not found:
        return {"pk__in": received}
    known = Order.objects.filter(**found).values_list("pk")
    return {"pk__in": known.union(Order.objects.filter(pk__in=received).values_list("pk"))}


def find_receipt(typed: str) -> Receipt | None:
    """Return the receipt with this number, in any spelling, of any provider.

    The number may also be that of a pasted M-Pesa SMS.
    """
    number = tidy_number(without_sms(fold_identifier(typed)))
    return Receipt.objects.with_number(number).first() if number else None


def find_receipts(typed: str) -> dict[str, Any]:
    """Return the filter on receipts for a number, the paying phone, or what finds the order.

    An empty dict if nothing matches.
    """
    receipt = find_receipt(typed)
    if receipt:
        return {"pk": receipt.pk}
    of_orders = {f"order__{name}": value for name, value in find_orders(typed).items()}
    try:
        paid = Receipt.objects.paid_from(normalise_phone(typed))
    except ValueError:
        return of_orders
    known = Receipt.objects.filter(**of_orders)
    return {"pk__in": paid.values_list("pk").union(known.values_list("pk"))}


def find_prompts(request_id: str) -> QuerySet[OrderPayment]:
    """The attempt with this CheckoutRequestID of Daraja, or none."""
    # The index leaves out empty IDs, so the query has to exclude them.
    return OrderPayment.objects.filter(checkout_request_id=request_id).exclude(
        checkout_request_id=""
    )


def find_transfers(model: type[Refund] | type[Payout], typed: str) -> dict[str, Any]:
    """Return the filter on refunds or payouts for M-Pesa's receipt number, or our ID.

    An empty dict if neither matches.
    """
    number = tidy_number(typed)
    # The index leaves out empty numbers, so the query has to exclude them.
    if model.objects.filter(number=number).exclude(number="").exists():
        return {"number": number}
    if model.objects.filter(originator_conversation_id=typed).exists():
        return {"originator_conversation_id": typed}
    return {}
