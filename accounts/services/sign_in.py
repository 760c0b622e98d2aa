"""Signing in, and other proofs of who somebody is."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts import emails, lockout, second_factor
from accounts.models import User


def sign_in(request: HttpRequest, *, name: str, password: str, code: str = "") -> User | None:
    """Return the active user with this username or e-mail and password, or None.

    ``code`` is the code of their second factor, if they have one. Raises CodeNeeded, WrongCode
    (400), NotEnrolled (403) if they must have a second factor and have none, and LockedOut (429):
    every failure counts, whichever name was typed.
    """
    user = authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        return None
    second_factor.demand(request, user, code)
    lockout.record_sign_in(request, user)
    user_logged_in.send(sender=User, request=request, user=user)
    return user


def confirm_password(request: HttpRequest, user: User, *, password: str) -> bool:
    """Check the password of a user who is already signed in.

    Failures count as they do at log-in. Raises LockedOut (429) after too many.
    """
    found = authenticate(request, username=user.username, password=password)
    if not isinstance(found, User) or found.pk != user.pk:
        return False
    # authenticate() may have upgraded the hash, which changing the password compares.
    user.password = found.password
    return True


def open_link(request: HttpRequest, uid: str, token: str) -> User | None:
    """The active user whose reset link this is, or None.

    Invalid links count as failures of this network. Raises LockedOut (429) after too many; a valid
    link always works.
    """
    user = emails.find_by_link(uid, token)
    if user is None:
        lockout.begin(request, None).fail()
    return user
