"""The API of a seller's order lines."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, read_words, refuse_unknown
from omachemainproj.media import media_prefix
from orders.collection_codes import misses_of, tries_left
from orders.models import OrderTrack, TrackStatus
from orders.models.lines import OrderTrackQuerySet
from orders.representations import represent_sale
from orders.tracking.serializers import SaleFilterInput, SaleOutput

from .abilities import moves_of_reader
from .queries import KEYSET, as_sale_rows

_LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) where there is a next page.',
)
_SALE = OpenApiExample(
    "sold",
    value={
        "id": 512,
        "order": "PR7KWQ4M",
        "reference": "PR7KWQ4M",
        "product": 41,
        "name": "Ramtons cordless kettle 1.7 L",
        "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
        "number": 2,
        "price": 1850,
        "amount": 3700,
        "reduced": 0,
        "track_status": "paid",
        "buyer": "Wanjiku",
        "phone": "254712345678",
        "county": "nairobi",
        "delivery": {"way": "pickup", "pickup_point": "Kilimani Pick-up"},
        "created_at": "2026-11-24T08:15:00.123456Z",
        "updated_at": "2026-11-24T08:16:02.654321Z",
        "moves": ["cancelled"],
        "code_tries": 5,
    },
    response_only=True,
    status_codes=[200],
)


class SellerOrdersView(GenericAPIView):
    """The caller's sales."""

    queryset = OrderTrack.objects.none()
    serializer_class = SaleOutput
    pagination_class = KeysetPagination
    keyset = KEYSET
    throttle_scope = "sell"

    @extend_schema(
        operation_id="seller_orders",
        summary="Lines to fulfil",
        tags=["selling"],
        parameters=[SaleFilterInput, _LINK],
        responses={200: SaleOutput(many=True)},
        examples=[_SALE],
    )
    def get(self, request: Request) -> Response:
        """The caller's sales, newest first: those paid and not delivered yet, or those with the
        given `status`, which can be repeated.

        The buyer is shown by first name and, from payment until a week after delivery, with
        `phone` and `county`.
        """
        seller = current_user(request)
        sold = OrderTrack.objects.sold_by(seller)
        refuse_unknown(request, ("status", *PAGING))
        rows = self.paginate_queryset(as_sale_rows(_filter_by_status(request, sold)))
        prefix = media_prefix(request)
        return self.get_paginated_response(
            [
                represent_sale(
                    row, prefix, moves_of_reader(row, seller.pk), tries_left(misses_of(row))
                )
                for row in rows or []
            ]
        )


def _filter_by_status(request: Request, lines: OrderTrackQuerySet) -> OrderTrackQuerySet:
    wanted = read_words(request, "status", TrackStatus.values)
    return lines.to_fulfil() if wanted is None else lines.filter(track_status__in=wanted)
