"""Signing in with a password: by username or e-mail, in any case."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from omachemainproj.text import fold_password

from . import lockout
from .models import User


class UsernameOrEmailBackend(ModelBackend):
    """Finds a user by username or e-mail; all password checks go through it."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the user, or None. An unknown name takes as long as a wrong password.

        Raises LockedOut (429) after too many failures, including this attempt.
        """
        if not username or not password:
            return None
        try:
            return self._check(request, username, password)
        except lockout.LockedOut:
            # Django does not send this signal when the backend raises.
            user_login_failed.send(
                sender=__name__, credentials={"username": username}, request=request
            )
            raise

    def _check(self, request: HttpRequest | None, username: str, password: str) -> User | None:
        user = User.objects.known_as(username).first()
        attempt = lockout.begin(request, user or username)
        if user is not None and self._may_enter(user, password):
            attempt.take_back()
            return user
        if user is None:
            # Hash as often as for a wrong password: timing must not reveal who is registered.
            for _ in {password, fold_password(password)}:
                User().set_password(password)
        attempt.fail()
        return None

    def _may_enter(self, user: User, password: str) -> bool:
        return user.check_password(password) and self.user_can_authenticate(user)
