"""A person's own details, profile and notification preferences over HTTP."""

from __future__ import annotations

from typing import Any

from dj_rest_auth.views import UserDetailsView
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser

from . import services
from .authentication import current_user
from .models import MessagePreferences, User
from .openapi import LOCKED_OUT
from .preferences import preferences_of
from .serializers import AccountSerializer, MessagesSerializer, UserDetails, UserInput

_TAGS = ["account"]
_USER = [
    OpenApiExample(
        "with a phone",
        value={"username": "wanjiku", "phone": "0712 345 678"},
        request_only=True,
    ),
    OpenApiExample(
        "as stored",
        value={
            "pk": 12,
            "username": "wanjiku",
            "email": "wanjiku@example.com",
            "first_name": "Wanjiku",
            "last_name": "Kamau",
            "email_confirmed": True,
            "phone": "254712345678",
        },
        response_only=True,
        status_codes=[200],
    ),
]


class UserView(UserDetailsView):
    """Read and change your user name, e-mail, names and phone."""

    throttle_scope = "read"
    http_method_names = ["get", "put", "patch", "head", "options"]

    @extend_schema(
        tags=_TAGS,
        operation_id="get_user",
        summary="Get the caller's details",
        responses=UserDetails,
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(UserDetails(request.user).data)

    @extend_schema(
        tags=_TAGS,
        operation_id="change_user",
        summary="Replace the caller's details",
        request=UserInput,
        responses={200: UserDetails, 429: LOCKED_OUT},
        examples=_USER,
    )
    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=False)

    @extend_schema(
        tags=_TAGS,
        operation_id="edit_user",
        summary="Change the caller's details",
        request=UserInput,
        responses={200: UserDetails, 429: LOCKED_OUT},
        examples=_USER,
    )
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._change(request, partial=True)

    def _change(self, request: Request, *, partial: bool) -> Response:
        form = UserInput(data=request.data, partial=partial, context={"request": request})
        form.is_valid(raise_exception=True)
        services.change_details(current_user(request), form.validated_data)
        return Response(UserDetails(request.user).data)


@extend_schema_view(
    get=extend_schema(tags=_TAGS, operation_id="get_account", summary="Get the public profile"),
    put=extend_schema(
        tags=_TAGS, operation_id="change_account", summary="Replace the public profile"
    ),
    patch=extend_schema(
        tags=_TAGS, operation_id="edit_account", summary="Change the public profile"
    ),
)
class AccountView(RetrieveUpdateAPIView):
    """Read and change your public profile, as JSON or, with an avatar, as multipart."""

    serializer_class = AccountSerializer
    parser_classes = (StrictJSONParser, StrictMultiPartParser)
    throttle_scope = "account"

    def get_object(self) -> User:
        return current_user(self.request)


@extend_schema_view(
    get=extend_schema(
        tags=_TAGS, operation_id="get_messages", summary="Get notification preferences"
    ),
    put=extend_schema(
        tags=_TAGS, operation_id="change_messages", summary="Replace notification preferences"
    ),
    patch=extend_schema(
        tags=_TAGS, operation_id="edit_messages", summary="Change notification preferences"
    ),
)
class MessagesView(RetrieveUpdateAPIView):
    """Read and change your notification preferences and language."""

    serializer_class = MessagesSerializer
    throttle_scope = "account"

    def get_object(self) -> MessagePreferences:
        return preferences_of(current_user(self.request))
