"""The stock movements of the caller's products over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from products.models import StockMovement

from . import openapi
from .serializers import StockMoveOutput
from .views import own_product

#: The kind of a movement, by the beginning of its reference. The rest of it identifies rows.
KINDS = {"listed": "listed", "order": "sold", "return": "returned"}
#: Any other reference: restocks by the seller, including those from sheets.
RESTOCKED = "restocked"


class StockView(GenericAPIView):
    """The movements of one product's stock, newest first."""

    queryset = StockMovement.objects.none()
    serializer_class = StockMoveOutput
    pagination_class = KeysetPagination
    throttle_scope = "sell"

    @extend_schema(**openapi.STOCK)
    def get(self, request: Request, product_id: str) -> Response:
        refuse_unknown(request, PAGING)
        product = own_product(request, product_id)
        page = self.paginate_queryset(_moves(product.pk)) or []
        return self.get_paginated_response([_represent(row) for row in page])


def _moves(product_id: int) -> QuerySet[Any]:
    rows = StockMovement.objects.filter(product=product_id)
    return rows.values_list(
        "id", "quantity", "reference", "note", "actor__username", "created_at", named=True
    )


def _represent(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.quantity,
        "kind": KINDS.get(row.reference.partition(":")[0], RESTOCKED),
        "note": row.note,
        "by": row.actor__username,
        "created_at": row.created_at,
    }
