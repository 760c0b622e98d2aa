"""Permissions that also admit anonymous requests and guests."""

from __future__ import annotations

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .models import User


class SignedInOrStranger(BasePermission):
    """Signed-in users and, for methods the view has, anonymous requests.

    Requests with an invalid token are refused, so that an expired one does not turn a user into a
    guest by accident. The view decides what anonymous clients may do.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.user, User):
            return True
        is_offered = request.method != "OPTIONS" and hasattr(view, (request.method or "").lower())
        return is_offered and not request.headers.get("Authorization")


class SignedInOrGuest(SignedInOrStranger):
    """The same if GUEST_CHECKOUT is on; otherwise only signed-in users."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        signed_in = isinstance(request.user, User)
        return signed_in or (settings.GUEST_CHECKOUT and super().has_permission(request, view))
