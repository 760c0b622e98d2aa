"""Parcels over HTTP, for who brings them and who hands them over at pick-up points."""

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
from orders.claims import BringsNothing, ClaimedByAnother
from orders.models import Parcel, ParcelQuerySet, ParcelStatus

from . import openapi as descriptions
from .actions import ATTEMPT, CLAIM, RELEASE, move_for
from .queries import Reader, in_county, read_rows, seen_by, with_ends, without_own
from .representation import represent_parcel
from .serializers import (
    AttemptInput,
    ParcelFilterInput,
    ParcelMoveInput,
    ParcelOutput,
    ReleaseInput,
)


class NoSuchParcel(Refusal):
    """There is no such parcel, or it is none of the caller's business."""

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
        """Of a delivery agent: what they have taken on, and what is free to take. Of who hands over
        at a pick-up point: what was fetched for it. Newest first, until a week after it was
        handed over; never what the caller bought, sold or is paid for.

        Each says what is in it, where to collect it and where it goes, as far as the caller has to
        know: whom to call at a door, not who comes to a pick-up point; and what the caller may do
        with it now.
        """
        reader = Reader.of(current_user(request))
        if not reader.has_to_do:
            raise BringsNothing
        refuse_unknown(request, (*ParcelFilterInput().fields, *PAGING))
        parcels = without_own(seen_by(reader, timezone.now()), reader.user)
        parcels = _filter(parcels, _read_filter(request), reader)
        page = self.paginate_queryset(with_ends(parcels))
        rows = read_rows(list(page or []))
        return self.get_paginated_response([represent_parcel(row, reader) for row in rows])


class ParcelClaimView(APIView):
    """Taking a parcel on."""

    throttle_scope = "claim"

    @extend_schema(**descriptions.CLAIM)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Take a parcel on: it is the caller's to bring, and in nobody else's list of free ones.

        Of two agents at once one gets it, and the other a 409 `parcel_claimed`. Repeating it
        changes nothing. Who has taken on as many as one may without fetching any gets a 409
        `too_many_claims`, and of what was handed over or cancelled a 409 `parcel_closed`. What is
        not fetched within a day is free again.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        perform(CLAIM, parcel, {"why": ""}, by=reader.user)
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelReleaseView(APIView):
    """Giving a parcel up."""

    throttle_scope = "claim"

    @extend_schema(**descriptions.RELEASE)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Give a parcel up, so that others may take it on. Repeating it changes nothing.

        Its agent may until they fetch it (409 `parcel_fetched` after that), staff who decide about
        lines at any time, with a `note` that says why.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        asked = ReleaseInput(data=request.data)
        asked.is_valid(raise_exception=True)
        perform(RELEASE, parcel, {"why": asked.validated_data["note"]}, by=reader.user)
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelAttemptView(APIView):
    """Saying that a parcel could not be handed over."""

    throttle_scope = "move"

    @extend_schema(**descriptions.ATTEMPT)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Say that a parcel was brought to its door and not handed over, and why.

        Its agent may, and staff who decide about lines, while it is on its way to an address. Its
        buyer is told, and reads it in the line's `history`; the code goes on working. What is said
        again within an hour changes nothing.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        asked = AttemptInput(data=request.data)
        asked.is_valid(raise_exception=True)
        said = {"reason": asked.validated_data["reason"], "why": asked.validated_data["note"]}
        try:
            perform(ATTEMPT, parcel, said, by=reader.user)
        except Parcel.DoesNotExist:
            raise NoSuchParcel from None
        return _answer(parcel, reader, was_seen=was_seen)


class ParcelMoveView(APIView):
    """Moving a whole parcel."""

    throttle_scope = "move"

    @extend_schema(**descriptions.MOVE)
    def post(self, request: Request, parcel_id: str) -> Response:
        """Move every line of a parcel at once, or none, as `/track/{id}/move/` moves one.

        Delivery agents: `fetched` (a parcel that is free is theirs then), `shipping`, and
        `delivered` with the code of any of its lines. Who hands over at its pick-up point:
        `arrived` once they have it, which tells its buyer, and `delivered` with the code. Five
        wrong codes for a parcel and its lines use them up; then its buyer or the shop confirm.
        Lines that were cancelled are left alone. Repeating a move changes nothing.

        What another agent has taken on is not moved: 409 `parcel_claimed`. What one does not
        decide alone is proposed to a second person: 409 `second_person_needed`.
        """
        reader, parcel, was_seen = _find(request, parcel_id)
        asked = ParcelMoveInput(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            move_for(parcel, actor=reader.user, **asked.validated_data)
        except Parcel.DoesNotExist:
            # All of it was cancelled since it was found.
            raise NoSuchParcel from None
        return _answer(parcel, reader, was_seen=was_seen)


def _read_filter(request: Request) -> dict[str, Any]:
    names = ParcelFilterInput().fields.keys() & request.query_params.keys()
    twice = {
        name: ["Give this once."] for name in names if len(request.query_params.getlist(name)) > 1
    }
    if twice:
        raise FieldRefusal(twice)
    asked = ParcelFilterInput(data={name: request.query_params[name] for name in names})
    asked.is_valid(raise_exception=True)
    wanted: dict[str, Any] = asked.validated_data
    return wanted


def _filter(parcels: ParcelQuerySet, wanted: dict[str, Any], reader: Reader) -> ParcelQuerySet:
    if "status" in wanted:
        parcels = parcels.at_status(wanted["status"])
    if wanted.get("open") is True:
        parcels = parcels.to_bring()
    elif "open" in wanted:
        parcels = parcels.at_status(ParcelStatus.DELIVERED)
    if "county" in wanted:
        parcels = parcels.filter(in_county(wanted["county"]))
    if "pickup_point" in wanted:
        parcels = parcels.filter(order__delivery__pickup_point=wanted["pickup_point"])
    if wanted.get("mine") is True:
        parcels = parcels.claimed_by(reader.user)
    elif "mine" in wanted:
        parcels = parcels.others_than(reader.user)
    return parcels


class _Found(NamedTuple):
    """A parcel, what the caller is to it, and whether they are shown it as it is."""

    reader: Reader
    parcel: Parcel
    is_seen: bool


def _find(request: Request, parcel_id: str) -> _Found:
    """A parcel, and what the caller is to it. Raises NoSuchParcel.

    Agents and staff find one that another agent has as well: what they may not do with it is said
    in the answer.
    """
    reader = Reader.of(current_user(request))
    found = Reader(reader.user, reader.brings, reader.brings or reader.decides, reader.points)
    parcel = seen_by(found, timezone.now()).filter(pk=int(parcel_id)).first()
    if parcel is None:
        raise NoSuchParcel
    return _Found(reader, parcel, _is_seen(parcel, reader))


def _is_seen(parcel: Parcel, reader: Reader) -> bool:
    return seen_by(reader, timezone.now()).filter(pk=parcel.pk).exists()


def _answer(parcel: Parcel, reader: Reader, *, was_seen: bool) -> Response:
    """The parcel as it is now, for who was shown it before what they did, or is since.

    Repeating a move changes nothing and is refused to nobody: what it answers must tell nobody
    where another agent brings a parcel. Raises ClaimedByAnother and NoSuchParcel.
    """
    if not (was_seen or _is_seen(parcel, reader)):
        raise NoSuchParcel if parcel.agent_id is None else ClaimedByAnother
    rows = read_rows(list(with_ends(Parcel.objects.filter(pk=parcel.pk))))
    if not rows:
        raise NoSuchParcel
    return Response(represent_parcel(rows[0], reader))
