"""Sellers' own products over HTTP. CSV files are in products.spreadsheets."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.api.fields import read_idempotency_key
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING
from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser
from omachemainproj.images import KEEP
from products.catalogue.filters import LISTING_ORDERS, ListingFilter, ProductFilterBackend
from products.catalogue.queries import as_listings, read_gallery
from products.catalogue.representation import ProductRepresentation, row_of
from products.catalogue.views import NoSuchProduct, ProductView
from products.models import Newest, Product

from . import openapi
from .serializers import (
    CreateProductInput,
    EditProductInput,
    ListingOutput,
    RestockInput,
)
from .services import (
    AlreadyListed,
    create_product,
    edit_product,
    restock_product,
    unlist_product,
)


class CreateView(APIView):
    """Lists a product."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]
    throttle_scope = "create"

    @extend_schema(**openapi.CREATE)
    def post(self, request: Request) -> Response:
        serializer = CreateProductInput(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        picture = values.pop("image", None)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        headers = {}
        try:
            product = create_product(
                seller=current_user(request), picture=picture, key=key, **values
            )
        except AlreadyListed as earlier:
            product = earlier.product
            headers["Idempotent-Replayed"] = "true"
        shape = ProductRepresentation(request)
        body = {
            **shape.product(row_of(product)),
            "pictures": shape.pictures(read_gallery(product.pk)) if product.image else [],
            "payment_mpesa_number": product.payment_mpesa_number,
            "listed": product.listed,
        }
        headers["Location"] = request.build_absolute_uri(f"/product/{product.pk}/")
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


class SellerProductsView(GenericAPIView):
    """All products of the caller, including unlisted ones."""

    serializer_class = ListingOutput
    queryset = Product.objects.none()
    filter_backends = [ProductFilterBackend]
    filterset_class = ListingFilter
    pagination_class = KeysetPagination
    parameters = PAGING
    throttle_scope = "sell"

    @property
    def keyset(self) -> tuple[str, ...]:
        """The columns by which this order is paged."""
        requested = self.request.query_params.get("ordering") or "newest"
        return LISTING_ORDERS["best-selling" if requested == "-sold" else requested]

    @extend_schema(**openapi.PRODUCTS)
    def get(self, request: Request) -> Response:
        mine = self.filter_queryset(Product.objects.owned_by(current_user(request)))
        counted = mine.annotate(newest=Newest(), available=F("item_number") - F("held"))
        rows = as_listings(counted, "newest", "available").order_by(*self.keyset)
        page = self.paginate_queryset(rows) or []
        shape = ProductRepresentation(request)
        return self.get_paginated_response([shape.listing(row) for row in page])


class OwnProductView(ProductView):
    """One product: anyone can read it, only its seller can change it."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]

    def get_permissions(self) -> list[Any]:
        return [AllowAny() if self.request.method in SAFE_METHODS else IsAuthenticated()]

    def get_throttles(self) -> list[Any]:
        if self.request.method not in SAFE_METHODS:
            self.throttle_scope = "sell"
        return super().get_throttles()

    @extend_schema(**openapi.EDIT)
    def patch(self, request: Request, product_id: str) -> Response:
        product = own_product(request, product_id)
        serializer = EditProductInput(
            product, data=request.data, partial=True, context={"request": request}
        )
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        edit_product(product.pk, picture=changes.pop("image", KEEP), **changes)
        return _answer(request, product.pk)

    @extend_schema(**openapi.UNLIST)
    def delete(self, request: Request, product_id: str) -> Response:
        unlist_product(own_product(request, product_id).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestockView(APIView):
    """Adds to the stock of one of the caller's products."""

    throttle_scope = "sell"

    @extend_schema(**openapi.RESTOCK)
    def post(self, request: Request, product_id: str) -> Response:
        product = own_product(request, product_id)
        serializer = RestockInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        is_new = restock_product(
            product.pk, by=current_user(request), key=key, **serializer.validated_data
        )
        answer = _answer(request, product.pk)
        answer.status_code = status.HTTP_201_CREATED
        if not is_new:
            answer["Idempotent-Replayed"] = "true"
        return answer


def own_product(request: Request, product_id: str) -> Product:
    """The caller's product, listed or not. Raises NoSuchProduct for any other."""
    product = Product.objects.owned_by(current_user(request)).filter(pk=int(product_id)).first()
    if product is None:
        raise NoSuchProduct
    return product


def _answer(request: Request, product_id: int) -> Response:
    row = as_listings(Product.objects.filter(pk=product_id)).get()
    return Response(ProductRepresentation(request).listing(row))
