"""The person who asks: read from the access token, and looked up at every request."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication as Base
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from .models import User
from .tokens import holder, refuse


class JWTAuthentication(Base):
    """``Authorization: Bearer <access token>``; one query, and none for strangers.

    The person is looked up each time, so a person who is deactivated, deleted or has a new password
    is refused at the very next request.
    """

    def authenticate(  # type: ignore[override]
        self, request: Request
    ) -> tuple[User, AccessToken] | None:
        header: bytes = self.get_header(request) or b""
        words = header.split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            refuse("token_not_valid")
        try:
            token = AccessToken(words[1])  # type: ignore[arg-type]
        except TokenError:
            refuse("token_not_valid")
        return holder(token), token


def current_user(request: Request | HttpRequest) -> User:
    """The person who asks, in a view that lets in nobody who is not signed in.

    Raises NotAuthenticated (401) where a view lets strangers in all the same.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
