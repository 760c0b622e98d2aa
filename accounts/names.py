"""Availability of usernames: reserved, confusable with another, or quarantined after a change.

A new name claims its skeleton (accounts.lookalikes) in the transaction that saves it. Claims are
unique, so of two confusable names chosen concurrently only one succeeds. Older names have no claim,
and may be confusable; the column ``User.skeleton`` finds them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from omachemainproj.api.errors import refuse_field

from .lookalikes import is_reserved, skeleton
from .models import USERNAME_TAKEN, NameClaim, User

NAME_IS_RESERVED = "This name is reserved for the shop and its partners. Choose another."
NAME_IS_CONFUSABLE = "This name looks like one that is taken. Choose another."
CHANGED_TOO_OFTEN = "You have changed your name often. Keep this one for now."
#: How many names of one user are quarantined at a time, so that nobody can block many names.
MAX_QUARANTINED = 3


def refusal(username: str, *, but: int = 0) -> str | None:
    """Why this name is not available, or None. ``but`` is the user whose own name is allowed."""
    if is_reserved(username):
        return NAME_IS_RESERVED
    looks = skeleton(username)
    others = User.objects.filter(skeleton=looks).exclude(pk=but)
    similar = list(others.values_list("username", flat=True)[:2])
    if any(name.lower() == username.lower() for name in similar):
        return USERNAME_TAKEN
    if similar:
        return NAME_IS_CONFUSABLE
    claimed = NameClaim.objects.active(timezone.now()).filter(skeleton=looks)
    return USERNAME_TAKEN if claimed.exclude(user=but).exists() else None


def claim(user: User, username: str) -> bool:
    """Claim this name's skeleton for the user; return False if another user has it.

    Call in the transaction that saves the name, after saving.
    """
    looks, now = skeleton(username), timezone.now()
    NameClaim.objects.bulk_create([NameClaim(skeleton=looks, user=user)], ignore_conflicts=True)
    own = Q(user=user) | Q(rests_until__lte=now)
    return (
        NameClaim.objects.filter(own, skeleton=looks).update(user=user, rests_until=None) > 0
        and not User.objects.filter(skeleton=looks).exclude(pk=user.pk).exists()
    )


def quarantine(user: User, username: str) -> None:
    """Quarantine a former name: for NAME_RESTS_DAYS nobody else can take it."""
    looks = skeleton(username)
    until = timezone.now() + timedelta(days=settings.NAME_RESTS_DAYS)
    if not NameClaim.objects.filter(skeleton=looks, user=user).update(rests_until=until):
        NameClaim.objects.bulk_create(
            [NameClaim(skeleton=looks, user=user, rests_until=until)], ignore_conflicts=True
        )


@transaction.atomic
def change(user: User, *, before: str, after: str) -> None:
    """Claim the new name and quarantine the old one; call in the transaction that saved it.

    Raises FieldRefusal if another user took it concurrently, or too many names are quarantined.
    """
    if skeleton(before) == skeleton(after):
        return
    resting = NameClaim.objects.filter(user=user, rests_until__gt=timezone.now())
    if resting.exclude(skeleton=skeleton(after)).count() >= MAX_QUARANTINED:
        refuse_field("username", CHANGED_TOO_OFTEN)
    if not claim(user, after):
        refuse_field("username", USERNAME_TAKEN)
    quarantine(user, before)


def delete_released_names(now: datetime) -> int:
    """Delete expired claims. Safe to repeat and to run concurrently."""
    return int(NameClaim.objects.filter(rests_until__lte=now).delete()[0])
