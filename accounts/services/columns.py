"""Writes single columns of a user."""

from __future__ import annotations

from typing import Any

from accounts import tokens
from accounts.lookalikes import skeleton
from accounts.models import User


def update_columns(user: User, changes: dict[str, Any]) -> None:
    """Write these columns of a user, and their row in memory. Raises 401 if they are gone."""
    # Only these columns: saving the whole row would undo concurrent changes by staff.
    if "username" in changes:
        changes = {**changes, "skeleton": skeleton(changes["username"])}
    if changes and not User.objects.filter(pk=user.pk).update(**changes):
        tokens.refuse("user_not_found")
    for name, value in changes.items():
        setattr(user, name, value)
