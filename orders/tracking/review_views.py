"""The API of a buyer's review of a line."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from orders.fulfilment import NoSuchLine
from orders.models import OrderTrack
from orders.reviews import find_review, review_line
from products.reviews import openapi as descriptions
from products.reviews.representation import represent_own_review
from products.reviews.serializers import ReviewInput
from products.reviews.services import edit_review


class ReviewView(APIView):
    """The caller's own review of a line."""

    throttle_scope = "review"

    @extend_schema(**descriptions.READ)
    def get(self, request: Request, track_id: str) -> Response:
        return Response(represent_own_review(_own(request, track_id)))

    @extend_schema(**descriptions.WRITE)
    def post(self, request: Request, track_id: str) -> Response:
        serializer = ReviewInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        buyer = current_user(request)
        try:
            review = review_line(track_id=int(track_id), buyer=buyer, **serializer.validated_data)
        except OrderTrack.DoesNotExist:
            raise NoSuchLine from None
        return Response(represent_own_review(review.pk), status=status.HTTP_201_CREATED)

    @extend_schema(**descriptions.EDIT)
    def patch(self, request: Request, track_id: str) -> Response:
        serializer = ReviewInput(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        review_id = _own(request, track_id)
        edit_review(review_id, **serializer.validated_data)
        return Response(represent_own_review(review_id))


def _own(request: Request, track_id: str) -> int:
    return find_review(track_id=int(track_id), buyer=current_user(request))
