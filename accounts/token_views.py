"""Renewing and revoking tokens over HTTP: each view calls one service."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.api.fields import read_idempotency_key
from omachemainproj.api.languages import translate_response

from . import tokens
from .authentication import Public
from .cookies import Transport
from .openapi import (
    BAD_TOKEN,
    OPENS,
    OTHER_ORIGIN,
    REFRESH_KEY,
    REFRESHED,
    REFRESHING,
    REPLAYED,
    SIGNED_OUT,
    SIGNING_OUT,
    TAGS,
    TRANSPORT_HEADER,
)
from .rotation import rotate
from .serializers import Done
from .sessions import Origin
from .token_serializers import RefreshInput, RefreshInputOrCookie, RefreshOutput, TokenInput


class SignOutView(Public, GenericAPIView):
    """Revoke a refresh token. Safe to repeat."""

    serializer_class = RefreshInput
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=TAGS, operation_id="logout", summary="Sign out", responses={200: Done, 401: BAD_TOKEN}
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        tokens.revoke(form.validated_data["refresh"])
        return _signed_out(request)


class VerifyView(Public, GenericAPIView):
    """Check whether an access or refresh token is valid."""

    serializer_class = TokenInput
    throttle_scope = "refresh"

    @extend_schema(
        tags=TAGS,
        operation_id="verify_token",
        summary="Verify a token",
        responses={200: OPENS, 401: BAD_TOKEN},
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        tokens.verify(form.validated_data["token"])
        return Response({})


class RefreshView(Public, GenericAPIView):
    """Exchange a refresh token, once, for a new pair."""

    serializer_class = RefreshInput
    throttle_scope = "refresh"

    @extend_schema(
        tags=TAGS,
        operation_id="refresh_token",
        summary="Renew tokens",
        description=REFRESHING,
        parameters=[TRANSPORT_HEADER, REFRESH_KEY, REPLAYED],
        request=RefreshInputOrCookie,
        responses={200: RefreshOutput, 401: BAD_TOKEN, 403: OTHER_ORIGIN},
        examples=REFRESHED,
    )
    def post(self, request: Request) -> Response:
        transport = Transport.of(request)
        key = read_idempotency_key(request.headers.get("Idempotency-Key"))
        raw, is_in_body = self._shown(request, transport)
        sender = transport.sender(key, moves=is_in_body)
        pair = rotate(raw, Origin.of(request), sender)
        answer = {
            "access": str(pair.access),
            "refresh": str(pair.refresh),
            "access_expiration": datetime.fromtimestamp(pair.access["exp"], UTC),
            "refresh_expiration": datetime.fromtimestamp(pair.refresh["exp"], UTC),
        }
        response = Response(RefreshOutput(answer).data)
        if pair.is_repeated:
            response["Idempotent-Replayed"] = "true"
        return transport.deliver(response, pair)

    def _shown(self, request: Request, transport: Transport) -> tuple[str, bool]:
        """The token sent, and whether it came in the body."""
        shape = RefreshInputOrCookie if transport.is_cookie else RefreshInput
        form = shape(data=request.data)
        form.is_valid(raise_exception=True)
        if "refresh" in form.validated_data:
            return str(form.validated_data["refresh"]), True
        return transport.refresh_token(request), False


class SignOutOfBrowserView(Public, GenericAPIView):
    """Revoke the refresh token in the cookie, which is only sent below /token/."""

    serializer_class = RefreshInput
    throttle_scope = "dj_rest_auth"

    @extend_schema(
        tags=TAGS,
        operation_id="logout_of_browser",
        summary="Sign out of this browser",
        description=SIGNING_OUT,
        parameters=[TRANSPORT_HEADER],
        request=RefreshInputOrCookie,
        responses={200: Done, 401: BAD_TOKEN, 403: OTHER_ORIGIN},
        examples=[SIGNED_OUT],
    )
    def post(self, request: Request) -> Response:
        transport = Transport.of(request)
        if transport.is_cookie:
            # Valid or not, the cookie is removed.
            with suppress(AuthenticationFailed):
                tokens.revoke(transport.refresh_token(request))
        else:
            form = self.get_serializer(data=request.data)
            form.is_valid(raise_exception=True)
            tokens.revoke(form.validated_data["refresh"])
        return transport.forget(_signed_out(request))


def _signed_out(request: Request) -> Response:
    return translate_response(request, Response({"detail": "Successfully logged out."}))
