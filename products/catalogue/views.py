"""The catalogue over HTTP: home, lists, search, one product, a cart."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from omachemainproj.api.errors import Refusal
from omachemainproj.api.fields import MAX_ID, read_input
from omachemainproj.api.parameters import read_words, refuse_unknown
from omachemainproj.languages import ENGLISH, preferred_language
from omachemainproj.media import media_prefix
from products.models import Category

from . import openapi, queries, suggestions
from .category_summaries import LABELS, read_category_summaries
from .home import home_page
from .list_views import read_term
from .representation import COLUMNS, FIELDS, LIST_FIELDS, ProductRepresentation, columns_for
from .serializers import CartInput
from .suggestions import cached_suggestions


class NoSuchProduct(Refusal):
    """There is no product with this id, or it is not listed."""

    code = "product_not_found"
    message = "There is no such product."
    status_code = status.HTTP_404_NOT_FOUND


class HomeView(APIView):
    """The newest products of six categories."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.HOME)
    def get(self, request: Request) -> HttpResponseBase | None:
        fields = read_words(request, "fields", FIELDS)
        body, etag = home_page().written(request, tuple(fields) if fields else None)
        response = HttpResponse(body, content_type="application/json")
        response["ETag"] = etag
        # Browsers may store it but have to revalidate: a product may have sold out since.
        response["Cache-Control"] = "no-cache"
        return get_conditional_response(request._request, etag=etag, response=response)


class ProductView(APIView):
    """One product, sold out or not. Its seller also sees their payment number."""

    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.DETAIL)
    def get(self, request: Request, product_id: str) -> Response:
        row = queries.read_product(int(product_id))
        if row is None:
            raise NoSuchProduct
        is_own = request.user.is_authenticated and request.user.pk == row.seller_id
        if not row.listed and not is_own:
            raise NoSuchProduct
        shape = ProductRepresentation(request)
        product = {**shape.product(row), "pictures": shape.pictures(row.gallery)}
        if is_own:
            product["payment_mpesa_number"] = row.payment_mpesa_number
            product["listed"] = row.listed
        return Response(product)


class CartView(APIView):
    """The current state of the products in a cart."""

    #: The response holds public data only.
    is_compressible = True
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.CART)
    def post(self, request: Request) -> Response:
        fields = read_words(request, "fields", LIST_FIELDS)
        columns = COLUMNS if fields is None else columns_for(fields)
        body = {"ids": request.data} if isinstance(request.data, list) else request.data
        cart = read_input(CartInput, body)
        ids = list(dict.fromkeys(pk for pk in cart["ids"] if 0 < pk <= MAX_ID))
        by_id = {row.id: row for row in queries.read_cart(ids, columns)}
        in_order = [by_id[pk] for pk in ids if pk in by_id]
        return Response(ProductRepresentation(request).products(in_order, fields))


class CategoriesView(APIView):
    """All categories, with the number of products for sale in each."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.CATEGORIES)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, [])
        language, prefix = _language(request), media_prefix(request)
        categories = [
            {
                "key": summary.category,
                "label": LABELS[Category(summary.category)][language],
                "labels": LABELS[Category(summary.category)],
                "for_sale": summary.for_sale,
                "thumbnail": prefix + summary.thumbnail if summary.thumbnail else None,
            }
            for summary in read_category_summaries()
        ]
        headers = {"Content-Language": language, "Cache-Control": "public, max-age=60"}
        return Response(categories, headers={**headers, "Vary": "Accept-Language"})


def _language(request: Request) -> str:
    """From the header alone, not from the user's preference, so that caches can keep the answer."""
    return preferred_language(request.headers.get("Accept-Language", "")) or ENGLISH


class SuggestView(APIView):
    """Suggestions while the user types a search."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "suggest"

    @extend_schema(**openapi.SUGGEST)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ["q"])
        (words, products), seconds = cached_suggestions(read_term(request, "q"))
        shown = ProductRepresentation(request).products(products, suggestions.FIELDS)
        body = {"words": words, "products": shown}
        return Response(body, headers={"Cache-Control": f"public, max-age={seconds}"})
