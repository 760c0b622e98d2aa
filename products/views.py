"""The catalogue over HTTP: home, lists, search, one product, a new product, a cart."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from omachemainproj.errors import Refusal, refuse_field
from omachemainproj.pagination import KeysetPagination
from omachemainproj.parsers import StrictJSONParser, StrictMultiPartParser
from omachemainproj.renderers import write_json

from . import descriptions
from .filters import ORDERS, ProductFilter, ProductFilterBackend
from .home import newest_by_shelf
from .models import Category, Product
from .querysets import Newest, ProductQuerySet
from .rows import Shape
from .search import MAX_TERM, Unindexed, is_common, matching, words_in
from .serializers import CartInput, CreateProductInput, ProductOutput
from .services import create_product
from .vocabulary import put_right

_BIGGEST_ID = 2**63 - 1


class NoSuchProduct(Refusal):
    """No product the public may see has this id."""

    code = "product_not_found"
    message = "There is no such product."
    status_code = status.HTTP_404_NOT_FOUND


class NoSuchCategory(Refusal):
    """The address names none of the eight categories."""

    code = "category_not_found"
    message = "There is no such category."
    status_code = status.HTTP_404_NOT_FOUND


class HomeView(APIView):
    """The newest products of six categories."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**descriptions.HOME)
    def get(self, request: Request) -> HttpResponseBase | None:
        shape = Shape(request)
        shelves = {key: shape.products(rows) for key, rows in newest_by_shelf().items()}
        body = write_json(shelves)
        etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        response = HttpResponse(body, content_type="application/json")
        response["ETag"] = etag
        # Kept by browsers, but asked about each time: what was sold out a second ago is gone.
        response["Cache-Control"] = "no-cache"
        return get_conditional_response(request._request, etag=etag, response=response)


class ProductListView(GenericAPIView):
    """What the lists of products share: the filters, the orders, the pages."""

    authentication_classes = []
    permission_classes = [AllowAny]
    serializer_class = ProductOutput
    queryset = Product.objects.none()
    filter_backends = [ProductFilterBackend]
    filterset_class = ProductFilter
    pagination_class = KeysetPagination

    @property
    def ordering(self) -> str:
        """The order asked for; the filters have refused any other word."""
        return self.request.query_params.get("ordering") or "newest"

    @property
    def keyset(self) -> tuple[str, ...]:
        """The columns the pages of this order are cut by."""
        return ORDERS[self.ordering]

    def page(self, products: ProductQuerySet) -> list[Any]:
        """The asked page of these products, filtered and ordered. One query."""
        rows = cast(ProductQuerySet, self.filter_queryset(products))
        if self.keyset == ("newest",):
            page = self.paginate_queryset(rows.annotate(newest=Newest()).as_rows("newest"))
        else:
            page = self.paginate_queryset(rows.as_rows())
        assert page is not None  # noqa: S101
        return page

    def answer(self, rows: list[Any]) -> Response:
        return self.get_paginated_response(Shape(self.request).products(rows))


class CategoryView(ProductListView):
    """The products of one category that can be bought, newest first."""

    throttle_scope = "browse"

    @extend_schema(**descriptions.CATEGORY)
    def get(self, request: Request, category: str) -> Response:
        category = "phones" if category == "phonestablet" else category
        if category not in Category.values:
            raise NoSuchCategory
        products = Product.objects.filter(category=category)
        if request.query_params.get("in_stock") == "false":
            return self.answer(self.page(products.sold_out()))
        return self.answer(self.page(products.on_sale()))


class SearchView(ProductListView):
    """Products with all these words, newest first; misspelt words are put right."""

    throttle_scope = "search"
    _common = True

    @property
    def keyset(self) -> tuple[str, ...]:
        # All categories at once: the primary key is the index that has them in this order.
        return ("-id",) if self.ordering == "newest" else ORDERS[self.ordering]

    @property
    def order(self) -> list[Any]:
        """The keyset, as an index has it when matches are common, and as none has otherwise."""
        first, *rest = self.keyset
        if self._common:
            return [first, *rest]
        column = Unindexed(first.lstrip("-"))
        return [column.desc() if first.startswith("-") else column.asc(), *rest]

    @extend_schema(**descriptions.SEARCH)
    def get(self, request: Request) -> Response:
        words = words_in(self._term())
        found = self._find([[word] for word in words])
        if words and not found and not self._had_an_earlier_page(words):
            found = self._find(put_right(words))
        return self.answer(found)

    def _term(self) -> str:
        typed = self.request.query_params.getlist("search")
        if len(typed) > 1:
            refuse_field("search", "Give this once.")
        term = typed[0] if typed else ""
        if len(term) > MAX_TERM:
            refuse_field("search", f"At most {MAX_TERM} characters are searched for.")
        return term

    def _find(self, groups: list[list[str]]) -> list[Any]:
        self._common = is_common(groups)
        return self.page(matching(Product.objects.listed(), groups))

    def _had_an_earlier_page(self, words: list[str]) -> bool:
        """Whether this page is empty only because it is behind the last one."""
        if "cursor" not in self.request.query_params:
            return False
        whole = matching(Product.objects.listed(), [[word] for word in words])
        return bool(self.filter_queryset(whole)[:1])


class ProductView(APIView):
    """One product, sold out or not; its seller also sees where they are paid."""

    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**descriptions.DETAIL)
    def get(self, request: Request, product_id: str) -> Response:
        rows = Product.objects.listed().filter(pk=int(product_id))
        row = rows.as_rows("seller_id", "payment_mpesa_number").first()
        if row is None:
            raise NoSuchProduct
        product = Shape(request).product(row)
        if request.user.is_authenticated and request.user.pk == row.seller_id:
            product["payment_mpesa_number"] = row.payment_mpesa_number
        return Response(product)


class CreateView(APIView):
    """A signed-in person lists a product."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]
    throttle_scope = "create"

    @extend_schema(**descriptions.CREATE)
    def post(self, request: Request) -> Response:
        asked = CreateProductInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        picture = values.pop("image", None)
        product = create_product(seller=cast(User, request.user), picture=picture, **values)
        row = (
            product.pk,
            product.name,
            product.image.name,
            product.thumbnail.name,
            product.description,
            product.category,
            product.price,
            product.item_number,
            product.soldout,
            request.user.username,
            product.created_at,
        )
        body = Shape(request).product(row)
        body["payment_mpesa_number"] = product.payment_mpesa_number
        headers = {"Location": request.build_absolute_uri(f"/product/{product.pk}/")}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


class CartView(APIView):
    """The products in a cart, as they are now."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**descriptions.CART)
    def post(self, request: Request) -> Response:
        body = {"ids": request.data} if isinstance(request.data, list) else request.data
        asked = CartInput(data=body)
        asked.is_valid(raise_exception=True)
        ids = [pk for pk in asked.validated_data["ids"] if 0 < pk <= _BIGGEST_ID]
        found = {row.id: row for row in Product.objects.listed().filter(pk__in=ids).as_rows()}
        in_order = [found[pk] for pk in dict.fromkeys(ids) if pk in found]
        return Response(Shape(request).products(in_order))
