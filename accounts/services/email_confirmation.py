"""Confirming an e-mail address."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import emails
from accounts.models import User
from omachemainproj.api.errors import refuse_field

#: The same for a used, expired or unknown link, so that it reveals nothing.
LINK_IS_OVER = "This link is no longer valid. Request a new one."


def confirm_email(key: str) -> User:
    """Confirm the e-mail address that the key was mailed to. Safe to repeat.

    Other accounts with the same unconfirmed address lose it, so that their mail does not reach this
    inbox. Raises FieldRefusal if the link is no longer valid: it expired, the user has changed the
    address, or another user has confirmed it.
    """
    user = emails.read_key(key)
    if user is None:
        refuse_field("key", LINK_IS_OVER)
    try:
        with transaction.atomic():
            is_theirs = confirm(user, user.email)
    except IntegrityError:
        is_theirs = False
    if not is_theirs:
        refuse_field("key", LINK_IS_OVER)
    return user


def confirm(user: User, email: str) -> bool:
    """Mark the user's e-mail as confirmed; return whether it is confirmed now.

    Raises IntegrityError if another user confirmed it concurrently.
    """
    now = timezone.now()
    # Two concurrent confirmations would deadlock without this lock.
    list(User.objects.reached_at(email).order_by("pk").select_for_update(no_key=True))
    waiting = User.objects.filter(pk=user.pk, email=email, email_confirmed_at__isnull=True)
    if waiting.update(email_confirmed_at=now):
        same = User.objects.reached_at(email).filter(email_confirmed_at__isnull=True)
        same.exclude(pk=user.pk).order_by().update(email="")
        return True
    return User.objects.confirmed_at(email).filter(pk=user.pk).exists()
