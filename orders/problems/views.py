"""The API of problems, for a line's buyer and seller. The shop decides on the console."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.api.fields import read_idempotency_key
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser
from orders.fulfilment import NoSuchLine
from orders.models import OrderTrack, Party, Problem

from . import decisions, openapi
from .decisions import Decider
from .queries import KEYSET, Part, find_part, find_picture, problems_of_seller, thread_of
from .representation import represent_message, represent_problem
from .serializers import AcceptInput, LineProblemOutput, MessageInput, ProblemInput, ReturnedInput
from .services import add_message, open_problem

EVERYBODY = (Party.BUYER, Party.SELLER)


class _ThreadView(APIView):
    """Reading has the cheap throttle; writing may upload pictures."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]
    throttle_scope = "problem"

    def get_throttles(self) -> list[Any]:
        if self.request.method in SAFE_METHODS:
            self.throttle_scope = "read"
        return super().get_throttles()


class ProblemView(_ThreadView):
    """The problem with a line."""

    @extend_schema(**openapi.READ)
    def get(self, request: Request, track_id: str) -> Response:
        return Response(represent_problem(_part(request, track_id, *EVERYBODY).problem))

    @extend_schema(**openapi.OPEN)
    def post(self, request: Request, track_id: str) -> Response:
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        serializer = ProblemInput(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        buyer = current_user(request)
        try:
            opened = open_problem(int(track_id), buyer=buyer, key=key, **serializer.validated_data)
        except OrderTrack.DoesNotExist:
            raise NoSuchLine from None
        return _answer(request, track_id, is_new=opened.is_new)


class MessagesView(_ThreadView):
    """The messages about a problem."""

    @extend_schema(**openapi.THREAD)
    def get(self, request: Request, track_id: str) -> Response:
        problem = _part(request, track_id, *EVERYBODY).problem
        return Response([represent_message(each, problem, request) for each in thread_of(problem)])

    @extend_schema(**openapi.WRITE)
    def post(self, request: Request, track_id: str) -> Response:
        part = _part(request, track_id, *EVERYBODY)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        serializer = MessageInput(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        added = add_message(
            part.problem.pk,
            author=current_user(request),
            party=part.party,
            key=key,
            **serializer.validated_data,
        )
        body = represent_message(added.message, part.problem, request)
        return Response(body, status=_status(is_new=added.is_new))


class AcceptView(APIView):
    """The seller agrees to a refund."""

    throttle_scope = "problem"

    @extend_schema(**openapi.ACCEPT)
    def post(self, request: Request, track_id: str) -> Response:
        problem = _part(request, track_id, Party.SELLER).problem
        serializer = AcceptInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        amount, by = serializer.validated_data.get("amount"), _seller(request, serializer)
        if serializer.validated_data["bring_back"]:
            decisions.request_return(problem.pk, by)
        elif amount is not None:
            decisions.refund_part(problem.pk, by, amount=amount)
        else:
            decisions.refund_whole(problem.pk, by)
        return _answer(request, track_id)


class ReturnedView(APIView):
    """The seller confirms that the goods were returned."""

    throttle_scope = "problem"

    @extend_schema(**openapi.RETURNED)
    def post(self, request: Request, track_id: str) -> Response:
        problem = _part(request, track_id, Party.SELLER).problem
        serializer = ReturnedInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        there = serializer.validated_data["goods_there"]
        decisions.confirm_return(problem.pk, _seller(request, serializer), goods_there=there)
        return _answer(request, track_id)


class WithdrawView(APIView):
    """The buyer withdraws the problem."""

    throttle_scope = "problem"

    @extend_schema(**openapi.WITHDRAW)
    def post(self, request: Request, track_id: str) -> Response:
        problem = _part(request, track_id, Party.BUYER).problem
        decisions.withdraw(problem.pk, buyer=current_user(request))
        return _answer(request, track_id)


class PictureView(APIView):
    """A picture, for users who may read its thread."""

    throttle_scope = "read"

    @extend_schema(**openapi.PICTURE)
    def get(self, request: Request, track_id: str, picture_id: str) -> HttpResponse:
        picture = find_picture(int(track_id), int(picture_id), current_user(request))
        return answer_picture(bytes(picture.image))


class SellerProblemsView(GenericAPIView):
    """Problems with the caller's sales."""

    queryset = Problem.objects.none()
    serializer_class = LineProblemOutput
    pagination_class = KeysetPagination
    keyset = KEYSET
    throttle_scope = "sell"

    @extend_schema(**openapi.SELLERS)
    def get(self, request: Request) -> Response:
        """Undecided problems first, then the newest. Reply at `/track/{id}/problem/messages/`,
        agree to a refund at `/track/{id}/problem/accept/`.
        """
        refuse_unknown(request, PAGING)
        page = self.paginate_queryset(problems_of_seller(current_user(request))) or []
        return self.get_paginated_response([represent_problem(problem) for problem in page])


def answer_picture(image: bytes) -> HttpResponse:
    """Return a response with a picture that shared caches may not store."""
    response = HttpResponse(image, content_type="image/webp")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, no-store"
    return response


def _part(request: Request, track_id: str, *parties: Party) -> Part:
    return find_part(int(track_id), current_user(request), *parties)


def _seller(request: Request, serializer: Any) -> Decider:
    return Decider(current_user(request), Party.SELLER, serializer.validated_data["note"])


def _answer(request: Request, track_id: str, *, is_new: bool = False) -> Response:
    problem = _part(request, track_id, *EVERYBODY).problem
    return Response(represent_problem(problem), status=_status(is_new=is_new))


def _status(*, is_new: bool) -> int:
    return status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
