"""Authentication by access token; the user is looked up at every request."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication as Base
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from omachemainproj.api.access_tokens import read_access_token

from .models import User
from .tokens import holder, refuse_unreadable


class JWTAuthentication(Base):
    """``Authorization: Bearer <access token>``; one query, none for anonymous requests.

    The user is looked up each time, so a deactivated or deleted user, or one with a new password,
    is refused at the next request. Public views treat an invalid token as anonymous.
    """

    def authenticate(  # type: ignore[override]
        self, request: Request
    ) -> tuple[User, AccessToken] | None:
        header: bytes = self.get_header(request) or b""
        words = header.split()
        if not words or words[0].lower() != b"bearer":
            return None
        try:
            return _read(words)
        except AuthenticationFailed:
            if _allows_any(request):
                return None
            raise


class Public:
    """Public views. Tokens are not read, so an old one does not cause a refusal."""

    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Make refusals 401; without authentication classes DRF would answer 403."""
        return 'Bearer realm="api"'


def _read(words: list[bytes]) -> tuple[User, AccessToken]:
    try:
        token = read_access_token(words[1] if len(words) == 2 else b"")
    except TokenError as error:
        refuse_unreadable(error)
    return holder(token), token


def _allows_any(request: Request) -> bool:
    view = (request.parser_context or {}).get("view")
    return view is not None and all(
        isinstance(permission, AllowAny) for permission in view.get_permissions()
    )


def current_user(request: Request | HttpRequest) -> User:
    """The user of a request, for views that require sign-in.

    Raises NotAuthenticated (401) for an anonymous request.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
