"""The tracking API: a buyer's lines, one line with its history, and moving a line."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from accounts.backoffice.approval_limits import SecondPersonNeeded
from accounts.backoffice.conflicts import ConflictOfInterest, find_parties, is_party
from accounts.models import User
from omachemainproj.api.error_schemas import error_answer, refusals
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.api.languages import translate_response
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from omachemainproj.media import media_prefix
from orders.claims import ClaimedByAnother
from orders.delivery.representation import delivery_of, represent_delivery
from orders.fulfilment import NoSuchLine, NotAllowed, PaymentInDoubt
from orders.fulfilment_actions import move_line_for
from orders.line_moves import Role, roles_of
from orders.models import OrderTrack, Problem, latest_problem_of
from orders.problems.queries import with_counts
from orders.problems.representation import represent_summary
from orders.representations import represent_history, represent_track
from orders.tracking.serializers import MoveInput, TrackFilterInput, TrackOutput, TrackStoryOutput

from .abilities import what_reader_may, what_roles_may
from .queries import KEYSET, as_track_rows, read_filtered_tracks, read_tracks

#: Built once: each serializer instance copies its fields.
_FILTERS = TrackFilterInput().fields.keys()
_NO_SUCH = error_answer("There is no such item.", "line_not_found")
_NOT_ALLOWED = refusals(NotAllowed, PaymentInDoubt, ClaimedByAnother, SecondPersonNeeded)
_OWN = refusals(ConflictOfInterest)


class TrackOrderView(GenericAPIView):
    """The lines the caller bought."""

    throttle_scope = "read"
    queryset = OrderTrack.objects.none()
    serializer_class = TrackOutput
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="track_order",
        summary="List the lines the caller bought",
        parameters=[TrackFilterInput],
        responses={200: TrackOutput(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The caller's lines, newest first: one row per product."""
        refuse_unknown(request, (*_FILTERS, *PAGING))
        pager = self.pagination_class()
        buyer_id = current_user(request).pk
        filters = _read_filter(request)
        read = (
            partial(read_filtered_tracks, buyer_id, filters)
            if filters
            else partial(read_tracks, buyer_id)
        )
        rows = pager.paginate(request, KEYSET, read)
        prefix, now = media_prefix(request), timezone.now()
        abilities = [what_reader_may(row, buyer_id, now) for row in rows]
        return pager.get_paginated_response(
            [
                represent_track(row, prefix, may, reader_id=buyer_id)
                for row, may in zip(rows, abilities, strict=True)
            ]
        )


class TrackHistoryView(APIView):
    """One line with its history, for its buyer, its seller, and those who deliver it."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="track_story",
        summary="Retrieve a line with its history",
        responses={200: TrackStoryOutput, 404: _NO_SUCH},
    )
    def get(self, request: Request, track_id: str) -> Response:
        """A line with its history, oldest step first."""
        return _track_history(request, _visible(request, int(track_id)))


class MoveView(APIView):
    """Moving a line to another status."""

    throttle_scope = "move"

    @extend_schema(
        operation_id="track_move",
        summary="Move a line to another status",
        request=MoveInput,
        responses={200: TrackStoryOutput, 403: _OWN, 404: _NO_SUCH, 409: _NOT_ALLOWED},
        examples=[
            OpenApiExample("handed over", {"to": "delivered", "code": "482913"}, request_only=True),
            OpenApiExample(
                "cannot deliver", {"to": "cancelled", "note": "It broke."}, request_only=True
            ),
        ],
    )
    def post(self, request: Request, track_id: str) -> Response:
        """Move a line to another status; who did it and why is recorded.

        Delivery agents and staff: `fetched`, `shipping`, `delivered` (agents with the buyer's
        code). The seller: `delivered` with the code, without a delivery also directly from `paid`;
        or `cancelled` before it is fetched, with a reason. The buyer: `delivered`, or `cancelled`
        before it is fetched. Staff can cancel at any time, with a reason. A cancelled line is
        refunded. Repeating a move changes nothing.

        Agents and staff cannot move lines they bought, sold or are paid for: 403 `own_interest`. A
        move that needs a second person's approval is proposed: 409 `second_person_needed`, and the
        line is unchanged until it is approved.
        """
        line = _visible(request, int(track_id))
        serializer = MoveInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        move_line_for(line, actor=current_user(request), **serializer.validated_data)
        line.refresh_from_db()
        return _track_history(request, line)


def _read_filter(request: Request) -> dict[str, Any]:
    names = _FILTERS & request.query_params.keys()
    if not names:
        return {}
    twice = {
        name: ["Give this once."] for name in names if len(request.query_params.getlist(name)) > 1
    }
    if twice:
        raise FieldRefusal(twice)
    serializer = TrackFilterInput(data={name: request.query_params[name] for name in names})
    serializer.is_valid(raise_exception=True)
    columns = {"status": "track_status", "order": "order__order_token"}
    return {columns[name]: value for name, value in serializer.validated_data.items()}


def _visible(request: Request, track_id: int) -> Any:
    """Return a line the caller has a role for, annotated with its newest ``problem_id``.

    Raises NoSuchLine.
    """
    newest = Subquery(latest_problem_of(OuterRef("pk"))[:1])
    line = OrderTrack.objects.annotate(problem_id=newest).filter(pk=track_id).first()
    if line is None or not roles_of(current_user(request), line):
        raise NoSuchLine
    return line


def _undisputed_roles(reader: User, line: OrderTrack) -> frozenset[Role]:
    """Return the reader's roles; none for staff and agents with a conflict of interest."""
    roles = roles_of(reader, line)
    is_outside = bool(roles & {Role.AGENT, Role.STAFF})
    return frozenset() if is_outside and is_party(reader, find_parties(line)) else roles


def _track_history(request: Request, line: Any) -> Response:
    row = as_track_rows(OrderTrack.objects.filter(pk=line.pk)).get()
    reader = current_user(request)
    may = what_roles_may(row, _undisputed_roles(reader, line), timezone.now())
    answer = represent_track(row, media_prefix(request), may, reader_id=reader.pk)
    # Sellers and agents see what they need of the destination elsewhere.
    delivery = delivery_of(line) if line.buyer_id == reader.pk else None
    story = {
        **answer,
        "delivery": represent_delivery(delivery),
        "history": represent_history(line),
        "problem": _problem_shown(line, reader),
    }
    # Notes written by the shop are translated.
    return translate_response(request, Response(story), {"note"})


def _problem_shown(line: Any, reader: User) -> dict[str, Any] | None:
    """Return the line's newest problem, for its buyer and seller; None for others."""
    if line.problem_id is None or not roles_of(reader, line) & {Role.BUYER, Role.SELLER}:
        return None
    return represent_summary(with_counts(Problem.objects.filter(pk=line.problem_id)).get())
