"""The catalogue over HTTP: home, lists, search, one product, a cart."""

from __future__ import annotations

from functools import partial
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

from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.api.fields import MAX_ID
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.text import clean_shown
from products.models import Category, Product, ProductQuerySet
from products.serializers import CartInput, ProductOutput, category_of

from . import openapi, queries
from .filters import ORDERS, ProductFilter, ProductFilterBackend
from .home import home_page
from .representation import ProductRepresentation
from .search import MAX_TERM, is_common, query_for, word_forms
from .spelling import correct_spelling


class NoSuchProduct(Refusal):
    """No product the public may see has this id."""

    code = "product_not_found"
    message = "There is no such product."
    status_code = status.HTTP_404_NOT_FOUND


class NoSuchCategory(Refusal):
    """The address names none of the categories."""

    code = "category_not_found"
    message = "There is no such category."
    status_code = status.HTTP_404_NOT_FOUND


class HomeView(APIView):
    """The newest products of six categories."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.HOME)
    def get(self, request: Request) -> HttpResponseBase | None:
        body, etag = home_page().written(request)
        response = HttpResponse(body, content_type="application/json")
        response["ETag"] = etag
        # Kept by browsers, but asked about each time: what was sold out a second ago is gone.
        response["Cache-Control"] = "no-cache"
        return get_conditional_response(request._request, etag=etag, response=response)


class ProductListView(GenericAPIView):
    """What the lists of products share: the filters, the orders, the queries."""

    authentication_classes = []
    permission_classes = [AllowAny]
    serializer_class = ProductOutput
    queryset = Product.objects.none()
    filter_backends = [ProductFilterBackend]
    filterset_class = ProductFilter
    pagination_class = KeysetPagination

    @property
    def ordering(self) -> str:
        """The name of the order; the filters have refused unknown ones."""
        return self.request.query_params.get("ordering") or "newest"

    @property
    def keyset(self) -> tuple[str, ...]:
        """The columns the pages of this order are cut by."""
        return ORDERS[self.ordering]

    def page(self, source: queries.Source, text: str, *, indexed: bool = True) -> list[Any]:
        """The requested page of a list, filtered and ordered. One query."""
        pager = self.pagination_class()
        self._paginator = pager
        if self._needs_filters():
            products = cast(ProductQuerySet, self.filter_queryset(source(text)))
            rows = queries.in_order(products, self.keyset, indexed=indexed)
            return pager.paginate_queryset(rows, self.request, self)
        read = partial(queries.read_page, source, text, self.keyset, indexed=indexed)
        return pager.paginate(self.request, self.keyset, read)

    def _needs_filters(self) -> bool:
        """Whether the FilterSet is needed: for any filter, or to refuse an unknown order."""
        asked = ProductFilter.base_filters.keys() & self.request.query_params.keys()
        if asked == {"ordering"}:
            return self.request.query_params.getlist("ordering") not in ([name] for name in ORDERS)
        return bool(asked)

    def answer(self, rows: list[Any]) -> Response:
        return self.get_paginated_response(ProductRepresentation(self.request).products(rows))


class CategoryView(ProductListView):
    """The products of one category that can be bought, newest first."""

    throttle_scope = "browse"

    @extend_schema(**openapi.CATEGORY)
    def get(self, request: Request, category: str) -> Response:
        category = category_of(category)
        if category not in Category.values:
            raise NoSuchCategory
        source = queries.on_sale
        if request.query_params.get("in_stock") == "false":
            source = queries.sold_out
        return self.answer(self.page(source, category))


class SearchView(ProductListView):
    """Products with all these words, newest first; misspelt words are put right."""

    throttle_scope = "search"

    @property
    def keyset(self) -> tuple[str, ...]:
        # All categories at once: the primary key is the index that has them in this order. One
        # seller's own index has their goods so: the primary key would be walked past all others.
        if self.ordering != "newest" or self.request.query_params.get("seller"):
            return ORDERS[self.ordering]
        return ("-id",)

    @extend_schema(**openapi.SEARCH)
    def get(self, request: Request) -> Response:
        groups = word_forms(self._term())
        found = self._find(groups)
        if groups and not found and not self._had_an_earlier_page(groups):
            found = self._find(correct_spelling([word for word, *_ in groups]))
        return self.answer(found)

    def _term(self) -> str:
        typed = self.request.query_params.getlist("search")
        if len(typed) > 1:
            refuse_field("search", "Give this once.")
        term = clean_shown(typed[0]) if typed else ""
        if len(term) > MAX_TERM:
            refuse_field("search", f"At most {MAX_TERM} characters are searched for.")
        return term

    def _find(self, groups: list[list[str]]) -> list[Any]:
        if not groups:
            return self.page(queries.everything, "")
        return self.page(queries.found, query_for(groups), indexed=is_common(groups))

    def _had_an_earlier_page(self, groups: list[list[str]]) -> bool:
        """Whether this page is empty only because it is behind the last one."""
        if "cursor" not in self.request.query_params:
            return False
        whole = queries.found(query_for(groups))
        return bool(self.filter_queryset(whole)[:1])


class ProductView(APIView):
    """One product, sold out or not; its seller also sees where they are paid."""

    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.DETAIL)
    def get(self, request: Request, product_id: str) -> Response:
        row = queries.read_product(int(product_id))
        if row is None:
            raise NoSuchProduct
        product = ProductRepresentation(request).product(row)
        if request.user.is_authenticated and request.user.pk == row.seller_id:
            product["payment_mpesa_number"] = row.payment_mpesa_number
        return Response(product)


class CartView(APIView):
    """The products in a cart, as they are now."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.CART)
    def post(self, request: Request) -> Response:
        body = {"ids": request.data} if isinstance(request.data, list) else request.data
        asked = CartInput(data=body)
        asked.is_valid(raise_exception=True)
        ids = list(dict.fromkeys(pk for pk in asked.validated_data["ids"] if 0 < pk <= MAX_ID))
        found = {row.id: row for row in queries.read_cart(ids)}
        in_order = [found[pk] for pk in ids if pk in found]
        return Response(ProductRepresentation(request).products(in_order))
