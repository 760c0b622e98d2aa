"""Guests: whoever buys without an account, one person a phone.

Nothing shows that who types a phone has it. So a guest is nobody's to be trusted: what their phone
paid before opens no larger limits, and no more prompts (``accounts.contacts``). Who types a code
that was sent to the phone (``accounts.phone_login``) gets its orders (``orders.joining``).
"""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction

from .models import Guest, MessagePreferences, User
from .preferences import change_preferences, preferences_of

#: No name of an account's has a colon: nobody takes such a name, nor poses by it.
_NAME = "guest:"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def guest_with(phone: str, *, language: str) -> Guest:
    """The guest with this phone, 12 digits, made where there is none, told what they are told in
    ``language`` from now on. Of any number at once all get the same."""
    found = Guest.objects.select_related("user__message_preferences").filter(phone=phone).first()
    guest = found or _make(phone)
    if preferences_of(guest.user).language != language:
        change_preferences(guest.user, {"language": language})
    return guest


def language_with(phone: str) -> str:
    """The language of the newest cash-out by a guest with this phone; "" where there was none."""
    chosen = MessagePreferences.objects.filter(user__guest__phone=phone)
    return chosen.values_list("language", flat=True).first() or ""


def _make(phone: str) -> Guest:
    user = User(
        username=f"{_NAME}{''.join(secrets.choice(_LETTERS) for _ in range(12))}",
        # No payment writes a phone into the row, for which it would have to wait.
        phone_chosen=True,
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            return Guest.objects.create(user=user, phone=phone)
    except IntegrityError:
        return Guest.objects.select_related("user").get(phone=phone)
