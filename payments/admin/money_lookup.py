"""Finding orders, receipts, refunds and payouts by a number, phone or reference."""

from __future__ import annotations

from itertools import product
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

#: Characters of M-Pesa's numbers that people take for each other, read out or on a small screen.
_LOOK_ALIKES = {each: alike for alike in ("O0", "I1") for each in alike}
#: A longer list of spellings is not searched: the number then has to be exact.
_MAX_SPELLINGS = 64


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


def spellings_of_number(typed: str) -> list[str]:
    """Receipt numbers that may be meant, the typed one first; that of a pasted M-Pesa SMS too.

    O and 0, and I and 1, may be typed for each other. Empty if nothing was typed.
    """
    number = tidy_number(without_sms(fold_identifier(typed)))
    if not number:
        return []
    # Each character first, so that the number itself is the first spelling.
    alike = [each + _LOOK_ALIKES.get(each, "").replace(each, "") for each in number]
    if 2 ** sum(len(each) > 1 for each in alike) > _MAX_SPELLINGS:
        return [number]
    return ["".join(characters) for characters in product(*alike)]


def find_receipt(typed: str) -> Receipt | None:
    """Return the receipt with this number, in any spelling, of any provider.

    The number may also be that of a pasted M-Pesa SMS.
    """
    spellings = spellings_of_number(typed)
    found = Receipt.objects.with_number(*spellings) if spellings else ()
    return min(found, key=lambda receipt: spellings.index(receipt.number), default=None)


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
    numbers = spellings_of_number(typed)
    # The index leaves out empty numbers, so the query has to exclude them.
    if numbers and model.objects.filter(number__in=numbers).exclude(number="").exists():
        return {"number__in": numbers}
    if model.objects.filter(originator_conversation_id=typed).exists():
        return {"originator_conversation_id": typed}
    return {}
