"""Signing in with a password: by username or e-mail, in any case."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from omachemainproj.text import fold_password

from .models import User


class UsernameOrEmailBackend(ModelBackend):
    """Finds a person by username or e-mail; the admin signs in with it too."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the person, or None. An unknown name takes as long as a wrong password."""
        if not username or not password:
            return None
        user = User.objects.known_as(username).first()
        if user is None:
            # Hashes as often as checking a wrong password does: timing must not reveal who is
            # registered.
            for _ in {password, fold_password(password)}:
                User().set_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user
        return None
