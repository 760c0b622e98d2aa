"""Which notifications people want: read by orders.notifications, changed by themselves."""

from __future__ import annotations

from typing import Any

from .models import MessagePreferences, User


def preferences_of(user: User) -> MessagePreferences:
    """A person's choices, or everything in English where they made none.

    One query, or none where ``message_preferences`` was joined.
    """
    try:
        return user.message_preferences
    except MessagePreferences.DoesNotExist:
        return MessagePreferences(user=user)


def change_preferences(user: User, changes: dict[str, Any]) -> MessagePreferences:
    """Change these choices, and no others: two devices may each change one at once."""
    if changes:
        MessagePreferences.objects.bulk_create(
            [MessagePreferences(user=user, **changes)],
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=list(changes),
        )
    return MessagePreferences.objects.filter(user=user).first() or MessagePreferences(user=user)
