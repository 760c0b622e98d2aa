"""A person's open sessions over HTTP: listing and ending them."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken

from omachemainproj.api.error_schemas import error_answer
from omachemainproj.api.languages import translate_response
from omachemainproj.api.parameters import refuse_unknown

from . import tokens
from .authentication import current_user
from .models import Session
from .serializers import EndedOutput, SessionOutput

_TAGS = ["account"]
_NO_SUCH_SESSION = error_answer("Not found.", "not_found")
_SESSIONS = OpenApiExample(
    "a phone, and the back office",
    value=[
        {
            "id": 812,
            "kind": "api",
            "started_at": "2026-11-20T18:05:00+03:00",
            "last_used_at": "2026-11-24T08:15:00+03:00",
            "expires_at": "2026-12-08T08:15:00+03:00",
            "address": "197.248.10.7",
            "device": "Chrome on Android",
            "current": True,
        },
        {
            "id": 790,
            "kind": "admin",
            "started_at": "2026-11-24T08:00:00+03:00",
            "last_used_at": "2026-11-24T08:11:00+03:00",
            "expires_at": "2026-11-24T08:41:00+03:00",
            "address": "105.160.3.4",
            "device": "Firefox on Windows",
            "current": False,
        },
    ],
    response_only=True,
    status_codes=[200],
)


class SessionsView(GenericAPIView):
    """The caller's sessions."""

    queryset = Session.objects.none()
    serializer_class = SessionOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="list_sessions",
        summary="List the caller's sessions",
        responses=SessionOutput(many=True),
        examples=[_SESSIONS],
    )
    def get(self, request: Request) -> Response:
        """The caller's open sessions, the most recently used first, at most 100."""
        refuse_unknown(request, ())
        open_ones = tokens.open_sessions(current_user(request))
        here = tokens.session_of(request.auth) if isinstance(request.auth, AccessToken) else 0
        return Response(SessionOutput(open_ones, many=True, context={"here": here}).data)


class SessionView(GenericAPIView):
    """One of the caller's sessions."""

    queryset = Session.objects.none()
    serializer_class = SessionOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="end_session",
        summary="End a session",
        responses={204: None, 404: _NO_SUCH_SESSION},
    )
    def delete(self, request: Request, session_id: str) -> Response:
        """End a session. Its tokens are refused at the next request. Safe to repeat."""
        if not tokens.end_session(current_user(request), int(session_id)):
            raise NotFound
        return Response(status=204)


class EndSessionsView(GenericAPIView):
    """Signing out everywhere."""

    serializer_class = EndedOutput
    throttle_scope = "account"

    @extend_schema(
        tags=_TAGS,
        operation_id="end_all_sessions",
        summary="Sign out everywhere",
        request=None,
        responses=EndedOutput,
        examples=[
            OpenApiExample(
                "three devices",
                value={"detail": "You are signed out everywhere.", "ended": 3},
                response_only=True,
                status_codes=[200],
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """End all of the caller's sessions, including this one, and revoke all tokens."""
        ended = tokens.revoke_all(current_user(request).pk)
        answer = {"detail": "You are signed out everywhere.", "ended": ended}
        return translate_response(request, Response(answer))
