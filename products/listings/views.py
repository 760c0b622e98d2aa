"""What sellers do with their own products over HTTP; their files are in products.sheet_views."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.services import KEEP
from omachemainproj.api.fields import read_idempotency_key
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser
from products.catalogue.filters import ListingFilter, ProductFilterBackend
from products.catalogue.representation import ProductRepresentation
from products.catalogue.views import NoSuchProduct, ProductView
from products.models import Product
from products.querysets import Newest
from products.serializers import EditProductInput, ListingOutput, RestockInput

from . import openapi as seller_descriptions
from .services import edit_product, restock_product, unlist_product


class SellerProductsView(GenericAPIView):
    """Everything the caller sells, shown to the public or not."""

    serializer_class = ListingOutput
    queryset = Product.objects.none()
    filter_backends = [ProductFilterBackend]
    filterset_class = ListingFilter
    pagination_class = KeysetPagination
    keyset = ("newest",)
    throttle_scope = "sell"

    @extend_schema(**seller_descriptions.PRODUCTS)
    def get(self, request: Request) -> Response:
        mine = self.filter_queryset(Product.objects.owned_by(_seller(request)))
        rows = mine.annotate(newest=Newest()).as_listings("newest").order_by("newest")
        page = self.paginate_queryset(rows) or []
        shape = ProductRepresentation(request)
        return self.get_paginated_response([shape.listing(row) for row in page])


class OwnProductView(ProductView):
    """One product: anyone reads it, its seller changes it."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]

    def get_permissions(self) -> list[Any]:
        return [AllowAny() if self.request.method in SAFE_METHODS else IsAuthenticated()]

    def get_throttles(self) -> list[Any]:
        if self.request.method not in SAFE_METHODS:
            self.throttle_scope = "sell"
        return super().get_throttles()

    @extend_schema(**seller_descriptions.EDIT)
    def patch(self, request: Request, product_id: str) -> Response:
        product = _own(request, product_id)
        asked = EditProductInput(
            product, data=request.data, partial=True, context={"request": request}
        )
        asked.is_valid(raise_exception=True)
        changes = dict(asked.validated_data)
        edit_product(product.pk, picture=changes.pop("image", KEEP), **changes)
        return _answer(request, product.pk)

    @extend_schema(**seller_descriptions.UNLIST)
    def delete(self, request: Request, product_id: str) -> Response:
        unlist_product(_own(request, product_id).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestockView(APIView):
    """The shelf of one of the caller's products."""

    throttle_scope = "sell"

    @extend_schema(**seller_descriptions.RESTOCK)
    def post(self, request: Request, product_id: str) -> Response:
        product = _own(request, product_id)
        asked = RestockInput(data=request.data)
        asked.is_valid(raise_exception=True)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        is_new = restock_product(product.pk, by=_seller(request), key=key, **asked.validated_data)
        answer = _answer(request, product.pk)
        answer.status_code = status.HTTP_201_CREATED
        if not is_new:
            answer["Idempotent-Replayed"] = "true"
        return answer


def _seller(request: Request) -> User:
    """The caller: nobody gets past the door without having signed in."""
    return cast(User, request.user)


def _own(request: Request, product_id: str) -> Product:
    """The caller's product, shown to the public or not. Raises NoSuchProduct for any other."""
    product = Product.objects.owned_by(_seller(request)).filter(pk=int(product_id)).first()
    if product is None:
        raise NoSuchProduct
    return product


def _answer(request: Request, product_id: int) -> Response:
    row = Product.objects.filter(pk=product_id).as_listings().get()
    return Response(ProductRepresentation(request).listing(row))
