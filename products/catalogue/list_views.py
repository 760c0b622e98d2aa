"""Lists of products over HTTP: a category, and the search."""

from __future__ import annotations

from collections import namedtuple
from functools import cache, partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.api.pagination import KeysetPagination, reverse
from omachemainproj.api.parameters import PAGING, read_words
from omachemainproj.text import clean_shown
from products.models import Category, Product, ProductQuerySet
from products.serializers import ProductOutput, category_of

from . import openapi, queries
from .filters import (
    ORDERS,
    OTHER_NAMES,
    RELEVANCE,
    ProductFilter,
    ProductFilterBackend,
    SearchFilter,
    read_categories,
)
from .queries import Page, Source
from .representation import COLUMNS, LIST_FIELDS, ProductRepresentation, columns_for
from .search import (
    MAX_TERM,
    SearchPlan,
    elsewhere,
    is_common_in_names,
    named,
    plan_for,
    query_for,
    stop_words_in,
    word_forms,
)
from .spelling import as_header, correct_spelling, corrected

#: A list of products: a source and the text it takes (products.catalogue.queries).
ProductList = tuple[Source, str]

#: Kept, because Django builds the list on every access.
_CATEGORIES = frozenset(Category.values)


def read_term(request: Request, name: str) -> str:
    """The search term in the address, or an empty string. Raises FieldRefusal."""
    typed = request.query_params.getlist(name)
    if len(typed) > 1:
        refuse_field(name, "Give this once.")
    term = clean_shown(typed[0]) if typed else ""
    if len(term) > MAX_TERM:
        refuse_field(name, f"Search for at most {MAX_TERM} characters.")
    return term


class NoSuchCategory(Refusal):
    """The category in the address does not exist."""

    code = "category_not_found"
    message = f"There is no such category. Choose one of: {', '.join(Category.values)}."
    status_code = status.HTTP_404_NOT_FOUND


class ProductListView(GenericAPIView):
    """The base of all lists of products: filters, orders and queries."""

    authentication_classes = []
    permission_classes = [AllowAny]
    serializer_class = ProductOutput
    queryset = Product.objects.none()
    filter_backends = [ProductFilterBackend]
    filterset_class: type[ProductFilter] = ProductFilter
    pagination_class = KeysetPagination
    #: Query parameters other than the filters.
    parameters: tuple[str, ...] = ("fields", *PAGING)
    #: The orders that can be checked without building the filters.
    orders = frozenset({*ORDERS, *OTHER_NAMES})
    #: None if the request has no filter: building them costs more than the query.
    filters: ProductFilter | None = None

    @property
    def ordering(self) -> str:
        """The name of the order. Unknown ones have been refused by the filters."""
        requested = self.request.query_params.get("ordering") or "newest"
        return OTHER_NAMES.get(requested, requested)

    @property
    def keyset(self) -> tuple[str, ...]:
        """The columns by which this order is paged."""
        return ORDERS[self.ordering]

    def read_parameters(self, request: Request) -> None:
        """Read the query parameters. Raises ValidationError."""
        self.filters = ProductFilterBackend().read(request, self, known=self.orders)
        self.fields = read_words(request, "fields", LIST_FIELDS)
        self.columns = COLUMNS if self.fields is None else columns_for(self.fields)

    def page(self, lists: list[ProductList], *, indexed: bool = True) -> list[Any]:
        """The requested page of these lists together, filtered and ordered. One query."""
        pager = self.pagination_class()
        self._paginator = pager
        read = partial(self.read, lists, self.keyset, indexed=indexed)
        return pager.paginate_both_ways(self.request, self.keyset, read)

    def read(
        self,
        lists: list[ProductList],
        keyset: tuple[str, ...],
        after: list[int] | None,
        limit: int,
        backwards: bool = False,
        *,
        indexed: bool = True,
    ) -> list[Any]:
        """At most ``limit`` rows after a position, or before it if ``backwards``. One query."""
        page = Page(reverse(keyset) if backwards else keyset, after, limit, self.columns, indexed)
        if len(lists) == 1:
            return self.read_page(lists[0], page)
        if self.is_narrowed:
            narrowed = [self.narrow(source(text)) for source, text in lists]
            return queries.read_filtered(narrowed, page)
        return queries.read_merged(lists, page)

    def read_page(self, product_list: ProductList, page: Page) -> list[Any]:
        """A page of one list, with the filters applied. One query."""
        source, text = product_list
        if self.is_narrowed:
            return queries.read_filtered([self.narrow(source(text))], page)
        return queries.read_page(source, text, page)

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter applies in addition to the lists themselves."""
        return self.filters is not None

    def narrow(self, products: ProductQuerySet) -> ProductQuerySet:
        """Apply the filters to these products."""
        return products if self.filters is None else self.filters.filter_queryset(products)

    def answer(self, rows: list[Any]) -> Response:
        shown = ProductRepresentation(self.request).products(rows, self.fields)
        return self.get_paginated_response(shown)


class CategoryView(ProductListView):
    """The products of one category that are for sale, newest first."""

    throttle_scope = "browse"

    @extend_schema(**openapi.CATEGORY)
    def get(self, request: Request, category: str) -> Response:
        category = category_of(category)
        if category not in _CATEGORIES:
            raise NoSuchCategory
        self.read_parameters(request)
        source = queries.on_sale
        if request.query_params.get("in_stock") == "false":
            source = queries.sold_out
        return self.answer(self.page([(source, category)]))


class SearchView(ProductListView):
    """Products with all these words, newest first. Misspelt words are corrected."""

    throttle_scope = "search"
    filterset_class = SearchFilter
    parameters = ("search", *ProductListView.parameters)
    orders = ProductListView.orders | {RELEVANCE}
    #: The words searched for, each with its other forms.
    groups: list[list[str]] = []
    #: The stop words that have to be in the name.
    stop_words: list[str] = []
    #: The categories searched in; None for all.
    categories: list[str] | None = None
    #: The plan for finding the matches of each query.
    _plans: dict[str, SearchPlan] = {}

    @extend_schema(**openapi.SEARCH)
    def get(self, request: Request) -> Response:
        self.read_parameters(request)
        self.categories = read_categories(request)
        term = read_term(request, "search")
        self.groups, self.stop_words = word_forms(term), stop_words_in(term)
        words = [word for word, *_ in self.groups]
        rows = self._find()
        if words and self.stop_words and not rows and not self._is_beyond_last_page():
            self.stop_words = []
            rows = self._find()
        replacements: list[str] = []
        if words and not rows and not self._is_beyond_last_page():
            self.groups = correct_spelling(words)
            rows = self._find()
            replacements = corrected(words, self.groups, rows)
        answer = self.answer(rows)
        if replacements:
            answer["Search-Corrected"] = as_header(replacements)
        return answer

    @property
    def ordering(self) -> str:
        """The order asked for; newest instead of relevance if there are no words to match."""
        name = super().ordering
        return "newest" if name == RELEVANCE and not self.groups else name

    @property
    def keyset(self) -> tuple[str, ...]:
        if self.ordering == RELEVANCE:
            return ("tier", self._newest)
        return (self._newest,) if self.ordering == "newest" else ORDERS[self.ordering]

    @property
    def _newest(self) -> str:
        """The column that orders products newest first, chosen by the index that serves it.

        All products together use the primary key. One seller's products, or one category's, have
        indexes of their own; by the primary key, the scan would have to skip all other products.
        """
        by_category = self.categories and not self.groups
        return "newest" if by_category or self.request.query_params.get("seller") else "-id"

    @property
    def is_narrowed(self) -> bool:
        return super().is_narrowed or bool(self.stop_words or (self.groups and self.categories))

    def narrow(self, products: ProductQuerySet) -> ProductQuerySet:
        products = super().narrow(products)
        if self.stop_words:
            products = named(products, self.stop_words)
        if self.groups and self.categories:
            return products.filter(category__in=self.categories)
        return products

    def _find(self) -> list[Any]:
        if not self.groups:
            walks = not self.stop_words or is_common_in_names(self.stop_words)
            return self.page(self._lists(), indexed=walks)
        if self.ordering == RELEVANCE:
            return self._by_relevance()
        query = query_for(self.groups)
        return self.page([(queries.found, query)], indexed=self._is_common(query))

    def read(
        self,
        lists: list[ProductList],
        keyset: tuple[str, ...],
        after: list[int] | None,
        limit: int,
        backwards: bool = False,
        *,
        indexed: bool = True,
    ) -> list[Any]:
        """As in any list, but look among the latest products first if the words are neither common
        nor rare."""
        if self.groups and keyset == ("-id",) and not (indexed or backwards):
            (_, query), *_ = lists
            for reach in self._plans[query].reaches:
                page = Page(keyset, after, limit, self.columns, indexed, reach)
                if len(rows := self.read_page((queries.found_lately, query), page)) == limit:
                    return rows
        return super().read(lists, keyset, after, limit, backwards, indexed=indexed)

    def read_page(self, product_list: ProductList, page: Page) -> list[Any]:
        """As in any list, but a search by words and prices alone uses a compiled query.

        PostgreSQL still plans it for the actual words and prices (``to_tsquery``).
        """
        prices = self.filters.only_prices() if self.filters and self.groups else None
        if prices is None or self.categories or self.stop_words:
            return super().read_page(product_list, page)
        least, most = prices
        return queries.read_page(*product_list, page._replace(least=least, most=most))

    def _is_common(self, query: str) -> bool:
        # Few products have such a word in their name: collecting the matches is fastest.
        few = bool(self.stop_words)
        plan = SearchPlan(is_scan=False) if few else plan_for(query, self.categories or ())
        self._plans = {**self._plans, query: plan}
        return plan.is_scan

    def _lists(self) -> list[ProductList]:
        """All products, or the lists of each category: products for sale, and sold-out ones."""
        if not self.categories:
            return [(queries.everything, "")]
        in_stock = self.request.query_params.get("in_stock")
        sources = {"true": [queries.on_sale], "false": [queries.sold_out]}.get(
            in_stock or "", [queries.on_sale, queries.sold_out]
        )
        return [(source, category) for category in self.categories for source in sources]

    def _by_relevance(self) -> list[Any]:
        """The page of products with all the words in their name, followed by all other matches."""
        pager = self.pagination_class()
        self._paginator = pager
        return pager.paginate(self.request, self.keyset, self._read_by_relevance)

    def _read_by_relevance(self, after: list[int] | None, limit: int) -> list[Any]:
        tiers = [query_for(self.groups, in_name=True), elsewhere(self.groups)]
        start, place = (after[0], [after[1]]) if after else (0, None)
        rows: list[Any] = []
        for tier in range(max(start, 0), len(tiers)):
            product_list, indexed = (queries.found, tiers[tier]), self._is_common(tiers[tier])
            read = self.read(
                [product_list], (self._newest,), place, limit - len(rows), indexed=indexed
            )
            rows += [_in_tier(row, tier) for row in read]
            place = None
            if len(rows) == limit:
                break
        return rows

    def _is_beyond_last_page(self) -> bool:
        """Whether this page is empty only because it comes after the last one."""
        if "cursor" not in self.request.query_params:
            return False
        return bool(self.narrow(queries.found(query_for(self.groups)))[:1])


def _in_tier(row: Any, tier: int) -> Any:
    """The row with its tier of relevance added."""
    return _tiered(row._fields)._make((*row, tier))


@cache
def _tiered(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", (*columns, "tier"))
