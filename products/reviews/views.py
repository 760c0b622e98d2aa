"""Reviews over HTTP. Reviews are written through an order line: orders.tracking.review_views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.api.errors import Refusal
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, read_words, refuse_unknown
from omachemainproj.media import media_prefix
from products.catalogue.views import NoSuchProduct
from products.models import Product, Review

from . import openapi
from .representation import (
    as_rows,
    as_sellers_rows,
    represent_public_review,
    represent_review,
    represent_seller,
    represent_sellers_review,
    sellers_called,
)
from .serializers import AnswerInput, ReviewOutput, SellersReviewOutput
from .services import answer_review, edit_answer


class NoSuchSeller(Refusal):
    """There is no seller with this name."""

    code = "seller_not_found"
    message = "There is no such seller."
    status_code = status.HTTP_404_NOT_FOUND


class ProductReviewsView(GenericAPIView):
    """The reviews of one product."""

    authentication_classes: Any = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"
    queryset = Review.objects.none()
    serializer_class = ReviewOutput
    pagination_class = KeysetPagination

    @extend_schema(**openapi.PRODUCT_REVIEWS)
    def get(self, request: Request, product_id: str) -> Response:
        refuse_unknown(request, PAGING)
        pager = self.pagination_class()
        reviews = as_rows(Review.objects.shown().of_product(int(product_id)))
        rows = pager.paginate_queryset(reviews, request, self)
        if not Product.objects.listed().filter(pk=int(product_id)).exists():
            raise NoSuchProduct
        return pager.get_paginated_response([represent_review(row) for row in rows])


class SellerReviewsView(GenericAPIView):
    """The reviews of all the caller's products."""

    throttle_scope = "sell"
    queryset = Review.objects.none()
    serializer_class = SellersReviewOutput
    pagination_class = KeysetPagination

    @extend_schema(**openapi.SELLER_REVIEWS)
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ["stars", "answered", *PAGING])
        reviews = Review.objects.shown().of_seller(current_user(request))
        stars = read_words(request, "stars", "12345")
        if stars is not None:
            reviews = reviews.filter(stars__in=[int(number) for number in stars])
        answered = read_words(request, "answered", ["true", "false"])
        if answered is not None and len(answered) == 1:
            reviews = reviews.filter(answered_at__isnull=answered == ["false"])
        page = self.paginate_queryset(as_sellers_rows(reviews)) or []
        prefix = media_prefix(request)
        return self.get_paginated_response([represent_sellers_review(row, prefix) for row in page])


class AnswerView(APIView):
    """A seller's answer to a review."""

    throttle_scope = "review"

    @extend_schema(**openapi.ANSWER)
    def post(self, request: Request, review_id: str) -> Response:
        serializer = AnswerInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        seller_id = current_user(request).pk
        answer_review(int(review_id), seller_id=seller_id, text=serializer.validated_data["text"])
        return Response(represent_public_review(int(review_id)), status=status.HTTP_201_CREATED)

    @extend_schema(**openapi.EDIT_ANSWER)
    def patch(self, request: Request, review_id: str) -> Response:
        serializer = AnswerInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        seller_id = current_user(request).pk
        edit_answer(int(review_id), seller_id=seller_id, text=serializer.validated_data["text"])
        return Response(represent_public_review(int(review_id)))


class SellerView(APIView):
    """A seller's public profile."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "browse"

    @extend_schema(**openapi.SELLER)
    def get(self, request: Request, username: str) -> Response:
        row = next(iter(sellers_called(username)), None)
        if row is None:
            raise NoSuchSeller
        return Response(represent_seller(row, media_prefix(request)))
