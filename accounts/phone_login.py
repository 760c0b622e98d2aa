"""Signing in and registering with a phone instead of a password.

Entering a code sent to the phone signs in to the account linked to it, or creates one. The phone a
user types in their details (``User.phone``) gives no access. Two rules protect against reassigned
numbers: staff and users with a second factor can only sign in by password, and a phone that was not
used for four months is not enough on its own.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from omachemainproj.api.errors import Refusal
from omachemainproj.languages import ENGLISH, preferred_language

from . import emails, guests, names, security_log, services
from .models import PhoneLogin, User
from .preferences import change_preferences
from .signals import phone_proved
from .tokens import lock_caller, refuse

#: A number unused for this long may have been reassigned: operators reassign unused numbers after
#: three months or more, and a session ends after three.
PHONE_OWNERSHIP_PERIOD = timedelta(days=120)
#: Unambiguous letters for the first user name of a new account.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"


class UsePassword(Refusal):
    """Only the password (and the app's code) gives access to this account."""

    code = "use_password"
    status_code = 403
    message = "Sign in to this account with its password."


class PasswordNeeded(Refusal):
    """The number was unused for long, so the account's password is required too."""

    code = "password_needed"
    status_code = 400
    message = (
        "This number was not used here for a long time. Send the account's password too, as "
        "“password”."
    )


class PhoneTaken(Refusal):
    """The phone is linked to another account."""

    code = "phone_taken"
    message = (
        "This phone number is used to sign in to another account. Sign in there and remove it "
        "first."
    )


class NoOtherWayIn(Refusal):
    """Without the phone there would be no way to sign in."""

    code = "no_other_way_in"
    message = "Choose a password first: without the phone you could not sign in."


def require_password(request: HttpRequest, phone: str, password: str, now: datetime) -> None:
    """Require the password for a number that was unused for long, if its account has one.

    Raises PasswordNeeded, and LockedOut (429) after too many wrong ones.
    """
    stale = PhoneLogin.objects.select_related("user").filter(
        phone=phone, proved_at__lte=now - PHONE_OWNERSHIP_PERIOD
    )
    login = stale.first()
    if login is None or not has_password(login.user):
        return
    if not password or not services.confirm_password(request, login.user, password=password):
        raise PasswordNeeded


def sign_in(request: HttpRequest, phone: str, now: datetime) -> tuple[User, bool]:
    """Sign in with a phone whose code was just used; return the user and whether they are new.

    Call ``require_password`` first. Two concurrent requests for a new phone get the same account. A
    number that was unused for too long is unlinked from an account without a password, and a new
    account is created. Raises UsePassword, and refuses (401) a closed account.
    """
    login = PhoneLogin.objects.select_related("user").filter(phone=phone).first()
    if login and login.proved_at <= now - PHONE_OWNERSHIP_PERIOD and not has_password(login.user):
        _release_number(login)
        login = None
    user, is_new = (login.user, False) if login else _register(phone, now)
    if is_new:
        asked = preferred_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        language = guests.language_with(phone) or asked
        if language and language != ENGLISH:
            change_preferences(user, {"language": language})
    if not user.is_active:
        refuse("user_inactive")
    if not may_use_phone(user):
        raise UsePassword
    PhoneLogin.objects.filter(user=user, phone=phone).update(proved_at=now)
    phone_proved.send_robust(sender=User, user=user, phone=phone, now=now)
    user_logged_in.send(sender=User, request=request, user=user)
    return user, is_new


def link(user: User, phone: str, now: datetime) -> None:
    """Link a phone whose code was just checked to the account. Safe to repeat.

    Raises UsePassword for staff, and PhoneTaken if another account has it.
    """
    if not may_use_phone(user):
        raise UsePassword
    try:
        with transaction.atomic():
            lock_caller(user)
            PhoneLogin.objects.update_or_create(
                user=user, defaults={"phone": phone, "linked_at": now, "proved_at": now}
            )
            emails.notify_of_change(user, "phone_linked")
    except IntegrityError as error:
        if PhoneLogin.objects.filter(phone=phone).exclude(user=user).exists():
            raise PhoneTaken from error
        raise
    phone_proved.send_robust(sender=User, user=user, phone=phone, now=now)


def unlink(user: User) -> None:
    """Unlink the account's phone. Safe to repeat. Raises NoOtherWayIn."""
    if not has_password(user):
        raise NoOtherWayIn
    with transaction.atomic():
        if PhoneLogin.objects.filter(user=user).delete()[0]:
            emails.notify_of_change(user, "phone_unlinked")


def phone_of(user: User) -> str:
    """The phone linked to the account (12 digits), or ""."""
    return PhoneLogin.objects.filter(user=user).values_list("phone", flat=True).first() or ""


def has_password(user: User) -> bool:
    """Whether the account has a usable password."""
    return bool(user.password) and not user.password.startswith(UNUSABLE_PASSWORD_PREFIX)


def may_use_phone(user: User) -> bool:
    """Whether the account may be used by phone: not by staff or users with a second factor."""
    return not (
        user.is_staff
        or user.is_superuser
        or user.second_factor_at is not None
        or user.groups.exists()
    )


def _register(phone: str, now: datetime) -> tuple[User, bool]:
    """Create an account for this phone, or return one created concurrently."""
    for _ in range(5):
        name = f"mteja-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"
        user = User(username=name, phone=phone)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                if not names.claim(user, name):
                    transaction.set_rollback(True)
                    continue
                PhoneLogin.objects.create(user=user, phone=phone, linked_at=now, proved_at=now)
                return user, True
        except IntegrityError:
            found = PhoneLogin.objects.select_related("user").filter(phone=phone).first()
            if found is not None:
                return found.user, False
    raise RuntimeError("no unused user name was found")


def _release_number(link: PhoneLogin) -> None:
    PhoneLogin.objects.filter(pk=link.pk, phone=link.phone).delete()
    security_log.record("phone_given_up", user=link.user_id)
