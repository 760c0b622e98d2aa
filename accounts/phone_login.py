"""Signing in and joining with a phone, beside the password.

A code that was sent there and typed opens the account that the phone was linked to, or makes one.
What anybody may type as their phone (``User.phone``) opens nothing. Two things stand against a
number that another person has by now: staff, and whoever has a second factor, sign in by password
alone; and a phone that was not used for four months opens nothing by itself.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from omachemainproj.api.errors import Refusal

from . import emails, guests, names, security_log, services
from .models import PhoneLogin, User
from .preferences import change_preferences
from .signals import phone_proved
from .tokens import refuse

#: So long a number is taken to be the same person's without a code: operators give numbers that
#: nobody uses to others after three months and more, and a session ends after three.
THEIRS_FOR = timedelta(days=120)
#: Letters and digits that nobody mixes up, of the name a newcomer begins with.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"


class UsePassword(Refusal):
    """This account is opened by its password (and code of the app) alone."""

    code = "use_password"
    status_code = 403
    message = "Sign in to this account with its password."


class PasswordNeeded(Refusal):
    """The number was not used for long; the account's password says that it is still theirs."""

    code = "password_needed"
    status_code = 400
    message = (
        "This number was not used here for a long time. Send the account's password too, as "
        "“password”."
    )


class PhoneTaken(Refusal):
    """Another account is opened by this phone."""

    code = "phone_taken"
    message = "Another account signs in with this phone. Sign in to it, and take the phone away."


class NoOtherWayIn(Refusal):
    """Without the phone nobody could sign in to the account."""

    code = "no_other_way_in"
    message = "Choose a password first: without the phone you could not sign in."


def demand_password(request: HttpRequest, phone: str, password: str, now: datetime) -> None:
    """Ask for the password too where a number was not used for long, and its account has one.

    Raises PasswordNeeded, and LockedOut (429) after too many wrong ones.
    """
    stale = PhoneLogin.objects.select_related("user").filter(
        phone=phone, proved_at__lte=now - THEIRS_FOR
    )
    found = stale.first()
    if found is None or not has_password(found.user):
        return
    if not password or not services.confirm_password(request, found.user, password=password):
        raise PasswordNeeded


def enter(request: HttpRequest, phone: str, now: datetime) -> tuple[User, bool]:
    """The person who signs in with this phone, whose code was just used; whether they are new.

    ``demand_password`` was asked before. Of two at once for a new phone, both get the same account.
    A number that rested too long, of an account without a password, begins anew: whoever has it
    now is a newcomer. Raises UsePassword, and refuses (401) a closed account.
    """
    found = PhoneLogin.objects.select_related("user").filter(phone=phone).first()
    if found and found.proved_at <= now - THEIRS_FOR and not has_password(found.user):
        _let_go(found)
        found = None
    user, is_new = (found.user, False) if found else _join(phone, now)
    if is_new and (language := guests.language_with(phone)):
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
    """Let this phone, whose code was just checked, open the account. Safe to repeat.

    Raises UsePassword for staff, and PhoneTaken; of two accounts at once, for the second.
    """
    if not may_use_phone(user):
        raise UsePassword
    try:
        with transaction.atomic():
            PhoneLogin.objects.update_or_create(
                user=user, defaults={"phone": phone, "linked_at": now, "proved_at": now}
            )
            emails.tell_of_change(user, "phone_linked")
    except IntegrityError as error:
        if PhoneLogin.objects.filter(phone=phone).exclude(user=user).exists():
            raise PhoneTaken from error
        raise
    phone_proved.send_robust(sender=User, user=user, phone=phone, now=now)


def unlink(user: User) -> None:
    """Let no phone open the account any more. Safe to repeat. Raises NoOtherWayIn."""
    if not has_password(user):
        raise NoOtherWayIn
    with transaction.atomic():
        if PhoneLogin.objects.filter(user=user).delete()[0]:
            emails.tell_of_change(user, "phone_unlinked")


def phone_of(user: User) -> str:
    """The phone that opens the account, 12 digits, or nothing."""
    return PhoneLogin.objects.filter(user=user).values_list("phone", flat=True).first() or ""


def has_password(user: User) -> bool:
    """Whether the account has a password that anybody could type."""
    return bool(user.password) and not user.password.startswith(UNUSABLE_PASSWORD_PREFIX)


def may_use_phone(user: User) -> bool:
    """Whether a phone may open this account: an SMS is no second factor, and no first of staff."""
    return not (
        user.is_staff
        or user.is_superuser
        or user.second_factor_at is not None
        or user.groups.exists()
    )


def _join(phone: str, now: datetime) -> tuple[User, bool]:
    """A newcomer with this phone, or whoever joined with it in this moment."""
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
    raise RuntimeError("no name was free")


def _let_go(link: PhoneLogin) -> None:
    PhoneLogin.objects.filter(pk=link.pk, phone=link.phone).delete()
    security_log.record("phone_given_up", user=link.user_id)
