"""The API of parcels, for delivery agents and agents of pick-up points."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from accounts.backoffice.actions import perform
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from orders.claims import ClaimedByAnother, NotADeliveryAgent
from orders.models import Parcel, ParcelQuerySet, ParcelStatus

from . import openapi as descriptions
from .actions import ATTEMPT, CLAIM, RELEASE, move_parcel_for
from .queries import Reader, in_county, read_rows, visible_to, with_ends, without_own
from .representation import represent_parcel
from .serializers import (
    AttemptInput,
    ParcelFilterInput,
    ParcelMoveInput,
    ParcelOutput,
    ReleaseInput,
)


class NoSuchParcel(Refusal):
    """The parcel does not exist, or does not concern the caller."""

    code = "parcel_not_found"
    message = "There is no such parcel."
    status_code = status.HTTP_404_NOT_FOUND


class ParcelsView(GenericAPIView):
    """Parcels to fetch and to hand over."""

    queryset = Parcel.objects.none()
    serializer_class = ParcelOutput
    pagination_class = KeysetPagination
    keyset = ("-id",)
    throttle_scope = "deliveries"

    @extend_schema(**descriptions.LIST)
    def get(self, request: Request) -> Response:
        """Delivery agents see parcels they have claimed and unclaimed ones; agents of a pick-up
        point see parcels fetched for it. Newest first, until a week after delivery; never parcels
        the caller bought, sold or is paid for.

        Each parcel has its lines, the collection place and the destination, as far as the caller
        needs them: the phone of a recipient at an address, but not of one who collects at a
        pick-up point. `actions` is what the caller may do with it now.
        """
        reader = Reader.of(current_user(request))
        if not reader.has_to_do:
            raise NotADeliveryAgent
        refuse_unknown(request, (*ParcelFilterInput().fields, *PAGING))
        wanted = _read_filter(request)
        seen = visible_to(
            reader,
            timezone.now(),
            claimed=wanted.get("mine") is True,
            delivered=wanted.get("open") is False or wanted.get("status") == ParcelStatus.DELIVERED,
        )
        parcels = _filter(without_own(seen, reader.user), wanted, reader)
        page = self.paginate_queryset(with_ends(parcels))
        rows = read_rows(list(page or []))
        return self.get_paginated_response([represent_parcel(row, reader) for row in rows])


class ParcelClaimView(APIView):
    """Claiming a parcel."""

    throttle_scope = "claim"

    @extend_schema(**descriptions.CLAIM)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Claim a parcel: only the caller can deliver it then. Repeating it changes nothing.

        One of two concurrent agents gets it, the other a 409 `parcel_claimed`. An agent with too
        many claimed parcels that are not fetched gets a 409 `too_many_claims`. A delivered or
        cancelled parcel is a 409 `parcel_closed`. A parcel not fetched within a day is released.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        perform(CLAIM, parcel, {"why": ""}, by=reader.user)
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelReleaseView(APIView):
    """Releasing a parcel."""

    throttle_scope = "claim"

    @extend_schema(**descriptions.RELEASE)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Release a parcel so that others can claim it. Repeating it changes nothing.

        Its agent can do so until it is fetched (then 409 `parcel_fetched`); staff who decide about
        lines at any time, with the reason in `note`.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        serializer = ReleaseInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        perform(RELEASE, parcel, {"why": serializer.validated_data["note"]}, by=reader.user)
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelAttemptView(APIView):
    """Reporting a failed delivery."""

    throttle_scope = "move"

    @extend_schema(**descriptions.ATTEMPT)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Report that a parcel could not be delivered to its address, and why.

        For its agent, and staff who decide about lines, while it is on its way to an address. The
        buyer is notified and sees it in the line's `history`; the code remains valid. Another
        report within an hour changes nothing.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        serializer = AttemptInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = {
            "reason": serializer.validated_data["reason"],
            "why": serializer.validated_data["note"],
        }
        try:
            perform(ATTEMPT, parcel, given, by=reader.user)
        except Parcel.DoesNotExist:
            raise NoSuchParcel from None
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelMoveView(APIView):
    """Moving a whole parcel."""

    throttle_scope = "move"

    @extend_schema(**descriptions.MOVE)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Move all lines of a parcel, or none, like `/track/{id}/move/` moves one.

        Delivery agents: `fetched` (which claims an unclaimed parcel), `shipping`, and `delivered`
        with the code of any of its lines. Agents of its pick-up point: `arrived`, which notifies
        the buyer, and `delivered` with the code. After five wrong codes for a parcel and its lines
        only the buyer or the shop can confirm delivery. Cancelled lines are left alone. Repeating
        a move changes nothing.

        A parcel claimed by another agent is a 409 `parcel_claimed`. A move that needs a second
        person's approval is proposed: 409 `second_person_needed`.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        serializer = ParcelMoveInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            move_parcel_for(parcel, actor=reader.user, **serializer.validated_data)
        except Parcel.DoesNotExist:
            # It was cancelled entirely since it was read.
            raise NoSuchParcel from None
        return _answer(parcel, reader, was_seen=was_seen)


def _read_filter(request: Request) -> dict[str, Any]:
    names = ParcelFilterInput().fields.keys() & request.query_params.keys()
    twice = {
        name: ["Give this once."] for name in names if len(request.query_params.getlist(name)) > 1
    }
    if twice:
        raise FieldRefusal(twice)
    serializer = ParcelFilterInput(data={name: request.query_params[name] for name in names})
    serializer.is_valid(raise_exception=True)
    filters: dict[str, Any] = serializer.validated_data
    return filters


def _filter(parcels: ParcelQuerySet, filters: dict[str, Any], reader: Reader) -> ParcelQuerySet:
    if "status" in filters:
        parcels = parcels.at_status(filters["status"])
    if filters.get("open") is True:
        parcels = parcels.to_deliver()
    elif "open" in filters:
        parcels = parcels.at_status(ParcelStatus.DELIVERED)
    if "county" in filters:
        parcels = parcels.filter(in_county(filters["county"]))
    if "pickup_point" in filters:
        parcels = parcels.filter(order__delivery__pickup_point=filters["pickup_point"])
    if filters.get("mine") is True:
        parcels = parcels.claimed_by(reader.user)
    elif "mine" in filters:
        parcels = parcels.others_than(reader.user)
    return parcels


class _Found(NamedTuple):
    """A parcel, its reader, and whether the reader sees it in lists."""

    reader: Reader
    parcel: Parcel
    is_seen: bool


def _find(request: Request, parcel_id: str) -> _Found:
    """Find a parcel for the caller. Raises NoSuchParcel.

    Agents and staff also find parcels of other agents, so that the error can say why an action is
    refused.
    """
    reader = Reader.of(current_user(request))
    found = Reader(reader.user, reader.delivers, reader.delivers or reader.decides, reader.points)
    parcel = visible_to(found, timezone.now()).filter(pk=int(parcel_id)).first()
    if parcel is None:
        raise NoSuchParcel
    return _Found(reader, parcel, _is_visible(parcel, reader))


def _is_visible(parcel: Parcel, reader: Reader) -> bool:
    return visible_to(reader, timezone.now()).filter(pk=parcel.pk).exists()


def _answer(parcel: Parcel, reader: Reader, *, was_seen: bool) -> Response:
    """Return the parcel, if the caller could see it before the action or can see it now.

    Repeating a move is never refused, so the answer must not reveal where another agent delivers
    a parcel. Raises ClaimedByAnother and NoSuchParcel.
    """
    if not (was_seen or _is_visible(parcel, reader)):
        raise NoSuchParcel if parcel.agent_id is None else ClaimedByAnother
    rows = read_rows(list(with_ends(Parcel.objects.filter(pk=parcel.pk))))
    if not rows:
        raise NoSuchParcel
    return Response(represent_parcel(rows[0], reader))
