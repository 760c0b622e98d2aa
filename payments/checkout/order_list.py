"""The list of a buyer's orders over HTTP. It is in payments because it shows the amount due."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from omachemainproj.media import media_prefix
from orders.delivery.representation import deliveries_of
from orders.models import Order
from orders.representations import represent_order_row
from orders.tracking.abilities import what_reader_may
from orders.tracking.needs import needs_of
from orders.tracking.queries import KEYSET, read_orders, read_rows_of
from payments.checkout.serializers import OrderRowOutput
from payments.models import buyers_money_of

_LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) where there is a next page.',
)
_ORDER = OpenApiExample(
    "on the way",
    value={
        "order_token": "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
        "reference": "PR7KWQ4M",
        "payment_status": "paid",
        "amount": 3800,
        "amount_due": 0,
        "refund": 0,
        "refunded": 0,
        "created_at": "2026-11-24T08:15:00.123456Z",
        "expires_at": "2026-11-24T08:30:00.123456Z",
        "order": [
            {
                "id": 512,
                "product": 41,
                "name": "Ramtons cordless kettle 1.7 L",
                "number": 2,
                "amount": 3700,
                "reduced": 0,
                "track_status": "shipping",
                "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
                "seller": "amina",
                "moves": ["delivered"],
                "code_tries": 5,
                "can_report_problem": True,
                "can_review": False,
                "reviewed": False,
                "reviewable_until": None,
            }
        ],
        "delivery": {"way": "pickup", "place": "Kilimani Pick-up, Nairobi", "days": 2, "fee": 100},
        "needs": ["confirm"],
    },
    response_only=True,
    status_codes=[200],
)


class OrdersView(GenericAPIView):
    """All orders that the caller placed."""

    throttle_scope = "read"
    queryset = Order.objects.none()
    serializer_class = OrderRowOutput
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="orders",
        summary="List the caller's orders",
        tags=["orders"],
        parameters=[_LINK],
        responses={200: OrderRowOutput(many=True)},
        examples=[_ORDER],
    )
    def get(self, request: Request) -> Response:
        """List the caller's own orders, newest first, with their lines, the amount still due and
        what the caller has to do (`needs`). `/cashout/{order_token}/` returns one in full."""
        refuse_unknown(request, PAGING)
        pager = self.pagination_class()
        buyer_id = current_user(request).pk
        orders = pager.paginate(request, KEYSET, partial(read_orders, buyer_id))
        return pager.get_paginated_response(
            _represent(orders, buyer_id, media_prefix(request), timezone.now())
        )


def _represent(
    orders: list[Order], buyer_id: int, picture_prefix: str, now: datetime
) -> list[dict[str, Any]]:
    """The rows of a page. At most three queries, for any number of orders and lines."""
    lines = defaultdict(list)
    for row in read_rows_of([order.pk for order in orders]) if orders else ():
        lines[row.order_id].append(row)
    money = buyers_money_of([order.pk for order in orders])
    brought = deliveries_of([order.pk for order in orders if _is_brought(lines[order.pk])])
    rows = []
    for order in orders:
        theirs = lines[order.pk]
        may = [what_reader_may(line, buyer_id, now) for line in theirs]
        due = max(order.amount - money[order.pk].credited, 0) if order.is_unpaid else 0
        rows.append(
            represent_order_row(
                order,
                theirs,
                may,
                picture_prefix,
                money={
                    "amount_due": due,
                    "refund": money[order.pk].refund,
                    "refunded": money[order.pk].refunded,
                },
                delivery=brought.get(order.pk),
                needs=needs_of(order, theirs, may, amount_due=due, now=now),
            )
        )
    return rows


def _is_brought(lines: list[Any]) -> bool:
    """Whether the order is delivered: then its lines are in parcels."""
    return any(line.parcel_id is not None for line in lines)
