"""The person who asks: read from the access token, and looked up at every request."""

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
    """``Authorization: Bearer <access token>``; one query, and none for strangers.

    The person is looked up each time, so a person who is deactivated, deleted or has a new password
    is refused at the very next request. Where anybody is let in, a token that opens nothing is a
    stranger's: a public page does not mind an old log-in.
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
            if _lets_anybody_in(request):
                return None
            raise


class Public:
    """Open to strangers. A token sent along is not read, so a stale one refuses nobody."""

    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Make a refusal 401 where DRF, seeing no way to authenticate, would say 403."""
        return 'Bearer realm="api"'


def _read(words: list[bytes]) -> tuple[User, AccessToken]:
    try:
        token = read_access_token(words[1] if len(words) == 2 else b"")
    except TokenError as error:
        refuse_unreadable(error)
    return holder(token), token


def _lets_anybody_in(request: Request) -> bool:
    view = (request.parser_context or {}).get("view")
    return view is not None and all(
        isinstance(permission, AllowAny) for permission in view.get_permissions()
    )


def current_user(request: Request | HttpRequest) -> User:
    """The person who asks, in a view that lets in nobody who is not signed in.

    Raises NotAuthenticated (401) where a view lets strangers in all the same.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
