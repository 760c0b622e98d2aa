"""The caller's in-app notices over HTTP."""

from __future__ import annotations

from functools import partial

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import current_user
from omachemainproj.api.errors import refuse_field
from omachemainproj.api.languages import translate_response
from omachemainproj.api.pagination import KeysetPagination
from omachemainproj.api.parameters import PAGING, refuse_unknown
from omachemainproj.languages import language_for
from orders.models import InboxNotice

from .serializers import NoticeFilterInput, NoticeOutput, ReadInput, UnreadOutput
from .services import KEYSET, count_unread, mark_read, read_notices, represent_notice

_LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) if there is a next page.',
)
_UNREAD = OpenApiParameter(
    "Unread-Count",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    response=[200],
    description="The number of unread notices on all pages together, 100 at most.",
)
_NOTICE = OpenApiExample(
    "paid",
    value={
        "id": 812,
        "kind": "shipped",
        "title": "Order PR7KWQ4M is on the way",
        "text": "Goods of your order PR7KWQ4M are on the way to you. Tell who brings them the code "
        "that your order shows, when you have them in your hands and not before.\n\n"
        "2 x Ramtons cordless kettle 1.7 L",
        "order_token": "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
        "reference": "PR7KWQ4M",
        "line": 512,
        "created_at": "2026-11-24T08:16:03.123456Z",
        "read": False,
    },
    response_only=True,
    status_codes=[200],
)


class NoticesView(GenericAPIView):
    """The caller's notices."""

    throttle_scope = "read"
    queryset = InboxNotice.objects.none()
    serializer_class = NoticeOutput
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="notices",
        summary="List notices",
        tags=["notices"],
        parameters=[NoticeFilterInput, _LINK, _UNREAD],
        responses={200: NoticeOutput(many=True)},
        examples=[_NOTICE],
    )
    def get(self, request: Request) -> Response:
        """The caller's notices, newest first, also if they have turned e-mail and SMS off.

        Notices are kept as long as the texts of messages (180 days, unless the shop sets another
        period).
        """
        refuse_unknown(request, ("unread", *PAGING))
        pager = self.pagination_class()
        user, language = current_user(request), language_for(request)
        rows = pager.paginate(
            request, KEYSET, partial(read_notices, user.pk, _wants_unread(request))
        )
        response = pager.get_paginated_response(
            [represent_notice(row, reader_id=user.pk, language=language) for row in rows]
        )
        response["Unread-Count"] = str(count_unread(user))
        return translate_response(request, response, ())


class NoticesReadView(APIView):
    """Marking notices as read."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="notices_read",
        summary="Mark notices as read",
        tags=["notices"],
        request=ReadInput,
        responses={200: UnreadOutput},
        examples=[
            OpenApiExample("all that was shown", {"up_to": 812}, request_only=True),
            OpenApiExample("two of them", {"ids": [812, 790]}, request_only=True),
            OpenApiExample("one is left", {"unread": 1}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Mark some of the caller's notices as read, or all up to one. Safe to repeat. Other users'
        notices are not changed."""
        serializer = ReadInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = current_user(request)
        mark_read(user, **serializer.validated_data)
        return Response({"unread": count_unread(user)})


def _wants_unread(request: Request) -> bool:
    typed = request.query_params.getlist("unread")
    if len(typed) > 1:
        refuse_field("unread", "Give this once.")
    serializer = NoticeFilterInput(data={"unread": typed[0]} if typed else {})
    serializer.is_valid(raise_exception=True)
    return bool(serializer.validated_data)
