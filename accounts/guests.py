"""Guests: buyers without an account, one per phone.

A guest's phone is unverified, so payments from it raise no limits and allow no more prompts
(``accounts.contacts``). A user who enters a code sent to the phone (``accounts.phone_login``) gets
its orders (``orders.joining``).
"""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction

from .models import Guest, MessagePreferences, User
from .preferences import change_preferences, preferences_of

#: No user can choose a name with a colon.
_NAME = "guest:"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def guest_with(phone: str, *, language: str) -> Guest:
    """Get or create the guest with this phone (12 digits), and set their language. Safe to run
    concurrently."""
    known = Guest.objects.select_related("user__message_preferences").filter(phone=phone).first()
    guest = known or _make(phone)
    if preferences_of(guest.user).language != language:
        change_preferences(guest.user, {"language": language})
    return guest


def language_with(phone: str) -> str:
    """The language of the guest with this phone; "" without one."""
    chosen = MessagePreferences.objects.filter(user__guest__phone=phone)
    return chosen.values_list("language", flat=True).first() or ""


def _make(phone: str) -> Guest:
    user = User(
        username=f"{_NAME}{''.join(secrets.choice(_LETTERS) for _ in range(12))}",
        # Payments then never write the phone, and need not lock the row.
        phone_chosen=True,
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            return Guest.objects.create(user=user, phone=phone)
    except IntegrityError:
        return Guest.objects.select_related("user").get(phone=phone)
