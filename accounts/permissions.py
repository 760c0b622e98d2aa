"""Who is let in besides those who are signed in."""

from __future__ import annotations

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .models import User


class SignedInOrStranger(BasePermission):
    """Whoever is signed in and, by the methods of the view, who says nothing of who they are.

    Not who says it in vain: a token that is over is renewed, and makes nobody a guest by accident.
    The view decides what a stranger may do, and refuses others (401).
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.user, User):
            return True
        is_offered = request.method != "OPTIONS" and hasattr(view, (request.method or "").lower())
        return is_offered and not request.headers.get("Authorization")


class SignedInOrGuest(SignedInOrStranger):
    """The same, where the shop sells to guests; else only who is signed in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        signed_in = isinstance(request.user, User)
        return signed_in or (settings.GUEST_CHECKOUT and super().has_permission(request, view))
